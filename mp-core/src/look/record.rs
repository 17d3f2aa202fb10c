//! What a monitor gets of each datagram: a record.
//!
//! | at | bytes | |
//! | --- | --- | --- |
//! | 0 | 2 | version: 1 |
//! | 2 | 2 | where the address begins: 56; later versions may know more before it |
//! | 4 | 1 | direction: 0 came in, 1 went out |
//! | 5 | 1 | why it was rejected as it came in: 0 for not, else one more than the place in [`Rejection::ALL`](crate::Rejection::ALL) |
//! | 6 | 2 | why it could not be sent: 0 for sent, else the `errno` |
//! | 8 | 8 | when: nanoseconds since 1970 |
//! | 16 | 8 | the same on the monotonic clock, which all processes of a host share |
//! | 24 | 8 | how many records before this one this monitor has not got, for want of room |
//! | 32 | 12 | who sent it, by the kernel's word: pid, uid, gid; of one that went out, who this is |
//! | 44 | 4 | the descriptor of the socket it came to or left from, to tell one from another |
//! | 48 | 2 | length of the address |
//! | 50 | 2 | length of the datagram |
//! | 52 | 2 | how many descriptors came with it |
//! | 54 | 2 | 0 |
//! | 56 | | the address of the peer (none if it has no path), the datagram, and for each descriptor its kind (4) and size (8) |
//!
//! Numbers are little-endian. The descriptors themselves are never passed on.

use std::{
    ffi::OsStr,
    fmt,
    os::{fd::BorrowedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    look::VERSION,
    sys::{Credentials, FdKind, look_at},
    wire::{Header, Kind, MAX_DATAGRAM, Name, Param},
};

const HEADER: usize = 56;
const FD: usize = 12;

/// The longest record: the longest address and datagram, and as many descriptors as the kernel passes.
pub(crate) const LONGEST: usize = HEADER + 108 + MAX_DATAGRAM + 1 + FD * 253;

/// Which way a datagram went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came to the member.
    In,
    /// The member sent it.
    Out,
}

/// What a datagram is.
///
/// Implements `enum mp_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatagramKind {
    /// One-way.
    Message,
    /// Wants an answer.
    Request,
    /// Answers a request.
    Reply,
    /// Takes its sender out of those asked.
    Ignore,
}

/// What is to be recorded.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) direction: Direction,
    /// One more than its place among all rejections; 0 for none.
    pub(crate) rejected: u8,
    /// 0 for none.
    pub(crate) errno: u16,
    pub(crate) credentials: Credentials,
    pub(crate) socket: u32,
    pub(crate) address: Option<&'a Path>,
    pub(crate) datagram: &'a [u8],
}

/// The record but for how many were dropped before.
pub(crate) fn emit<'a>(
    observed: &Observed<'_>,
    (realtime, monotonic): (u64, u64),
    fds: impl ExactSizeIterator<Item = BorrowedFd<'a>>,
) -> Vec<u8> {
    let address = observed.address.map(|path| path.as_os_str().as_bytes()).unwrap_or_default();
    let short = |len: usize| u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
    let Credentials { pid, uid, gid } = observed.credentials;
    let mut record = Vec::with_capacity(HEADER + address.len() + observed.datagram.len() + FD * fds.len());
    record.extend(VERSION.to_le_bytes());
    record.extend(short(HEADER));
    record.extend([u8::from(observed.direction == Direction::Out), observed.rejected]);
    record.extend(observed.errno.to_le_bytes());
    for time in [realtime, monotonic, 0] {
        record.extend(time.to_le_bytes());
    }
    for number in [pid, uid, gid, observed.socket] {
        record.extend(number.to_le_bytes());
    }
    for len in [address.len(), observed.datagram.len(), fds.len(), 0] {
        record.extend(short(len));
    }
    record.extend(address);
    record.extend(observed.datagram);
    for fd in fds {
        let (kind, size) = look_at(fd);
        record.extend(kind.code().to_le_bytes());
        record.extend(size.to_le_bytes());
    }
    record
}

/// Says how many records this monitor has not got.
pub(crate) fn set_dropped(record: &mut [u8], dropped: u64) {
    record[24..32].copy_from_slice(&dropped.to_le_bytes());
}

/// One datagram that a member got or sent, as its monitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which way it went.
    pub direction: Direction,
    /// Why the member rejected it as it came in, as the place of the reason in
    /// [`Rejection::ALL`](crate::Rejection::ALL); `None` if it passed.
    pub rejected: Option<u8>,
    /// Why it could not be sent, as an `errno`; `None` if it was, or if it came in.
    pub errno: Option<u16>,
    /// When, since 1970.
    pub time: Duration,
    /// When, on the monotonic clock: differences hold across the processes of a host.
    pub monotonic: Duration,
    /// How many records this monitor has not got before this one, in all, for want of room.
    pub dropped: u64,
    /// Who sent it, by the kernel's word. Of one that went out, the member itself.
    pub sender: Credentials,
    /// A number that tells the member's sockets apart: that to which it came, or from which it went.
    pub socket: u32,
    /// The other side's socket; `None` if that has no path.
    pub address: Option<PathBuf>,
    /// The datagram as it was.
    pub datagram: Vec<u8>,
    /// What came with it, never the descriptors themselves: what each is, and a file's size.
    pub fds: Vec<(FdKind, u64)>,
}

