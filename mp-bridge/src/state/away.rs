//! The bridge of a host without the primary: it is the primary there, while the home has one and is
//! heard, and tells the home who is a member here.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Common, Output, Refusal, Side, Terms, To,
    link::{Accepted, Link},
};
use crate::{
    counters::Counters,
    frame::{Answer, Body, Content, Frame},
};

/// How long to wait before trying again to become the primary, if something of the moment was in
/// the way.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Away {
    common: Common,
    stage: Stage,
    /// Which of the home's primaries this bridge stands for; 0 for none.
    standing: u64,
    /// When to try again to stand for it.
    again: Option<Instant>,
    /// Each member here, and its process.
    members: BTreeMap<u64, u32>,
    session_of_next: u64,
}

#[derive(Debug)]
enum Stage {
    /// For a home, under this number of a session.
    Looking(u64),
    Linked(Link),
}

/// Why the bridge is not this host's primary.
#[derive(Debug)]
pub(crate) enum BindFailed {
    /// Somebody else is.
    Taken(String),
    /// It may be if it is tried again.
    Other(String),
}

impl Away {
    /// `first_session` is a random number.
    pub(crate) fn new(terms: Terms, counters: Arc<Counters>, first_session: u64) -> Self {
        Self {
            common: Common::new(terms, counters),
            stage: Stage::Looking(first_session),
            standing: 0,
            again: None,
            members: BTreeMap::new(),
            session_of_next: first_session.wrapping_add(1),
        }
    }

    /// Somebody has become a member here.
    pub(crate) fn joined(&mut self, member: u64, pid: u32) {
        self.members.insert(member, pid);
        if let Stage::Linked(link) = &mut self.stage {
            link.push_control(Body::Joined { member, pid });
        }
    }

    /// It has left.
    pub(crate) fn left(&mut self, member: u64) {
        self.members.remove(&member);
        if let Stage::Linked(link) = &mut self.stage {
            link.push_control(Body::Left { member });
        }
    }

    /// Whether the bridge still stands for this one of the home's primaries.
    pub(crate) fn stands_for(&self, generation: u64) -> bool {
        self.standing == generation
    }

    /// The bridge could not become the primary that it was to stand for.
    pub(crate) fn bind_failed(&mut self, generation: u64, why: BindFailed, now: Instant) {
        if generation != self.standing {
            return;
        }
        match why {
            BindFailed::Taken(why) => self.refuse(why),
            BindFailed::Other(why) => {
                if self.again.is_none() {
                    self.common.tell(format!("cannot be the primary here yet: {why}"));
                }
                self.again = Some(now + AGAIN);
            }
        }
    }

    /// Somebody else is the primary of this host: says so on both, and ends.
    pub(crate) fn refuse(&mut self, why: String) {
        let host = self.common.terms.host.clone();
        self.common.send(To::Home, 0, Body::Refused { host, why: why.clone() });
        self.common.put(Output::Stop(Refusal::PrimaryHere { why }));
    }

    /// A local process sent this message to the primary.
    pub(crate) fn said(&mut self, generation: u64, content: Content) {
        match &mut self.stage {
            Stage::Linked(link) if generation == self.standing => self.common.say(link, 0, content),
            _ => self.common.counters.dropped.add(),
        }
    }

    /// A local process asks the primary; tells the number by which the answer will come.
    pub(crate) fn asked(&mut self, generation: u64, content: Content, now: Instant) -> u64 {
        let id = self.common.new_id();
        match &mut self.stage {
            Stage::Linked(link) if generation == self.standing => self.common.ask(link, id, 0, content, now),
            _ => self.common.end([id]),
        }
        id
    }

    fn welcome(&mut self, from: u64, session: u64, host: String, now: Instant) {
        let Stage::Looking(wanted) = self.stage else { return };
        if wanted != session {
            return self.common.counters.stale.add();
        }
        self.common.tell(format!("{host} has the primary"));
        let mut link = Link::new(from, session, host, now);
        for (member, pid) in &self.members {
            link.push_control(Body::Joined { member: *member, pid: *pid });
        }
        self.stage = Stage::Linked(link);
    }

