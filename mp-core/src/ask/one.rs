//! To one peer: a message, or a request that blocks.

use std::time::{Duration, Instant};

use super::{
    Answer, Outcome, Reply, RequestError, Requester, SendError,
    matching::{RequestId, Verdict},
    pending::{Pending, Step},
    reply_socket::{NoReplySocket, ReplySocket, Unsent},
    under_way::no_reply,
};
use crate::{
    receive::{Inbox, Missed, turn},
    sys::{Address, Deadline, Wait},
    wire::{Datagram, Kind, MessageRef},
};

impl Requester {
    /// Sends a one-way message to one peer.
    pub(crate) fn send_to(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        message.check()?;
        let reply_socket =
            self.deliver(to, message, None, Deadline::after(timeout)).map_err(|e| match e {
                Undelivered::Absent if to == self.group.primary() => {
                    SendError::NoPrimary { dir: self.group.dir().to_owned() }
                }
                Undelivered::Absent | Undelivered::Gone => SendError::Gone,
                Undelivered::QueueFull => SendError::QueueFull { timeout },
                Undelivered::Refused => SendError::Refused,
                Undelivered::Stopped => SendError::Stopped,
                Undelivered::Group(error) => SendError::Group(error),
                Undelivered::Io(error) => SendError::Io(error),
            })?;
        self.policy.counters.messages_sent.add();
        self.give_back(reply_socket, false);
        Ok(())
    }

    /// Asks one peer and waits for its answer.
    pub(crate) fn ask(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        message.check()?;
        let _span = tracing::debug_span!("mp_request", name = %message.name(), %to).entered();
        let mut pending = Pending::new(1, Instant::now(), timeout);
        let request = self.identify(message.name());
        let mut reply_socket = self
            .deliver(to, message, Some(&request), pending.deadline())
            .map_err(|undelivered| undelivered.of_request(self, to, timeout))?;
        pending.sent(0);
        self.policy.counters.requests_sent.add();
        turn::step_aside();
        let reply = self.await_reply(&mut reply_socket, &mut pending, &request)?;
        self.give_back(reply_socket, pending.is_owed());
        reply.ok_or_else(|| no_reply(pending.outcomes().next().unwrap_or(Outcome::TimedOut), timeout))
    }

    fn await_reply(
        &self,
        reply_socket: &mut ReplySocket,
        pending: &mut Pending,
        request: &RequestId,
    ) -> Result<Option<Reply>, RequestError> {
        let mut inbox = Inbox::new();
        loop {
            let wait = match pending.step(Instant::now()) {
                Step::Done => return Ok(None),
                Step::Wait(time) => Wait::AtMost(time),
                Step::Look if reply_socket.peer_lives() => continue,
                // What it sent before it died is in our queue still.
                Step::Look => Wait::No,
            };
            match inbox.receive(reply_socket.socket(), wait, &self.policy) {
                Ok(arrived) => {
                    let peer = reply_socket.peer_at(arrived.peer.address());
                    let datagram = (arrived.kind, &arrived.message.name, arrived.tag);
                    let verdict = reply_socket.verdict(request, peer, datagram);
                    match self.answer(arrived, verdict) {
                        Some(Answer::Reply(reply)) => {
                            pending.settle(0, Outcome::Replied);
                            self.policy.counters.replies_received.add();
                            return Ok(Some(reply));
                        }
                        Some(Answer::Ignore(why)) => {
                            pending.settle(0, Outcome::Ignored { why });
                            self.policy.counters.ignores_received.add();
                        }
                        None => {}
                    }
                }
                Err(Missed::FdsLost { kind, name, tag, from, .. }) => {
                    let peer = reply_socket.peer_at(from.as_ref());
                    if reply_socket.verdict(request, peer, (kind, &name, tag)) == Verdict::Counts {
                        pending.settle(0, Outcome::FdsLost);
                    }
                }
                Err(Missed::Rejected) => reply_socket.had_surplus(),
                Err(Missed::Nothing) if wait == Wait::No => {
                    pending.settle(0, Outcome::Gone);
                    self.pool.forget(|idle| idle.has_peer_of(reply_socket));
                }
                Err(Missed::Nothing) => {}
                Err(Missed::Closed) => return Err(RequestError::Stopped),
                Err(Missed::Failed(errno)) => return Err(RequestError::Io(errno.into())),
            }
        }
    }

    /// A reply socket on which the datagram has been sent. A connection to a primary
    /// that has gone is made anew, once: another may have taken its place. It is
    /// a one-way message if it is no request.
    fn deliver(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        request: Option<&RequestId>,
        deadline: Deadline,
    ) -> Result<ReplySocket, Undelivered> {
        if self.is_stopped() {
            return Err(Undelivered::Stopped);
        }
        let kind = if request.is_some() { Kind::Request } else { Kind::Message };
        let tag = request.and_then(RequestId::tag);
        let send = |reply_socket: &ReplySocket| {
            let datagram = Datagram::message(reply_socket.layout(), kind, message, tag);
            reply_socket.send(&datagram, message.fds(), deadline)
        };
        if let Some(reply_socket) = self.kept_reply_socket_to(to, request) {
            match send(&reply_socket) {
                Ok(()) => return Ok(reply_socket),
                Err(Unsent::Outcome(Outcome::Gone)) => self.forget(to),
                Err(unsent) => return Err(unsent.into()),
            }
        }
        let reply_socket = self.open_reply_socket_to(to, deadline)?;
        send(&reply_socket)?;
        Ok(reply_socket)
    }
}

/// Why a datagram did not reach the queue of its one peer.
#[derive(Debug)]
pub(super) enum Undelivered {
    Absent,
    Gone,
    QueueFull,
    Refused,
    Stopped,
    Group(crate::group::GroupError),
    Io(std::io::Error),
}

impl Undelivered {
    pub(super) fn of_request(self, requester: &Requester, to: &Address, timeout: Duration) -> RequestError {
        match self {
            Self::Absent if to == requester.group.primary() => {
                RequestError::NoPrimary { dir: requester.group.dir().to_owned() }
            }
            Self::Absent | Self::Gone => RequestError::Gone,
            Self::QueueFull => RequestError::QueueFull { timeout },
            Self::Refused => RequestError::Refused,
            Self::Stopped => RequestError::Stopped,
            Self::Group(error) => RequestError::Group(error),
            Self::Io(error) => RequestError::Io(error),
        }
    }
}

impl From<Unsent> for Undelivered {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Outcome(Outcome::QueueFull) => Self::QueueFull,
            Unsent::Outcome(Outcome::Refused) => Self::Refused,
            Unsent::Outcome(_) => Self::Gone,
            Unsent::Failed(errno) => Self::Io(errno.into()),
        }
    }
}

impl From<NoReplySocket> for Undelivered {
    fn from(none: NoReplySocket) -> Self {
        match none {
            NoReplySocket::Absent => Self::Absent,
            NoReplySocket::Refused => Self::Refused,
            NoReplySocket::Failed(error) => Self::Group(error),
        }
    }
}
