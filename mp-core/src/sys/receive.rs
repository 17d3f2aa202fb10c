//! `recvmsg` with descriptors and credentials, called through libc.
//!
//! No kept crate has a safe call that serves: nix allocates for descriptors and leaks those already
//! installed when the process runs out of them; rustix reads the credentials' pid into a type that
//! cannot hold the 0 of a sender in another pid namespace.
#![allow(unsafe_code)]

use std::{
    mem::{MaybeUninit, offset_of, zeroed},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
};

use libc::{
    CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, CMSG_SPACE, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET,
    c_int, c_uint, cmsghdr, iovec, msghdr, sockaddr_un, ucred,
};
use rustix::io::Errno;

use super::{
    Address, Credentials,
    discard::{CARE, is_full},
};
use crate::wire::{Fds, KERNEL_MAX_FDS};

/// A datagram as it came, not yet looked at.
#[derive(Debug)]
pub(crate) struct Received {
    /// How many bytes of the buffer it filled.
    pub(crate) len: usize,
    /// Every descriptor that came with it, owned from the first moment.
    pub(crate) fds: Fds,
    /// Descriptors were lost: this process has no room for more (EMFILE), or has so many to close
    /// that it takes no more.
    pub(crate) fds_lost: bool,
    /// Where to reply; `None` if the sender is not bound to a path.
    pub(crate) from: Option<Address>,
    /// `None` only at the end of a socket that was shut down.
    pub(crate) credentials: Option<Credentials>,
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

/// Receives one datagram into `buffer`; what does not fit of it is lost.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: c_int) -> Result<Received, Errno> {
    receive_with(socket, buffer, flags, if is_full() { WITHOUT_FDS } else { CONTROL_LEN })
}

/// With so much room for what comes along, of all that there is.
fn receive_with(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: c_int,
    room: usize,
) -> Result<Received, Errno> {
    let mut control = Control { bytes: [MaybeUninit::uninit(); CONTROL_LEN] };
    // SAFETY: both are plain C structs for which all zeros is a valid value.
    let (mut name, mut header): (sockaddr_un, msghdr) = unsafe { (zeroed(), zeroed()) };
    let mut slice = iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    header.msg_name = ptr::from_mut(&mut name).cast();
    header.msg_namelen = size_of::<sockaddr_un>() as u32;
    header.msg_iov = &raw mut slice;
    header.msg_iovlen = 1;
    header.msg_control = ptr::from_mut(&mut control).cast();
    header.msg_controllen = room.min(CONTROL_LEN);

    // SAFETY: every pointer in `header` is to a live local or to `buffer`, with no more than its
    // true length, and none is read or written elsewhere during the call.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags | libc::MSG_CMSG_CLOEXEC) };
    let len = usize::try_from(len)
        .map_err(|_| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))?;

    let (fds, credentials) = control_messages(&header);
    Ok(Received {
        len: len.min(buffer.len()),
        fds,
        fds_lost: header.msg_flags & libc::MSG_CTRUNC != 0,
        from: sender(&name, header.msg_namelen),
        credentials,
    })
}

/// Takes ownership of what came along. To be called once for a received header.
fn control_messages(header: &msghdr) -> (Fds, Option<Credentials>) {
    let (mut fds, mut credentials) = (Fds::closed_with(&CARE), None);
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
    (fds, credentials)
}

/// The kernel reports one byte more than the struct holds for a full `sun_path`.
fn sender(name: &sockaddr_un, len: u32) -> Option<Address> {
    let len = (len as usize).min(size_of::<sockaddr_un>()).checked_sub(offset_of!(sockaddr_un, sun_path))?;
    Address::of_sender(&name.sun_path.map(|c| c as u8)[..len])
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
            let received = receive_with(to.as_fd(), &mut [0; 9], 0, room).expect("it came");
            assert_eq!((received.fds.len(), received.fds_lost), (count, count == 0));
            assert_eq!(received.credentials.map(|sender| sender.pid), Some(std::process::id()));
        }
    }
}
