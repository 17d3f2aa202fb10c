use std::{io, path::PathBuf, time::Duration};

use rustix::io::Errno;

use crate::{group::GroupError, wire::FdsError};

/// Why a request to one peer has no reply, or a request to all was not made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Nobody is bound at the primary's socket. Start a primary, or check the file-prefix.
    #[error("there is no primary in {dir:?}")]
    NoPrimary {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The peer asked not to be counted: it has no such action, or its handler gave no answer.
    #[error("the peer ignores this request: it has no action of that name, or the action gave no answer")]
    Ignored,
    /// The deadline passed before the peer answered. Whether it handled the request is unknown.
    #[error("the peer did not answer within {timeout:?}")]
    TimedOut {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The peer's process ended before it answered.
    #[error("the peer is gone")]
    Gone,
    /// The peer's queue stayed full until the deadline; it was not asked.
    #[error("the peer's queue stayed full for {timeout:?}")]
    QueueFull {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// As many asynchronous requests were under way before it as there are reply
    /// sockets for, and its deadline passed before its turn came; nobody was asked.
    #[error("the request's turn did not come within {timeout:?}: too many others wait for their replies")]
    NotAsked {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The bound of asynchronous requests under way is reached; nobody was asked.
    /// Wait for some to end, or raise [`Builder::requests_under_way`](crate::Builder::requests_under_way).
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
    /// The group's directory cannot be used, or the reply socket not be made.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The role has not been started yet: a handle of its builder was used before.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The role has been stopped, or could not be started.
    #[error("this role has been stopped")]
    Stopped,
    /// The system refused to send or receive.
    #[error("the request failed")]
    Io(#[from] io::Error),
}

/// Why a one-way message could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody is bound at the primary's socket. Start a primary, or check the file-prefix.
    #[error("there is no primary in {dir:?}")]
    NoPrimary {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The peer's process is gone.
    #[error("the peer is gone")]
    Gone,
    /// The peer's queue stayed full until the deadline.
    #[error("the peer's queue stayed full for {timeout:?}")]
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
    /// The group's directory cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The role has not been started yet: a handle of its builder was used before.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The role has been stopped, or could not be started.
    #[error("this role has been stopped")]
    Stopped,
    /// The system refused to send.
    #[error("sending failed")]
    Io(#[from] io::Error),
}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> Self {
        let kind = match &error {
            RequestError::NoPrimary { .. } => io::ErrorKind::NotConnected,
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
            SendError::NoPrimary { .. } => io::ErrorKind::NotConnected,
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

impl From<Errno> for RequestError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl From<Errno> for SendError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}
