//! A reply socket: requests go out on it, and their replies come back to it. It knows which peers
//! tag their answers; which answers count, `matching` decides, and who has to answer, `pending`.

use std::{
    collections::HashSet,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::io::Errno;

use super::{
    failure::Failure,
    matching::{RequestId, Verdict, shows_knowledge},
};
use crate::{
    group::{Bound, Group, GroupError, Member, NotPrimary, PeerIdentity, Undelivered},
    receive::{Inbox, Missed, ReceivePolicy, Rejection, turn},
    sys::{Address, Deadline, Room, Socket, Wait},
    wire::{Datagram, Header, Kind, Layout},
};

/// How many datagrams are taken at most from a socket before it is closed or used again.
const SURPLUS: usize = 64;

/// A bound reply socket, perhaps connected to the one peer it asks.
///
/// If it is connected, the kernel lets nobody else send to it, and sends need no path look-up. Its
/// layout was read after connecting, so it is that of the process at the other end, however often
/// the group's primary changes.
#[derive(Debug)]
pub(super) struct ReplySocket(Box<Open>);

/// Boxed, since a reply socket is moved several times with every request.
#[derive(Debug)]
struct Open {
    bound: Bound,
    to: Option<Address>,
    layout: Layout,
    /// The file of the peer that it is connected to.
    peer: Option<PeerIdentity>,
    /// Where that peer is bound, as it spells it itself.
    peer_address: Option<Address>,
    /// Whether that peer has shown that it knows tags.
    peer_knows_tags: bool,
    /// The peers that have, if the socket is not connected.
    know_tags: HashSet<Address>,
    /// Something came that was no answer to the request under way: more may follow.
    surplus: bool,
}

/// One of those that were asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum AskedPeer<'a> {
    /// The one that the reply socket is connected to.
    Connected,
    /// One of many, bound there.
    Member(&'a Address),
}

impl ReplySocket {
    /// While the DPDK primary of the group is starting, waits for it until the deadline.
    pub(super) fn connected(
        group: &Group,
        to: &Address,
        deadline: Deadline,
    ) -> Result<Self, Failure<Undelivered>> {
        let of_group = |error| Failure::of_group(group, to, error);
        // Without the directory there is nobody to ask; no need to make it.
        let directory = group.open().map_err(of_group)?;
        let socket = group.connect(to).map_err(|errno| match Undelivered::from(errno) {
            Undelivered::Gone => Failure::absent(group, to),
            Undelivered::Refused if group.is_opening(to) => Failure::absent(group, to),
            Undelivered::Refused => Failure::Peer(Undelivered::Refused),
            _ => {
                let (what, path) = ("connect to a peer", to.path().to_owned());
                Failure::Group(group.explain(GroupError::Io { what, path, source: errno.into() }))
            }
        })?;
        let layout = directory.layout_within(deadline).map_err(of_group)?;
        let bound = group.bind_connected_reply(socket, to).map_err(of_group)?;
        let peer = Some(PeerIdentity::new(group, &directory, to));
        Ok(Self::new(bound, Some(to.clone()), layout, peer))
    }

    /// One for many peers at once.
    pub(super) fn unconnected(group: &Group, layout: Layout) -> Result<Self, GroupError> {
        let bound = group.bind_reply()?;
        Ok(Self::new(bound, None, layout, None))
    }

    fn new(bound: Bound, to: Option<Address>, layout: Layout, peer: Option<PeerIdentity>) -> Self {
        let peer_address = to.is_some().then(|| bound.socket.peer()).flatten();
        let (peer_knows_tags, know_tags, surplus) = (false, HashSet::new(), false);
        Self(Box::new(Open { bound, to, layout, peer, peer_address, peer_knows_tags, know_tags, surplus }))
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.0.bound.socket
    }

    /// The same, to send in this layout, if one is given. A socket that is not connected, and any
    /// of a primary's, takes the group's layout anew with every request.
    pub(super) fn speaking(mut self, layout: Option<Layout>) -> Self {
        self.0.layout = layout.unwrap_or(self.0.layout);
        self
    }

    pub(super) fn layout(&self) -> Layout {
        self.0.layout
    }

    /// Where the peer is bound that it is connected to.
    pub(super) fn connected_to(&self) -> Option<&Address> {
        self.0.to.as_ref()
    }

    pub(super) fn leads_to(&self, to: Option<&Address>) -> bool {
        self.0.to.as_ref() == to
    }

    /// Whether both are connected to one and the same peer.
    pub(super) fn has_peer_of(&self, other: &Self) -> bool {
        self.0.peer.is_some() && self.0.peer == other.0.peer
    }

    /// The peer that it is connected to, if that is bound at `from`.
    pub(super) fn peer_at(&self, from: Option<&Address>) -> Option<AskedPeer<'static>> {
        (self.0.peer_address.as_ref() == from).then_some(AskedPeer::Connected)
    }

    /// What a datagram is to the request under way; `peer` is the one of those asked that sent it,
    /// `None` if somebody else did.
    pub(super) fn verdict(
        &mut self,
        request: &RequestId,
        peer: Option<AskedPeer<'_>>,
        datagram: &Header,
    ) -> Verdict {
        let verdict = match peer {
            Some(peer) => request.verdict(datagram, self.knows_tags(peer)),
            None => Verdict::Unexpected,
        };
        if let Some(peer) = peer
            && shows_knowledge(datagram.tag)
        {
            self.set_knows_tags(peer);
        }
        self.0.surplus |= verdict != Verdict::Counts;
        verdict
    }

    /// Something came that is no answer: more of its kind may follow.
    pub(super) fn had_surplus(&mut self) {
        self.0.surplus = true;
    }

    /// Whether another request may go out on it, once this has ended.
    pub(super) fn is_fit_for_another(&self) -> bool {
        !self.0.surplus
    }

    fn knows_tags(&self, peer: AskedPeer<'_>) -> bool {
        match peer {
            AskedPeer::Connected => self.0.peer_knows_tags,
            AskedPeer::Member(address) => self.0.know_tags.contains(address),
        }
    }

    fn set_knows_tags(&mut self, peer: AskedPeer<'_>) {
        match peer {
            AskedPeer::Connected => self.0.peer_knows_tags = true,
            AskedPeer::Member(address) if !self.0.know_tags.contains(address) => {
                self.0.know_tags.insert(address.clone());
            }
            AskedPeer::Member(_) => {}
        }
    }

    /// Forgets which peers know tags, save of these, which are in order of their addresses. Called
    /// with every request: otherwise it would remember every member that ever came and went.
    pub(super) fn keep_only(&mut self, members: &[Member]) {
        if self.0.know_tags.len() > members.len() {
            let is_among =
                |known: &Address| members.binary_search_by(|member| member.address().cmp(known)).is_ok();
            self.0.know_tags.retain(is_among);
        }
    }

    /// Whether an answer to an earlier request, left in it, would pass for one to `request`: not if
    /// everybody who is asked tags answers.
    pub(super) fn could_mistake(&self, request: &RequestId, members: &[Member]) -> bool {
        let all_know = match &self.0.to {
            Some(_) => self.knows_tags(AskedPeer::Connected),
            None => members.iter().all(|member| self.knows_tags(AskedPeer::Member(member.address()))),
        };
        request.tag().is_none() || !all_know
    }

    /// Takes what has come after its request ended, and counts it; answers are late. Tells whether
    /// there was something: then more may follow.
    pub(super) fn has_leavings(&self, policy: &ReceivePolicy) -> bool {
        let mut inbox = Inbox::new();
        let mut found = false;
        for _ in 0..SURPLUS {
            match inbox.receive(self.socket(), Wait::No, policy) {
                Ok(arrived) => policy.counters.reject(match arrived.header.kind {
                    Kind::Reply | Kind::Ignore => Rejection::Late,
                    Kind::Message | Kind::Request => Rejection::Unexpected,
                }),
                Err(Missed::Rejected | Missed::FdsLost { .. }) => {}
                Err(Missed::Nothing) => return found,
                Err(Missed::Closed | Missed::Failed(_)) => return true,
            }
            found = true;
        }
        true
    }

    /// Closes it: its request has ended, but somebody may answer still. Sending that answer fails
    /// then, so its sender knows that nobody waits any more.
    pub(super) fn close(self, policy: &ReceivePolicy) {
        // The file goes first: who answers from now on gets an error, what came before is counted.
        self.0.bound.unlink();
        self.has_leavings(policy);
    }

    /// Sends to the connected peer, waiting for room until the deadline. What `waits` returns is kept
    /// while it does.
    pub(super) fn send<W>(
        &self,
        datagram: &Datagram,
        fds: &[BorrowedFd<'_>],
        deadline: Deadline,
        waits: impl FnOnce() -> W,
    ) -> Result<(), Failure<Undelivered>> {
        let sent = match self.try_send(datagram, fds) {
            Err(Errno::AGAIN) if !deadline.is_over() => {
                // A handler that is going to wait lets others go first.
                turn::let_others_go_first();
                let _waits = waits();
                self.socket().send_by(datagram.as_bytes(), fds, deadline)
            }
            sent => sent,
        };
        sent.map_err(|errno| Failure::Peer(errno.into()))
    }

    /// The same, but asks before each new attempt whether to go on. The kernel, which wakes those
    /// that wait in their order, would not ask.
    pub(super) fn send_checked<W>(
        &self,
        datagram: &Datagram,
        fds: &[BorrowedFd<'_>],
        deadline: Deadline,
        may_go_on: impl Fn() -> Result<(), NotPrimary>,
        waits: impl FnOnce() -> W,
    ) -> Result<(), Failure<Undelivered>> {
        let mut sent = self.try_send(datagram, fds);
        let mut room = Room::new();
        if sent == Err(Errno::AGAIN) && !deadline.is_over() {
            turn::let_others_go_first();
            room.join((), None);
        }
        let _waits = (!room.is_empty()).then(waits);
        while !room.is_empty() && !deadline.is_over() {
            room.wait(self.socket(), deadline.left(), false);
            may_go_on()?;
            room.retry(self.socket(), |()| {
                sent = self.try_send(datagram, fds);
                sent != Err(Errno::AGAIN)
            });
        }
        sent.map_err(|errno| Failure::Peer(errno.into()))
    }

    fn try_send(&self, datagram: &Datagram, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        self.socket().send(None, datagram.as_bytes(), fds)
    }

    /// Whether the peer that it is connected to is gone, or another is in its place. Only to be
    /// called while no request waits for an answer on it.
    pub(super) fn is_stale(&self) -> bool {
        let Some((to, peer)) = self.0.to.as_ref().zip(self.0.peer.as_ref()) else { return false };
        // Connecting anew to the same socket changes nothing, and tells whether it lives.
        let connected = self.0.bound.socket.connect(to);
        connected.is_err_and(|errno| Undelivered::from(errno) == Undelivered::Gone) || !peer.is_in_place(to)
    }

    /// Whether the peer this is connected to can still answer.
    pub(super) fn peer_lives(&self) -> bool {
        let peer = self.0.to.as_ref().zip(self.0.peer.as_ref());
        peer.is_none_or(|(to, peer)| peer.can_answer(to))
    }
}

impl AsFd for ReplySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.bound.socket.as_fd()
    }
}
