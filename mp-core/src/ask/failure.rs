//! Why one peer was not sent to or has not replied: told once, and turned into a public error once.
//!
//! Where an error number comes from, it becomes what it says of the peer ([`Undelivered`], and
//! [`Unanswered`] once the peer was asked); a request or message to that one peer fails with it.
//! What there is to say of the group or of this process instead makes up the rest of a [`Failure`].
//! At the edge of this module it becomes a [`RequestError`], a [`SendError`] or, if that peer was
//! only one of all, its [`Outcome`]. When something fails, and what is tried then, others know.

use std::{path::PathBuf, time::Duration};

use rustix::io::Errno;

use super::{Outcome, RequestError, SendError};
use crate::{
    group::{Group, GroupError, NotPrimary, Undelivered},
    sys::Address,
    wire::{Reason, Why},
};

/// Why a request failed or, with [`Undelivered`] as what there is to say of the peer, why a message
/// or a request was not sent.
#[derive(Debug)]
pub(super) enum Failure<P = Unanswered> {
    /// That concerns the peer alone.
    Peer(P),
    /// The peer is the primary, and nobody is bound at its address.
    NoPrimary { dir: PathBuf },
    /// This process is the primary no more.
    Superseded { dir: PathBuf },
    /// The group's directory cannot be used, or no reply socket be made in it.
    Group(GroupError),
    /// The role has been stopped.
    Stopped,
}

/// Why one peer was not sent to, or has not replied, as far as that concerns no other peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    Ignored {
        why: Why,
    },
    TimedOut,
    Gone,
    QueueFull,
    /// Our own send buffer stayed full.
    BufferFull,
    Refused,
    FdsLost,
    Failed(Errno),
}

impl Unanswered {
    /// Of one that asked to be ignored. A stand-in for one that is gone says so.
    pub(super) fn of_ignore(why: Why) -> Self {
        match why.reason() {
            Reason::Gone => Self::Gone,
            _ => Self::Ignored { why },
        }
    }
}

/// What became of a peer that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    Replied,
    Unanswered(Unanswered),
    /// It had no room before another took this primary's place. So it can be said of one of all
    /// only: a request to that one fails as a whole.
    Superseded,
}

impl Settled {
    /// Whether a peer that was asked, and of which this came, may answer still: it may have answered
    /// just before it died, or be late.
    pub(super) fn may_be_answered_late(&self) -> bool {
        matches!(self, Self::Unanswered(Unanswered::TimedOut | Unanswered::Gone | Unanswered::Failed(_)))
    }
}

impl<P: From<Undelivered>> Failure<P> {
    /// Nobody is bound at `to`.
    pub(super) fn absent(group: &Group, to: &Address) -> Self {
        if to == group.primary() {
            Self::NoPrimary { dir: group.dir().to_owned() }
        } else {
            Self::Peer(Undelivered::Gone.into())
        }
    }

    /// The directory does not do for asking `to`. Without one, nobody is bound in it.
    pub(super) fn of_group(group: &Group, to: &Address, error: GroupError) -> Self {
        if error.is_absent() { Self::absent(group, to) } else { Self::Group(group.explain(error)) }
    }
}

impl Failure {
    /// Why the only peer that was asked has not replied.
    pub(super) fn of_settled(group: &Group, settled: Settled) -> Self {
        match settled {
            Settled::Unanswered(why) => Self::Peer(why),
            Settled::Superseded => Self::Superseded { dir: group.dir().to_owned() },
            // Nobody asks: its reply is there.
            Settled::Replied => Self::Peer(Unanswered::TimedOut),
        }
    }

    /// The system cannot receive, or wait; that is not the peer's doing.
    pub(super) fn of_system(errno: Errno) -> Self {
        Self::Peer(Unanswered::Failed(errno))
    }

    pub(super) fn into_request_error(self, timeout: Duration) -> RequestError {
        match self {
            Self::Peer(Unanswered::Ignored { why }) => RequestError::Ignored { why },
            Self::Peer(Unanswered::TimedOut) => RequestError::TimedOut { timeout },
            Self::Peer(Unanswered::Gone) => RequestError::Gone,
            Self::Peer(Unanswered::QueueFull | Unanswered::BufferFull) => RequestError::QueueFull { timeout },
            Self::Peer(Unanswered::Refused) => RequestError::Refused,
            Self::Peer(Unanswered::FdsLost) => RequestError::FdsLost,
            Self::Peer(Unanswered::Failed(errno)) => RequestError::Io(errno.into()),
            Self::NoPrimary { dir } => RequestError::NoPrimary { dir },
            Self::Superseded { dir } => RequestError::Superseded { dir },
            Self::Group(error) => RequestError::Group(error),
            Self::Stopped => RequestError::Stopped,
        }
    }

