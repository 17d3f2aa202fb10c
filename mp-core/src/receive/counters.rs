//! What has happened, counted. Each role has one set, shared by all its threads.

use std::{
    array, fmt, io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::Told;
use crate::wire::Malformed;

/// Why a datagram was turned away. Its descriptors are closed, and nothing else is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is not well-formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The [`Trust`](crate::Trust) policy does not allow its sender.
    #[error("its sender is not trusted")]
    Untrusted,
    /// The kernel dropped descriptors of it, as this process has no room for more (`EMFILE`), or so
    /// many that peers sent to close that it takes no more for now. A request is answered *ignore*.
    #[error("this process has no room for its file descriptors")]
    FdsLost,
    /// A request from a socket that has no path, so that no reply could reach it.
    #[error("a request without an address to reply to")]
    NoReturnAddress,
    /// What does not belong there: an answer sent to a member's socket; on a reply socket a
    /// message, an answer under another name, or one of somebody who was not asked.
    #[error("it is of a kind that is not expected on this socket")]
    Unexpected,
    /// An answer to a request that has ended, or a second one. It answers no other.
    #[error("it answers a request that has ended, or that is answered already")]
    Late,
    /// No action has its name. A request is answered *ignore*.
    #[error("no action is registered under its name")]
    NoAction,
    /// The action could not make sense of its param or descriptors. A request is answered *ignore*.
    #[error("its action could not make sense of it")]
    Undecodable,
    /// Its sender has another definition of it than the action. A request is answered *ignore*.
    #[error("its sender knows it by another definition")]
    OtherDefinition,
    /// The backlog is full, or the role is stopping. A request is answered *ignore*.
    #[error("too much is waiting to be handled")]
    BacklogFull,
}

impl From<Rejection> for io::Error {
    fn from(rejection: Rejection) -> Self {
        let kind = match rejection {
            Rejection::Malformed(_) | Rejection::Undecodable => io::ErrorKind::InvalidData,
            Rejection::Untrusted => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, rejection)
    }
}

/// Makes of its rows, a name and a reason each, what else there is to say of a [`Rejection`].
macro_rules! rejections {
    ($($name:ident: $reason:ident $(($malformed:ident))?,)*) => {
        impl Rejection {
            /// Every reason there is. The place of each is part of what monitors get
            /// ([`Record::rejected`](crate::inspect::Record::rejected)), so that of none changes: a new one comes
            /// last.
            pub const ALL: &[Self] = &[$(Self::$reason $((Malformed::$malformed))?),*];

            /// In one word, as logs and monitoring have it: `no_action`, say.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason $((Malformed::$malformed))? => stringify!($name),)*
                }
            }

            /// Its place in [`ALL`](Self::ALL).
            fn index(self) -> usize {
                #[expect(non_camel_case_types, reason = "they are the names of the reasons")]
                enum Place {
                    $($name),*
                }
                match self {
                    $(Self::$reason $((Malformed::$malformed))? => Place::$name as usize,)*
                }
            }
        }
    };
}

// The order goes out to monitors, in byte 5 of `look/record.rs`, and other processes read it by the
// list of their own release: add a row at the end, and neither move one nor take one out.
rejections! {
    malformed_length: Malformed(Length),
    malformed_kind: Malformed(Kind),
    malformed_name: Malformed(Name),
    malformed_param_length: Malformed(ParamLength),
    malformed_fd_count: Malformed(FdCount),
    untrusted: Untrusted,
    fds_lost: FdsLost,
    no_return_address: NoReturnAddress,
    unexpected: Unexpected,
    late: Late,
    no_action: NoAction,
    undecodable: Undecodable,
    backlog_full: BacklogFull,
    other_definition: OtherDefinition,
}

impl Rejection {
    /// One more than its place in [`ALL`](Self::ALL), as monitors get it.
    pub(crate) fn code(self) -> u8 {
        u8::try_from(self.index() + 1).unwrap_or(u8::MAX)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Count,)*
            rejected: [Count; Rejection::ALL.len()],
            /// What of it an operator has been told.
            pub(crate) told: Told,
        }

        /// What a role has done since it started: a snapshot of its counters, each with its name.
        ///
        /// # Examples
        ///
        /// ```
        /// use mp_core::{Client, Rejection};
        ///
        /// let client = Client::builder("no-such-group").start()?;
        /// let statistics = client.statistics();
        /// assert_eq!(statistics.requests_sent, 0);
        /// assert_eq!(statistics.rejected_for(Rejection::Untrusted), 0);
        /// for (name, count) in statistics.counters() {
        ///     println!("mp_{name} {count}");
        /// }
        /// for (rejection, count) in statistics.rejected() {
        ///     println!("mp_rejected{{reason=\"{}\"}} {count}", rejection.name());
        /// }
        /// # Ok::<(), mp_core::StartError>(())
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Statistics {
            $($(#[$doc])* pub $name: u64,)*
            rejected: [u64; Rejection::ALL.len()],
        }

        impl Statistics {
            /// Every counter but those of rejections, by its name.
            pub fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Statistics {
                Statistics {
                    $($name: self.$name.read(),)*
                    rejected: array::from_fn(|i| self.rejected[i].read()),
                }
            }
        }
    };
}

