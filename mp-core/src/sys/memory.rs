//! Whether there is memory for one more thread, asked before it is started.
//!
//! A thread whose stack takes the last of what `RLIMIT_AS` leaves cannot allocate, for which Rust
//! and the C library abort the process ("memory allocation of 20 bytes failed"). With more asked
//! for than the stack, there is an error instead. It keeps nothing: others may take the memory
//! meanwhile.
#![allow(unsafe_code)]

use std::{io, ptr};

/// The stack that the standard library gives a thread, and as much as it may allocate at first.
const FOR_A_THREAD: usize = (2 << 20) + (1 << 20);

/// An error if so much cannot be mapped.
pub(crate) fn room_for_a_thread() -> io::Result<()> {
    // SAFETY: the kernel chooses the place, so nothing else is there. Nobody has its address but
    // this function, which reads and writes nothing there and unmaps all that it has mapped.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let room = libc::mmap(ptr::null_mut(), FOR_A_THREAD, libc::PROT_NONE, flags, -1, 0);
        if room == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        libc::munmap(room, FOR_A_THREAD);
    }
    Ok(())
}
