//! A thread with a descriptor table of its own, in which descriptors are closed as it exits.
//!
//! A connection that lingers keeps whoever closes its last copy until its peer has read everything,
//! which may be never; but the kernel lets nobody linger who exits. And what takes long for another
//! reason keeps only a thread that has nothing else to do. Where the copies come from it does not
//! know; [`discard`](super) gives them.
#![allow(unsafe_code)]

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    ptr,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use libc::{c_int, c_uint};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::sys::room_for_a_thread;

/// Small: the thread only exits.
const STACK: usize = 64 << 10;

/// Closes these without lingering. The copies in this process's table are closed when it returns;
/// if others have none, it returns when the last has been closed.
///
/// Without memory for a thread, or before Linux 5.9, they are closed here, however long it takes.
pub(super) fn close(fds: Vec<OwnedFd>) {
    // It tells of the end of the thread: joining it would return before its table is closed. With
    // no descriptor left for that, nothing waits for the end.
    let (gone, guard) = pipe_with(PipeFlags::CLOEXEC).ok().unzip();
    let Some(exit) = exiting_with(&fds, guard.as_ref()) else { return drop(fds) };
    // None of these is the last copy.
    drop(fds);
    drop(guard);
    drop(exit);
    if let Some(gone) = gone {
        // Nothing is ever written: it returns when the other end is closed.
        let _ = rustix::io::retry_on_intr(|| rustix::io::read(&gone, &mut [0; 1]));
    }
}

/// Starts a thread that has copies of these, and of nothing else, in a table of its own. It exits
/// when what this returns is dropped.
fn exiting_with(fds: &[OwnedFd], guard: Option<&OwnedFd>) -> Option<Sender<()>> {
    let mut numbers: Vec<RawFd> = fds.iter().chain(guard).map(AsRawFd::as_raw_fd).collect();
    numbers.sort_unstable();
    let guard = guard.map(AsRawFd::as_raw_fd);
    let ((ready, is_ready), (exit, may_exit)) = (channel(), channel());
    let wait = move |ready: &Sender<bool>, may_exit: &Receiver<()>| {
        // SAFETY: this thread uses no descriptor from here to its end.
        let has_copies = unsafe { keep_only(&numbers) };
        if has_copies && let Some(guard) = guard {
            let _ = lower(guard);
        }
        let _ = ready.send(has_copies);
        let _ = may_exit.recv();
    };
    let thread = thread::Builder::new().name("mp_close_exit".into()).stack_size(STACK);
    room_for_a_thread().ok()?;
    thread.spawn(move || wait(&ready, &may_exit)).ok()?;
    is_ready.recv().unwrap_or(false).then_some(exit)
}

/// Keeps signals from this thread and those that it starts: a handler must not meet their table.
pub(super) fn block_signals() {
    let mut all = MaybeUninit::uninit();
    // SAFETY: `sigfillset` fills the whole of the set that it is given, and fails for none; the
    // mask of this thread, which no handler of this crate depends on, is all that changes.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut());
    }
}

/// Gives this thread a table of its own, with copies of those of these numbers, which are in order.
/// `false` if it still has the process's.
///
/// # Safety
///
/// The thread must not use any descriptor afterwards: whatever owns one owns a number in the
/// process's table, which is another.
unsafe fn keep_only(numbers: &[RawFd]) -> bool {
    let Some(last) = numbers.last() else { return false };
    // SAFETY: with a table of its own nothing that this thread closes is closed for anybody else;
    // that it has one is seen first.
    unsafe {
        if close_range(last + 1, RawFd::MAX, libc::CLOSE_RANGE_UNSHARE as c_int).is_err() {
            return false;
        }
        let mut next = 0;
        for number in numbers {
            if next < *number {
                // It fails for none that is this thread's own.
                let _ = close_range(next, number - 1, 0);
            }
            next = number + 1;
        }
    }
    true
}

/// Through the system call: the C library has a function for it only since 2.34.
///
/// # Safety
///
/// Nobody may own the descriptors of that range, in the table that they are closed in.
unsafe fn close_range(first: RawFd, last: RawFd, flags: c_int) -> io::Result<()> {
    let last = if last == RawFd::MAX { c_uint::MAX } else { last as c_uint };
    // SAFETY: it takes three numbers and no memory; the rest is the caller's promise.
    match unsafe { libc::syscall(libc::SYS_close_range, first as c_uint, last, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Moves the guard to the lowest number that is free. The kernel closes a table from below, and
/// what takes longer than to close it in the reverse order: so the guard comes last.
fn lower(guard: RawFd) -> io::Result<()> {
    // SAFETY: it is open in this thread's table, where only this function can close it.
    let lent = unsafe { BorrowedFd::borrow_raw(guard) };
    let lower = rustix::io::fcntl_dupfd_cloexec(lent, 0)?;
    let unwanted = if lower.as_raw_fd() < guard { guard } else { lower.as_raw_fd() };
    std::mem::forget(lower);
    // SAFETY: as above; the other copy stays for the end of the thread.
    unsafe { close_range(unwanted, unwanted, 0) }
}
