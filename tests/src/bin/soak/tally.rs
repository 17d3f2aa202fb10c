//! What became of the operations, counted: by kind of operation and by outcome.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

/// Counts of one process, or of all.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those that ended otherwise than they should where nothing disturbs.
    pub(crate) fn disturbed(&self) -> impl Iterator<Item = (&str, u64)> {
        let disturbed = self.0.iter().filter(|(key, _)| !key.ends_with(".ok"));
        disturbed.map(|(key, count)| (key.as_str(), *count))
    }

    /// As [`Display`](fmt::Display) writes it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let pair = |word: &str| {
            let (key, count) = word.split_once('=')?;
            Some((key.to_owned(), count.parse().ok()?))
        };
        line.split_whitespace().map(pair).collect::<Option<_>>().map(Self)
    }

    /// One row a kind: how many, and what became of them.
    pub(crate) fn table(&self) -> String {
        let mut rows: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for (key, count) in &self.0 {
            let (kind, outcome) = key.split_once('.').unwrap_or((key, "?"));
            rows.entry(kind).or_default().push((outcome, *count));
        }
        let row = |(kind, outcomes): (&str, Vec<(&str, u64)>)| {
            let total: u64 = outcomes.iter().map(|(_, count)| count).sum();
            let outcomes: Vec<_> =
                outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
            format!("{kind:<10} {total:>9}  {}\n", outcomes.join(", "))
        };
        rows.into_iter().map(row).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, count)| write!(f, "{key}={count} "))
    }
}

/// Where the threads of a process count.
#[derive(Debug, Default)]
pub(crate) struct Counter(Mutex<Tally>);

impl Counter {
    pub(crate) fn count(&self, kind: &str, outcome: &str) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tally.0.entry(format!("{kind}.{outcome}").replace(' ', "-")).or_default() += 1;
    }

    pub(crate) fn so_far(&self) -> Tally {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was counted until now; from now on it counts anew.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
