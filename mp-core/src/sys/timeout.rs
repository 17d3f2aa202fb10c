//! How a call on a socket waits: by the socket's own timeout or by `poll`, and when that timeout is
//! to be set anew. The calls themselves are behind a trait, so that a test can let time pass.
//!
//! A socket's own timeout costs no system call when it is set already, but counts the kernel's
//! ticks, of 1 to 10 ms; `poll` counts in microseconds, but is a call of its own. So a socket's
//! timeout ends a long wait a little early, and `poll` waits for the rest.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustix::{
    io::Errno,
    time::{ClockId, clock_getres},
};

/// How long a call may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all: `EAGAIN` instead.
    No,
    /// That long, then `EAGAIN`; which may come some milliseconds early, never late: who wants the
    /// rest waits again.
    AtMost(Duration),
    /// Until something comes or the socket is shut down.
    Forever,
}

/// What can be called on a socket, in one direction.
pub(super) trait Calls {
    type Done;

    /// Has calls that may block end after that long; never, if `None`.
    fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), Errno>;

    /// Waits by `poll`. `false` if it was in vain.
    fn is_ready(&mut self, within: Duration) -> Result<bool, Errno>;

    fn call(&mut self, may_block: bool) -> Result<Self::Done, Errno>;
}

/// The timeout last set of a socket, in microseconds; 0 for none. Setting one is a system call, so
/// it is done only when it changes.
#[derive(Debug, Default)]
pub(super) struct SocketTimeout {
    micros: AtomicU64,
    /// The wait that it was set for, in nanoseconds; 0 for none. The same wait again, as with every
    /// request that is answered, needs no reckoning in ticks.
    of: AtomicU64,
}

/// What a call that may take so long does.
#[derive(Debug, PartialEq, Eq)]
enum How {
    /// It only tries.
    Try,
    /// It waits by `poll` first, and then tries.
    Poll(Duration),
    /// It blocks, and the socket's timeout ends it.
    Block(Option<Duration>),
}

impl SocketTimeout {
    /// Calls once, waiting no longer than `wait`.
    pub(super) fn call<C: Calls>(&self, wait: Wait, calls: &mut C) -> Result<C::Done, Errno> {
        self.call_with(tick(), wait, calls)
    }

    fn call_with<C: Calls>(&self, tick: Duration, wait: Wait, calls: &mut C) -> Result<C::Done, Errno> {
        let nanos = match wait {
            Wait::AtMost(time) => u64::try_from(time.as_nanos()).unwrap_or(0),
            Wait::No | Wait::Forever => 0,
        };
        if nanos != 0 && self.of.load(Relaxed) == nanos {
            return calls.call(true);
        }
        match How::of(wait, tick) {
            How::Try => calls.call(false),
            How::Poll(time) if calls.is_ready(time)? => calls.call(false),
            How::Poll(_) => Err(Errno::AGAIN),
            How::Block(timeout) => {
                let micros =
                    timeout.map_or(0, |timeout| u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
                if self.micros.load(Relaxed) != micros {
                    self.of.store(0, Relaxed);
                    calls.set_timeout(timeout)?;
                    self.micros.store(micros, Relaxed);
                }
                self.of.store(nanos, Relaxed);
                calls.call(true)
            }
        }
    }
}

impl How {
    fn of(wait: Wait, tick: Duration) -> Self {
        match wait {
            Wait::No | Wait::AtMost(Duration::ZERO) => Self::Try,
            Wait::Forever => Self::Block(None),
            Wait::AtMost(time) => match ticks_within(time, tick) {
                Some(ticks) => Self::Block(Some(tick * ticks)),
                None => Self::Poll(time),
            },
        }
    }
}

/// How many ticks end within `time` for certain. The kernel begins to count at the next tick; and
/// from 63 ticks on it ends up to an eighth late, since distant timers share their ticks. `None` if
/// the time is too short to end by ticks at all.
fn ticks_within(time: Duration, tick: Duration) -> Option<u32> {
    let whole = u32::try_from(time.as_nanos() / tick.as_nanos()).unwrap_or(u32::MAX);
    let ticks = if whole < 63 { whole } else { whole - whole / 8 };
    Some(ticks.saturating_sub(1)).filter(|ticks| *ticks > 0)
}

/// How long a tick is: the coarse clock moves with it.
fn tick() -> Duration {
    static MICROS: AtomicU64 = AtomicU64::new(0);
    let mut micros = MICROS.load(Relaxed);
    if micros == 0 {
        let resolution = clock_getres(ClockId::MonotonicCoarse);
        // Rounded down, as the kernel does when it counts ticks.
        micros = u64::try_from(resolution.tv_nsec / 1000).unwrap_or(0).clamp(1000, 10_000);
        MICROS.store(micros, Relaxed);
    }
    Duration::from_micros(micros)
}

#[cfg(test)]
#[path = "timeout_tests.rs"]
mod tests;
