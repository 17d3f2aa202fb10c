//! How a request gets under way in its slot, on which reply socket, or why it does not.

use std::time::{Duration, Instant};

use super::{Slot, Worker};
use crate::{
    ask::{
        asynchronous::request::{AsyncRequest, To},
        failure::{Failure, Unanswered},
        matching::RequestId,
        reply_socket::ReplySocket,
        under_way::{Ended, RequestUnderWay},
    },
    group::{Member, Roster, STARTING_PAUSE},
    sys::{Address, Deadline},
    wire::MessageRef,
};

impl Worker {
    pub(super) fn start(&mut self, slot: usize, mut request: Box<AsyncRequest>) {
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, Slot::default);
        }
        let under_way = match &request.to {
            To::One(to, _) => self.ask_one(slot, to, &request).map(Some),
            To::All(roster, _) => self.ask_all(slot, roster, &request),
            To::Nobody(_) => Ok(None),
        };
        match under_way {
            Ok(Some(mut under_way)) => {
                if under_way.waiting_for_room() == 0 {
                    request.close_fds();
                } else if let To::One(to, _) = &request.to {
                    self.queues.join(to, slot);
                    self.slots[slot].queues_for = Some(to.clone());
                }
                let due = under_way.first_due(Instant::now());
                self.slots[slot].under_way = Some((under_way, request));
                self.go_on(slot, Ok(due));
                self.pass_on(slot);
            }
            Ok(None) => {
                self.schedule.release(slot);
                self.shared.submissions.ended();
                request.end(&self.requester, Ended::default());
            }
            Err(Failure::Group(error)) if error.is_starting() && !request.deadline.is_over() => {
                let pause = STARTING_PAUSE.min(request.deadline.left());
                self.slots[slot].not_begun = Some(request);
                self.schedule.due_again(slot, Deadline::after(pause));
            }
            Err(failure) => {
                self.schedule.release(slot);
                if let (Failure::NoPrimary { .. } | Failure::Peer(Unanswered::Gone), Some(to)) =
                    (&failure, request.peer())
                {
                    self.fail_waiting_for(to);
                }
                self.shared.submissions.ended();
                request.fail(failure);
            }
        }
    }

    /// Nobody is bound at `to`: fails the requests that wait to ask there, too, so that they need
    /// not find out one by one.
    fn fail_waiting_for(&mut self, to: &Address) {
        for request in self.schedule.take_waiting_for(&Some(to.clone())) {
            self.shared.submissions.ended();
            request.fail(Failure::absent(&self.requester.group, to));
        }
    }

    /// Sends to one peer. If the peer of a kept reply socket is gone, connects anew, once: another
    /// process may be bound at its address now.
    fn ask_one(
        &mut self,
        slot: usize,
        to: &Address,
        request: &AsyncRequest,
    ) -> Result<RequestUnderWay, Failure> {
        let layout_of_primary = self.requester.layout_of_primary()?;
        let message = MessageRef::from(&request.message);
        let id = self.requester.identify(&message);
        let kept = self.kept_reply_socket(slot, Some(to), &id, &[]);
        if let Some(reply_socket) = kept.or_else(|| self.requester.kept_reply_socket_to(to, Some(&id))) {
            let reply_socket = reply_socket.speaking(layout_of_primary);
            let under_way = self.send_to_one(to, reply_socket, request, id);
            if !under_way.is_gone() {
                return Ok(under_way);
            }
            self.readiness.unregister(slot, under_way.reply_socket());
            self.requester.forget(to);
        }
        // This thread must not wait here: a peer that is still starting is asked later.
        let at_once = Deadline::after(Duration::ZERO);
        let reply_socket = self.requester.open_reply_socket_to(to, at_once)?;
        Ok(self.send_to_one(to, reply_socket.speaking(layout_of_primary), request, id))
    }

    /// Sends it, or queues it up behind others that wait for room at that peer.
    fn send_to_one(
        &self,
        to: &Address,
        reply_socket: ReplySocket,
        request: &AsyncRequest,
        id: RequestId,
    ) -> RequestUnderWay {
        let message = MessageRef::from(&request.message);
        let is_to_queue = self.is_to_queue(to, &reply_socket);
        let mut under_way = RequestUnderWay::to_one(reply_socket, request.pending(1), id, &message);
        if is_to_queue {
            under_way.queue_up();
            return under_way;
        }
        self.send(under_way, &message)
    }

    /// Whether other requests wait for room at that very peer. If they wait for a process that was
    /// bound at its address before, this one's queue may have room.
    fn is_to_queue(&self, to: &Address, reply_socket: &ReplySocket) -> bool {
        let first = self.queues.first(to).and_then(|slot| self.slots[slot].under_way.as_ref());
        first.is_some_and(|(under_way, _)| under_way.reply_socket().has_peer_of(reply_socket))
    }

    /// Sends to all members; `None` if there are none.
    fn ask_all(
        &mut self,
        slot: usize,
        roster: &Roster,
        request: &AsyncRequest,
    ) -> Result<Option<RequestUnderWay>, Failure> {
        let (layout, members) = roster.current(&self.requester.group)?;
        if members.is_empty() {
            return Ok(None);
        }
        let message = MessageRef::from(&request.message);
        let id = self.requester.identify(&message);
        let reply_socket = match self.kept_reply_socket(slot, None, &id, &members) {
            Some(reply_socket) => reply_socket.speaking(Some(layout)),
            None => self.requester.open_reply_socket(layout, &members, &id)?,
        };
        let pending = request.pending(members.len());
        let under_way = RequestUnderWay::to_all(reply_socket, members, pending, id, &message);
        Ok(Some(self.send(under_way, &message)))
    }

    fn send(&self, mut under_way: RequestUnderWay, message: &MessageRef<'_>) -> RequestUnderWay {
        under_way.send_to_all(&self.requester, message.fds());
        under_way
    }

    /// The reply socket that the last request in this slot left, if it leads there and holds
    /// nothing that could be taken for an answer to this request.
    fn kept_reply_socket(
        &mut self,
        slot: usize,
        to: Option<&Address>,
        id: &RequestId,
        members: &[Member],
    ) -> Option<ReplySocket> {
        if self.slots[slot].kept.as_ref().is_some_and(|reply_socket| !reply_socket.leads_to(to)) {
            self.give_back(slot);
        }
        let reply_socket = self.slots[slot].kept.take()?;
        if self.requester.is_clear_for(&reply_socket, id, members) {
            return Some(reply_socket);
        }
        self.readiness.unregister(slot, &reply_socket);
        None
    }
}
