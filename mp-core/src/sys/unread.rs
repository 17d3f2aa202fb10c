//! What has been sent and not been read: of one socket in bytes, and by whom.
//!
//! The kernel charges a datagram to its sender until it is received, and refuses to send more than
//! the sender's buffer allows. Who it is that does not read, it tells through `sock_diag(7)`.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::{
    io::Errno,
    net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink},
};

use super::Address;

/// How much of what this socket has sent is unread, in the kernel's count.
pub(super) fn unread_of(socket: BorrowedFd<'_>) -> Result<usize, Errno> {
    let mut unread: libc::c_int = 0;
    // SAFETY: for a socket `TIOCOUTQ` (which is `SIOCOUTQ`) writes one `int`, to a live local.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unread) } {
        0 => Ok(usize::try_from(unread).unwrap_or(0)),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// A bound socket of this network namespace, as the kernel tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) address: Address,
    /// Its number, by which the kernel finds it again.
    pub(crate) inode: u32,
    /// Whether there is something to read.
    pub(crate) has_unread: bool,
}

/// Asks the kernel for what others have not read.
#[derive(Debug)]
pub(crate) struct UnreadDiag {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl UnreadDiag {
    /// `None` where the kernel does not tell.
    pub(crate) fn new() -> Option<Self> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let socket = net::socket_with(family, SocketType::DGRAM, flags, Some(netlink::SOCK_DIAG)).ok()?;
        Some(Self { socket, buffer: vec![0; 32 << 10] })
    }

    /// Tells of all bound sockets that datagrams can be sent to.
    pub(crate) fn all(&mut self, mut tell: impl FnMut(Told)) -> Option<()> {
        net::send(&self.socket, &request(NLM_F_REQUEST | NLM_F_DUMP, 0), SendFlags::empty()).ok()?;
        while self.read(&mut tell)? {}
        Some(())
    }

    /// Tells of one; `None` if there is none of that number.
    pub(crate) fn one(&mut self, inode: u32) -> Option<Told> {
        net::send(&self.socket, &request(NLM_F_REQUEST, inode), SendFlags::empty()).ok()?;
        let mut found = None;
        self.read(&mut |told| found = Some(told))?;
        found
    }

    /// Whether more follows. `None` if the kernel tells of an error.
    fn read(&mut self, tell: &mut impl FnMut(Told)) -> Option<bool> {
        let (len, _) = net::recv(&self.socket, &mut self.buffer[..], RecvFlags::DONTWAIT).ok()?;
        read_each(&self.buffer[..len], tell)
    }
}

// As in linux/netlink.h, linux/sock_diag.h and linux/unix_diag.h.
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_RQLEN: u32 = 1 << 4;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_RQLEN: u16 = 4;
/// Unconnected and connected ones; not those that listen.
const STATES: u32 = 1 << 7 | 1 << 1;

const HEADER: usize = 16;
const UNIX_DIAG_MSG: usize = 16;
const REQUEST: usize = HEADER + 24;
const ATTRIBUTE: usize = 4;

/// `struct nlmsghdr` and `struct unix_diag_req`.
fn request(flags: u16, inode: u32) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &(REQUEST as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &flags.to_ne_bytes());
    put(HEADER, &[libc::AF_UNIX as u8]);
    put(HEADER + 4, &STATES.to_ne_bytes());
    put(HEADER + 8, &inode.to_ne_bytes());
    put(HEADER + 12, &(UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN).to_ne_bytes());
    // No cookie: whichever has that number now.
    put(HEADER + 16, &[0xff; 8]);
    bytes
}

/// Reads one part of the kernel's answer; whether more follows. `None` if it is an error.
fn read_each(mut part: &[u8], tell: &mut impl FnMut(Told)) -> Option<bool> {
    while let Some((len, kind)) = u32_at(part, 0).zip(u16_at(part, 4)) {
        let message = part.get(HEADER..len as usize)?;
        match kind {
            NLMSG_DONE => return Some(false),
            NLMSG_ERROR => return None,
            _ => {
                told(message).into_iter().for_each(&mut *tell);
            }
        }
        part = part.get((len as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    Some(true)
}

/// One `struct unix_diag_msg` and its attributes; `None` if the socket is bound to no path.
fn told(message: &[u8]) -> Option<Told> {
    let (inode, mut attributes) = (u32_at(message, 4)?, message.get(UNIX_DIAG_MSG..)?);
    let (mut address, mut has_unread) = (None, false);
    while let Some((len, kind)) = u16_at(attributes, 0).zip(u16_at(attributes, 2)) {
        let value = attributes.get(ATTRIBUTE..usize::from(len))?;
        match kind {
            UNIX_DIAG_NAME => address = Address::of_sender(value),
            UNIX_DIAG_RQLEN => has_unread = u32_at(value, 0)? > 0,
            _ => {}
        }
        attributes = attributes.get(usize::from(len).next_multiple_of(4)..).unwrap_or_default();
    }
    Some(Told { address: address?, inode, has_unread })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::os::{fd::AsFd, unix::net::UnixDatagram};

    use super::*;

    #[test]
    fn who_does_not_read_is_told_and_how_much_is_unread() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let [idle, behind, sender] =
            ["idle", "behind", "sender"].map(|name| UnixDatagram::bind(at(name)).expect("free"));
        assert_eq!(unread_of(sender.as_fd()), Ok(0));
        sender.send_to(&[1; 332], at("behind")).expect("there is room");
        sender.send_to(&[1; 332], at("idle")).expect("there is room");
        idle.recv(&mut [0; 400]).expect("it came");
        assert!((332..4096).contains(&unread_of(sender.as_fd()).expect("a socket")));
        let Some(mut diag) = UnreadDiag::new() else { return println!("this kernel does not tell") };
        let mut ours = Vec::new();
        diag.all(|told| ours.extend(Some(told).filter(|told| told.address.path().starts_with(dir.path()))))
            .expect("it tells");
        ours.sort_by(|a, b| a.address.cmp(&b.address));
        let found: Vec<_> = ours
            .iter()
            .map(|told| (told.address.file_name().to_str().expect("ASCII"), told.has_unread))
            .collect();
        assert_eq!(found, [("behind", true), ("idle", false), ("sender", false)]);
        // One by one they are as they are by then.
        assert_eq!(diag.one(ours[0].inode).as_ref(), Some(&ours[0]));
        behind.recv(&mut [0; 400]).expect("it came");
        assert_eq!(diag.one(ours[0].inode), Some(Told { has_unread: false, ..ours[0].clone() }));
        assert_eq!(unread_of(sender.as_fd()), Ok(0));
        drop(behind);
        assert_eq!(diag.one(ours[0].inode), None);
        assert!(diag.one(ours[1].inode).is_some(), "an error ends nothing");
    }

    #[test]
    fn what_is_cut_short_ends_the_reading() {
        let whole = request(NLM_F_REQUEST, 7);
        for len in 0..whole.len() {
            let cut = read_each(&whole[..len], &mut |told| panic!("{told:?}"));
            assert!(cut.is_none() || (cut == Some(true) && len < 6), "{len}: {cut:?}");
        }
        let mut endless = whole;
        endless[..4].fill(0);
        assert_eq!(read_each(&endless, &mut |_| ()), None, "it has no length");
    }
}
