//! `recvmsg` with descriptors and credentials, called through libc.
//!
//! No kept crate has a safe call that serves: nix allocates for descriptors and leaks those already
//! installed when the process runs out of them; rustix reads the credentials' pid into a type that
//! cannot hold the 0 of a sender in another pid namespace.
#![allow(unsafe_code)]

use std::{
    mem::{MaybeUninit, zeroed},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use libc::{
    CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, CMSG_SPACE, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET,
    c_int, c_uint, cmsghdr, iovec, msghdr, ucred,
};
use rustix::io::Errno;

use super::{
    Credentials, Peer,
    discard::{CARE, is_full},
};
use crate::wire::{Fds, KERNEL_MAX_FDS, MAX_DATAGRAM};

/// A reusable receive buffer: bytes, descriptors and sender of the last datagram, none of it checked.
#[derive(Debug)]
pub(crate) struct Frame {
    // One byte more than any layout, so that a longer datagram shows.
    bytes: [MaybeUninit<u8>; MAX_DATAGRAM + 1],
    /// How many of the bytes the kernel has written.
    len: usize,
    /// Every descriptor that came with it, owned from the first moment.
    pub(crate) fds: Fds,
    /// Descriptors were lost: the process is at its limit (EMFILE), or we gave the kernel no room for
    /// any, since too many wait to be closed.
    pub(crate) fds_lost: bool,
    /// Who sent it.
    pub(crate) peer: Peer,
}

/// What receiving has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// It is in the frame now.
    Datagram,
    /// Nothing more will come: the socket was shut down.
    End,
}

impl Frame {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [MaybeUninit::uninit(); MAX_DATAGRAM + 1],
            len: 0,
            fds: Fds::closed_with(&CARE),
            fds_lost: false,
            peer: Peer::NOBODY,
        }
    }

    /// What came, from whom, and with which descriptors.
    pub(crate) fn parts(&mut self) -> (&[u8], &Peer, &mut Fds) {
        // SAFETY: as in `bytes`.
        let bytes = unsafe { self.bytes[..self.len].assume_init_ref() };
        (bytes, &self.peer, &mut self.fds)
    }

    /// What came; if it was longer than any datagram of a layout, so is this.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `len` is set by `receive_with` only, to how many bytes the kernel has written at
        // the beginning of `bytes`, and no more than there are; nothing else writes there.
        unsafe { self.bytes[..self.len].assume_init_ref() }
    }
}

/// Room for all that the kernel can send along: `cmsghdr`-aligned.
#[repr(C)]
union Control {
    bytes: [MaybeUninit<u8>; CONTROL_LEN],
    align: cmsghdr,
}

// SAFETY: `CMSG_SPACE` only computes; it has no precondition.
const CONTROL_LEN: usize = unsafe {
    CMSG_SPACE((KERNEL_MAX_FDS * size_of::<c_int>()) as c_uint) + CMSG_SPACE(size_of::<ucred>() as c_uint)
} as usize;

/// Room for the credentials, which the kernel puts first, and nothing else.
// SAFETY: as above.
const WITHOUT_FDS: usize = unsafe { CMSG_SPACE(size_of::<ucred>() as c_uint) } as usize;

/// Receives one datagram into `frame`, replacing the last one, whose descriptors are closed. Bytes
/// beyond the buffer are cut off.
pub(super) fn receive(socket: BorrowedFd<'_>, frame: &mut Frame, flags: c_int) -> Result<Receipt, Errno> {
    receive_with(socket, frame, flags, if is_full() { WITHOUT_FDS } else { CONTROL_LEN })
}

