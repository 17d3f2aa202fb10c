//! A request on its way to and through the thread for asynchronous requests: what to ask of whom,
//! and how to tell the outcome. When it is made, `schedule` says.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use super::oneshot::Sender;
use crate::{
    ask::{Replies, Reply, RequestError, Requester, failure::Failure, pending::Pending, under_way::Ended},
    group::Roster,
    receive::{Cause, Told},
    sys::{Address, CARE, Deadline, TakenOut},
    wire::{Fds, Message, MessageRef, Param},
};

/// Gets the request, without its descriptors, and what became of it.
pub(super) type Callback<T> = Box<dyn FnOnce(Message, Result<T, RequestError>) + Send>;

/// A request that somebody else waits for, and how to tell them.
#[derive(Debug)]
pub(super) struct AsyncRequest {
    /// With descriptors of its own, until they are sent.
    pub(super) message: Message,
    pub(super) timeout: Duration,
    pub(super) deadline: Deadline,
    pub(super) to: To,
}

/// Whom to ask, and where to tell the outcome: once, and then `None`.
pub enum To {
    One(Address, Option<Ending<Reply>>),
    All(Arc<Roster>, Option<Ending<Replies>>),
    /// There is nothing to send: its callback is called, no more.
    Nobody(Option<Box<dyn FnOnce() + Send>>),
}

/// How the outcome is told.
#[derive(Debug)]
pub struct Ending<T>(Way<T>);

enum Way<T> {
    Future(Sender<Result<T, RequestError>>),
    Callback(Callback<T>),
}

impl<T> Ending<T> {
    pub(super) fn future(sender: Sender<Result<T, RequestError>>) -> Self {
        Self(Way::Future(sender))
    }

    pub(super) fn callback(callback: Callback<T>) -> Self {
        Self(Way::Callback(callback))
    }
}

impl AsyncRequest {
    pub(super) fn new(message: &MessageRef<'_>, timeout: Duration, to: To) -> Box<Self> {
        let message = without_fds(message);
        Box::new(Self { message, timeout, deadline: Deadline::after(timeout), to })
    }

    /// The one peer to ask, if it is one.
    pub(super) fn peer(&self) -> Option<&Address> {
        match &self.to {
            To::One(to, _) => Some(to),
            To::All(..) | To::Nobody(_) => None,
        }
    }

    /// What is pending, under the request's deadline.
    pub(super) fn pending(&self, peers: usize) -> Pending {
        let now = Instant::now();
        Pending::new(peers, now, self.deadline.left_at(now))
    }

    /// Takes copies of the message's descriptors, for as long as they are needed.
    pub(super) fn copy_fds(&mut self, message: &MessageRef<'_>) -> Result<(), RequestError> {
        message.check()?;
        // Closing one may take long, and all requests share a thread: `CARE` closes them elsewhere.
        self.message.fds = Fds::closed_with(&CARE);
        for fd in message.fds() {
            self.message.fds.push(fd.try_clone_to_owned()?)?;
        }
        Ok(())
    }

    /// Closes the descriptors: they have been sent.
    pub(super) fn close_fds(&mut self) {
        self.message.fds = Fds::new();
    }

    /// Tells that nobody was asked.
    pub(super) fn not_made(mut self: Box<Self>, error: RequestError) {
        self.tell_error(error);
    }

    /// Tells that nothing came of it.
    pub(super) fn fail(mut self: Box<Self>, failure: Failure) {
        let timeout = self.timeout;
        self.tell_error(failure.into_request_error(timeout));
    }

    /// Tells what came of it.
    pub(super) fn end(mut self: Box<Self>, requester: &Requester, ended: Ended) {
        let timeout = self.timeout;
        let message = self.take_message();
        match &mut self.to {
            To::One(_, ending) => {
                let reply = ended.into_reply(requester);
                tell(ending, message, reply.map_err(|failure| failure.into_request_error(timeout)));
            }
            To::All(_, ending) => {
                tell(ending, message, Ok(ended.into_replies(requester)));
            }
            To::Nobody(callback) => call(callback),
        }
    }

    fn tell_error(&mut self, error: RequestError) {
        let message = self.take_message();
        match &mut self.to {
            To::One(_, ending) => tell(ending, message, Err(error)),
            To::All(_, ending) => tell(ending, message, Err(error)),
            To::Nobody(callback) => call(callback),
        }
    }

    fn take_message(&mut self) -> Message {
        self.close_fds();
        let Message { name, param, fingerprint, .. } = self.message;
        Message { name, param, fds: Fds::new(), fingerprint }
    }
}

/// However a request ends, whoever asked is told: if nothing else was, that the role has stopped.
impl Drop for AsyncRequest {
    fn drop(&mut self) {
        self.tell_error(RequestError::Stopped);
    }
}

pub(super) fn without_fds(message: &MessageRef<'_>) -> Message {
    // A `MessageRef` holds at most 256 bytes.
    let param = Param::new(message.param()).unwrap_or(Param::EMPTY);
    Message { name: *message.name(), param, fds: Fds::new(), fingerprint: message.fingerprint() }
}

/// The callback catches its own panics.
fn call(callback: &mut Option<Box<dyn FnOnce() + Send>>) {
    if let Some(callback) = callback.take() {
        callback();
    }
}

fn tell<T>(ending: &mut Option<Ending<T>>, message: Message, result: Result<T, RequestError>) {
    // Others wait until the callback has returned, or whoever is woken.
    let _taken_out = TakenOut::keep_copies();
    let told = catch_unwind(AssertUnwindSafe(|| match ending.take() {
        Some(Ending(Way::Future(sender))) => sender.complete(result),
        Some(Ending(Way::Callback(callback))) => callback(message, result),
        None => {}
    }));
    if told.is_err() {
        if Told::of_process().is_first(Cause::WakerPanicked) {
            tracing::error!("a waker panicked; more are told at debug level");
        } else {
            tracing::debug!("a waker panicked");
        }
    }
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(to, ending) => f.debug_tuple("One").field(to).field(ending).finish(),
            Self::All(_, ending) => f.debug_tuple("All").field(ending).finish_non_exhaustive(),
            Self::Nobody(_) => f.write_str("Nobody"),
        }
    }
}

impl<T> std::fmt::Debug for Way<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Future(_) => "Future",
            Self::Callback(_) => "Callback",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::asynchronous::submissions::Id;

    #[test]
    fn one_that_waits_takes_less_than_a_kibibyte() {
        // The request; its receiver, with the counts of its `Arc` and a waker; its entries in the
        // schedule's two trees, whose nodes are half full at worst.
        let receiver = 2 * size_of::<usize>() + 4 * size_of::<usize>();
        let waiting = 2 * size_of::<(Id, Deadline, Box<AsyncRequest>)>();
        let due = 2 * size_of::<(Deadline, Id)>();
        let total = size_of::<AsyncRequest>() + receiver + waiting + due;
        assert!(total < 1024, "{total} bytes, {} of them the request", size_of::<AsyncRequest>());
        println!("{total} bytes, {} of them the request", size_of::<AsyncRequest>());
    }
}
