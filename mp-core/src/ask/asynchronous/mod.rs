//! Requests that nobody blocks for: one thread makes them all.
//!
//! The asking thread puts an [`AsyncRequest`] into the [`Submissions`], and keeps a future or has
//! left a callback. The first request starts the thread. It has a bounded number of slots, each with one
//! reply socket for one request at a time, and keeps some of them for each peer, so that one that
//! is stuck does not hold up the others. [`Schedule`](schedule::Schedule) decides which request has
//! a slot and what is due; a [`RequestUnderWay`](super::under_way::RequestUnderWay) sends and
//! receives, as in a blocking request to all.
//!
//! While nothing is under way the thread sleeps; it ends with the role. Whom to ask, the roles say.

mod bell;
mod future;
#[cfg(test)]
mod model;
mod oneshot;
mod queues;
mod readiness;
mod request;
mod schedule;
mod submissions;
mod thread;
mod worker;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

pub use future::{Asked, RepliesFuture, ReplyFuture};
pub(crate) use request::{Ending, To};

use super::{RequestError, Requester};
use crate::{
    receive::{Cause, Counters, Told},
    sys::{Deadline, ThreadRole},
    wire::{Message, MessageRef, Name},
};
use bell::EventBell;
use future::Ticket;
use oneshot::receiver;
use request::AsyncRequest;
use submissions::NotTaken;
use thread::{OneThread, Start};
use worker::Worker;

/// The primitives that threads share data with. The model checker takes its own instead.
mod sync {
    pub(super) use std::{
        sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
        thread::{ThreadId, current},
    };

    pub(super) use crate::sys::Deadline;
}

/// A requester's way to its asynchronous requests, which starts with the first request.
#[derive(Debug)]
pub(super) struct AsyncRequests(OneThread<Box<AsyncRequest>, EventBell>);

/// What the thread shares with everybody.
type Shared = thread::Shared<Box<AsyncRequest>, EventBell>;

impl Requester {
    /// Asks whom `to` says; the answer comes to a future.
    pub(crate) fn ask_async<A>(
        self: &Arc<Self>,
        to: impl FnOnce(Ending<A>) -> To,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Asked<A> {
        let (sender, receiver) = receiver();
        let to = to(Ending::future(sender));
        let ticket = self.submit(AsyncRequest::new(message, timeout, to), message);
        Asked::new(receiver, ticket)
    }

    /// Asks whom `to` says; the answer comes to `callback`.
    pub(crate) fn ask_then<A: 'static>(
        self: &Arc<Self>,
        to: impl FnOnce(Ending<A>) -> To,
        message: &MessageRef<'_>,
        timeout: Duration,
        callback: impl FnOnce(Message, Result<A, RequestError>) + Send + 'static,
    ) {
        let to = to(Ending::callback(self.caught(callback)));
        self.submit(AsyncRequest::new(message, timeout, to), message);
    }

    /// Calls `callback` where that of a request of this name would be called.
    pub(crate) fn call_back(self: &Arc<Self>, name: &Name, callback: impl FnOnce() + Send + 'static) {
        let (counters, of) = (Arc::clone(&self.policy.counters), *name);
        let callback = Box::new(move || guarded(&of, Some(&counters), callback));
        let message = Message::new(*name);
        let message = MessageRef::from(&message);
        self.submit(AsyncRequest::new(&message, Duration::ZERO, To::Nobody(Some(callback))), &message);
    }

    /// Hands the request over. If it cannot be, that is told at once.
    fn submit(self: &Arc<Self>, mut request: Box<AsyncRequest>, message: &MessageRef<'_>) -> Option<Ticket> {
        let submitted = match self.async_requests.0.shared(self).and_then(|shared| {
            request.copy_fds(message)?;
            Ok(shared)
        }) {
            Ok(shared) => {
                shared.submissions.submit(request).map(|id| Ticket { id, shared: Arc::clone(shared) })
            }
            Err(error) => {
                request.not_made(error);
                return None;
            }
        };
        match submitted {
            Ok(ticket) => Some(ticket),
            Err((request, why)) => {
                request.not_made(why.into());
                None
            }
        }
    }

    fn caught<T: 'static>(
        &self,
        callback: impl FnOnce(Message, Result<T, RequestError>) + Send + 'static,
    ) -> request::Callback<T> {
        let counters = Arc::clone(&self.policy.counters);
        Box::new(move |message, result| {
            let name = message.name;
            guarded(&name, Some(&counters), || callback(message, result));
        })
    }
}

/// Runs a callback for a request that was not made, since there is no role to make it.
pub(crate) fn call_back_failed<T>(
    message: &MessageRef<'_>,
    callback: impl FnOnce(Message, Result<T, RequestError>),
    why: RequestError,
) {
    let message = request::without_fds(message);
    let name = message.name;
    guarded(&name, None, || callback(message, Err(why)));
}

/// Runs a callback. A panic is counted, where there is a role to count it, and goes no further.
pub(crate) fn guarded(name: &Name, counters: Option<&Counters>, callback: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        counters.iter().for_each(|counters| counters.handler_panics.add());
        let told = counters.map_or(Told::of_process(), |counters| &counters.told);
        if told.is_first(Cause::CallbackPanicked(*name)) {
            tracing::error!(%name, "a callback panicked; more of this name are told at debug level");
        } else {
            tracing::debug!(%name, "a callback panicked");
        }
        // To drop what it panicked with runs the user's code, too.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(worse);
        }
    }
}

impl AsyncRequests {
    /// `bound` is how many requests may be under way.
    pub(super) fn new(bound: usize) -> Self {
        Self(OneThread::new(bound))
    }

    /// Takes on nothing more, and ends what is under way.
    pub(super) fn close(&self) {
        self.0.close();
    }

    /// After [`close`](Self::close): waits until the thread has ended, but not longer than
    /// `deadline`, and not on that thread. Tells whether it has.
    pub(super) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        self.0.wait_until_ended(deadline)
    }

    /// Whether this is that thread.
    pub(super) fn is_thread_here(&self) -> bool {
        self.0.is_thread_here()
    }
}

impl Start<Box<AsyncRequest>, EventBell> for Arc<Requester> {
    type Worker = Worker;

    fn is_stopped(&self) -> bool {
        Requester::is_stopped(self)
    }

    fn bell(&self) -> io::Result<EventBell> {
        Ok(EventBell::new()?)
    }

    fn worker(&self, shared: Arc<Shared>) -> io::Result<Worker> {
        Ok(Worker::new(Self::clone(self), shared)?)
    }

    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.policy.threads.spawn(ThreadRole::Asynchronous, thread)
    }

    fn run(worker: Worker) {
        worker.run();
    }
}

impl From<NotTaken> for RequestError {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Closed => Self::Stopped,
            NotTaken::TooMany { bound } => Self::TooManyUnderWay { bound },
        }
    }
}
