//! What became of each peer that was sent to or asked, as callers see it. Which error of the system
//! means which, `failure` knows.

use std::{fmt, io};

use crate::{
    group::Member,
    receive::Arrived,
    sys::Peer,
    wire::{Message, Why},
};

/// A reply to a request, and who sent it.
#[derive(Debug)]
pub struct Reply {
    /// Carries the request's name.
    pub message: Message,
    /// Its sender, as the kernel attests it.
    pub peer: Peer,
}

impl Reply {
    /// Of what came, and with its descriptors.
    pub(super) fn taken_from(mut arrived: Arrived<'_>) -> Self {
        Self { message: arrived.take_message(), peer: arrived.peer.clone() }
    }
}

/// What became of a message or request to one peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A one-way message is in its queue.
    Sent,
    /// It replied.
    Replied,
    /// It asked not to be counted, and says why, if it is not a process of DPDK.
    Ignored {
        /// What kept it from answering.
        why: Why,
    },
    /// The deadline passed before it answered.
    TimedOut,
    /// Its process is gone, before or after it was asked.
    Gone,
    /// Its queue stayed full until the deadline: it does not read, or not fast enough.
    QueueFull,
    /// The kernel did not let us send to it: its socket's mode, it is connected to another, or its
    /// file is no datagram socket.
    Refused,
    /// It replied, but this process had no room for the reply's file descriptors (`EMFILE`).
    FdsLost,
    /// It was not sent to: until the deadline this process's own send buffer stayed full of what
    /// others have not read.
    BufferFull,
    /// It was not sent to: while it had no room another primary took this one's place.
    Superseded,
    /// The system failed to send to it, or to receive, for a reason that is none of the others.
    Failed {
        /// The system's error number, such as `ETOOMANYREFS`.
        errno: i32,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "was sent the message",
            Self::Replied => "replied",
            Self::Ignored { why } => return write!(f, "asked to be ignored: {why}"),
            Self::TimedOut => "did not answer in time",
            Self::Gone => "is gone",
            Self::QueueFull => "has a full queue",
            Self::Refused => "cannot be sent to",
            Self::FdsLost => "replied with file descriptors for which this process has no room",
            Self::BufferFull => {
                "was not sent to: this process's send buffer is full of what others have not read"
            }
            Self::Superseded => "was not sent to: another primary has taken this one's place",
            Self::Failed { errno } => {
                return write!(f, "could not be reached: {}", io::Error::from_raw_os_error(*errno));
            }
        })
    }
}

/// What came back from a request to all peers.
///
/// Implements `struct rte_mp_reply`, with each peer's outcome.
#[doc(alias = "rte_mp_reply")]
#[derive(Debug, Default)]
#[doc(alias = "nb_received")]
pub struct Replies {
    /// The replies, in the order they came.
    pub replies: Vec<Reply>,
    /// Each peer that was asked, and what became of it.
    pub outcomes: Vec<(Member, Outcome)>,
}

impl Replies {
    /// How many peers got the request and did not ask to be ignored (`nb_sent`).
    #[must_use]
    pub fn sent(&self) -> usize {
        let counts = |outcome: &Outcome| {
            matches!(outcome, Outcome::Replied | Outcome::TimedOut | Outcome::FdsLost | Outcome::Gone)
        };
        self.outcomes.iter().filter(|(_, outcome)| counts(outcome)).count()
    }

    /// How many replied (`nb_received`).
    #[must_use]
    pub fn received(&self) -> usize {
        self.replies.len()
    }
}

/// What became of a one-way message to all peers.
#[derive(Debug, Default)]
pub struct Sent {
    /// Each peer there was, and what became of the message to it.
    pub outcomes: Vec<(Member, Outcome)>,
}

impl Sent {
    /// How many peers have the message in their queue.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Sent).count()
    }
}
