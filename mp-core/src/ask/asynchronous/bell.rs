//! What wakes the thread for asynchronous requests while it waits for sockets. Why it is woken,
//! `submissions` knows.

use rustix::{
    event::{EventfdFlags, eventfd},
    fd::{AsFd, BorrowedFd, OwnedFd},
    io::Errno,
};

use super::submissions::Bell;

/// An `eventfd(2)` that the thread for asynchronous requests waits for.
#[derive(Debug)]
pub(super) struct EventBell(OwnedFd);

impl EventBell {
    pub(super) fn new() -> Result<Self, Errno> {
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Self)
    }

    pub(super) fn reset(&self) {
        // Nothing to read means that it has not rung.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl Bell for EventBell {
    fn ring(&self) {
        // It can only fail when it has rung often already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl AsFd for EventBell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
