//! Requests that nobody blocks for: one thread makes them all.
//!
//! Whoever asks puts an [`AsyncRequest`] into the [`Submissions`], and has a future or has left a
//! callback. The first request starts the thread. It has a bounded number of slots, each with one
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
mod worker;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

pub use future::{Asked, RepliesFuture, ReplyFuture};
pub(crate) use request::{Ending, To};

use super::{RequestError, Requester};
use crate::{
    receive::Counters,
    sys::{Deadline, ForkGuard, room_for_a_thread},
    wire::{Message, MessageRef, Name},
};
use bell::EventBell;
use future::Ticket;
use oneshot::receiver;
use request::AsyncRequest;
use submissions::{NotTaken, Submissions};
use worker::Worker;

/// The primitives that threads share data with. The model checker takes its own instead.
mod sync {
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
}

/// A requester's way to its asynchronous requests, which starts with the first request.
#[derive(Debug)]
pub(super) struct AsyncRequests {
    /// How many requests may be under way.
    bound: usize,
    shared: OnceLock<Arc<Shared>>,
    /// Held while the thread is started; `true` if it must not be any more.
    closed: Mutex<bool>,
}

/// What the thread shares with everybody.
#[derive(Debug)]
struct Shared {
    submissions: Submissions<Box<AsyncRequest>, EventBell>,
    thread: Mutex<Thread>,
    changed: Condvar,
    /// The process that has the thread: the child of a fork has not.
    started_in: ForkGuard,
}

#[derive(Debug)]
enum Thread {
    Starting,
    Running(ThreadId),
    Ended,
}

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
        let submitted = match self.async_requests.shared(self).and_then(|shared| {
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
        tracing::error!(%name, "a callback panicked");
        // To drop what it panicked with runs the user's code, too.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(worse);
        }
    }
}

impl AsyncRequests {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, shared: OnceLock::new(), closed: Mutex::new(false) }
    }

    /// Takes on nothing more, and ends what is under way.
    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if let Some(shared) = self.shared.get() {
            shared.submissions.close();
        }
    }

    /// After [`close`](Self::close): waits until the thread has ended, but not longer than
    /// `deadline`, and not on that thread. Tells whether it has.
    pub(super) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        let Some(shared) = self.shared.get() else { return true };
        let mut thread = shared.lock_thread();
        loop {
            match *thread {
                Thread::Ended => return true,
                Thread::Running(id) if id == thread::current().id() => return true,
                _ if deadline.is_over() => return false,
                _ => {
                    let left = deadline.left();
                    thread =
                        shared.changed.wait_timeout(thread, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Whether this is that thread.
    pub(super) fn is_thread_here(&self) -> bool {
        let thread = self.shared.get().map(|shared| shared.lock_thread());
        matches!(thread.as_deref(), Some(Thread::Running(id)) if *id == thread::current().id())
    }

    /// What is shared with the thread, which is started if it is not running.
    fn shared(&self, requester: &Arc<Requester>) -> Result<&Arc<Shared>, RequestError> {
        if requester.is_stopped() {
            return Err(RequestError::Stopped);
        }
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(RequestError::Stopped);
        }
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let bell = EventBell::new().map_err(io::Error::from)?;
        let shared = Arc::new(Shared {
            submissions: Submissions::new(self.bound, bell),
            thread: Mutex::new(Thread::Starting),
            changed: Condvar::new(),
            started_in: ForkGuard::here(),
        });
        shared.start(requester)?;
        Ok(self.shared.get_or_init(|| shared))
    }
}

impl Shared {
    fn is_ours(&self) -> bool {
        self.started_in.is_here()
    }

    fn start(self: &Arc<Self>, requester: &Arc<Requester>) -> io::Result<()> {
        let worker = Worker::new(Arc::clone(requester), Arc::clone(self))?;
        let end = AtEnd(Arc::clone(self));
        room_for_a_thread()?;
        thread::Builder::new().name("mp_async".into()).spawn(move || {
            *end.0.lock_thread() = Thread::Running(thread::current().id());
            worker.run();
        })?;
        Ok(())
    }

    fn lock_thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the thread: tells when it has ended, whatever ended it.
struct AtEnd(Arc<Shared>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        // Closed already, unless the thread panicked: then nobody must wait for it.
        self.0.submissions.close();
        let mut taken = submissions::Taken::default();
        self.0.submissions.take(&mut taken);
        drop(taken);
        *self.0.lock_thread() = Thread::Ended;
        self.0.changed.notify_all();
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
