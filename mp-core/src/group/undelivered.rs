//! What an error of sending to a peer, or of connecting to it, says of that peer: decided here once,
//! for messages, requests and answers. What to do about it, their senders know.

use rustix::io::Errno;

/// Why a datagram is not in a peer's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// The peer's queue is full, or our own send buffer.
    NoRoom,
    /// The peer's socket is closed or shut down, or its file is gone.
    Gone,
    /// The peer's socket is not open to us, or what is in its place is none.
    Refused,
    /// The system failed, whosever fault it is.
    Failed(Errno),
}

impl From<Errno> for Undelivered {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN => Self::NoRoom,
            Errno::CONNREFUSED | Errno::NOENT | Errno::NOTCONN | Errno::CONNRESET | Errno::PIPE => Self::Gone,
            Errno::ACCESS | Errno::PERM | Errno::PROTOTYPE => Self::Refused,
            Errno::LOOP | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Self::Refused,
            errno => Self::Failed(errno),
        }
    }
}
