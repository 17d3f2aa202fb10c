//! To all members at once: a message, or a request that blocks.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::{
    Outcome, Replies, RequestError, Requester, SendError, Sent,
    matching::RequestId,
    pending::Pending,
    reply_socket::{ReplySocket, Unsent, wait_for},
    under_way::{Queueing, RequestUnderWay, outcome_of, retry},
};
use crate::{
    group::Member,
    receive::{Inbox, turn},
    sys::{Deadline, Socket},
    wire::{Datagram, Kind, Layout, MessageRef},
};

impl Requester {
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
        let datagram = Datagram::message(layout, Kind::Message, message, None);
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
        if !full.is_empty() {
            // A handler that is going to wait lets others go first.
            turn::step_aside();
        }
        while !full.is_empty() && !deadline.is_over() {
            let mut polled: Vec<_> = full.iter().filter_map(Queueing::poll_fd).collect();
            wait_for(&mut polled, deadline).map_err(send_failure)?;
            retry(&mut full, &mut send)?;
        }
        for outcome in &outcomes {
            if *outcome == Outcome::Sent {
                self.policy.counters.messages_sent.add();
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
        let _span =
            tracing::debug_span!("mp_request_all", name = %message.name(), members = members.len()).entered();
        if let [_] = members[..]
            && let Some(only) = members.pop()
        {
            return self.ask_the_only(only, message, timeout);
        }
        let request = self.identify(message.name());
        let reply_socket = self.open_reply_socket(layout, &members, &request)?;
        let pending = Pending::new(members.len(), Instant::now(), timeout);
        let mut round = RequestUnderWay::to_all(reply_socket, members, pending, request, message);
        let mut inbox = Inbox::new();
        turn::step_aside();
        round.send_to_all_in_turn(self, &mut inbox, message.fds())?;
        round.collect(self, &mut inbox, message.fds())?;
        Ok(round.end(self).into_replies(self))
    }

    /// One is asked on a connected reply socket, which saves finding it by its path.
    fn ask_the_only(
        &self,
        member: Member,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        let (reply, outcome) = match self.ask(member.address(), message, timeout) {
            Ok(reply) => (Some(reply), Outcome::Replied),
            Err(RequestError::Ignored { why }) => (None, Outcome::Ignored { why }),
            Err(RequestError::Gone) => (None, Outcome::Gone),
            Err(RequestError::FdsLost) => (None, Outcome::FdsLost),
            Err(RequestError::QueueFull { .. }) => (None, Outcome::QueueFull),
            Err(RequestError::Refused) => (None, Outcome::Refused),
            Err(RequestError::TimedOut { .. }) => (None, Outcome::TimedOut),
            Err(error) => return Err(error),
        };
        let outcomes = vec![(member, outcome)];
        self.bury_the_dead(&outcomes);
        Ok(Replies { replies: reply.into_iter().collect(), outcomes })
    }

    /// A reply socket to whomever.
    pub(super) fn open_reply_socket(
        &self,
        layout: Layout,
        members: &[Member],
        request: &RequestId,
    ) -> Result<ReplySocket, RequestError> {
        match self.kept_reply_socket_to_all(members, request) {
            Some(reply_socket) => Ok(reply_socket),
            None => Ok(ReplySocket::unconnected(&self.group, layout)?),
        }
    }

    /// Removes the socket files of members that are gone.
    pub(super) fn bury_the_dead(&self, outcomes: &[(Member, Outcome)]) {
        let gone = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Gone);
        gone.clone().for_each(|(member, _)| self.forget(member.address()));
        self.group.bury(gone.map(|(member, _)| member));
    }
}

fn send_failure(unsent: Unsent) -> SendError {
    match unsent {
        Unsent::Failed(errno) => SendError::Io(errno.into()),
        Unsent::Outcome(_) => SendError::Gone,
    }
}
