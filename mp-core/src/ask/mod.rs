//! The asking side: sending, and waiting for what comes back.
//!
//! A request goes out on a reply socket of its own (a [`ReplySocket`]) and its replies come back
//! there, to the thread that asked. So there is no table of pending requests, no hand-over between
//! threads, and two requests of one name are never mistaken for each other.
//! [`Pending`](pending::Pending) decides who still has to answer; it does no I/O.
//!
//! A request to many peers, and any that nobody blocks for, is a
//! [`RequestUnderWay`](under_way::RequestUnderWay); those that nobody blocks for are made by the
//! one thread of [`asynchronous`]. Why a peer was not sent to, or has not replied, is a
//! [`Failure`].
//!
//! This module knows nothing of actions and handlers: the roles call it, from any thread, also from
//! inside a handler.

mod asynchronous;
mod error;
mod failure;
mod many;
mod matching;
mod one;
mod outcome;
mod patience;
mod pending;
mod pool;
#[cfg(test)]
mod pool_model;
mod reply_socket;
mod target;
mod under_way;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

pub use asynchronous::{Asked, RepliesFuture, ReplyFuture};
pub use error::{RequestError, SendError};
pub use outcome::{Outcome, Replies, Reply, Sent};
pub use target::{AllPeers, OnePeer, Target, Within};
pub(crate) use target::{Asking, AskingAll, DROP_TIMEOUT, NotRunning};

use crate::{
    group::{Group, Member, NotPrimary, Place, Roster, Spellings, Undelivered},
    look::{ListedRequest, WaitNoted},
    receive::{Arrived, ReceivePolicy, Rejection},
    sys::{Address, Deadline, ForkGuard, thread_id},
    wire::{Kind, Layout, MessageRef, Why},
};
use asynchronous::{AsyncRequests, Ending, To, call_back_failed, guarded};
use failure::Failure;
use matching::{RequestId, Verdict};
use pool::Pool;
use reply_socket::ReplySocket;

/// What a role needs to ask: shared by all its threads and clones.
#[derive(Debug)]
pub struct Requester {
    group: Group,
    policy: ReceivePolicy,
    pool: Pool<ReplySocket>,
    async_requests: AsyncRequests,
    stopped: AtomicBool,
    /// The sequence number of the next request.
    next_sequence: AtomicU64,
    spellings: Spellings,
    /// Of a primary's: tells whether it is the primary still.
    of_primary: OnceLock<Arc<Roster>>,
    made_in: ForkGuard,
}

impl Requester {
    /// `bound` is how many asynchronous requests may be under way.
    pub(crate) fn new(group: Group, policy: ReceivePolicy, bound: usize) -> Arc<Self> {
        let (pool, async_requests) = (Pool::new(), AsyncRequests::new(bound));
        let (stopped, made_in) = (AtomicBool::new(false), ForkGuard::here());
        // Random, not 0: a process that has not received a request must not be able to guess its
        // number.
        let next_sequence = AtomicU64::new(RandomState::new().hash_one(0));
        let (spellings, of_primary) = (Spellings::default(), OnceLock::new());
        Arc::new(Self {
            group,
            policy,
            pool,
            async_requests,
            stopped,
            next_sequence,
            spellings,
            of_primary,
            made_in,
        })
    }

    /// Says that a primary asks here: once another has taken its place, nothing is sent any more.
    fn is_of_primary(&self, roster: Arc<Roster>) {
        let _ = self.of_primary.set(roster);
    }

    /// Where that primary is bound, if one asks here.
    pub(crate) fn place_of_primary(&self) -> Option<&Place> {
        self.of_primary.get().and_then(|roster| roster.place())
    }

    /// To be called before anything is sent. If a primary asks here: the layout of its group, or
    /// that it is the primary no more. Other roles use the layout of the peer that they connect to.
    fn layout_of_primary(&self) -> Result<Option<Layout>, NotPrimary> {
        self.of_primary.get().map(|roster| roster.layout(&self.group)).transpose()
    }

    /// To be called before a datagram is sent again that found no room a while ago: another process
    /// may have become the primary meanwhile.
    fn check_still_current(&self, datagram: Layout) -> Result<(), NotPrimary> {
        match self.layout_of_primary()? {
            // Only another primary changes the layout, even if it is gone again by now.
            Some(now) if now != datagram => Err(NotPrimary::Superseded { dir: self.group.dir().to_owned() }),
            _ => Ok(()),
        }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn policy(&self) -> &ReceivePolicy {
        &self.policy
    }

    /// Nothing is sent from now on, the idle reply sockets are removed, and asynchronous requests
    /// end. Tells whether it was not stopped before.
    pub(crate) fn stop(&self) -> bool {
        let stopped = self.stopped.swap(true, Relaxed);
        // In the child of a fork these locks may be held for good, by threads that only the parent
        // has.
        if self.made_in.is_here() {
            self.pool.close();
            self.async_requests.close();
        }
        !stopped
    }

    /// After [`stop`](Self::stop): waits until all asynchronous requests have ended and their
    /// callbacks returned, but not longer than `deadline`, and not for the callback that calls
    /// this. Tells whether all have.
    pub(crate) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        !self.made_in.is_here() || self.async_requests.wait_until_ended(deadline)
    }

