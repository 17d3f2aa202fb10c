use crate::{group::Member, receive::Peer, wire::Message};

/// A reply to a request, and who sent it.
#[derive(Debug)]
pub struct Reply {
    /// Carries the request's name.
    pub message: Message,
    /// Its sender, as the kernel attests it.
    pub peer: Peer,
}

/// What became of a message or request to one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Outcome {
    /// A one-way message is in its queue.
    #[error("was sent the message")]
    Sent,
    /// It replied.
    #[error("replied")]
    Replied,
    /// It asked not to be counted: it has no such action, or its handler gave no answer.
    #[error("asked to be ignored")]
    Ignored,
    /// The deadline passed before it answered.
    #[error("did not answer in time")]
    TimedOut,
    /// Its process is gone, before or after it was asked.
    #[error("is gone")]
    Gone,
    /// Its queue stayed full until the deadline: it does not read, or not fast enough.
    #[error("has a full queue")]
    QueueFull,
    /// The kernel did not let us send to it: its socket's mode, or it is connected to another.
    #[error("cannot be sent to")]
    Refused,
    /// It replied, but this process had no room for the reply's file descriptors (`EMFILE`).
    #[error("replied with file descriptors for which this process has no room")]
    FdsLost,
}

/// What came back from a request to all peers.
///
/// Implements `struct rte_mp_reply`, with each peer's outcome.
#[derive(Debug, Default)]
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
