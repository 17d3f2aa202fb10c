//! The thread for asynchronous requests: it does what [`Schedule`] says, and what sockets tell. How
//! a request gets under way, `starting` knows; how it goes on from there, [`RequestUnderWay`].

mod starting;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    Shared,
    queues::Queues,
    readiness::{Readiness, Ready},
    request::AsyncRequest,
    schedule::{Cancelled, Schedule, Slots, Step},
    submissions::Taken,
};
use crate::{
    ask::{RequestError, Requester, failure::Failure, reply_socket::ReplySocket, under_way::RequestUnderWay},
    receive::Inbox,
    sys::{Address, Deadline},
    wire::MessageRef,
};

/// How many reply sockets there are at most, each for one request at a time: 128 to one peer.
const SLOTS: Slots = Slots { own: 2, shared: 126, most: 512 };

/// How many requests are seen to before the sockets are looked at again.
const AT_ONCE: usize = 128;

/// What the thread has in hand.
pub(super) struct Worker {
    requester: Arc<Requester>,
    shared: Arc<Shared>,
    readiness: Readiness,
    schedule: Schedule<Option<Address>, Box<AsyncRequest>>,
    queues: Queues,
    slots: Vec<Slot>,
    inbox: Inbox,
    taken: Taken<Box<AsyncRequest>>,
    /// Why it cannot wait for replies any more.
    failed: Option<Errno>,
}

/// Holds one request that has been sent, or that waits for room in a queue.
#[derive(Default)]
struct Slot {
    under_way: Option<(RequestUnderWay, Box<AsyncRequest>)>,
    /// One whose peer has not started yet, to be begun again soon.
    not_begun: Option<Box<AsyncRequest>>,
    /// A reply socket whose request is over, for the next one.
    kept: Option<ReplySocket>,
    /// The one peer in whose queue the request waits for room.
    queues_for: Option<Address>,
}

impl Worker {
    pub(super) fn new(requester: Arc<Requester>, shared: Arc<Shared>) -> Result<Self, Errno> {
        let readiness = Readiness::new(&shared.submissions.bell)?;
        Ok(Self {
            requester,
            shared,
            readiness,
            schedule: Schedule::new(SLOTS),
            queues: Queues::default(),
            slots: Vec::new(),
            inbox: Inbox::new(),
            taken: Taken::default(),
            failed: None,
        })
    }

    /// Serves until the role stops.
    pub(super) fn run(mut self) {
        let mut ready = Vec::new();
        while !self.taken.closed {
            self.do_what_is_due();
            let Some(time) = self.schedule.idle_for(Instant::now()) else {
                self.shared.submissions.wait();
                self.take_in();
                continue;
            };
            if let Err(errno) = self.readiness.wait(Some(time), &mut ready) {
                // Nothing that this thread does makes waiting fail: other code has closed our
                // descriptor.
                tracing::error!(%errno, "waiting for replies failed");
                self.failed = Some(errno);
                self.shared.submissions.close();
                self.take_in();
            }
            for ready in ready.drain(..) {
                match ready {
                    Ready::Bell => self.take_in(),
                    Ready::Slot(slot) => self.advance(slot),
                }
            }
        }
        self.end_all();
    }

    fn take_in(&mut self) {
        self.shared.submissions.bell.reset();
        let mut taken = std::mem::take(&mut self.taken);
        self.shared.submissions.take(&mut taken);
        for (id, request) in taken.submitted.drain(..) {
            self.schedule.submit(id, request.deadline, request.peer().cloned(), request);
        }
        for id in taken.cancelled.drain(..) {
            match self.schedule.cancel(id) {
                Cancelled::Waiting(request) => {
                    self.shared.submissions.ended();
                    drop(request);
                }
                // Its reply socket goes with it, since an answer may still come.
                Cancelled::InSlot(slot) => {
                    drop(self.vacate(slot));
                    self.pass_on(slot);
                }
                Cancelled::Nowhere => {}
            }
        }
        self.taken = taken;
    }

    /// Does what is due, but at most [`AT_ONCE`] steps, so that sockets are looked at in between;
    /// then gives reply sockets back that no request here has taken.
    fn do_what_is_due(&mut self) {
        for _ in 0..AT_ONCE {
            match self.schedule.next(Instant::now()) {
                Some(Step::Start { slot, request }) => self.start(slot, request),
                Some(Step::Advance { slot }) => self.advance(slot),
                Some(Step::Expire(request)) => {
                    self.shared.submissions.ended();
                    let timeout = request.timeout;
                    request.not_made(RequestError::NotAsked { timeout });
                }
                None => break,
            }
        }
        for slot in 0..self.slots.len() {
            self.give_back(slot);
        }
    }

