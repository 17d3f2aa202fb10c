//! Why one peer was not sent to or has not replied: told once, and turned into a public error once.
//!
//! Where an error number comes from, it becomes an [`Outcome`] of the peer; a request or message to
//! that one peer fails with it. What there is to say of the group or of this process instead makes
//! up the rest. At the edge of this module a [`Failure`] becomes a [`RequestError`], a
//! [`SendError`] or, if that peer was only one of all, its [`Outcome`] again. When something fails,
//! and what is tried then, others know.

use std::{io, path::PathBuf, time::Duration};

use rustix::io::Errno;

use super::{Outcome, RequestError, SendError};
use crate::{
    group::{Group, GroupError, NotPrimary, says_gone},
    sys::Address,
};

/// Why one peer was not sent to, or has not replied.
#[derive(Debug)]
pub(super) enum Failure {
    /// What became of the peer, which is neither that it was sent to nor that it replied, nor what
    /// the others below are.
    Peer(Outcome),
    /// The peer is the primary, and nobody is bound at its address.
    NoPrimary { dir: PathBuf },
    /// This process is the primary no more.
    Superseded { dir: PathBuf },
    /// The group's directory cannot be used, or no reply socket be made in it.
    Group(GroupError),
    /// The role has been stopped.
    Stopped,
}

impl Failure {
    /// Nobody is bound at `to`.
    pub(super) fn absent(group: &Group, to: &Address) -> Self {
        if to == group.primary() {
            Self::NoPrimary { dir: group.dir().to_owned() }
        } else {
            Self::Peer(Outcome::Gone)
        }
    }

    /// The directory does not do for asking `to`. Without one, nobody is bound in it.
    pub(super) fn of_group(group: &Group, to: &Address, error: GroupError) -> Self {
        if error.is_absent() { Self::absent(group, to) } else { Self::Group(error) }
    }

    /// The system cannot receive, or wait; that is not the peer's doing.
    pub(super) fn of_system(errno: Errno) -> Self {
        Self::Peer(Outcome::failed(errno))
    }

    pub(super) fn into_request_error(self, timeout: Duration) -> RequestError {
        match self {
            Self::Peer(outcome) => match outcome {
                Outcome::Ignored { why } => RequestError::Ignored { why },
                Outcome::Gone => RequestError::Gone,
                Outcome::FdsLost => RequestError::FdsLost,
                Outcome::QueueFull | Outcome::BufferFull => RequestError::QueueFull { timeout },
                Outcome::Failed { errno } => RequestError::Io(io::Error::from_raw_os_error(errno)),
                Outcome::Refused => RequestError::Refused,
                Outcome::TimedOut | Outcome::Sent | Outcome::Replied | Outcome::Superseded => {
                    RequestError::TimedOut { timeout }
                }
            },
            Self::NoPrimary { dir } => RequestError::NoPrimary { dir },
            Self::Superseded { dir } => RequestError::Superseded { dir },
            Self::Group(error) => RequestError::Group(error),
            Self::Stopped => RequestError::Stopped,
        }
    }

    pub(super) fn into_send_error(self, timeout: Duration) -> SendError {
        match self {
            Self::Peer(Outcome::QueueFull | Outcome::BufferFull) => SendError::QueueFull { timeout },
            Self::Peer(Outcome::Refused) => SendError::Refused,
            Self::Peer(Outcome::Failed { errno }) => SendError::Io(io::Error::from_raw_os_error(errno)),
            Self::Peer(_) => SendError::Gone,
            Self::NoPrimary { dir } => SendError::NoPrimary { dir },
            Self::Superseded { dir } => SendError::Superseded { dir },
            Self::Group(error) => SendError::Group(error),
            Self::Stopped => SendError::Stopped,
        }
    }

    /// What became of the peer, if it is one of all and the others are not concerned.
    pub(super) fn into_outcome(self, timeout: Duration) -> Result<Outcome, RequestError> {
        match self {
            Self::Peer(outcome) => Ok(outcome),
            concerns_all => Err(concerns_all.into_request_error(timeout)),
        }
    }
}

impl From<NotPrimary> for Failure {
    fn from(not: NotPrimary) -> Self {
        match not {
            NotPrimary::Superseded { dir } => Self::Superseded { dir },
            NotPrimary::Group(error) => Self::Group(error),
        }
    }
}

impl From<GroupError> for Failure {
    fn from(error: GroupError) -> Self {
        Self::Group(error)
    }
}

impl Outcome {
    /// What it means for the peer that sending to it failed.
    pub(super) fn of_send_error(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN => Self::QueueFull,
            errno if says_gone(errno) => Self::Gone,
            // Its socket is not open to us, or what is in its place is none.
            Errno::ACCESS | Errno::PERM | Errno::PROTOTYPE => Self::Refused,
            Errno::LOOP | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Self::Refused,
            errno => Self::failed(errno),
        }
    }

    /// What became of those that had not been sent to when this came up.
    pub(super) fn of_withdrawn(not: NotPrimary) -> Self {
        match not {
            NotPrimary::Superseded { .. } => Self::Superseded,
            NotPrimary::Group(error) => Self::Failed { errno: error.errno().unwrap_or(libc::EIO) },
        }
    }

    /// The system failed, whosever fault it is.
    pub(super) fn failed(errno: Errno) -> Self {
        Self::Failed { errno: errno.raw_os_error() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    #[test]
    fn an_error_of_the_system_means_the_same_to_one_peer_and_to_one_of_all() {
        for errno in [Errno::CONNREFUSED, Errno::ACCESS, Errno::LOOP, Errno::AGAIN, Errno::TOOMANYREFS] {
            let outcome = || Outcome::of_send_error(errno);
            assert_eq!(Failure::Peer(outcome()).into_outcome(TIMEOUT).ok(), Some(outcome()));
            let request = Failure::Peer(outcome()).into_request_error(TIMEOUT);
            let send = Failure::Peer(outcome()).into_send_error(TIMEOUT);
            assert_eq!(request.errno(), send.errno(), "{errno}");
            let expected = match outcome() {
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
