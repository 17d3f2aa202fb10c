//! What a bridge has passed on and what not, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.add_many(1);
    }

    pub(crate) fn add_many(&self, count: usize) {
        self.0.fetch_add(count as u64, Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        /// What a bridge has done so far.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Statistics {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Statistics {
                Statistics { $($name: self.$name.now(),)* }
            }
        }

        impl std::fmt::Display for Statistics {
            /// Those that are not 0.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let all = [$((stringify!($name), self.$name),)*];
                let mut separator = "";
                for (name, count) in all.into_iter().filter(|(_, count)| *count != 0) {
                    write!(f, "{separator}{name} {count}")?;
                    separator = ", ";
                }
                Ok(())
            }
        }
    };
}

counters! {
    /// Messages given to the other hosts.
    messages_out,
    /// Messages that came from them.
    messages_in,
    /// Requests given to the other hosts.
    requests_out,
    /// Requests that came from them.
    requests_in,
    /// Answers given to the other hosts.
    answers_out,
    /// Answers that came from them.
    answers_in,
    /// Messages dropped, since the queue to the other host was full, its link ended before they
    /// were sent, or whom they were for had no room.
    dropped,
    /// Requests answered *ignore*, since the queue to the other host was full.
    refused,
    /// Messages dropped, and requests and replies refused, for the descriptors they had.
    descriptors,
    /// Messages dropped and requests refused for their names.
    denied,
    /// Requests of DPDK's own answered *ignore* on the spot.
    dpdk,
    /// Requests left unanswered: whoever was asked took too long.
    unanswered,
    /// Answers for which nobody waits any more.
    late,
    /// Frames of a session that is over.
    stale,
    /// Frames that came twice.
    twice,
    /// Times that frames were lost, so that a session began anew.
    gaps,
    /// Payloads that are no frames of this version, and frames that belong to the other side.
    not_understood,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_not_zero_are_shown() {
        let counters = Counters::default();
        assert_eq!(counters.snapshot().to_string(), "");
        counters.dropped.add_many(2);
        counters.late.add();
        assert_eq!(counters.snapshot().to_string(), "dropped 2, late 1");
    }
}
