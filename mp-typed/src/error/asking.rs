//! Why something typed was not sent, or has no response: flat, so that one `match` tells
//! everything, with this crate alone.

use std::{io, path::PathBuf, time::Duration};

use mp_core::{GroupError, Reason, Why};

use super::{DecodeError, Definition, EncodeError};

/// Why a message was not sent.
///
/// Each variant but [`Encode`](Self::Encode) is that of [`mp_core::SendError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The value breaks a promise of its type, such as a `max_len`. Nothing has been sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
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
    /// The system refused to send.
    #[error("sending failed")]
    Io(#[from] io::Error),
}

/// Why a request has no response.
///
/// Each variant but [`Encode`](Self::Encode), [`Decode`](Self::Decode) and
/// [`OtherDefinition`](Self::OtherDefinition) is that of [`mp_core::RequestError`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mp_typed::{Client, Request, RequestError};
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// let client = Client::builder("no-such-app").start()?;
/// match client.request(&Ping, Duration::from_secs(1)) {
///     Ok(()) => println!("pong"),
///     Err(RequestError::NoPrimary { dir }) => println!("nobody in {dir:?}"),
///     Err(RequestError::Ignored { why }) => println!("declined: {why}"),
///     Err(error) if error.is_timeout() => println!("late"),
///     Err(error) => println!("{error}"),
/// }
/// # Ok::<(), mp_typed::StartError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The value breaks a promise of its type, such as a `max_len`. Nothing has been sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A reply came that is no value of the response type. Its descriptors are closed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The peer was built from another definition of the request or its response, and did not look at
    /// the request. Build both from the same, or let the peer's accept this one
    /// (`#[message(accepts = ...)]`).
    #[error("the peer has another definition of this request: there {theirs}; here {ours}")]
    OtherDefinition {
        /// Of the type in this process.
        ours: Definition,
        /// What the peer says of its own, as far as it fits a message.
        theirs: Definition,
    },
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
    /// As many asynchronous requests were under way before it as there are reply
    /// sockets for, and its deadline passed before its turn came; nobody was asked.
    #[error("the request's turn did not come within {timeout:?}: too many others wait for their replies")]
    NotAsked {
        /// The deadline that was given.
        timeout: Duration,
    },
    /// The bound of asynchronous requests under way is reached; nobody was asked.
    /// Wait for some to end, or raise [`mp_core::Builder::requests_under_way`].
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
    /// The system refused to send or receive.
    #[error("the request failed")]
    Io(#[from] io::Error),
}

/// Why a response was not sent. The requester has been told to ignore this process, if it can
/// be reached.
///
/// Each variant but [`Encode`](Self::Encode) is that of [`mp_core::ReplyError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The value breaks a promise of its type, such as a `max_len`.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The requester is gone, or waits no longer.
    #[error("the requester is gone or waits no longer")]
    #[doc(alias = "ECONNREFUSED")]
    Gone,
    /// This is the child of a fork: the request was its parent's, which answers it.
    #[error("the request was made to the process that this is a fork of")]
    Forked,
    /// The kernel does not let us send to the requester.
    #[error("the requester cannot be sent to")]
    Refused,
    /// This process has dropped its privileges since the role started, and the requester's socket
    /// is closed to the user that it is now.
    #[error("the requester cannot be sent to: this process started as uid {started_as} and is uid {now} now")]
    UserChanged {
        /// Who it was when the role started.
        started_as: u32,
        /// Who it is now.
        now: u32,
    },
    /// Too many replies wait for requesters that do not read.
    #[error("too many replies wait for requesters that do not read theirs")]
    TooManyWaiting,
    /// The requester's queue is full, and there is no room for copies of the reply's descriptors.
    /// The requester has been told to ignore this process.
    #[error(
        "no descriptors are left to keep this reply's until its requester reads: raise RLIMIT_NOFILE, of which they may be an eighth"
    )]
    OutOfDescriptors,
    /// The system refused to send.
    #[error("sending the reply failed")]
    Io(#[from] io::Error),
}

impl SendError {
    /// Whether the deadline passed, and trying again may do.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::QueueFull { .. })
    }

    /// As [`mp_core::SendError::errno`].
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Encode(error) => Some(error.errno()),
            Self::NoPrimary { .. } => Some(libc::ENOENT),
            Self::Gone => Some(libc::ECONNREFUSED),
            Self::QueueFull { .. } => Some(libc::ETIMEDOUT),
            Self::Refused => Some(libc::EACCES),
            Self::Superseded { .. } => Some(libc::EADDRINUSE),
            Self::Group(error) => error.errno(),
            Self::NotStarted | Self::Stopped => None,
            Self::Io(error) => error.raw_os_error(),
        }
    }
}

impl RequestError {
    /// Whether the deadline passed: the peer did not answer in time, or could not even be
    /// asked. Trying again, or with more time, may do.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::QueueFull { .. } | Self::NotAsked { .. })
    }

    /// As [`mp_core::RequestError::errno`].
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Encode(error) => Some(error.errno()),
            Self::NoPrimary { .. } => Some(libc::ENOENT),
            Self::TimedOut { .. } | Self::QueueFull { .. } | Self::NotAsked { .. } => Some(libc::ETIMEDOUT),
            Self::Gone => Some(libc::ECONNREFUSED),
            Self::Refused => Some(libc::EACCES),
            Self::Superseded { .. } => Some(libc::EADDRINUSE),
            Self::FdsLost => Some(libc::EMFILE),
            Self::Group(error) => error.errno(),
            Self::Io(error) => error.raw_os_error(),
            Self::Decode(_)
            | Self::OtherDefinition { .. }
            | Self::Ignored { .. }
            | Self::TooManyUnderWay { .. }
            | Self::NotStarted
            | Self::Stopped => None,
        }
    }
}

