//! To one peer: a message, or a request that blocks.

use std::time::{Duration, Instant};

use super::{
    Answer, Desk, Outcome, Reply, RequestError, SendError,
    pending::{Exchange, Step},
    reply_socket::{Line, NoLine, Unsent},
    under_way::no_reply,
};
use crate::{
    receive::{Inbox, Missed, turn},
    sys::{Address, Deadline, Wait},
    wire::{Datagram, Kind, MessageRef},
};

impl Desk {
    /// Sends a one-way message to one peer.
    pub(crate) fn send_to(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        message.check()?;
        let line =
            self.deliver(to, Kind::Message, message, Deadline::after(timeout)).map_err(|e| match e {
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
        self.gate.counters.messages_sent.add();
        self.pool.give_back(line);
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
        let mut exchange = Exchange::new(1, Instant::now(), timeout);
        let line = self
            .deliver(to, Kind::Request, message, exchange.deadline())
            .map_err(|undelivered| undelivered.of_request(self, to, timeout))?;
        exchange.sent(0);
        self.gate.counters.requests_sent.add();
        turn::step_aside();
        let reply = self.await_reply(&line, &mut exchange, message)?;
        if exchange.is_owed() {
            drop(line);
        } else {
            self.pool.give_back(line);
        }
        reply.ok_or_else(|| no_reply(exchange.outcomes().next().unwrap_or(Outcome::TimedOut), timeout))
    }

    fn await_reply(
        &self,
        line: &Line,
        exchange: &mut Exchange,
        message: &MessageRef<'_>,
    ) -> Result<Option<Reply>, RequestError> {
        let mut inbox = Inbox::new();
        loop {
            let wait = match exchange.step(Instant::now()) {
                Step::Done => return Ok(None),
                Step::Wait(time) => Wait::AtMost(time),
                Step::Look if line.peer_lives() => continue,
                // What it sent before it died is in our queue still.
                Step::Look => Wait::No,
            };
            match inbox.receive(line.socket(), wait, &self.gate) {
                Ok(arrived) => match self.answer(arrived, message.name()) {
                    // The socket is connected: it can only be from the peer.
                    Some(Answer::Reply(reply)) => {
                        exchange.settle(0, Outcome::Replied);
                        self.gate.counters.replies_received.add();
                        return Ok(Some(reply));
                    }
                    Some(Answer::Ignore(_)) => {
                        exchange.settle(0, Outcome::Ignored);
                        self.gate.counters.ignores_received.add();
                    }
                    None => {}
                },
                Err(Missed::FdsLost { kind: Kind::Reply, name, .. }) if name == *message.name() => {
                    exchange.settle(0, Outcome::FdsLost);
                }
                Err(Missed::Nothing) if wait == Wait::No => {
                    exchange.settle(0, Outcome::Gone);
                    self.pool.forget(|idle| idle.has_peer_of(line));
                }
                Err(Missed::Nothing | Missed::Rejected | Missed::FdsLost { .. }) => {}
                Err(Missed::Closed) => return Err(RequestError::Stopped),
                Err(Missed::Failed(errno)) => return Err(RequestError::Io(errno.into())),
            }
        }
    }

    /// A line on which the datagram has been sent. A connection to a primary
    /// that has gone is made anew, once: another may have taken its place.
    fn deliver(
        &self,
        to: &Address,
        kind: Kind,
        message: &MessageRef<'_>,
        deadline: Deadline,
    ) -> Result<Line, Undelivered> {
        if self.is_stopped() {
            return Err(Undelivered::Stopped);
        }
        if let Some(line) = self.kept_line(Some(to)) {
            match line.send(&Datagram::message(line.layout(), kind, message), message.fds(), deadline) {
                Ok(()) => return Ok(line),
                Err(Unsent::Outcome(Outcome::Gone)) => self.forget(to),
                Err(unsent) => return Err(unsent.into()),
            }
        }
        let line = self.line_to(to)?;
        line.send(&Datagram::message(line.layout(), kind, message), message.fds(), deadline)?;
        Ok(line)
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
    pub(super) fn of_request(self, desk: &Desk, to: &Address, timeout: Duration) -> RequestError {
        match self {
            Self::Absent if to == desk.group.primary() => {
                RequestError::NoPrimary { dir: desk.group.dir().to_owned() }
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

impl From<NoLine> for Undelivered {
    fn from(none: NoLine) -> Self {
        match none {
            NoLine::Absent => Self::Absent,
            NoLine::Refused => Self::Refused,
            NoLine::Failed(error) => Self::Group(error),
        }
    }
}
