//! Where processes run: a started process inherits the affinity of the thread
//! that starts it.

use std::fmt;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// On which cores the two sides of a system run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// As the kernel likes.
    Unpinned,
    /// Both on one.
    OneCore,
    /// Each on one of its own.
    TwoCores,
}

impl Placement {
    /// Those this machine has cores for.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Unpinned, Self::OneCore];
        if cores().len() > 1 {
            all.push(Self::TwoCores);
        }
        all
    }

    /// As headings and plots call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Unpinned => "Unpinned",
            Self::OneCore => "One core",
            Self::TwoCores => "Two cores",
        }
    }

    /// Starts something on the core of the asking side.
    pub(crate) fn asking<T>(self, start: impl FnOnce() -> T) -> T {
        match self {
            Self::Unpinned => start(),
            Self::OneCore | Self::TwoCores => pinned(cores()[0], start),
        }
    }

    /// Starts something on the core of the answering side.
    pub(crate) fn answering<T>(self, start: impl FnOnce() -> T) -> T {
        match self {
            Self::Unpinned => start(),
            Self::OneCore => pinned(cores()[0], start),
            Self::TwoCores => pinned(cores()[1], start),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unpinned => "unpinned",
            Self::OneCore => "one_core",
            Self::TwoCores => "two_cores",
        })
    }
}

/// The cores that this process may run on.
fn cores() -> Vec<usize> {
    let allowed = sched_getaffinity(None).expect("a thread's own affinity can be read");
    (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect()
}

fn pinned<T>(core: usize, start: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("a thread's own affinity can be read");
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("an allowed core can be chosen");
    let started = start();
    sched_setaffinity(None, &before).expect("the affinity can be put back");
    started
}
