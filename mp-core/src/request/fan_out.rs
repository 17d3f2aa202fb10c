//! To all members at once: a message, or a request that blocks.

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
};

use super::{
    Answer, Desk, Member, Outcome, Replies, RequestError, SendError, Sent,
    exchange::{Exchange, Step},
    line::{Line, Unsent, peer_lives, unsent, wait_for},
};
use crate::{
    MessageRef,
    deadline::Deadline,
    group::remove_dead_member,
    inbox::{Inbox, Missed},
    sys::{Socket, Wait},
    turn,
    wire::{Datagram, Kind, Layout},
};

impl Desk {
    /// Sends a one-way message from `socket` to all members.
    ///
    /// First to all without waiting; then to those whose queues were full, as
    /// they make room, until the deadline.
    pub(crate) fn send_all(
        &self,
        socket: &Socket,
        layout: Layout,
        members: Vec<Member>,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Sent, SendError> {
        message.check()?;
        if self.is_stopped() {
            return Err(SendError::Stopped);
        }
        let deadline = Deadline::after(timeout);
        let datagram = Datagram::message(layout, Kind::Message, message);
        let mut outcomes = vec![Outcome::QueueFull; members.len()];
        let mut send = |peer: usize| match socket.send(
            Some(members[peer].address()),
            datagram.as_bytes(),
            message.fds(),
        ) {
            Err(Errno::AGAIN) => Ok(false),
            result => {
                outcomes[peer] = outcome_of(result)?;
                Ok(true)
            }
        };
        let mut full = Vec::new();
        for (peer, member) in members.iter().enumerate() {
            if !send(peer)? {
                full.push(Queueing::new(peer, member));
            }
        }
        while !full.is_empty() && !deadline.is_over() {
            let mut polled: Vec<_> = full.iter().filter_map(Queueing::poll_fd).collect();
            wait_for(&mut polled, deadline).map_err(send_failure)?;
            retry(&mut full, &mut send)?;
        }
        for outcome in &outcomes {
            if *outcome == Outcome::Sent {
                self.gate.counters.messages_sent.add();
            }
        }
        let outcomes: Vec<_> = members.into_iter().zip(outcomes).collect();
        self.bury_the_dead(&outcomes);
        Ok(Sent { outcomes })
    }

    /// Asks all members at once and waits for their answers, under one deadline.
    pub(crate) fn ask_all(
        &self,
        layout: Layout,
        mut members: Vec<Member>,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        message.check()?;
        if self.is_stopped() {
            return Err(RequestError::Stopped);
        }
        if members.is_empty() {
            return Ok(Replies::default());
        }
        // Answers are matched by file name: a peer may spell the directory in another way.
        members.sort_by(|a, b| a.address().file_name().cmp(b.address().file_name()));
        let line = match self.pool.take(None) {
            Some(line) => line,
            None => Line::unconnected(&self.group, layout)?,
        };
        let mut round = Round {
            desk: self,
            line: &line,
            exchange: Exchange::new(members.len(), Instant::now(), timeout),
            members: &members,
            message,
            datagram: Datagram::message(layout, Kind::Request, message),
            full: Vec::new(),
            inbox: Inbox::new(),
            replies: Vec::new(),
        };
        round.send_to_all()?;
        turn::step_aside();
        round.collect()?;
        let Round { exchange, replies, .. } = round;
        if !exchange.is_owed() {
            self.pool.give_back(line);
        }
        let outcomes = exchange.outcomes().collect::<Vec<_>>();
        let outcomes: Vec<_> = members.into_iter().zip(outcomes).collect();
        self.bury_the_dead(&outcomes);
        Ok(Replies { replies, outcomes })
    }

    /// Removes the socket files of members that are gone.
    fn bury_the_dead(&self, outcomes: &[(Member, Outcome)]) {
        let mut gone = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Gone).peekable();
        if gone.peek().is_some()
            && let Ok(directory) = self.group.open()
        {
            for (member, _) in gone {
                remove_dead_member(&self.group, &directory, member.address().file_name());
            }
        }
    }
}

/// A request to all members, under way.
struct Round<'a, 'm> {
    desk: &'a Desk,
    line: &'a Line,
    exchange: Exchange,
    members: &'a [Member],
    message: &'a MessageRef<'m>,
    datagram: Datagram,
    full: Vec<Queueing>,
    inbox: Inbox,
    replies: Vec<super::Reply>,
}

impl Round<'_, '_> {
    fn send_to_all(&mut self) -> Result<(), RequestError> {
        for peer in 0..self.members.len() {
            if !self.send(peer)? {
                self.full.push(Queueing::new(peer, &self.members[peer]));
            }
        }
        Ok(())
    }

    /// `false` if the peer's queue is full.
    fn send(&mut self, peer: usize) -> Result<bool, Errno> {
        let to = self.members[peer].address();
        match self.line.socket().send(Some(to), self.datagram.as_bytes(), self.message.fds()) {
            Err(Errno::AGAIN) => return Ok(false),
            result => match outcome_of(result)? {
                Outcome::Sent => {
                    self.desk.gate.counters.requests_sent.add();
                    self.exchange.sent(peer);
                }
                outcome => {
                    self.exchange.settle(peer, outcome);
                }
            },
        }
        Ok(true)
    }

