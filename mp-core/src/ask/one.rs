//! To one peer: a message, or a request that blocks. What it means if that fails, `failure` says.

use std::time::{Duration, Instant};

use super::{
    Answer, Reply, RequestError, Requester, SendError,
    failure::{Failure, Settled, Unanswered},
    matching::{RequestId, Verdict},
    patience::{Next, Patience},
    reply_socket::ReplySocket,
};
use crate::{
    group::Undelivered,
    receive::{Arrived, Inbox, Missed, turn},
    sys::{Address, Deadline, Wait},
    wire::{Datagram, Kind, MessageRef, Tag},
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
        let now = Instant::now();
        let sent = self.deliver(to, message, None, (now, Deadline::after_from(now, timeout)));
        let reply_socket = sent.map_err(|failure| failure.into_send_error(timeout))?;
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
        let mut inbox = Inbox::new();
        match self.ask_one(to, message, timeout, &mut inbox) {
            Ok(arrived) => Ok(Reply::taken_from(arrived)),
            Err(failure) => Err(failure.into_request_error(timeout)),
        }
    }

    /// The same, of a message that can be sent. The reply is in `inbox` then.
    pub(super) fn ask_one<'a>(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        timeout: Duration,
        inbox: &'a mut Inbox,
    ) -> Result<Arrived<'a>, Failure> {
        let _span = tracing::debug_span!("mp_request", name = %message.name(), %to).entered();
        let now = Instant::now();
        let mut patience = Patience::new(now, timeout);
        let request = self.identify(message);
        let times = (patience.started(), patience.deadline());
        let mut reply_socket = self.deliver(to, message, Some(&request), times)?;
        self.policy.counters.requests_sent.add();
        turn::let_others_go_first();
        match self.await_reply(&mut reply_socket, &mut patience, &request, inbox)? {
            Settled::Replied => {
                self.give_back(reply_socket, false);
                // It has just come.
                inbox.arrived().ok_or(Failure::Stopped)
            }
            settled => {
                self.give_back(reply_socket, settled.may_be_answered_late());
                Err(Failure::of_settled(&self.group, settled))
            }
        }
    }

    /// What became of the request. If that is a reply, it is in `inbox`.
    fn await_reply(
        &self,
        reply_socket: &mut ReplySocket,
        patience: &mut Patience,
        request: &RequestId,
        inbox: &mut Inbox,
    ) -> Result<Settled, Failure> {
        let mut noted = None;
        loop {
            let wait = match patience.next(Instant::now()) {
                Next::GiveUp => return Ok(Unanswered::TimedOut.into()),
                Next::Wait(time) => Wait::AtMost(time),
                Next::Look if reply_socket.peer_lives() => {
                    noted.get_or_insert_with(|| {
                        let times = (patience.started(), patience.deadline());
                        self.note(request, reply_socket.connected_to().into_iter(), times, false)
                    });
                    continue;
                }
                // It has died, but what it sent before is still in our queue.
                Next::Look => Wait::No,
            };
            match inbox.receive(reply_socket.socket(), wait, &self.policy) {
                Ok(arrived) => {
                    let peer = reply_socket.peer_at(arrived.peer.address());
                    let verdict = reply_socket.verdict(request, peer, arrived.header);
                    match self.classify(&arrived, verdict) {
                        Some(Answer::Reply) => {
                            self.policy.counters.replies_received.add();
                            return Ok(Settled::Replied);
                        }
                        Some(Answer::Ignore(why)) => {
                            self.policy.counters.ignores_received.add();
                            return Ok(Unanswered::of_ignore(why).into());
                        }
                        None => inbox.close_fds(),
                    }
                }
                Err(Missed::FdsLost { header, from }) => {
                    let peer = reply_socket.peer_at(from.as_ref());
                    if reply_socket.verdict(request, peer, &header) == Verdict::Counts {
                        return Ok(Unanswered::FdsLost.into());
                    }
                }
                Err(Missed::Rejected) => reply_socket.had_surplus(),
                Err(Missed::Nothing) if wait == Wait::No => {
                    self.pool.forget(|idle| idle.has_peer_of(reply_socket));
                    return Ok(Unanswered::Gone.into());
                }
                Err(Missed::Nothing) => {}
                Err(Missed::Closed) => return Err(Failure::Stopped),
                Err(Missed::Failed(errno)) => return Err(Failure::of_system(errno)),
            }
        }
    }

    /// Sends to `to`: a request, or a one-way message if there is no `request`. Tells on which
    /// reply socket. If the peer of a kept one is gone, connects anew, once: another process may be
    /// bound at its address now.
    fn deliver(
        &self,
        to: &Address,
        message: &MessageRef<'_>,
        request: Option<&RequestId>,
        (started, deadline): (Instant, Deadline),
    ) -> Result<ReplySocket, Failure<Undelivered>> {
        if self.is_stopped() {
            return Err(Failure::Stopped);
        }
        let layout_of_primary = self.layout_of_primary()?;
        let kind = if request.is_some() { Kind::Request } else { Kind::Message };
        let tag = request.map_or_else(|| Tag::of_message(message), RequestId::tag);
        let waits = || request.map(|request| self.note(request, [to].into_iter(), (started, deadline), true));
        let send = |reply_socket: &ReplySocket| {
            let layout = reply_socket.layout();
            let datagram = Datagram::message(layout, kind, message, tag);
            let sent = match layout_of_primary {
                None => reply_socket.send(&datagram, message.fds(), deadline, waits),
                Some(_) => {
                    let may_go_on = || self.check_still_current(layout);
                    reply_socket.send_checked(&datagram, message.fds(), deadline, may_go_on, waits)
                }
            };
            if sent.is_ok() {
                let (socket, to) = (reply_socket.socket(), Some(to));
                self.policy.look.tap.sent(socket, to, datagram.as_bytes(), message.fds(), Ok(()));
            }
            sent
        };
        if let Some(reply_socket) = self.kept_reply_socket_to(to, request) {
            let reply_socket = reply_socket.speaking(layout_of_primary);
            match send(&reply_socket) {
                Ok(()) => return Ok(reply_socket),
                Err(Failure::Peer(Undelivered::Gone)) => self.forget(to),
                Err(failure) => return Err(failure),
            }
        }
        let reply_socket = self.open_reply_socket_to(to, deadline)?.speaking(layout_of_primary);
        send(&reply_socket)?;
        Ok(reply_socket)
    }
}
