//! What a request under way makes of what comes in, and who of those asked is gone.

use super::{AT_ONCE, RequestUnderWay};
use crate::{
    ask::{
        Answer, Reply, Requester,
        failure::{Failure, Settled, Unanswered},
        matching::Verdict,
        reply_socket::AskedPeer,
    },
    group::{Member, PeerIdentity},
    receive::{Arrived, Inbox, Missed, Rejection},
    sys::{Address, Wait},
    wire::Header,
};

impl RequestUnderWay {
    /// Finds those that have died without an outcome, and takes what they sent before: it counts.
    pub(super) fn look(&mut self, requester: &Requester, inbox: &mut Inbox) -> Result<(), Failure> {
        let lives = |peer: &usize| match self.members.get(*peer) {
            Some(member) => PeerIdentity::of_member(member.address()).can_answer(member.address()),
            None => self.reply_socket.peer_lives(),
        };
        let dead: Vec<_> = self.pending.open().filter(|peer| !lives(peer)).collect();
        if !dead.is_empty() {
            self.drain(requester, inbox)?;
            for peer in dead {
                self.pending.settle(peer, Unanswered::Gone);
            }
        }
        self.list_for_status(requester);
        Ok(())
    }

    /// Lists the request for `mp.status`, with those who still owe an answer.
    fn list_for_status(&mut self, requester: &Requester) {
        let address = |peer: usize| match self.members.get(peer) {
            Some(member) => Some(member.address()),
            None => self.reply_socket.connected_to(),
        };
        let open = self.pending.open().filter_map(address);
        match &self.noted {
            Some(noted) => noted.set_to(open.map(|to| to.path().to_owned()).collect()),
            None => {
                let times = (self.pending.started(), self.pending.deadline());
                let for_room = self.pending.unanswered() == 0;
                self.noted = Some(requester.note(&self.request, open, times, for_room));
            }
        }
    }

    /// Takes what has come, but only so much: a peer may go on sending without end.
    pub(super) fn drain(&mut self, requester: &Requester, inbox: &mut Inbox) -> Result<(), Failure> {
        let mut left = AT_ONCE + self.members.len();
        while left > 0 && self.receive(requester, inbox, Wait::No)? {
            left -= 1;
        }
        Ok(())
    }

    /// Whether something came.
    pub(super) fn receive(
        &mut self,
        requester: &Requester,
        inbox: &mut Inbox,
        wait: Wait,
    ) -> Result<bool, Failure> {
        match inbox.receive(self.reply_socket.socket(), wait, &requester.policy) {
            Ok(arrived) => self.take(requester, arrived),
            Err(Missed::FdsLost { header, from }) => {
                let peer = self.peer_at(requester, from.as_ref());
                if self.verdict(peer, &header) == Verdict::Counts
                    && let Some(peer) = peer
                {
                    self.pending.settle(peer, Unanswered::FdsLost);
                }
            }
            Err(Missed::Rejected) => self.reply_socket.had_surplus(),
            Err(Missed::Nothing) => return Ok(false),
            Err(Missed::Closed) => return Err(Failure::Stopped),
            Err(Missed::Failed(errno)) => {
                // Answers that have come stay; for the others there will be none.
                let open: Vec<_> = self.pending.open().collect();
                for peer in open {
                    self.pending.settle(peer, Unanswered::Failed(errno));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, requester: &Requester, arrived: Arrived<'_>) {
        let counters = &requester.policy.counters;
        let peer = self.peer_at(requester, arrived.peer.address());
        let verdict = self.verdict(peer, arrived.header);
        let Some(answer) = requester.classify(&arrived, verdict) else { return };
        let (counter, outcome) = match answer {
            Answer::Reply => (&counters.replies_received, Settled::Replied),
            Answer::Ignore(why) => (&counters.ignores_received, Unanswered::of_ignore(why).into()),
        };
        let is_reply = outcome == Settled::Replied;
        if !peer.is_some_and(|peer| self.pending.settle(peer, outcome)) {
            self.reply_socket.had_surplus();
            return counters.reject(Rejection::Late);
        }
        counter.add();
        if is_reply {
            self.replies.push(Reply::taken_from(arrived));
        }
    }

    fn verdict(&mut self, peer: Option<usize>, datagram: &Header) -> Verdict {
        let peer = peer.map(|peer| match self.members.get(peer) {
            Some(member) => AskedPeer::Member(member.address()),
            None => AskedPeer::Connected,
        });
        self.reply_socket.verdict(&self.request, peer, datagram)
    }

    /// Which of those asked is at this address.
    fn peer_at(&self, requester: &Requester, from: Option<&Address>) -> Option<usize> {
        if self.members.is_empty() {
            return self.reply_socket.peer_at(from).map(|_| 0);
        }
        let from = from?;
        match self.members.binary_search_by(|member| member.address().cmp(from)) {
            Ok(peer) => Some(peer),
            // A member that spells the directory's path in another way.
            Err(_) => {
                let has_its_name = |member: &Member| member.address().file_name() == from.file_name();
                let peer = self.members.iter().position(has_its_name)?;
                requester.spellings.are_of(&requester.group, from).then_some(peer)
            }
        }
    }
}
