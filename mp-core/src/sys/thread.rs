//! Which thread this is, and what time it is, in numbers that mean the same in every process of
//! this host.

use std::{cell::Cell, time::Duration};

use rustix::{
    thread::gettid,
    time::{ClockId, Timespec, clock_gettime},
};

thread_local! {
    /// 0 until it is asked for: a system call that each thread makes once.
    static ID: Cell<u32> = const { Cell::new(0) };
}

/// The kernel's number of this thread, as `ps -T` and `/proc` show it.
#[inline]
pub(crate) fn thread_id() -> u32 {
    match ID.get() {
        0 => {
            let id = gettid().as_raw_nonzero().get().unsigned_abs();
            ID.set(id);
            id
        }
        id => id,
    }
}

/// Nanoseconds since the system started: differences hold across processes.
pub(crate) fn monotonic() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// Nanoseconds since 1970.
pub(crate) fn realtime() -> u64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

fn nanoseconds(time: Timespec) -> u64 {
    let time = Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0));
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