    /// Whether this is the thread that callbacks are called on.
    pub(crate) fn is_calling_back_here(&self) -> bool {
        self.async_requests.is_thread_here()
    }

    /// What tells this request from all others.
    fn identify(&self, message: &MessageRef<'_>) -> RequestId {
        let sequence = self.next_sequence.fetch_add(1, Relaxed);
        RequestId::new(message.name(), sequence, message.fingerprint())
    }

    /// A reply socket used before that is connected to `to`. For a request it must hold no earlier
    /// answer that could be taken for its own; a message has no answer, so any does.
    fn kept_reply_socket_to(&self, to: &Address, request: Option<&RequestId>) -> Option<ReplySocket> {
        loop {
            let reply_socket = self.pool.take(|reply_socket| reply_socket.leads_to(Some(to)))?;
            match request {
                Some(request) if !self.is_clear_for(&reply_socket, request, &[]) => drop(reply_socket),
                _ => return Some(reply_socket),
            }
        }
    }

    /// A reply socket used before that is connected to nobody, for a request to all of these.
    fn kept_reply_socket_to_all(&self, members: &[Member], request: &RequestId) -> Option<ReplySocket> {
        loop {
            let reply_socket = self.pool.take(|reply_socket| reply_socket.leads_to(None))?;
            if self.is_clear_for(&reply_socket, request, members) {
                return Some(reply_socket);
            }
        }
    }

    /// A new reply socket. Before, closes idle ones whose peers are gone: members that come and go
    /// would leave sockets and files of ours behind otherwise.
    fn open_reply_socket_to(
        &self,
        to: &Address,
        deadline: Deadline,
    ) -> Result<ReplySocket, Failure<Undelivered>> {
        self.pool.drop_stale(ReplySocket::is_stale);
        ReplySocket::connected(&self.group, to, deadline)
    }

    /// Whether a used reply socket holds no earlier answer that could pass for one to this request.
    /// If all who are asked tag their answers, none could, and it is not emptied.
    fn is_clear_for(&self, reply_socket: &ReplySocket, request: &RequestId, members: &[Member]) -> bool {
        !reply_socket.could_mistake(request, members) || !reply_socket.has_leavings(&self.policy)
    }

    /// Keeps a reply socket for the next request, or closes it if answers or other datagrams may
    /// still come to it.
    fn give_back(&self, reply_socket: ReplySocket, answers_may_come: bool) {
        if !answers_may_come && reply_socket.is_fit_for_another() {
            self.pool.give_back(reply_socket);
        } else {
            reply_socket.close(&self.policy);
        }
    }

    /// Closes the idle reply sockets to `to`: that peer is gone.
    fn forget(&self, to: &Address) {
        self.pool.forget(|reply_socket| reply_socket.leads_to(Some(to)));
    }

    /// Notes a request that is not answered at once, for those who ask who waits for whom, until the
    /// result is dropped. `for_room` if it has not been asked yet.
    #[cold]
    fn note<'a>(
        &self,
        request: &RequestId,
        to: impl Iterator<Item = &'a Address>,
        (since, deadline): (Instant, Deadline),
        for_room: bool,
    ) -> WaitNoted {
        self.policy.look.waits.note(ListedRequest {
            name: request.name(),
            to: to.map(|to| to.path().to_owned()).collect(),
            since,
            timeout: deadline.left_at(since),
            thread: thread_id(),
            is_async: self.is_calling_back_here(),
            for_room,
            sequence: request.tag().map(|tag| tag.sequence),
        })
    }

    /// The kind of the answer that came to a reply socket. Whatever else came is counted.
    fn classify(&self, arrived: &Arrived<'_>, verdict: Verdict) -> Option<Answer> {
        match (verdict, arrived.header.kind) {
            (Verdict::Counts, Kind::Reply) => Some(Answer::Reply),
            (Verdict::Counts, _) => Some(Answer::Ignore(Why::parse(arrived.param()))),
            (Verdict::Late, _) => self.reject(Rejection::Late),
            (Verdict::Unexpected, _) => self.reject(Rejection::Unexpected),
        }
    }

    fn reject(&self, reason: Rejection) -> Option<Answer> {
        self.policy.counters.reject(reason);
        None
    }

    /// Whether nothing may be sent any more. The copy in a fork's child is stopped, too: its
    /// replies would come to the parent.
    fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed) || !self.made_in.is_here()
    }
}

/// The answer to a request.
#[derive(Debug)]
enum Answer {
    Reply,
    Ignore(Why),
}

/// The primitives that the pool uses. The model checker compiles `pool.rs` again with its own.
mod sync {
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}