counters! {
    /// One-way messages received and well-formed.
    messages_received,
    /// Requests received and well-formed.
    requests_received,
    /// Replies received that count: asked for, in time, once.
    replies_received,
    /// *Ignore* answers received that count.
    ignores_received,
    /// One-way messages sent, one for each peer.
    messages_sent,
    /// Requests sent, one for each peer.
    requests_sent,
    /// Replies sent.
    replies_sent,
    /// *Ignore* answers sent.
    ignores_sent,
    /// Replies and *ignore* answers that could not be delivered.
    answers_lost,
    /// Datagrams that had to wait for a handler.
    backlogged,
    /// Requests that were not handled, since they had waited and their requesters had given up
    /// meanwhile.
    requests_given_up,
    /// Handlers, and callbacks of asynchronous requests, that panicked.
    handler_panics,
}

impl Counters {
    pub(crate) fn reject(&self, reason: Rejection) {
        self.rejected[reason.index()].add();
        tracing::debug!(%reason, "rejected a datagram");
    }
}

impl Statistics {
    /// Each reason there is to turn a datagram away, and how many were.
    pub fn rejected(&self) -> impl Iterator<Item = (Rejection, u64)> + use<> {
        Rejection::ALL.iter().copied().zip(self.rejected)
    }

    /// How many datagrams were turned away for `reason`.
    #[must_use]
    pub fn rejected_for(&self, reason: Rejection) -> u64 {
        self.rejected[reason.index()]
    }

    /// How many were turned away in all.
    #[must_use]
    pub fn rejected_in_all(&self) -> u64 {
        self.rejected.iter().sum()
    }
}

/// Every counter by its name; of the rejections those that happened.
impl fmt::Debug for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Statistics");
        for (name, count) in self.counters() {
            all.field(name, &count);
        }
        let happened = self.rejected().filter(|(_, count)| *count > 0);
        all.field("rejected", &ByName(happened.collect())).finish()
    }
}

struct ByName(Vec<(Rejection, u64)>);

impl fmt::Debug for ByName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rejected = f.debug_struct("Rejected");
        self.0.iter().for_each(|(rejection, count)| {
            rejected.field(rejection.name(), count);
        });
        rejected.finish()
    }
}

#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_counter_of_its_own() {
        for (i, reason) in Rejection::ALL.iter().copied().enumerate() {
            assert_eq!(reason.index(), i, "{reason:?}");
            let counters = Counters::default();
            counters.reject(reason);
            assert_eq!(counters.snapshot().rejected_for(reason), 1);
            assert_eq!(counters.snapshot().rejected_in_all(), 1);
            assert_eq!(counters.snapshot().rejected().filter(|(_, count)| *count > 0).count(), 1);
        }
    }

    #[test]
    fn the_place_of_a_reason_stays_what_monitors_of_earlier_releases_read() {
        let earlier = [
            "malformed_length",
            "malformed_kind",
            "malformed_name",
            "malformed_param_length",
            "malformed_fd_count",
            "untrusted",
            "fds_lost",
            "no_return_address",
            "unexpected",
            "late",
            "no_action",
            "undecodable",
            "backlog_full",
            "other_definition",
        ];
        let now: Vec<_> = Rejection::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(now[..earlier.len()], earlier);
        assert_eq!(Rejection::from(Malformed::Length).code(), 1, "0 is for what passed");
    }

    #[test]
    fn statistics_print_names() {
        let counters = Counters::default();
        counters.replies_sent.add();
        counters.reject(Rejection::NoAction);
        counters.reject(Malformed::Name.into());
        let text = format!("{:?}", counters.snapshot());
        assert!(text.starts_with("Statistics { messages_received: 0, "), "{text}");
        assert!(text.contains("replies_sent: 1, "), "{text}");
        assert!(text.ends_with("rejected: Rejected { malformed_name: 1, no_action: 1 } }"), "{text}");
        assert!(counters.snapshot().counters().any(|counter| counter == ("replies_sent", 1)));
    }
}
