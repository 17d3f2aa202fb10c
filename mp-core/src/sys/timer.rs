//! A descriptor that becomes readable when a time has passed.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::{
    io::Errno,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};

use super::timespec;

/// A `timerfd(2)`.
#[derive(Debug)]
pub(crate) struct Timer(OwnedFd);

impl Timer {
    pub(crate) fn new() -> Result<Self, Errno> {
        timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK).map(Self)
    }

    /// Readable again only when this time has passed; `None` for not at all.
    pub(crate) fn set(&self, after: Option<Duration>) -> Result<(), Errno> {
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        let time = Itimerspec { it_interval: none, it_value: after.map_or(none, timespec) };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &time).map(drop)
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
