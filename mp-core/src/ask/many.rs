//! To all members at once: a message, or a request that blocks. Who the members are, the roster
//! tells.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::{
    Outcome, Replies, Reply, RequestError, Requester, SendError, Sent,
    failure::{Failure, Settled},
    matching::RequestId,
    pending::Pending,
    reply_socket::ReplySocket,
    under_way::RequestUnderWay,
};
use crate::{
    group::{GroupError, Member, Roster, Undelivered, UserChange},
    receive::{Inbox, turn},
    sys::{Deadline, Room, Socket},
    wire::{Datagram, Kind, Layout, MessageRef, Tag},
};

impl Requester {
    /// Sends a one-way message from `socket` to all members.
    pub(crate) fn send_all(
        &self,
        socket: &Socket,
        roster: &Roster,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Sent, SendError> {
        message.check()?;
        if self.is_stopped() {
            return Err(SendError::Stopped);
        }
        let deadline = Deadline::after(timeout);
        let (layout, members) =
            roster.current(&self.group).map_err(|not| Failure::from(not).into_send_error(timeout))?;
        let outcomes = self.send_to_each(socket, layout, &members, message, deadline);
        let outcomes: Vec<_> = members.into_iter().zip(outcomes).collect();
        self.bury_the_dead(&outcomes);
        self.check_user(&outcomes)?;
        Ok(Sent { outcomes })
    }

    /// First to all without waiting; then to those whose queues were full, as they make room, until
    /// the deadline.
    fn send_to_each(
        &self,
        socket: &Socket,
        layout: Layout,
        members: &[Member],
        message: &MessageRef<'_>,
        deadline: Deadline,
    ) -> Vec<Outcome> {
        let datagram = Datagram::message(layout, Kind::Message, message, Tag::of_message(message));
        let mut outcomes = vec![Outcome::QueueFull; members.len()];
        let mut send = |peer: usize| {
            let to = Some(members[peer].address());
            let sent = socket.send(to, datagram.as_bytes(), message.fds());
            self.policy.look.tap.sent(socket, to, datagram.as_bytes(), message.fds(), sent);
            match sent {
                Err(Errno::AGAIN) => false,
                sent => {
                    outcomes[peer] =
                        sent.map_or_else(|errno| Undelivered::from(errno).into(), |()| Outcome::Sent);
                    true
                }
            }
        };
        let mut room = Room::new();
        for (peer, member) in members.iter().enumerate() {
            if room.is_own_full() {
                room.join(peer, Some(member.address()));
            } else if !send(peer) {
                room.found_none(socket, peer, Some(member.address()));
            }
        }
        if !room.is_empty() {
            // A handler that is going to wait lets others go first.
            turn::let_others_go_first();
        }
        let mut why_unsent = None;
        while !room.is_empty() && !deadline.is_over() {
            room.wait(socket, deadline.left(), false);
            if let Err(not) = self.check_still_current(layout) {
                why_unsent = Some(Settled::from(not).into());
                break;
            }
            room.retry(socket, |peer| send(*peer));
        }
        if let Some(why) = why_unsent.or(room.is_own_full().then_some(Outcome::BufferFull)) {
            room.keys().for_each(|peer| outcomes[*peer] = why.clone());
        }
        for outcome in &outcomes {
            if *outcome == Outcome::Sent {
                self.policy.counters.messages_sent.add();
            }
        }
        outcomes
    }

    /// Asks all members at once and waits for their answers, under one deadline.
    pub(crate) fn ask_all(
        &self,
        roster: &Roster,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        message.check()?;
        if self.is_stopped() {
            return Err(RequestError::Stopped);
        }
        let (layout, mut members) =
            roster.current(&self.group).map_err(|not| Failure::from(not).into_request_error(timeout))?;
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
        let request = self.identify(message);
        let reply_socket = self.open_reply_socket(layout, &members, &request)?;
        let pending = Pending::new(members.len(), Instant::now(), timeout);
        let mut round = RequestUnderWay::to_all(reply_socket, members, pending, request, message);
        let mut inbox = Inbox::new();
        turn::let_others_go_first();
        let asked = round.send_to_all_in_turn(self, &mut inbox, message.fds());
        let answered = asked.and_then(|()| round.collect(self, &mut inbox, message.fds()));
        answered.map_err(|failure| failure.into_request_error(timeout))?;
        let replies = round.end(self).into_replies(self);
        self.check_user(&replies.outcomes)?;
        Ok(replies)
    }

    /// Asks the only member, on a connected reply socket: so the kernel need not look up its path.
    fn ask_the_only(
        &self,
        member: Member,
        message: &MessageRef<'_>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        let mut inbox = Inbox::new();
        let (reply, outcome) = match self.ask_one(member.address(), message, timeout, &mut inbox) {
            Ok(arrived) => (Some(Reply::taken_from(arrived)), Outcome::Replied),
            Err(failure) => (None, failure.into_outcome(timeout)?),
        };
        let outcomes = vec![(member, outcome)];
        self.bury_the_dead(&outcomes);
        self.check_user(&outcomes)?;
        Ok(Replies { replies: reply.into_iter().collect(), outcomes })
    }

    /// A reply socket that is connected to nobody: one that was kept, or a new one.
    pub(super) fn open_reply_socket(
        &self,
        layout: Layout,
        members: &[Member],
        request: &RequestId,
    ) -> Result<ReplySocket, GroupError> {
        match self.kept_reply_socket_to_all(members, request) {
            Some(reply_socket) => Ok(reply_socket.speaking(Some(layout))),
            None => ReplySocket::unconnected(&self.group, layout),
        }
    }

    /// Whether nobody was sent to since this process has become another user; warns of it if
    /// somebody was not.
    fn check_user(&self, outcomes: &[(Member, Outcome)]) -> Result<(), GroupError> {
        let refused = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Refused).count();
        match (refused > 0).then(|| self.group.user_change()).flatten() {
            Some(UserChange { started_as, now }) if refused == outcomes.len() => {
                Err(GroupError::UserChanged { started_as, now })
            }
            _ => Ok(()),
        }
    }