    /// What became of the peer, if it is one of all and the others are not concerned.
    pub(super) fn into_outcome(self, timeout: Duration) -> Result<Outcome, RequestError> {
        match self {
            Self::Peer(why) => Ok(why.into()),
            concerns_all => Err(concerns_all.into_request_error(timeout)),
        }
    }
}

impl Failure<Undelivered> {
    pub(super) fn into_send_error(self, timeout: Duration) -> SendError {
        match self {
            Self::Peer(Undelivered::NoRoom) => SendError::QueueFull { timeout },
            Self::Peer(Undelivered::Gone) => SendError::Gone,
            Self::Peer(Undelivered::Refused) => SendError::Refused,
            Self::Peer(Undelivered::Failed(errno)) => SendError::Io(errno.into()),
            Self::NoPrimary { dir } => SendError::NoPrimary { dir },
            Self::Superseded { dir } => SendError::Superseded { dir },
            Self::Group(error) => SendError::Group(error),
            Self::Stopped => SendError::Stopped,
        }
    }
}

/// A request that was not sent has no answer.
impl From<Failure<Undelivered>> for Failure {
    fn from(failure: Failure<Undelivered>) -> Self {
        match failure {
            Failure::Peer(why) => Self::Peer(why.into()),
            Failure::NoPrimary { dir } => Self::NoPrimary { dir },
            Failure::Superseded { dir } => Self::Superseded { dir },
            Failure::Group(error) => Self::Group(error),
            Failure::Stopped => Self::Stopped,
        }
    }
}

impl<P> From<NotPrimary> for Failure<P> {
    fn from(not: NotPrimary) -> Self {
        match not {
            NotPrimary::Superseded { dir } => Self::Superseded { dir },
            NotPrimary::Group(error) => Self::Group(error),
        }
    }
}

impl<P> From<GroupError> for Failure<P> {
    fn from(error: GroupError) -> Self {
        Self::Group(error)
    }
}

impl From<Undelivered> for Unanswered {
    fn from(why: Undelivered) -> Self {
        match why {
            Undelivered::NoRoom => Self::QueueFull,
            Undelivered::Gone => Self::Gone,
            Undelivered::Refused => Self::Refused,
            Undelivered::Failed(errno) => Self::Failed(errno),
        }
    }
}

impl From<Unanswered> for Outcome {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Ignored { why } => Self::Ignored { why },
            Unanswered::TimedOut => Self::TimedOut,
            Unanswered::Gone => Self::Gone,
            Unanswered::QueueFull => Self::QueueFull,
            Unanswered::BufferFull => Self::BufferFull,
            Unanswered::Refused => Self::Refused,
            Unanswered::FdsLost => Self::FdsLost,
            Unanswered::Failed(errno) => Self::Failed { errno: errno.raw_os_error() },
        }
    }
}

impl From<Undelivered> for Outcome {
    fn from(why: Undelivered) -> Self {
        Unanswered::from(why).into()
    }
}

impl From<Unanswered> for Settled {
    fn from(why: Unanswered) -> Self {
        Self::Unanswered(why)
    }
}

/// Of those that had not been sent to when this came up.
impl From<NotPrimary> for Settled {
    fn from(not: NotPrimary) -> Self {
        match not {
            NotPrimary::Superseded { .. } => Self::Superseded,
            NotPrimary::Group(error) => {
                Unanswered::Failed(error.errno().map_or(Errno::IO, Errno::from_raw_os_error)).into()
            }
        }
    }
}

impl From<Settled> for Outcome {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Replied => Self::Replied,
            Settled::Unanswered(why) => why.into(),
            Settled::Superseded => Self::Superseded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    #[test]
    fn an_error_of_the_system_means_the_same_to_one_peer_and_to_one_of_all() {
        for errno in [Errno::CONNREFUSED, Errno::ACCESS, Errno::LOOP, Errno::AGAIN, Errno::TOOMANYREFS] {
            let failure = || Failure::Peer(Undelivered::from(errno));
            let outcome = Outcome::from(Undelivered::from(errno));
            assert_eq!(Failure::from(failure()).into_outcome(TIMEOUT).ok(), Some(outcome.clone()));
            let request = Failure::from(failure()).into_request_error(TIMEOUT);
            let send = failure().into_send_error(TIMEOUT);
            assert_eq!(request.errno(), send.errno(), "{errno}");
            let expected = match outcome {
                Outcome::Gone => Errno::CONNREFUSED,
                Outcome::Refused => Errno::ACCESS,
                Outcome::QueueFull => Errno::TIMEDOUT,
                _ => errno,
            };
            assert_eq!(request.errno(), Some(expected.raw_os_error()), "{errno}");
        }
    }

    #[test]
    fn what_is_no_peers_fault_fails_the_request_to_all() {
        for failure in [Failure::Stopped, Failure::Superseded { dir: "dir".into() }] {
            assert!(failure.into_outcome(TIMEOUT).is_err());
        }
    }
}
