//! What a process holds, as `/proc` tells.

use std::{fmt, fs};

/// Of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) fds: u64,
    pub(crate) threads: u64,
    pub(crate) rss_kib: u64,
}

impl Resources {
    /// What may have come on top without anything having leaked: kept reply sockets, threads that linger, an allocator's
    /// slack.
    const SLACK: Self = Self { fds: 40, threads: 8, rss_kib: 8 * 1024 };

    pub(crate) fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        // Listing takes one.
        let fds = fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64 - 1);
        Self { fds, threads: field("Threads:"), rss_kib: field("VmRSS:") }
    }

    /// As [`Display`](fmt::Display) writes it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(|word| word.split_once('=')?.1.parse().ok());
        Some(Self { fds: words.next()??, threads: words.next()??, rss_kib: words.next()?? })
    }

    /// What has grown since then by more than it may.
    pub(crate) fn grown_since(&self, then: &Self) -> Option<String> {
        let grown = self.fds > then.fds + Self::SLACK.fds
            || self.threads > then.threads + Self::SLACK.threads
            || self.rss_kib > then.rss_kib + then.rss_kib / 2 + Self::SLACK.rss_kib;
        grown.then(|| format!("from {then} to {self}"))
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fds={} threads={} rss_kib={}", self.fds, self.threads, self.rss_kib)
    }
}