impl From<mp_core::SendError> for SendError {
    fn from(error: mp_core::SendError) -> Self {
        match error {
            mp_core::SendError::NoPrimary { dir } => Self::NoPrimary { dir },
            mp_core::SendError::Gone => Self::Gone,
            mp_core::SendError::QueueFull { timeout } => Self::QueueFull { timeout },
            mp_core::SendError::Refused => Self::Refused,
            mp_core::SendError::Superseded { dir } => Self::Superseded { dir },
            mp_core::SendError::Group(error) => Self::Group(error),
            mp_core::SendError::NotStarted => Self::NotStarted,
            mp_core::SendError::Stopped => Self::Stopped,
            mp_core::SendError::Io(error) => Self::Io(error),
            // Typed messages never have too many descriptors; the rest is of later releases.
            error => Self::Io(error.into()),
        }
    }
}

impl RequestError {
    /// What the core says of a request that is defined like this here.
    pub(crate) fn of(error: mp_core::RequestError, ours: fn() -> Definition) -> Self {
        match error {
            mp_core::RequestError::Ignored { why } if why.reason() == Reason::OtherDefinition => {
                Self::OtherDefinition { ours: ours(), theirs: Definition::of_peer(why.text()) }
            }
            error => error.into(),
        }
    }
}

impl From<mp_core::RequestError> for RequestError {
    fn from(error: mp_core::RequestError) -> Self {
        match error {
            mp_core::RequestError::NoPrimary { dir } => Self::NoPrimary { dir },
            mp_core::RequestError::Ignored { why } => Self::Ignored { why },
            mp_core::RequestError::TimedOut { timeout } => Self::TimedOut { timeout },
            mp_core::RequestError::Gone => Self::Gone,
            mp_core::RequestError::QueueFull { timeout } => Self::QueueFull { timeout },
            mp_core::RequestError::NotAsked { timeout } => Self::NotAsked { timeout },
            mp_core::RequestError::TooManyUnderWay { bound } => Self::TooManyUnderWay { bound },
            mp_core::RequestError::Refused => Self::Refused,
            mp_core::RequestError::Superseded { dir } => Self::Superseded { dir },
            mp_core::RequestError::FdsLost => Self::FdsLost,
            mp_core::RequestError::Group(error) => Self::Group(error),
            mp_core::RequestError::NotStarted => Self::NotStarted,
            mp_core::RequestError::Stopped => Self::Stopped,
            mp_core::RequestError::Io(error) => Self::Io(error),
            // Typed messages never have too many descriptors; the rest is of later releases.
            error => Self::Io(error.into()),
        }
    }
}

impl From<mp_core::ReplyError> for ReplyError {
    fn from(error: mp_core::ReplyError) -> Self {
        match error {
            mp_core::ReplyError::Gone => Self::Gone,
            mp_core::ReplyError::Forked => Self::Forked,
            mp_core::ReplyError::Refused => Self::Refused,
            mp_core::ReplyError::UserChanged { started_as, now } => Self::UserChanged { started_as, now },
            mp_core::ReplyError::TooManyWaiting => Self::TooManyWaiting,
            mp_core::ReplyError::OutOfDescriptors => Self::OutOfDescriptors,
            mp_core::ReplyError::Io(error) => Self::Io(error),
            // Typed messages always fit; the rest is of later releases.
            error => Self::Io(error.into()),
        }
    }
}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> Self {
        let kind = match &error {
            SendError::Encode(_) => io::ErrorKind::InvalidInput,
            SendError::NoPrimary { .. } | SendError::Superseded { .. } => io::ErrorKind::NotConnected,
            SendError::Gone => io::ErrorKind::ConnectionReset,
            SendError::QueueFull { .. } => io::ErrorKind::TimedOut,
            SendError::Refused => io::ErrorKind::PermissionDenied,
            SendError::Io(source) => source.kind(),
            SendError::Group(_) | SendError::NotStarted | SendError::Stopped => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> Self {
        let kind = match &error {
            RequestError::Encode(_) => io::ErrorKind::InvalidInput,
            RequestError::Decode(_) | RequestError::OtherDefinition { .. } => io::ErrorKind::InvalidData,
            RequestError::NoPrimary { .. } | RequestError::Superseded { .. } => io::ErrorKind::NotConnected,
            RequestError::TimedOut { .. }
            | RequestError::QueueFull { .. }
            | RequestError::NotAsked { .. } => io::ErrorKind::TimedOut,
            RequestError::TooManyUnderWay { .. } => io::ErrorKind::WouldBlock,
            RequestError::Gone => io::ErrorKind::ConnectionReset,
            RequestError::Refused => io::ErrorKind::PermissionDenied,
            RequestError::Io(source) => source.kind(),
            RequestError::Ignored { .. }
            | RequestError::FdsLost
            | RequestError::Group(_)
            | RequestError::NotStarted
            | RequestError::Stopped => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<ReplyError> for io::Error {
    fn from(error: ReplyError) -> Self {
        let kind = match &error {
            ReplyError::Encode(_) => io::ErrorKind::InvalidInput,
            ReplyError::Gone => io::ErrorKind::ConnectionReset,
            ReplyError::Refused | ReplyError::UserChanged { .. } => io::ErrorKind::PermissionDenied,
            ReplyError::TooManyWaiting => io::ErrorKind::WouldBlock,
            ReplyError::OutOfDescriptors => io::ErrorKind::QuotaExceeded,
            ReplyError::Io(source) => source.kind(),
            ReplyError::Forked => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
