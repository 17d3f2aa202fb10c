//! Whether this process stood still: stopped by a signal, or without a core.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Ticks as long as the process runs.
#[derive(Debug)]
pub(crate) struct Clock {
    /// When it last noticed that it had not ticked for long.
    gap: Mutex<Option<Instant>>,
}

impl Clock {
    const TICK: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_millis(300);

    pub(crate) const fn new() -> Self {
        Self { gap: Mutex::new(None) }
    }

    /// Ticks for good, on a thread of its own.
    pub(crate) fn run(&'static self) {
        thread::spawn(|| {
            let mut last = Instant::now();
            loop {
                thread::sleep(Self::TICK);
                let now = Instant::now();
                if now - last > Self::LONG {
                    *self.gap.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
                }
                last = now;
            }
        });
    }

    /// Whether it did since then. Waits for a tick: one that was missed is noticed with the next.
    pub(crate) fn stood_still_since(&self, then: Instant) -> bool {
        thread::sleep(2 * Self::TICK);
        self.gap.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|gap| gap >= then)
    }
}
