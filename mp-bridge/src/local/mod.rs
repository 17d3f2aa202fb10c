//! This host's side: what local processes send and ask, and how the other hosts' words reach them.
//!
//! [`gate`] takes in, [`outbox`] hands out, [`house`] joins and leaves on a thread of its own.
//! What to do, [`state`](crate::state) says.

mod away;
mod gate;
mod home;
mod house;
mod outbox;
mod place;

use std::{collections::HashMap, io, time::Instant};

use mp_core::{Arrival, Responder};

pub(crate) use away::AwayHost;
pub(crate) use gate::{At, Gate};
pub(crate) use home::HomeHost;
pub(crate) use place::Place;
pub use place::PlaceError;

use crate::{
    frame::Answer,
    state::{BindFailed, Output, Side},
};

/// What happens on this host.
#[derive(Debug)]
pub(crate) enum Event {
    /// What the bridge asked for another host has come to this.
    Answered { session: u64, id: u64, answer: Answer },
    /// A stand-in could not join.
    JoinFailed { session: u64, member: u64, why: String },
    /// The bridge is the primary, which is known by this.
    Bound { generation: u64, primary: Option<u64> },
    /// It could not become that.
    BindFailed { generation: u64, why: BindFailed },
    /// A local process has joined or left.
    Changed(mp_core::Change),
}

/// A host, as the bridge's loop drives it.
pub(crate) trait Host {
    type Side: Side;

    /// A local process sent a message or asks; of a request tells the number of its answer.
    fn arrived(&mut self, side: &mut Self::Side, arrived: &mut Arrived, now: Instant) -> Option<u64>;

    fn event(&mut self, side: &mut Self::Side, event: Event, now: Instant);

    /// Looks at what tells nothing by itself.
    fn tick(&mut self, side: &mut Self::Side, now: Instant);

    /// Does what concerns this host.
    fn perform(&mut self, output: Output, now: Instant);

    /// Tries again what found no room; whether some still has.
    fn retry(&mut self, now: Instant) -> bool;

    /// Leaves.
    fn end(&mut self);
}

/// What a local process wants of another host.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// To whom it was sent.
    pub(crate) at: At,
    pub(crate) content: crate::frame::Content,
    /// Of a request.
    pub(crate) responder: Option<Responder>,
}

/// The local requests that wait for their answers.
#[derive(Debug, Default)]
pub(crate) struct Responders(HashMap<u64, Responder>);

impl Responders {
    pub(crate) fn keep(&mut self, id: u64, responder: Responder) {
        self.0.insert(id, responder);
    }

    pub(crate) fn answer(&mut self, id: u64, answer: Answer) {
        let Some(responder) = self.0.remove(&id) else { return };
        match answer {
            Answer::Reply(param) => {
                if let Err(error) = responder.reply(&param, &[]) {
                    tracing::debug!(%error, "an answer found nobody");
                }
            }
            Answer::Ignore(why) => responder.ignore(why),
            Answer::Nothing => responder.leave_unanswered(),
        }
    }
}

/// The parts of what arrived that leave the host.
fn parts(arrival: Arrival<'_>) -> (mp_core::Message, Option<Responder>) {
    match arrival {
        Arrival::Message(mut message) => (message.take_message(), None),
        Arrival::Request(mut request) => (request.take_message(), Some(request.defer())),
    }
}

/// An error and what it comes from.
fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

/// Starts a thread that is named.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(run)
}
