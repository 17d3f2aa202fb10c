//! A request under way: a blocking one to all, or an asynchronous one to one peer or to all. A
//! blocking request to one peer is not among them: it has a shorter loop of its own, in `one`.
//!
//! It owns the reply socket that it went out on, and sends to those who are asked; what comes in is
//! sorted in `receiving`. What to do next, [`Pending`] decides. A blocking request waits between
//! its steps in [`collect`](RequestUnderWay::collect); the thread for asynchronous requests never
//! waits here, but calls [`advance`](RequestUnderWay::advance) when there is something to do.

mod receiving;

use std::{
    ops::Range,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    Outcome, Replies, Reply, Requester,
    failure::{Failure, Settled, Unanswered},
    matching::RequestId,
    pending::{Pending, Step},
    reply_socket::ReplySocket,
};
use crate::{
    group::{Member, Undelivered},
    look::WaitNoted,
    receive::Inbox,
    sys::{Address, Room, Socket, Wait},
    wire::{Datagram, Kind, MessageRef},
};

/// How many datagrams are taken for one request before others have their turn: so a peer that sends
/// without end does not hold them up. What is left keeps the reply socket readable.
const AT_ONCE: usize = 64;

/// How many answers a socket's queue holds by the system's default (`net.unix.max_dgram_qlen`).
const ANSWERS_AT_ONCE: usize = 10;

/// How long to wait for an answer before more peers are asked all the same. 8 ms suffice, at 250
/// ticks a second, for the socket's own timeout to end the wait; a shorter one would need a `poll` first.
const PAUSE: Duration = Duration::from_millis(8);

/// A request under way.
#[derive(Debug)]
pub(super) struct RequestUnderWay {
    reply_socket: ReplySocket,
    pending: Pending,
    /// In order of their addresses; none if the reply socket is connected to the one peer.
    members: Vec<Member>,
    request: RequestId,
    datagram: Datagram,
    /// The peers that have not been asked yet, since there was no room.
    room: Room<usize>,
    replies: Vec<Reply>,
    /// Set once the request is listed for `mp.status`; dropping it removes the entry.
    noted: Option<WaitNoted>,
}

impl RequestUnderWay {
    /// To the peer that the reply socket is connected to.
    pub(super) fn to_one(
        reply_socket: ReplySocket,
        pending: Pending,
        request: RequestId,
        message: &MessageRef<'_>,
    ) -> Self {
        Self::new(reply_socket, Vec::new(), pending, request, message)
    }

    /// To all of these, on a reply socket that is not connected.
    pub(super) fn to_all(
        mut reply_socket: ReplySocket,
        mut members: Vec<Member>,
        pending: Pending,
        request: RequestId,
        message: &MessageRef<'_>,
    ) -> Self {
        members.sort_by(|a, b| a.address().cmp(b.address()));
        reply_socket.keep_only(&members);
        Self::new(reply_socket, members, pending, request, message)
    }

    fn new(
        reply_socket: ReplySocket,
        members: Vec<Member>,
        pending: Pending,
        request: RequestId,
        message: &MessageRef<'_>,
    ) -> Self {
        let datagram = Datagram::message(reply_socket.layout(), Kind::Request, message, request.tag());
        let (room, replies, noted) = (Room::new(), Vec::new(), None);
        Self { reply_socket, pending, members, request, datagram, room, replies, noted }
    }