    /// Does what can be done at once for the request at `slot`.
    fn advance(&mut self, slot: usize) {
        if let Some(request) = self.slots[slot].not_begun.take() {
            return self.start(slot, request);
        }
        self.advance_one(slot);
        self.pass_on(slot);
    }

    fn advance_one(&mut self, slot: usize) {
        let Some(Slot { under_way: Some((under_way, request)), queues_for, .. }) = self.slots.get_mut(slot)
        else {
            return;
        };
        let is_its_turn = queues_for.as_ref().is_none_or(|peer| self.queues.first(peer) == Some(slot));
        let waited = under_way.waiting_for_room();
        let message = MessageRef::from(&request.message);
        let due = under_way.advance(&self.requester, &mut self.inbox, message.fds(), is_its_turn);
        drop(message);
        if waited > 0 && under_way.waiting_for_room() == 0 {
            request.close_fds();
        }
        self.go_on(slot, due);
    }

    /// If the request at `slot` does not wait for room any more, sends those behind it, as far as
    /// there is room.
    fn pass_on(&mut self, mut slot: usize) {
        loop {
            let waiting = &mut self.slots[slot];
            if waiting.under_way.as_ref().is_some_and(|(under_way, _)| under_way.waiting_for_room() > 0) {
                return;
            }
            let Some(peer) = waiting.queues_for.take() else { return };
            let Some(next) = self.queues.leave(&peer, slot) else { return };
            self.advance_one(next);
            slot = next;
        }
    }

    /// Ends the request, or waits for what comes next.
    fn go_on(&mut self, slot: usize, due: Result<Option<Duration>, Failure>) {
        let due = match due {
            Ok(Some(time)) => self.register(slot).map(|()| Some(time)).map_err(Failure::of_system),
            due => due,
        };
        match due {
            Ok(Some(time)) => self.schedule.due_again(slot, Deadline::after(time)),
            Ok(None) => {
                if let Some((under_way, request)) = self.leave(slot) {
                    let (reply_socket, ended) = under_way.into_parts();
                    if ended.answers_may_come || !reply_socket.is_fit_for_another() {
                        self.readiness.unregister(slot, &reply_socket);
                        reply_socket.close(&self.requester.policy);
                    } else {
                        self.slots[slot].kept = Some(reply_socket);
                    }
                    request.end(&self.requester, ended);
                }
            }
            Err(failure) => {
                if let Some(request) = self.vacate(slot) {
                    request.fail(failure);
                }
            }
        }
    }

    /// Frees the slot, its reply socket closed.
    fn vacate(&mut self, slot: usize) -> Option<Box<AsyncRequest>> {
        if let Some(request) = self.slots[slot].not_begun.take() {
            self.schedule.release(slot);
            self.shared.submissions.ended();
            return Some(request);
        }
        let (under_way, request) = self.leave(slot)?;
        self.readiness.unregister(slot, under_way.reply_socket());
        let (reply_socket, _) = under_way.into_parts();
        reply_socket.close(&self.requester.policy);
        Some(request)
    }

    fn leave(&mut self, slot: usize) -> Option<(RequestUnderWay, Box<AsyncRequest>)> {
        let left = self.slots[slot].under_way.take()?;
        self.schedule.release(slot);
        self.shared.submissions.ended();
        Some(left)
    }

    fn register(&mut self, slot: usize) -> Result<(), Errno> {
        let Slot { under_way, queues_for, .. } = &self.slots[slot];
        let Some((under_way, _)) = under_way else { return Ok(()) };
        let is_its_turn = queues_for.as_ref().is_none_or(|peer| self.queues.first(peer) == Some(slot));
        self.readiness.register(slot, under_way, is_its_turn && under_way.is_told_of_room())
    }

    /// Lets others have the reply socket that was kept for the next request here.
    fn give_back(&mut self, slot: usize) {
        if let Some(reply_socket) = self.slots[slot].kept.take() {
            self.readiness.unregister(slot, &reply_socket);
            self.requester.give_back(reply_socket, false);
        }
    }

    fn end_all(&mut self) {
        let failed = self.failed;
        let why = || failed.map_or(Failure::Stopped, Failure::of_system);
        for slot in 0..self.slots.len() {
            if let Some(request) = self.vacate(slot) {
                request.fail(why());
            }
        }
        for request in self.schedule.clear_waiting() {
            self.shared.submissions.ended();
            request.fail(why());
        }
    }
}
