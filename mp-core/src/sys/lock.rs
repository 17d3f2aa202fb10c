//! Who holds a lock on a file (`fcntl(2)`): one system call, for which a crate of its own would bring two
//! more along. It locks nothing.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// The process whose lock keeps this open file from being locked for writing; 0 if that cannot be seen from
/// here.
///
/// This process's own locks are told as well: asked for a lock of the open file (`F_OFD_GETLK`), the kernel
/// takes those of the process for another's.
pub(crate) fn lock_holder(file: BorrowedFd<'_>) -> io::Result<Option<u32>> {
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open, since it is borrowed. The kernel reads and writes one `struct flock` at
    // the address, which is that of a live, exclusively borrowed one, and keeps no pointer to it.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    let held = lock.l_type != libc::F_UNLCK as i16;
    Ok(held.then(|| u32::try_from(lock.l_pid).unwrap_or(0)))
}