/// What a well-formed datagram says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// What it is.
    pub kind: DatagramKind,
    /// Its name.
    pub name: Name,
    /// Its payload.
    pub param: Param,
    /// The number of the request, which its answer carries back; `None` from C, and under names of more than
    /// 39 bytes.
    pub sequence: Option<u64>,
    /// That of the sender's definition; 0 for none.
    pub fingerprint: u64,
}

impl Record {
    /// # Errors
    ///
    /// The text says what is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let number = |at: usize, len: usize| {
            let mut eight = [0; 8];
            eight[..len].copy_from_slice(bytes.get(at..at + len)?);
            Some(u64::from_le_bytes(eight))
        };
        let of = |at: usize, len: usize| number(at, len).ok_or("a record that is cut short");
        let version = of(0, 2)?;
        if version != u64::from(VERSION) {
            return Err(format!("a record of version {version}, of which only {VERSION} is known here"));
        }
        let (start, address, len, count) =
            (of(2, 2)? as usize, of(48, 2)? as usize, of(50, 2)? as usize, of(52, 2)? as usize);
        let take = |at: usize, len: usize| bytes.get(at..at + len).ok_or("a record that is cut short");
        let path = take(start, address)?;
        let datagram = take(start + address, len)?.to_vec();
        let fds = take(start + address + len, count * FD)?.chunks_exact(FD).map(|fd| {
            let (kind, size) = fd.split_at(4);
            let kind = u32::from_le_bytes(kind.try_into().unwrap_or_default());
            (FdKind::of_code(kind), u64::from_le_bytes(size.try_into().unwrap_or_default()))
        });
        Ok(Self {
            direction: if of(4, 1)? == 0 { Direction::In } else { Direction::Out },
            rejected: (of(5, 1)? as u8).checked_sub(1),
            errno: Some(of(6, 2)? as u16).filter(|errno| *errno != 0),
            time: Duration::from_nanos(of(8, 8)?),
            monotonic: Duration::from_nanos(of(16, 8)?),
            dropped: of(24, 8)?,
            sender: Credentials { pid: of(32, 4)? as u32, uid: of(36, 4)? as u32, gid: of(40, 4)? as u32 },
            socket: of(44, 4)? as u32,
            address: (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path))),
            datagram,
            fds: fds.collect(),
        })
    }

    /// What the datagram says; `None` if it is not well-formed.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        let header = Header::parse(&self.datagram, None).ok()?;
        Some(Content {
            kind: header.kind.into(),
            name: header.name,
            param: header.to_param(&self.datagram),
            sequence: header.tag.map(|tag| tag.sequence),
            fingerprint: header.tag.map_or(0, |tag| tag.fingerprint),
        })
    }
}

impl From<Kind> for DatagramKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Message => Self::Message,
            Kind::Request => Self::Request,
            Kind::Reply => Self::Reply,
            Kind::Ignore => Self::Ignore,
        }
    }
}

impl DatagramKind {
    /// In one word: `request`, say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Ignore => "ignore",
        }
    }
}

impl fmt::Display for DatagramKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::{
        sys::seal,
        wire::{Datagram, Layout, Tag},
    };

    fn observed(datagram: &Datagram) -> Observed<'_> {
        Observed {
            direction: Direction::Out,
            rejected: 3,
            errno: 11,
            credentials: Credentials { pid: 1, uid: 2, gid: 3 },
            socket: 4,
            address: Some(Path::new("/run/dpdk/rte/mp_socket")),
            datagram: datagram.as_bytes(),
        }
    }

    #[test]
    fn a_record_says_again_what_was_recorded() {
        let name = Name::from_static("ring_open");
        let tag = Tag::of_request(&name, 7, 9);
        let datagram = Datagram::new(Layout::Bytes332, Kind::Request, &name, b"hi", 1, tag);
        let memory = seal("12345").expect("memory");
        let mut bytes = emit(&observed(&datagram), (5, 6), [memory.as_fd()].into_iter());
        set_dropped(&mut bytes, 8);
        let record = Record::parse(&bytes).expect("whole");
        assert_eq!(record.direction, Direction::Out);
        assert_eq!((record.rejected, record.errno, record.dropped, record.socket), (Some(2), Some(11), 8, 4));
        assert_eq!((record.time, record.monotonic), (Duration::from_nanos(5), Duration::from_nanos(6)));
        assert_eq!(record.sender, Credentials { pid: 1, uid: 2, gid: 3 });
        assert_eq!(record.address.as_deref(), Some(Path::new("/run/dpdk/rte/mp_socket")));
        assert_eq!(record.fds, [(FdKind::File, 5)]);
        let content = record.content().expect("well-formed");
        assert_eq!((content.kind, content.name, &*content.param), (DatagramKind::Request, name, &b"hi"[..]));
        assert_eq!((content.sequence, content.fingerprint), (Some(7), 9));
        assert!(bytes.len() <= LONGEST);
    }

    #[test]
    fn no_part_of_a_record_is_taken_for_a_whole_one() {
        let datagram = Datagram::new(Layout::Bytes332, Kind::Message, &Name::from_static("n"), b"", 0, None);
        let bytes = emit(&observed(&datagram), (5, 6), [].into_iter());
        for len in 0..bytes.len() {
            assert!(Record::parse(&bytes[..len]).is_err(), "{len} bytes");
        }
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(
            Record::parse(&later),
            Err("a record of version 2, of which only 1 is known here".to_owned())
        );
    }
}