    fn collect(&mut self) -> Result<(), RequestError> {
        loop {
            match self.exchange.step(Instant::now()) {
                Step::Done => return Ok(()),
                Step::Wait(time) if self.full.is_empty() => {
                    self.receive(Wait::AtMost(time))?;
                }
                Step::Wait(time) => {
                    let mut polled: Vec<_> = self.full.iter().filter_map(Queueing::poll_fd).collect();
                    polled.push(PollFd::new(self.line, PollFlags::IN));
                    wait_for(&mut polled, Deadline::after(time)).map_err(request_failure)?;
                    self.send_to_the_full()?;
                    while self.receive(Wait::No)? {}
                }
                Step::Look => {
                    // What the dead sent before they died counts.
                    while self.receive(Wait::No)? {}
                    let open: Vec<_> = self.exchange.open().collect();
                    for peer in open {
                        if !peer_lives(self.members[peer].address()) {
                            self.exchange.settle(peer, Outcome::Gone);
                        }
                    }
                }
            }
        }
    }

    fn send_to_the_full(&mut self) -> Result<(), RequestError> {
        let mut full = std::mem::take(&mut self.full);
        retry(&mut full, &mut |peer| self.send(peer))?;
        self.full = full;
        Ok(())
    }

    /// Whether something came.
    fn receive(&mut self, wait: Wait) -> Result<bool, RequestError> {
        let gate = &self.desk.gate;
        match self.inbox.receive(self.line.socket(), wait, gate) {
            Ok(arrived) => {
                if let Some(answer) = self.desk.answer(arrived, self.message.name()) {
                    self.take(answer);
                }
            }
            Err(Missed::FdsLost { kind: Kind::Reply, name, from, .. }) if name == *self.message.name() => {
                if let Some(peer) = from.and_then(|from| self.peer_at(&from)) {
                    self.exchange.settle(peer, Outcome::FdsLost);
                }
            }
            Err(Missed::Rejected | Missed::FdsLost { .. }) => {}
            Err(Missed::Nothing) => return Ok(false),
            Err(Missed::Closed) => return Err(RequestError::Stopped),
            Err(Missed::Failed(errno)) => return Err(RequestError::Io(errno.into())),
        }
        Ok(true)
    }

    fn take(&mut self, answer: Answer) {
        let counters = &self.desk.gate.counters;
        let peer = answer.peer().address().and_then(|from| self.peer_at(from));
        let outcome = match answer {
            Answer::Reply(_) => Outcome::Replied,
            Answer::Ignore(_) => Outcome::Ignored,
        };
        if !peer.is_some_and(|peer| self.exchange.settle(peer, outcome)) {
            return counters.reject(crate::Rejection::Unexpected);
        }
        match answer {
            Answer::Reply(reply) => {
                counters.replies_received.add();
                self.replies.push(reply);
            }
            Answer::Ignore(_) => counters.ignores_received.add(),
        }
    }

    fn peer_at(&self, from: &crate::Address) -> Option<usize> {
        self.members.binary_search_by(|member| member.address().file_name().cmp(from.file_name())).ok()
    }
}

/// A peer whose queue is full. `poll` tells of room in it only on a socket that
/// is connected to it.
#[derive(Debug)]
struct Queueing {
    peer: usize,
    /// `None` if it cannot be had: then the next try tells why.
    connected: Option<Socket>,
}

impl Queueing {
    fn new(peer: usize, member: &Member) -> Self {
        let connect = || {
            let socket = Socket::new()?;
            socket.connect(member.address())?;
            Ok::<_, Errno>(socket)
        };
        Self { peer, connected: connect().ok() }
    }

    fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.connected.as_ref().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT))
    }
}

/// Sends again to each; those that take it leave the queue.
fn retry(full: &mut Vec<Queueing>, send: &mut impl FnMut(usize) -> Result<bool, Errno>) -> Result<(), Errno> {
    let mut failed = Ok(());
    full.retain(|queueing| match send(queueing.peer) {
        Ok(sent) => !sent,
        Err(errno) => {
            failed = Err(errno);
            true
        }
    });
    failed
}

fn outcome_of(sent: Result<(), Errno>) -> Result<Outcome, Errno> {
    match sent.map_err(unsent) {
        Ok(()) => Ok(Outcome::Sent),
        Err(Unsent::Outcome(outcome)) => Ok(outcome),
        Err(Unsent::Failed(errno)) => Err(errno),
    }
}

fn request_failure(unsent: Unsent) -> RequestError {
    match unsent {
        Unsent::Failed(errno) => RequestError::Io(errno.into()),
        Unsent::Outcome(_) => RequestError::Gone,
    }
}

fn send_failure(unsent: Unsent) -> SendError {
    match unsent {
        Unsent::Failed(errno) => SendError::Io(errno.into()),
        Unsent::Outcome(_) => SendError::Gone,
    }
}

impl From<Errno> for RequestError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl From<Errno> for SendError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}
