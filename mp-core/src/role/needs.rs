//! Starting only where there is a primary: the settings for it, and the wait.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    group::{Group, inspect::elsewhere},
    role::{Builder, Client, Secondary, StartError},
    sys::Deadline,
};

/// What a role needs of the primary to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NeedsPrimary {
    /// Nothing: it may come later.
    #[default]
    Never,
    /// It is there.
    Now,
    /// It comes within this time.
    Within(Duration),
}

/// How often a primary that is not there yet is looked for: nobody tells where there is no directory yet.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl NeedsPrimary {
    /// Waits for the primary as long as it says. Nothing is made, bound or joined before.
    pub(super) fn wait(self, group: &Group) -> Result<(), StartError> {
        let (deadline, waited) = match self {
            Self::Never => return Ok(()),
            Self::Now => (Deadline::after(Duration::ZERO), None),
            Self::Within(timeout) => (Deadline::after(timeout), Some(timeout)),
        };
        let mut pause = FIRST_PAUSE;
        while !group.has_live_primary()? {
            if deadline.is_over() {
                let (dir, base) = (group.dir().to_owned(), group.base().cloned());
                let elsewhere = base.as_ref().map_or_else(Vec::new, |_| elsewhere(&dir));
                return Err(StartError::NoPrimary { dir, waited, base, elsewhere });
            }
            thread::sleep(pause.min(deadline.left_at(Instant::now())));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}

__each! { [Builder<Client>, Builder<Secondary>] {
    /// Waits at the start until a live primary is there, that has started if it is DPDK's, and fails with
    /// [`StartError::NoPrimary`] if none is within this time. Meanwhile nothing is made or joined, so that
    /// a wrong file-prefix leaves nothing behind. Blocks the thread.
    ///
    /// Default: the role starts without one. This and [`require_primary`](Self::require_primary) exclude
    /// each other; the last one called counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Primary, Secondary, StartError};
    ///
    /// let started = Secondary::builder("no-such-app").wait_for_primary(Duration::from_millis(10)).start();
    /// assert!(matches!(started, Err(StartError::NoPrimary { waited: Some(_), .. })));
    ///
    /// let _primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// Secondary::builder("example").runtime_dir(dir.path()).wait_for_primary(Duration::from_secs(5)).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wait_for_primary(mut self, timeout: Duration) -> Self {
        self.setup.needs_primary = NeedsPrimary::Within(timeout);
        self
    }

    /// Fails at the start with [`StartError::NoPrimary`], at once, if no live primary is there: a typo in
    /// the file-prefix shows. Nothing is made or joined then.
    ///
    /// Default: the role starts without one.
    #[must_use]
    pub fn require_primary(mut self) -> Self {
        self.setup.needs_primary = NeedsPrimary::Now;
        self
    }
} }