    /// Removes the socket files of members that are gone.
    pub(super) fn bury_the_dead(&self, outcomes: &[(Member, Outcome)]) {
        let gone = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Gone);
        gone.clone().for_each(|(member, _)| self.forget(member.address()));
        self.group.bury(gone.map(|(member, _)| member));
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixDatagram, sync::Arc};

    use rustix::time::{ClockId, clock_gettime};

    use super::*;
    use crate::{
        group::{Group, Location},
        look::Look,
        receive::{Counters, ReceivePolicy, Trust},
        wire::{Message, Name},
    };

    fn cpu_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[test]
    fn while_this_processs_own_buffer_is_full_it_sleeps_and_no_member_is_called_full() {
        let private = fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().permissions(private).tempdir().expect("a directory");
        let group = Group::locate(&Location::Dir(dir.path().to_owned())).expect("a short path");
        let sockets: Vec<_> = (0..60)
            .map(|i| UnixDatagram::bind(dir.path().join(format!("mp_socket_1_{i:x}"))).expect("a free path"))
            .collect();
        let names = (0..60).map(|i| format!("mp_socket_1_{i:x}"));
        let members: Vec<_> =
            names.map(|name| Member::new(group.address(name).expect("a short path"))).collect();
        let counters = Arc::new(Counters::default());
        let (trust, look, busy_poll) = (Trust::same_user(), Look::new(true), Duration::ZERO);
        let policy = ReceivePolicy {
            trust,
            counters,
            look,
            threads: crate::sys::Threads::of_starter(None),
            busy_poll,
        };
        let requester = Requester::new(group, policy, 1);
        // Its send buffer, of the default size, holds some 270 datagrams; the members' queues hold
        // 660.
        let socket = Socket::new().expect("a socket");
        let message = Message::new(Name::from_static("note"));
        let send = |timeout| {
            let message = MessageRef::from(&message);
            requester.send_to_each(&socket, Layout::Bytes332, &members, &message, Deadline::after(timeout))
        };
        while send(Duration::ZERO).iter().all(|outcome| *outcome == Outcome::Sent) {}

        let (start, cpu) = (Instant::now(), cpu_time());
        let outcomes = send(Duration::from_millis(500));
        let (wall, cpu) = (start.elapsed(), cpu_time() - cpu);
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::BufferFull), "{outcomes:?}");
        assert!(wall >= Duration::from_millis(500) && cpu < wall / 4, "{cpu:?} of {wall:?}");
        drop(sockets);
    }
}
