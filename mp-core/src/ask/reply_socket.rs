//! A reply socket: requests go out on it, and their replies come back to it.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::Outcome;
use crate::{
    group::{Bound, Group, GroupError, PeerIdentity},
    receive::turn,
    sys::{Address, Deadline, Socket},
    wire::{Datagram, Layout},
};

/// A bound reply socket, perhaps connected to the one peer it asks.
///
/// Connected, the kernel lets nobody else send to it, and sends need no path
/// look-up. Its layout was read after connecting, so it is that of the very
/// process it is connected to, however often the group's primary changes.
#[derive(Debug)]
pub(super) struct ReplySocket(Box<Open>);

/// Boxed once: a reply socket goes from hand to hand with every request.
#[derive(Debug)]
struct Open {
    bound: Bound,
    to: Option<Address>,
    layout: Layout,
    /// The file of the peer that it is connected to.
    peer: Option<PeerIdentity>,
}

/// Why there is no reply socket.
#[derive(Debug)]
pub(super) enum NoReplySocket {
    /// Nobody is bound at the address.
    Absent,
    /// The kernel does not let us connect to the peer.
    Refused,
    /// Something is wrong on this side.
    Failed(GroupError),
}

impl From<GroupError> for NoReplySocket {
    fn from(error: GroupError) -> Self {
        if error.is_absent() { Self::Absent } else { Self::Failed(error) }
    }
}

impl ReplySocket {
    pub(super) fn connected(group: &Group, to: &Address) -> Result<Self, NoReplySocket> {
        // Without the directory there is nobody to ask; no need to make it.
        let directory = group.open()?;
        let bound = group.bind_reply()?;
        match bound.socket.connect(to) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Err(NoReplySocket::Absent),
            Err(Errno::ACCESS | Errno::PERM | Errno::PROTOTYPE) => return Err(NoReplySocket::Refused),
            Err(source) => {
                let (what, path) = ("connect to a peer", to.path().to_owned());
                return Err(NoReplySocket::Failed(GroupError::Io { what, path, source: source.into() }));
            }
        }
        let layout = directory.layout()?;
        let peer = Some(PeerIdentity::new(group, &directory, to));
        Ok(Self(Box::new(Open { bound, to: Some(to.clone()), layout, peer })))
    }

    /// One for many peers at once.
    pub(super) fn unconnected(group: &Group, layout: Layout) -> Result<Self, GroupError> {
        let bound = group.bind_reply()?;
        Ok(Self(Box::new(Open { bound, to: None, layout, peer: None })))
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.0.bound.socket
    }

    pub(super) fn layout(&self) -> Layout {
        self.0.layout
    }

    pub(super) fn leads_to(&self, to: Option<&Address>) -> bool {
        self.0.to.as_ref() == to
    }

    /// Whether both are connected to one and the same peer.
    pub(super) fn has_peer_of(&self, other: &Self) -> bool {
        self.0.peer.is_some() && self.0.peer == other.0.peer
    }

    /// Sends to the connected peer, waiting for room until the deadline.
    pub(super) fn send(
        &self,
        datagram: &Datagram,
        fds: &[BorrowedFd<'_>],
        deadline: Deadline,
    ) -> Result<(), Unsent> {
        loop {
            match self.0.bound.socket.send(None, datagram.as_bytes(), fds) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN) if deadline.is_over() => return Err(Unsent::Outcome(Outcome::QueueFull)),
                Err(Errno::AGAIN) => {
                    // A handler that is going to wait lets others go first.
                    turn::step_aside();
                    wait_for(&mut [PollFd::new(&self.0.bound.socket, PollFlags::OUT)], deadline)?
                }
                Err(errno) => return Err(unsent(errno)),
            }
        }
    }

    /// Whether the peer this is connected to can still answer.
    pub(super) fn peer_lives(&self) -> bool {
        let peer = self.0.to.as_ref().zip(self.0.peer.as_ref());
        peer.is_none_or(|(to, peer)| peer.can_answer(to))
    }
}

/// Why a datagram was not sent.
#[derive(Debug)]
pub(super) enum Unsent {
    /// It says something of the peer.
    Outcome(Outcome),
    /// Something is wrong on this side.
    Failed(Errno),
}

/// Sorts the errors of a send (but `EAGAIN`) by whose they are.
pub(super) fn unsent(errno: Errno) -> Unsent {
    match errno {
        Errno::CONNREFUSED | Errno::NOENT | Errno::NOTCONN | Errno::CONNRESET | Errno::PIPE => {
            Unsent::Outcome(Outcome::Gone)
        }
        Errno::ACCESS | Errno::PERM | Errno::PROTOTYPE => Unsent::Outcome(Outcome::Refused),
        errno => Unsent::Failed(errno),
    }
}

/// Waits until one of the sockets is ready, or the deadline has passed.
pub(super) fn wait_for(sockets: &mut [PollFd<'_>], deadline: Deadline) -> Result<(), Unsent> {
    let left = deadline.left();
    let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
    match poll(sockets, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(Unsent::Failed(errno)),
    }
}

impl AsFd for ReplySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.bound.socket.as_fd()
    }
}
