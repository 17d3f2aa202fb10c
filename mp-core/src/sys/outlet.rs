//! A pair of sockets for records of any size, one end of which is given to another process.
//!
//! They are `SOCK_SEQPACKET`: a record is got whole or not at all, nothing is lost unless it was not
//! taken, and each end sees the other close. Whoever holds the sending end is never held up by it.

use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, retry_on_intr},
    net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt},
};

use super::clock::timespec;

/// How much may be unread: it is a limit, nothing is set aside.
const BUFFER: usize = 4 << 20;

/// The end that a member sends records to.
#[derive(Debug)]
pub(crate) struct Outlet(OwnedFd);

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Sent,
    /// There is no room.
    Dropped,
    /// The other end is closed, or no record can be sent there any more.
    Over,
}

impl Outlet {
    /// Takes what another process sent, which may be anything; gives it back unless it is one end of
    /// such a pair.
    pub(crate) fn of(fd: OwnedFd) -> Result<Self, OwnedFd> {
        let is_unix = sockopt::socket_domain(&fd) == Ok(AddressFamily::UNIX);
        let is_packets = sockopt::socket_type(&fd) == Ok(SocketType::SEQPACKET);
        // A socket that listens, or that nobody is connected to, leads nowhere.
        let is_connected = || net::getpeername(&fd).is_ok();
        if is_unix && is_packets && is_connected() { Ok(Self(fd)) } else { Err(fd) }
    }

    /// Sends a record, or drops it. Never waits.
    pub(crate) fn put(&self, parts: &[IoSlice<'_>]) -> Put {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let mut nothing = net::SendAncillaryBuffer::default();
        match retry_on_intr(|| net::sendmsg(&self.0, parts, &mut nothing, flags)) {
            Ok(_) => Put::Sent,
            // The kernel is short of memory, or the other end has read too little.
            Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => Put::Dropped,
            Err(_) => Put::Over,
        }
    }

    /// Whether the other end is closed.
    pub(crate) fn is_over(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        let found = poll(&mut polled, Some(&timespec(Duration::ZERO)));
        found.is_ok_and(|_| polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR))
    }

    /// The descriptor, for others to close.
    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }
}

/// The end that records come out of.
#[derive(Debug)]
pub(crate) struct Inlet(OwnedFd);

impl Inlet {
    /// A pair: this end, and the one to give away.
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Errno> {
        let (ours, theirs) =
            net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // What is unread is charged to the end that sends.
        if sockopt::set_socket_send_buffer_size_force(&theirs, BUFFER).is_err() {
            let _ = sockopt::set_socket_send_buffer_size(&theirs, BUFFER);
        }
        Ok((Self(ours), theirs))
    }

    /// The next record into `buffer`: its length, 0 at the end of all. `None` if none comes in time.
    pub(crate) fn next(&self, buffer: &mut [u8], within: Option<Duration>) -> io::Result<Option<usize>> {
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut polled, within.map(timespec).as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        match net::recv(&self.0, buffer, RecvFlags::DONTWAIT) {
            Ok((len, _)) => Ok(Some(len)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(Errno::CONNRESET) => Ok(Some(0)),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Inlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_whole_and_the_end_is_seen_on_either_side() {
        let (inlet, fd) = Inlet::pair().expect("a pair");
        let outlet = Outlet::of(fd).expect("one end of a pair");
        assert_eq!(outlet.put(&[IoSlice::new(b"ab"), IoSlice::new(b"c")]), Put::Sent);
        assert_eq!(outlet.put(&[IoSlice::new(b"d")]), Put::Sent);
        let mut buffer = [0; 9];
        assert_eq!(inlet.next(&mut buffer, None).expect("open"), Some(3));
        assert_eq!(&buffer[..3], b"abc");
        assert_eq!(inlet.next(&mut buffer, None).expect("open"), Some(1));
        assert_eq!(inlet.next(&mut buffer, Some(Duration::ZERO)).expect("open"), None);
        assert!(!outlet.is_over());
        drop(inlet);
        assert!(outlet.is_over());
        assert_eq!(outlet.put(&[IoSlice::new(b"e")]), Put::Over);

        let (inlet, fd) = Inlet::pair().expect("a pair");
        drop(fd);
        assert_eq!(inlet.next(&mut buffer, None).expect("an end"), Some(0));
    }

    #[test]
    fn what_is_not_read_is_dropped_and_nobody_waits() {
        let (inlet, fd) = Inlet::pair().expect("a pair");
        let outlet = Outlet::of(fd).expect("one end of a pair");
        let record = [7; 400];
        let sent = (0..100_000).take_while(|_| outlet.put(&[IoSlice::new(&record)]) == Put::Sent).count();
        assert!((100..100_000).contains(&sent), "{sent}");
        assert_eq!(outlet.put(&[IoSlice::new(&record)]), Put::Dropped);
        assert_eq!(inlet.next(&mut [0; 400], None).expect("open"), Some(400));
    }

    #[test]
    fn anything_else_is_given_back() {
        let file = std::fs::File::open("/dev/null").expect("it is there");
        assert!(Outlet::of(file.into()).is_err());
        let (stream, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        assert!(Outlet::of(stream.into()).is_err());
        let alone = net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        assert!(Outlet::of(alone.expect("a socket")).is_err());
    }
}
