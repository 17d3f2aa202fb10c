//! Deadlines, and how the kernel is told to keep them.
//!
//! A socket's own timeout costs no system call when it is set already, but counts the kernel's
//! ticks, of 1 to 10 ms; `poll` counts in microseconds, but is a call of its own. So a socket's
//! timeout ends a long wait a little early, and `poll` waits for the rest.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rustix::{
    event::Timespec,
    time::{ClockId, clock_getres},
};

/// The monotonic time at which a call gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(Instant);

/// Longer timeouts are cut to this; the clock cannot represent them all.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self::after_from(Instant::now(), timeout)
    }

    /// The same with the time passed in.
    pub(crate) fn after_from(now: Instant, timeout: Duration) -> Self {
        Self(now + timeout.min(LONGEST))
    }

    /// How much time is left; zero when it is over.
    pub(crate) fn left(self) -> Duration {
        self.left_at(Instant::now())
    }

    pub(crate) fn left_at(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

/// For calls that take the time left.
pub(crate) fn timespec(time: Duration) -> Timespec {
    // A time that does not fit is longer than any deadline.
    Timespec { tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() }
}

/// The timeout for a socket that is to end within `time`: a whole number of ticks. `None` if
/// that is too short to end by ticks at all.
pub(super) fn socket_timeout(time: Duration) -> Option<Duration> {
    ticks_within(time, tick()).map(|ticks| tick() * ticks)
}

/// How many ticks end within `time` for certain. The kernel begins to count at the next tick;
/// and from 63 ticks on it ends up to an eighth late, since distant timers share their ticks.
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
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_sockets_timeout_ends_before_the_time_is_over() {
        let within = |time| ticks_within(time, ms(4));
        assert_eq!(within(ms(1)), None);
        assert_eq!(within(ms(7)), None, "the first tick may last twice as long");
        assert_eq!(within(ms(8)), Some(1));
        assert_eq!(within(ms(20) - Duration::from_nanos(1)), Some(3));
        assert_eq!(within(ms(200)), Some(49));
        assert_eq!(within(ms(1000)), Some(218));
        assert_eq!(within(Duration::MAX), Some(u32::MAX - u32::MAX / 8 - 1));
    }

    #[test]
    fn a_little_time_spent_before_the_wait_changes_no_timeout() {
        // Otherwise each request would set its socket's timeout anew.
        for spent in [1, 20, 500, 3000].map(Duration::from_micros) {
            assert_eq!(ticks_within(ms(20) - spent, ms(4)), Some(3), "{spent:?}");
        }
    }

    #[test]
    fn ticks_are_of_one_to_ten_milliseconds() {
        assert!((ms(1)..=ms(10)).contains(&tick()), "{:?}", tick());
    }
}
