//! The asking side: sending, and waiting for what comes back.
//!
//! A request goes out on a reply socket of its own (a [`ReplySocket`]) and
//! its replies come back there, to the thread that asked. So there is no table
//! of pending requests, no hand-over between threads, and requests of one name
//! do not meet. [`Pending`](pending::Pending) decides who still owes an
//! answer; it does no I/O. A request to many peers, and any that nobody blocks
//! for, is a [`RequestUnderWay`](under_way::RequestUnderWay); those that nobody blocks for are carried
//! by the one thread of [`asynchronous`]. This module knows nothing of actions and handlers:
//! the roles call it, from any thread, also from inside a handler.

mod asynchronous;
mod error;
mod many;
mod one;
mod outcome;
mod pending;
mod pool;
#[cfg(test)]
mod pool_model;
mod reply_socket;
mod under_way;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

pub use asynchronous::{RepliesFuture, ReplyFuture};
pub(crate) use asynchronous::{guarded, refuse};
pub use error::{RequestError, SendError};
pub use outcome::{Outcome, Replies, Reply, Sent};

use crate::{
    group::Group,
    receive::{Arrived, Peer, ReceivePolicy, Rejection},
    sys::{Address, Deadline, ForkGuard},
    wire::{Kind, Name, Why},
};
use asynchronous::AsyncRequests;
use pool::Pool;
use reply_socket::{NoReplySocket, ReplySocket};

/// What a role needs to ask: shared by all its threads and clones.
#[derive(Debug)]
pub(crate) struct Requester {
    group: Group,
    policy: ReceivePolicy,
    pool: Pool<ReplySocket>,
    async_requests: AsyncRequests,
    stopped: AtomicBool,
    made_in: ForkGuard,
}

impl Requester {
    /// `bound` is how many asynchronous requests may be under way.
    pub(crate) fn new(group: Group, policy: ReceivePolicy, bound: usize) -> Arc<Self> {
        let (pool, async_requests) = (Pool::new(), AsyncRequests::new(bound));
        let (stopped, made_in) = (AtomicBool::new(false), ForkGuard::here());
        Arc::new(Self { group, policy, pool, async_requests, stopped, made_in })
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn policy(&self) -> &ReceivePolicy {
        &self.policy
    }

    /// Nothing is sent from now on, the idle reply sockets are removed, and
    /// asynchronous requests end. Tells whether it was not stopped before.
    pub(crate) fn stop(&self) -> bool {
        let stopped = self.stopped.swap(true, Relaxed);
        // The locks that a fork copied may be held by threads that it did not copy.
        if self.made_in.is_here() {
            self.pool.close();
            self.async_requests.close();
        }
        !stopped
    }

    /// After [`stop`](Self::stop): waits until all asynchronous requests have
    /// ended and their callbacks returned, but not longer than `deadline`, and
    /// not for the callback that calls this. Tells whether all have.
    pub(crate) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        !self.made_in.is_here() || self.async_requests.wait_until_ended(deadline)
    }

    /// Whether this is the thread that callbacks are called on.
    pub(crate) fn is_calling_back_here(&self) -> bool {
        self.async_requests.is_thread_here()
    }

    /// A reply socket that is connected to `to`, used before or new.
    fn reply_socket_to(&self, to: &Address) -> Result<ReplySocket, NoReplySocket> {
        match self.kept_reply_socket(Some(to)) {
            Some(reply_socket) => Ok(reply_socket),
            None => ReplySocket::connected(&self.group, to),
        }
    }

    /// A reply socket used before: connected to `to`, or to nobody.
    fn kept_reply_socket(&self, to: Option<&Address>) -> Option<ReplySocket> {
        self.pool.take(|reply_socket| reply_socket.leads_to(to))
    }

    /// Closes the idle reply sockets to `to`: that peer is gone.
    fn forget(&self, to: &Address) {
        self.pool.forget(|reply_socket| reply_socket.leads_to(Some(to)));
    }

    /// What came to a reply socket, if it answers a request of this name.
    fn answer(&self, arrived: Arrived, name: &Name) -> Option<Answer> {
        let Arrived { kind, message, peer, .. } = arrived;
        let answers = message.name == *name;
        if answers && kind == Kind::Reply {
            return Some(Answer::Reply(Reply { message, peer }));
        }
        if answers && kind == Kind::Ignore {
            return Some(Answer::Ignore(peer, Why::parse(&message.param)));
        }
        self.policy.counters.reject(Rejection::Unexpected);
        None
    }

    /// A fork's copy is: the replies to it would go to the process it is a fork of.
    fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed) || !self.made_in.is_here()
    }
}

/// A well-formed answer under the request's name.
#[derive(Debug)]
enum Answer {
    Reply(Reply),
    Ignore(Peer, Why),
}

impl Answer {
    fn peer(&self) -> &Peer {
        match self {
            Self::Reply(reply) => &reply.peer,
            Self::Ignore(peer, _) => peer,
        }
    }
}

/// What the pool shares with, in the one place where a model checker's own can
/// take its place.
mod sync {
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}