    /// Ends the session, if there is one. The bridge is the primary no more before anything else
    /// is done, so that whoever asked it sees that the primary is gone.
    fn part(&mut self, why: Option<&str>) {
        let next = Stage::Looking(self.session_of_next);
        let Stage::Linked(mut link) = std::mem::replace(&mut self.stage, next) else { return };
        self.session_of_next = self.session_of_next.wrapping_add(1);
        self.stand_for(0);
        self.common.end(link.open());
        self.common.counters.dropped.add_many(link.unsent());
        if let Some(why) = why {
            self.common.tell(format!("{} is gone: {why}", link.host));
        }
    }

    fn stand_for(&mut self, generation: u64) {
        if self.standing == generation {
            return;
        }
        if self.standing != 0 {
            self.common.put(Output::Unbind);
        }
        self.standing = generation;
        self.again = None;
        if generation != 0 {
            self.common.put(Output::Bind { generation });
        }
    }

    fn of_session(&mut self, frame: Frame, now: Instant) {
        let Stage::Linked(link) = &mut self.stage else { return self.common.counters.stale.add() };
        match link.accept(&frame, now) {
            Accepted::Next => {}
            Accepted::Twice => return self.common.counters.twice.add(),
            Accepted::Stale => return self.common.counters.stale.add(),
            Accepted::Gap => {
                self.common.counters.gaps.add();
                self.common.send(To::Bridge(frame.from), frame.session, Body::Bye);
                return self.part(Some("frames of it were lost"));
            }
        }
        match frame.body {
            Body::Beat => {}
            Body::Bye => self.part(Some("it said so")),
            Body::Primary { generation } => {
                // What was asked of another primary, that one cannot answer any more.
                let open = link.open();
                self.stand_for(generation);
                self.common.end(open);
            }
            body => self.common.work(frame.session, link, body),
        }
    }
}

impl Side for Away {
    fn frame(&mut self, frame: Frame, now: Instant) {
        match frame.body {
            Body::Welcome { host } => self.welcome(frame.from, frame.session, host, now),
            _ => self.of_session(frame, now),
        }
    }

    fn nobody(&mut self, bridge: u64, _: Instant) {
        if let Stage::Linked(link) = &self.stage
            && link.peer == bridge
            && link.can_be_gone()
        {
            self.part(Some("its bridge has ended"));
        }
    }

    fn connected(&mut self, is_connected: bool, _: Instant) {
        if let (Stage::Linked(link), false) = (&mut self.stage, is_connected) {
            link.disconnected();
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.common.put(Output::Bind { generation: self.standing });
        }
        match &mut self.stage {
            Stage::Looking(session) => {
                let is_little_endian = cfg!(target_endian = "little");
                let (host, session) = (self.common.terms.host.clone(), *session);
                self.common.send(To::Home, session, Body::Hello { host, is_little_endian });
            }
            Stage::Linked(link) if link.is_silent(self.common.terms.grace, now) => {
                self.part(Some("nothing is heard of it"));
            }
            Stage::Linked(link) => {
                self.common.send(To::Bridge(link.peer), link.session, Body::Beat);
                let expired = link.expired(now);
                self.common.abandon(expired);
            }
        }
    }

    fn answered(&mut self, session: u64, id: u64, answer: Answer) {
        match &mut self.stage {
            Stage::Linked(link) if link.session == session => {
                self.common.counters.answers_out.add();
                link.push_control(Body::Answer { id, answer });
            }
            _ => self.common.counters.late.add(),
        }
    }

    fn next_frame(&mut self) -> Option<(u64, Frame)> {
        let Stage::Linked(link) = &mut self.stage else { return None };
        Some((link.peer, link.next_frame(self.common.terms.me)?))
    }

    fn end(&mut self) {
        if let Stage::Linked(link) = &self.stage {
            self.common.send(To::Bridge(link.peer), link.session, Body::Bye);
        }
        self.part(None);
    }

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}