    /// Sends to everybody who has room.
    pub(super) fn send_to_all(&mut self, requester: &Requester, fds: &[BorrowedFd<'_>]) {
        (0..self.members.len().max(1)).for_each(|peer| self.send_or_queue(requester, peer, fds));
        self.room.ask_tellers();
    }

    /// The same, but asks no more peers at once than our queue has room for answers: a peer that
    /// finds it full must wait for room, which takes longer than being asked a little later. If no
    /// answer comes for [`PAUSE`], twice as many may be asked at once.
    pub(super) fn send_to_all_in_turn(
        &mut self,
        requester: &Requester,
        inbox: &mut Inbox,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Failure> {
        let mut at_once = ANSWERS_AT_ONCE;
        for peer in 0..self.members.len() {
            let is_full = self.pending.unanswered() >= at_once && !self.pending.deadline().is_over();
            if is_full && !self.receive(requester, inbox, Wait::AtMost(PAUSE))? {
                at_once *= 2;
            }
            if is_full && self.is_superseded(requester, peer..self.members.len())? {
                break;
            }
            self.send_or_queue(requester, peer, fds);
        }
        Ok(())
    }

    fn send_or_queue(&mut self, requester: &Requester, peer: usize, fds: &[BorrowedFd<'_>]) {
        if self.room.is_own_full() {
            self.room.join(peer, self.members.get(peer).map(Member::address));
        } else if !self.send(requester, peer, fds) {
            let to = self.members.get(peer).map(Member::address);
            self.room.found_none(self.reply_socket.socket(), peer, to);
        }
    }

    /// For a request to one peer: sends nothing yet, since earlier requests wait for room there.
    pub(super) fn queue_up(&mut self) {
        self.room.join(0, None);
    }

    /// Waits for answers until everybody has an outcome.
    pub(super) fn collect(
        &mut self,
        requester: &Requester,
        inbox: &mut Inbox,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Failure> {
        loop {
            match self.step(Instant::now()) {
                Step::Done => return Ok(()),
                Step::Wait(time) if self.room.is_empty() => {
                    self.receive(requester, inbox, Wait::AtMost(time))?;
                }
                Step::Wait(time) => {
                    self.room.wait(self.reply_socket.socket(), time, true);
                    self.send_to_the_full(requester, fds)?;
                    self.drain(requester, inbox)?;
                }
                Step::Look => self.look(requester, inbox)?,
            }
        }
    }

    /// Does what can be done without waiting. Peers whose queues were full are tried again only if
    /// `is_its_turn`: otherwise an earlier request waits for the same room. Tells for how long
    /// nothing is due then; `None` if everybody has an outcome.
    pub(super) fn advance(
        &mut self,
        requester: &Requester,
        inbox: &mut Inbox,
        fds: &[BorrowedFd<'_>],
        is_its_turn: bool,
    ) -> Result<Option<Duration>, Failure> {
        if is_its_turn && !self.room.is_empty() {
            self.room.wait(self.reply_socket.socket(), Duration::ZERO, false);
            self.send_to_the_full(requester, fds)?;
        }
        let mut received = 0;
        loop {
            let now = Instant::now();
            match self.step(now) {
                Step::Done => return Ok(None),
                Step::Look => self.look(requester, inbox)?,
                Step::Wait(time) => {
                    let is_awaited = received < AT_ONCE && self.pending.unanswered() > 0;
                    if !is_awaited || !self.receive(requester, inbox, Wait::No)? {
                        let try_again = self.room.due(now).filter(|_| is_its_turn);
                        return Ok(Some(try_again.map_or(time, |due| due.min(time))));
                    }
                    received += 1;
                }
            }
        }
    }

    /// In how long there is something to do, if nothing comes until then; `None` if everybody has
    /// an outcome. To be called once, when the request has begun: each call may move the next look on.
    pub(super) fn first_due(&mut self, now: Instant) -> Option<Duration> {
        match self.step(now) {
            Step::Done => None,
            Step::Wait(time) => Some(self.room.due(now).map_or(time, |due| due.min(time))),
            // `step` has scheduled the next look already: skip this one, and have `advance` called
            // at once.
            Step::Look => Some(Duration::ZERO),
        }
    }

    pub(super) fn reply_socket(&self) -> &ReplySocket {
        &self.reply_socket
    }

    /// How many peers have not been asked yet, since there was no room.
    pub(super) fn waiting_for_room(&self) -> usize {
        self.room.len()
    }

    /// Sockets that become writable when there is room at the peers that they are connected to.
    pub(super) fn full_queues(&self) -> impl Iterator<Item = &Socket> {
        self.room.probes()
    }

    /// Whether the reply socket itself becomes writable when there is room.
    pub(super) fn is_told_of_room(&self) -> bool {
        self.room.listens_to_own()
    }

    /// Whether all that were asked are gone.
    pub(super) fn is_gone(&self) -> bool {
        self.pending.outcomes().all(|outcome| outcome == Unanswered::Gone.into())
    }

    /// The reply socket, and what became of everybody.
    pub(super) fn into_parts(self) -> (ReplySocket, Ended) {
        let Self { reply_socket, pending, members, replies, .. } = self;
        let (answers_may_come, outcomes) = (pending.answers_may_come(), pending.outcomes().collect());
        (reply_socket, Ended { answers_may_come, members, outcomes, replies })
    }

    /// What became of everybody, with the reply socket given back.
    pub(super) fn end(self, requester: &Requester) -> Ended {
        let (reply_socket, ended) = self.into_parts();
        requester.give_back(reply_socket, ended.answers_may_come);
        ended
    }

    /// What to do next; after [`Step::Look`] the next look is scheduled already. At the deadline, if
    /// our own send buffer is full, the peers that still wait for room get `BufferFull`.
    fn step(&mut self, now: Instant) -> Step {
        if self.room.is_own_full() && self.pending.deadline().left_at(now).is_zero() {
            for peer in self.room.keys() {
                self.pending.settle(*peer, Unanswered::BufferFull);
            }
        }
        self.pending.step(now)
    }

    /// `false` if there is no room.
    fn send(&mut self, requester: &Requester, peer: usize, fds: &[BorrowedFd<'_>]) -> bool {
        let to = self.members.get(peer).map(Member::address);
        let sent = send_from(requester, &self.reply_socket, to, &self.datagram, fds);
        record_sent(requester, &mut self.pending, peer, sent)
    }

    fn send_to_the_full(&mut self, requester: &Requester, fds: &[BorrowedFd<'_>]) -> Result<(), Failure> {
        if self.is_superseded(requester, 0..0)? {
            return Ok(());
        }
        let Self { reply_socket, pending, members, datagram, room, .. } = self;
        room.retry(reply_socket.socket(), |peer| {
            let to = members.get(*peer).map(Member::address);
            let sent = send_from(requester, reply_socket, to, datagram, fds);
            record_sent(requester, pending, *peer, sent)
        });
        Ok(())
    }

    /// Whether this role was the primary when it made the request, and another has taken its place
    /// since. Peers not asked yet (those that wait for room, and `unasked`) then get `Superseded`;
    /// those asked may still answer.
    fn is_superseded(&mut self, requester: &Requester, unasked: Range<usize>) -> Result<bool, Failure> {
        match requester.check_still_current(self.reply_socket.layout()) {
            Ok(()) => Ok(false),
            // A request to one peer fails as a whole.
            Err(not) if self.members.is_empty() => Err(not.into()),
            Err(not) => {
                let why = Settled::from(not);
                let room = std::mem::replace(&mut self.room, Room::new());
                room.keys()
                    .copied()
                    .chain(unasked)
                    .for_each(|peer| _ = self.pending.settle(peer, why.clone()));
                Ok(true)
            }
        }
    }
}

/// A request that is over.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// An answer may come still: the reply socket must not be used again.
    pub(super) answers_may_come: bool,
    members: Vec<Member>,
    outcomes: Vec<Settled>,
    replies: Vec<Reply>,
}

impl Ended {
    /// Of a request to one.
    pub(super) fn into_reply(mut self, requester: &Requester) -> Result<Reply, Failure> {
        self.replies.pop().ok_or_else(|| {
            let settled = self.outcomes.pop().unwrap_or(Unanswered::Gone.into());
            Failure::of_settled(requester.group(), settled)
        })
    }

    /// Of a request to all.
    pub(super) fn into_replies(self, requester: &Requester) -> Replies {
        let outcomes: Vec<_> =
            self.members.into_iter().zip(self.outcomes.into_iter().map(Outcome::from)).collect();
        requester.bury_the_dead(&outcomes);
        Replies { replies: self.replies, outcomes }
    }
}

/// Sends to one peer: `to`, or the one that the reply socket is connected to.
fn send_from(
    requester: &Requester,
    reply_socket: &ReplySocket,
    to: Option<&Address>,
    datagram: &Datagram,
    fds: &[BorrowedFd<'_>],
) -> Result<(), Errno> {
    let sent = reply_socket.socket().send(to, datagram.as_bytes(), fds);
    let (socket, to) = (reply_socket.socket(), to.or(reply_socket.connected_to()));
    requester.policy.look.tap.sent(socket, to, datagram.as_bytes(), fds, sent);
    sent
}

/// Records what became of the attempt to ask one peer; `false` if there was no room. Any other
/// error is the outcome of that peer alone: the others are asked.
fn record_sent(requester: &Requester, pending: &mut Pending, peer: usize, sent: Result<(), Errno>) -> bool {
    match sent {
        Ok(()) => {
            requester.policy.counters.requests_sent.add();
            pending.asked(peer);
        }
        Err(Errno::AGAIN) => return false,
        Err(errno) => _ = pending.settle(peer, Unanswered::from(Undelivered::from(errno))),
    }
    true
}
