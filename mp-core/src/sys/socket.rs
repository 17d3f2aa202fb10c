use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Duration,
};

use rustix::io::Errno;

use super::{
    Address, Received,
    memory::{Hub, MemorySocket},
    unix::UnixSocket,
};
use crate::wire::MAX_DATAGRAM;

/// How long a call may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all: `EAGAIN` instead.
    No,
    /// That long, then `EAGAIN`.
    AtMost(Duration),
    /// Until something comes or the socket is shut down.
    Forever,
}

/// What carries datagrams, whole and in order, with descriptors and credentials.
///
/// The calls fail with the kernel's errors in both kinds.
#[derive(Debug)]
pub(crate) enum Socket {
    /// The system's: `AF_UNIX`, `SOCK_DGRAM`.
    Unix(UnixSocket),
    /// One within this process.
    Memory(MemorySocket),
}

impl Socket {
    /// One of the system's, bound nowhere yet. Its file will have mode 0600,
    /// whatever the umask.
    pub(crate) fn unix() -> Result<Self, Errno> {
        UnixSocket::new().map(Self::Unix)
    }

    /// One within this process, bound nowhere yet.
    pub(crate) fn memory(hub: &Arc<Hub>) -> Result<Self, Errno> {
        MemorySocket::new(hub).map(Self::Memory)
    }

    /// Another of the same kind, bound nowhere yet.
    pub(crate) fn another(&self) -> Result<Self, Errno> {
        match self {
            Self::Unix(_) => Self::unix(),
            Self::Memory(socket) => Self::memory(socket.hub()),
        }
    }

    pub(crate) fn bind(&self, address: &Address) -> Result<(), Errno> {
        match self {
            Self::Unix(socket) => socket.bind(address),
            Self::Memory(socket) => socket.bind(address),
        }
    }

    /// Lets as much be unread by its receivers as the system allows.
    pub(crate) fn widen(&self) {
        if let Self::Unix(socket) = self {
            socket.widen();
        }
    }

    /// From now on only `peer` can send to this socket, and sends need no address.
    ///
    /// Sends nothing: it tells whether a live socket is bound there
    /// (`ECONNREFUSED` and `ENOENT` say no).
    pub(crate) fn connect(&self, peer: &Address) -> Result<(), Errno> {
        match self {
            Self::Unix(socket) => socket.connect(peer),
            Self::Memory(socket) => socket.connect(peer),
        }
    }

    /// Sends one datagram at once, or `EAGAIN` if the peer's queue is full.
    ///
    /// `to` is `None` on a connected socket.
    pub(crate) fn send(
        &self,
        to: Option<&Address>,
        datagram: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        match self {
            Self::Unix(socket) => socket.send(to, datagram, fds),
            Self::Memory(socket) => socket.send(to, datagram, fds),
        }
    }

    /// Receives one datagram into `buffer`, which is longer than any well-formed
    /// one, so that a longer one shows.
    ///
    /// After [`shut_down`](Socket::shut_down), and once what was queued is read,
    /// it returns at once without credentials. `EINTR` is the caller's to see:
    /// only it knows how much of its time is left.
    pub(crate) fn receive(&self, buffer: &mut [u8; MAX_DATAGRAM + 1], wait: Wait) -> Result<Received, Errno> {
        match self {
            Self::Unix(socket) => socket.receive(buffer, wait),
            Self::Memory(socket) => socket.receive(buffer, wait),
        }
    }

    /// Ends receiving, also a receive that is blocked in another thread. What is
    /// queued can still be read; sending goes on working.
    pub(crate) fn shut_down(&self) {
        match self {
            Self::Unix(socket) => socket.shut_down(),
            Self::Memory(socket) => socket.shut_down(),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(socket) => socket.as_fd(),
            Self::Memory(socket) => socket.as_fd(),
        }
    }
}