/// Like [`receive`], with `room` bytes for control messages, at most [`CONTROL_LEN`].
fn receive_with(
    socket: BorrowedFd<'_>,
    frame: &mut Frame,
    flags: c_int,
    room: usize,
) -> Result<Receipt, Errno> {
    if !frame.fds.is_empty() {
        frame.fds = Fds::closed_with(&CARE);
    }
    frame.len = 0;
    let mut control = MaybeUninit::<Control>::uninit();
    // SAFETY: it is a plain C struct for which all zeros is a valid value.
    let mut header: msghdr = unsafe { zeroed() };
    let mut slice = iovec { iov_base: frame.bytes.as_mut_ptr().cast(), iov_len: frame.bytes.len() };
    (header.msg_name, header.msg_namelen) = frame.peer.source.as_mut_ptr();
    header.msg_iov = &raw mut slice;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = room.min(CONTROL_LEN);

    // SAFETY: every pointer in `header` is to a live local or into `frame`, with no more than its
    // true length, and none is read or written elsewhere during the call. The kernel is called
    // directly, since libc's wrapper also checks for thread cancellation, which we never use.
    let len = unsafe {
        libc::syscall(libc::SYS_recvmsg, socket.as_raw_fd(), &raw mut header, flags | libc::MSG_CMSG_CLOEXEC)
    };
    let len = usize::try_from(len)
        .map_err(|_| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))?;
    frame.len = len.min(frame.bytes.len());
    frame.fds_lost = header.msg_flags & libc::MSG_CTRUNC != 0;
    frame.peer.source.written(header.msg_namelen);
    // Every datagram has credentials: only the end of the socket has none.
    match control_messages(&header, &mut frame.fds) {
        Some(credentials) => {
            frame.peer.credentials = credentials;
            Ok(Receipt::Datagram)
        }
        None => Ok(Receipt::End),
    }
}

/// Takes ownership of what came along. To be called once for a received header.
fn control_messages(header: &msghdr, fds: &mut Fds) -> Option<Credentials> {
    let mut credentials = None;
    // SAFETY: the kernel has just filled `msg_control` and set `msg_controllen` to what it wrote,
    // so the macros walk whole headers inside `Control`; a header's data lies within its
    // `cmsg_len`. Data is read unaligned. Each number in SCM_RIGHTS is a descriptor the kernel has
    // just installed for us and nobody else knows of, and it is read only here: we own it.
    unsafe {
        let mut at = CMSG_FIRSTHDR(header);
        while let Some(message) = at.as_ref() {
            let (data, len) = (CMSG_DATA(at), message.cmsg_len.saturating_sub(CMSG_LEN(0) as usize));
            match (message.cmsg_level, message.cmsg_type) {
                (SOL_SOCKET, SCM_RIGHTS) => {
                    let numbers = data.cast::<c_int>();
                    fds.append(
                        (0..len / size_of::<c_int>())
                            .map(|i| OwnedFd::from_raw_fd(numbers.add(i).read_unaligned())),
                    );
                }
                (SOL_SOCKET, SCM_CREDENTIALS) if len >= size_of::<ucred>() => {
                    let sender = data.cast::<ucred>().read_unaligned();
                    let pid = u32::try_from(sender.pid).unwrap_or(0);
                    credentials = Some(Credentials { pid, uid: sender.uid, gid: sender.gid });
                }
                _ => {}
            }
            at = CMSG_NXTHDR(header, at);
        }
    }
    credentials
}

#[cfg(test)]
mod tests {
    use std::{mem::MaybeUninit, os::fd::AsFd};

    use rustix::net::{
        self, AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
        sockopt,
    };

    use super::*;

    #[test]
    fn without_room_for_descriptors_the_sender_is_still_known() {
        let (from, to) = net::socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
            .expect("a pair");
        sockopt::set_socket_passcred(&to, true).expect("a socket");
        for (room, count) in [(CONTROL_LEN, 1), (WITHOUT_FDS, 0)] {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let fds = [from.as_fd()];
            assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
            net::sendmsg(&from, &[std::io::IoSlice::new(b"hi")], &mut control, SendFlags::empty())
                .expect("sent");
            let mut frame = Frame::new();
            assert_eq!(receive_with(to.as_fd(), &mut frame, 0, room), Ok(Receipt::Datagram));
            assert_eq!(frame.bytes(), b"hi");
            assert_eq!((frame.fds.len(), frame.fds_lost), (count, count == 0));
            assert_eq!(frame.peer.pid(), std::process::id());
        }
    }
}
