//! Deadlines, on the monotonic clock.

use std::time::{Duration, Instant};

use rustix::event::Timespec;

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
