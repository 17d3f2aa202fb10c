//! Why a request or a message failed, as callers see it. What it comes from, `failure` knows.

use std::{io, path::PathBuf, time::Duration};

use crate::{
    group::GroupError,
    wire::{FdsError, Why},
};

/// Why a request to one peer has no reply, or a request to all was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Nobody is bound at the primary's socket. Start a primary, or check the file-prefix.
    #[error("there is no primary in {dir:?}")]
    #[doc(alias = "ENOENT")]
    NoPrimary {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The peer asked not to be counted, and says why, if it is not a process of DPDK.
    #[error("the peer ignores this request: {why}")]
    Ignored {
        /// What kept it from answering.
        why: Why,
    },
    /// The deadline passed before the peer answered. Whether it handled the request is unknown.
    #[error("the peer did not answer within {timeout:?}")]
    #[doc(alias = "ETIMEDOUT")]
    TimedOut {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The peer's process ended before it answered.
    #[error("the peer is gone")]
    #[doc(alias = "ECONNREFUSED")]
    Gone,
    /// The peer's queue stayed full until the deadline; it was not asked.
    #[error("the peer's queue stayed full for {timeout:?}")]
    #[doc(alias = "ETIMEDOUT")]
    QueueFull {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// Nobody was asked: earlier asynchronous requests had all the reply sockets that there are,
    /// until the deadline of this one had passed.
    #[error("the request's turn did not come within {timeout:?}: too many others wait for their replies")]
    NotAsked {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The bound of asynchronous requests under way is reached; nobody was asked. Wait for some to
    /// end, or raise [`Builder::requests_under_way`](crate::Builder::requests_under_way).
    #[error("{bound} asynchronous requests are under way already, as many as may be")]
    TooManyUnderWay {
        /// How many may be.
        bound: usize,
    },
    /// The kernel did not let us send to the peer.
    #[error(
        "the peer cannot be sent to: its socket is closed to this user, or takes only another's datagrams"
    )]
    Refused,
    /// The reply came, but this process had no room for its file descriptors (`EMFILE`).
    #[error("the reply's file descriptors are lost: this process has no room for more")]
    FdsLost,
    /// A received message, forwarded, holds more descriptors than can be sent.
    #[error(transparent)]
    TooManyFds(#[from] FdsError),
    /// Another primary has taken this one's place, as a DPDK primary does that starts beside it.
    /// Nothing more is sent: the group's layout may be another now. Stop this primary.
    #[error("another primary has taken this one's place in {dir:?}: nothing was sent")]
    Superseded {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The group's directory cannot be used, or the reply socket not be made.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The role has not been started yet: a handle of its builder was used before.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The role has been stopped, or could not be started.
    #[error("this role has been stopped")]
    Stopped,
    /// The system failed to send or receive.
    #[error("the request failed")]
    Io(#[from] io::Error),
}

/// Why a one-way message could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nobody is bound at the primary's socket. Start a primary, or check the file-prefix.
    #[error("there is no primary in {dir:?}")]
    #[doc(alias = "ENOENT")]
    NoPrimary {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The peer's process is gone.
    #[error("the peer is gone")]
    #[doc(alias = "ECONNREFUSED")]
    Gone,
    /// The peer's queue stayed full until the deadline.
    #[error("the peer's queue stayed full for {timeout:?}")]
    #[doc(alias = "ETIMEDOUT")]
    QueueFull {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The kernel did not let us send to the peer.
    #[error(
        "the peer cannot be sent to: its socket is closed to this user, or takes only another's datagrams"
    )]
    Refused,
    /// A received message, forwarded, holds more descriptors than can be sent.
    #[error(transparent)]
    TooManyFds(#[from] FdsError),
    /// Another primary has taken this one's place, as a DPDK primary does that starts beside it.
    /// Nothing more is sent: the group's layout may be another now. Stop this primary.
    #[error("another primary has taken this one's place in {dir:?}: nothing was sent")]
    Superseded {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The group's directory cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The role has not been started yet: a handle of its builder was used before.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The role has been stopped, or could not be started.
    #[error("this role has been stopped")]
    Stopped,
    /// The system failed to send.
    #[error("sending failed")]
    Io(#[from] io::Error),
}

impl RequestError {
    /// Whether the deadline passed: the peer did not answer in time, or could not even be asked.
    /// Trying again, or with more time, may do.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::QueueFull { .. } | Self::NotAsked { .. })
    }

    /// What `rte_errno` is after DPDK's function for the same, as a C caller would see it; `None`
    /// where DPDK has none, as for an *ignore*.
    #[must_use]
    #[doc(alias = "rte_errno")]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NoPrimary { .. } => Some(libc::ENOENT),
            Self::TimedOut { .. } | Self::QueueFull { .. } | Self::NotAsked { .. } => Some(libc::ETIMEDOUT),
            Self::Gone => Some(libc::ECONNREFUSED),
            Self::Refused => Some(libc::EACCES),
            Self::Superseded { .. } => Some(libc::EADDRINUSE),
            Self::FdsLost => Some(libc::EMFILE),
            Self::TooManyFds(_) => Some(libc::E2BIG),
            Self::Group(error) => error.errno(),
            Self::Io(error) => error.raw_os_error(),
            Self::Ignored { .. } | Self::TooManyUnderWay { .. } | Self::NotStarted | Self::Stopped => None,
        }
    }
}

impl SendError {
    /// Whether the deadline passed: trying again, or with more time, may do.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::QueueFull { .. })
    }

    /// What `rte_errno` is after `rte_mp_sendmsg`, as a C caller would see it; `None` where DPDK
    /// has none.
    #[must_use]
    #[doc(alias = "rte_errno")]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NoPrimary { .. } => Some(libc::ENOENT),
            Self::Gone => Some(libc::ECONNREFUSED),
            Self::QueueFull { .. } => Some(libc::ETIMEDOUT),
            Self::Refused => Some(libc::EACCES),
            Self::Superseded { .. } => Some(libc::EADDRINUSE),
            Self::TooManyFds(_) => Some(libc::E2BIG),
            Self::Group(error) => error.errno(),
            Self::Io(error) => error.raw_os_error(),
            Self::NotStarted | Self::Stopped => None,
        }
    }
}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> Self {
        let kind = match &error {
            RequestError::NoPrimary { .. } | RequestError::Superseded { .. } => io::ErrorKind::NotConnected,
            RequestError::TimedOut { .. }
            | RequestError::QueueFull { .. }
            | RequestError::NotAsked { .. } => io::ErrorKind::TimedOut,
            RequestError::TooManyUnderWay { .. } => io::ErrorKind::WouldBlock,
            RequestError::Gone => io::ErrorKind::ConnectionReset,
            RequestError::Refused => io::ErrorKind::PermissionDenied,
            RequestError::TooManyFds(_) => io::ErrorKind::InvalidInput,
            RequestError::Io(source) => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> Self {
        let kind = match &error {
            SendError::NoPrimary { .. } | SendError::Superseded { .. } => io::ErrorKind::NotConnected,
            SendError::QueueFull { .. } => io::ErrorKind::TimedOut,
            SendError::Gone => io::ErrorKind::ConnectionReset,
            SendError::Refused => io::ErrorKind::PermissionDenied,
            SendError::TooManyFds(_) => io::ErrorKind::InvalidInput,
            SendError::Io(source) => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
