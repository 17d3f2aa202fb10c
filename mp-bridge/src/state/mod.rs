//! What a bridge decides, without I/O: frames, local events and `now` come in, [`Output`]s go out.
//!
//! [`Home`] is the bridge of the host with the primary, [`Away`] that of another host; what binds
//! the two together is a [`Link`](link::Link), which knows what is a member of its session, what
//! comes twice, and which requests are open. Nothing here knows NATS, sockets or threads. Times are
//! of this host's monotonic clock, and never travel.

mod away;
mod home;
mod link;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use away::{Away, BindFailed};
pub(crate) use home::Home;

use crate::{
    counters::Counters,
    frame::{Answer, Body, Content, Frame},
    names::Names,
};

/// How often a bridge says that it is there.
pub(crate) const BEAT: Duration = Duration::from_millis(250);

/// What both sides are set up with.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// This bridge, from its start to its end.
    pub(crate) me: u64,
    /// What the others call this host.
    pub(crate) host: String,
    pub(crate) names: Names,
    /// How long the other side may be silent before it counts as gone.
    pub(crate) grace: Duration,
    /// How long the answer to a request may take.
    pub(crate) patience: Duration,
    /// How many messages and requests may wait for the other side.
    pub(crate) queue: usize,
}

/// Whom a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// The group's home, whichever bridge that is.
    Home,
    Bridge(u64),
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    /// Sends a frame that may be lost: while there is no connection it need not be sent.
    Send { to: To, frame: Frame },
    /// Answers the request that was given this number.
    Answer { id: u64, answer: Answer },
    /// Sends to the primary, if `member` is 0, or to this member.
    Message { member: u64, content: Content },
    /// Asks it. What becomes of that is told to [`Side::answered`].
    Ask { session: u64, id: u64, member: u64, content: Content },
    /// A stand-in joins for this member of another host, ...
    Join { session: u64, member: u64, pid: u32, host: Arc<str> },
    /// ... and leaves.
    Leave { session: u64, member: u64 },
    /// The bridge becomes this host's primary, ...
    Bind { generation: u64 },
    /// ... and is it no more.
    Unbind,
    /// Something that whoever runs the bridge should know.
    Tell(String),
    /// The bridge ends.
    Stop(Refusal),
}

/// Why a bridge may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another host has the group's primary.
    HomeTaken { host: String },
    /// This host has a primary of its own.
    PrimaryHere { why: String },
}

/// What a bridge does on either side.
pub(crate) trait Side {
    /// A frame came.
    fn frame(&mut self, frame: Frame, now: Instant);

    /// The server says that this bridge is not there; 0 is the home.
    fn nobody(&mut self, bridge: u64, now: Instant);

    /// The connection to the server is there, or lost.
    fn connected(&mut self, is_connected: bool, now: Instant);

    /// To be called every [`BEAT`].
    fn tick(&mut self, now: Instant);

    /// What the bridge asked for the other side has come to this.
    fn answered(&mut self, session: u64, id: u64, answer: Answer);

    /// The next frame that is to be sent in order and not lost, and to whom.
    fn next_frame(&mut self) -> Option<(u64, Frame)>;

    /// The bridge ends: says so to the others.
    fn end(&mut self);

    fn common(&mut self) -> &mut Common;

    /// What is to be done now.
    fn next_output(&mut self) -> Option<Output> {
        self.common().outputs.pop_front()
    }
}

/// What both sides have.
#[derive(Debug)]
pub(crate) struct Common {
    terms: Terms,
    counters: Arc<Counters>,
    outputs: VecDeque<Output>,
    /// The number of the next local request.
    next_id: u64,
}

impl Common {
    fn new(terms: Terms, counters: Arc<Counters>) -> Self {
        Self { terms, counters, outputs: VecDeque::new(), next_id: 1 }
    }

    fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.put(Output::Tell(text.into()));
    }

    /// Sends a frame outside the order of a session.
    fn send(&mut self, to: To, session: u64, body: Body) {
        let frame = Frame { from: self.terms.me, session, sequence: 0, body };
        self.put(Output::Send { to, frame });
    }

    /// What the other side wants done here.
    fn work(&mut self, session: u64, link: &mut link::Link, body: Body) {
        match body {
            Body::Message { content, .. } if !self.terms.names.pass(&content.name) => {
                self.counters.denied.add();
            }
            Body::Request { id, content, .. } if !self.terms.names.pass(&content.name) => {
                self.counters.denied.add();
                link.push_control(Body::Answer { id, answer: Answer::Ignore(crate::names::denied()) });
            }
            Body::Message { member, content } => {
                self.counters.messages_in.add();
                self.put(Output::Message { member, content });
            }
            Body::Request { id, member, content } => {
                self.counters.requests_in.add();
                self.put(Output::Ask { session, id, member, content });
            }
            Body::Answer { id, answer } => match link.settle(id) {
                true => {
                    self.counters.answers_in.add();
                    self.put(Output::Answer { id, answer });
                }
                false => self.counters.late.add(),
            },
            // Said outside the order of a session, or to the other side.
            _ => self.counters.not_understood.add(),
        }
    }

    /// Hands a local message to the other side.
    fn say(&mut self, link: &mut link::Link, member: u64, content: Content) {
        match link.push(Body::Message { member, content }, self.terms.queue) {
            Ok(()) => self.counters.messages_out.add(),
            Err(link::Full) => self.counters.dropped.add(),
        }
    }

    /// Hands a local request to the other side.
    fn ask(&mut self, link: &mut link::Link, id: u64, member: u64, content: Content, now: Instant) {
        let request = Body::Request { id, member, content };
        match link.ask(id, member, request, self.terms.queue, now + self.terms.patience) {
            Ok(()) => self.counters.requests_out.add(),
            Err(link::Full) => {
                self.counters.refused.add();
                let why = mp_core::Why::new(mp_core::Reason::Overloaded, "the bridge to its host");
                self.put(Output::Answer { id, answer: Answer::Ignore(why) });
            }
        }
    }

    /// The number of a new local request.
    fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// These requests were made to somebody who is gone.
    fn end(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.put(Output::Answer { id, answer: Answer::gone() });
        }
    }

    /// These are never answered.
    fn abandon(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.counters.unanswered.add();
            self.put(Output::Answer { id, answer: Answer::Nothing });
        }
    }
}
