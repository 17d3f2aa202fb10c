//! Asking members about themselves: the asking side of `mp.describe`, `mp.status` and `mp.monitor`.
//! What is asked and answered, `look` knows.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use crate::{
    ask::{OnePeer, RequestError, Target},
    look::{Filter, LONGEST, Question, Record},
    role::{Asks, Client, Secondary, SecondaryHandle},
    sys::{Inlet, unseal},
    wire::{MessageRef, Reason},
};

/// The longest answer that is read.
const LIMIT: usize = 16 << 20;

/// Asks a member which actions it has, and what each takes and answers: JSON, as
/// [the module](crate::inspect) says.
///
/// # Errors
///
/// [`InspectError`]
pub fn describe<'a>(peer: impl Into<OnePeer<'a>>, timeout: Duration) -> Result<String, InspectError> {
    text(peer.into(), &Question::Describe, timeout)
}

/// Asks a member what goes on in it: JSON, as [the module](crate::inspect) says.
///
/// # Errors
///
/// [`InspectError`]
pub fn status<'a>(peer: impl Into<OnePeer<'a>>, timeout: Duration) -> Result<String, InspectError> {
    text(peer.into(), &Question::Status, timeout)
}

/// Gets a copy of each datagram that a member gets and sends from now on, until it is dropped.
///
/// # Errors
///
/// [`InspectError`]
pub fn monitor<'a>(
    peer: impl Into<OnePeer<'a>>,
    filter: Filter,
    timeout: Duration,
) -> Result<Monitor, InspectError> {
    let (inlet, outlet) = Inlet::pair().map_err(io::Error::from)?;
    ask(peer.into(), &Question::Monitor(filter), &[outlet.as_fd()], timeout)?;
    // So that the member has the only one, whose end is then seen.
    drop(outlet);
    Ok(Monitor { inlet, buffer: vec![0; LONGEST].into_boxed_slice() })
}

fn text(peer: OnePeer<'_>, question: &Question, timeout: Duration) -> Result<String, InspectError> {
    let reply = ask(peer, question, &[], timeout)?;
    let memory = reply.message.fds.iter().next();
    let memory = memory.ok_or_else(|| InspectError::Unusable {
        what: question.name().to_string(),
        source: io::Error::new(io::ErrorKind::InvalidData, "no memory came with its answer"),
    })?;
    unseal(&memory, LIMIT)
        .map_err(|source| InspectError::Unusable { what: question.name().to_string(), source })
}

fn ask(
    peer: OnePeer<'_>,
    question: &Question,
    fds: &[BorrowedFd<'_>],
    timeout: Duration,
) -> Result<crate::ask::Reply, InspectError> {
    let (name, param) = (question.name(), question.param());
    let message = MessageRef::new(&name, &param, fds).map_err(io::Error::from)?;
    peer.request(&message, timeout).map_err(|error| {
        let what = name.to_string();
        match error {
            RequestError::Ignored { why } if matches!(why.reason(), Reason::NoAction | Reason::Unknown) => {
                InspectError::NotKnown { what, why: why.to_string() }
            }
            RequestError::Ignored { why } => InspectError::Refused { what, why: why.to_string() },
            RequestError::TimedOut { timeout } => InspectError::Silent { what, timeout },
            error => error.into(),
        }
    })
}

/// Copies of a member's datagrams, as they come.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Client, Message, Name, Primary, inspect};
///
/// let echo = Name::new("echo")?;
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(echo, |request| {
///         let param = request.param();
///         _ = request.reply(param, &[]);
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let second = Duration::from_secs(1);
/// let mut monitor = inspect::monitor(&client, inspect::Filter::all().name("echo"), second)?;
/// client.request(&Message::new(echo), second)?;
/// for direction in [inspect::Direction::In, inspect::Direction::Out] {
///     let record = monitor.next_within(second)?.expect("the request, then its reply");
///     assert_eq!(record.direction, direction);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Monitor {
    inlet: Inlet,
    buffer: Box<[u8]>,
}

impl Monitor {
    /// The next copy; waits for it as long as `timeout` says.
    ///
    /// # Errors
    ///
    /// [`MonitorError`], of which [`Ended`](MonitorError::Ended) is the regular end.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Record>, MonitorError> {
        match self.inlet.next(&mut self.buffer, Some(timeout))? {
            None => Ok(None),
            Some(0) => Err(MonitorError::Ended),
            Some(len) => Record::parse(&self.buffer[..len]).map(Some).map_err(MonitorError::Unusable),
        }
    }
}

/// Readable when there is a copy, and at the end.
impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inlet.as_fd()
    }
}

/// Why a member does not tell about itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// It has no such action: a process in C that is still starting, another program, one of this
    /// library's before it had them, or one whose builder said `without_inspection`.
    #[error("it does not know \"{what}\": {why}")]
    NotKnown {
        /// The action.
        what: String,
        /// What it says.
        why: String,
    },
    /// It has the action, and does not answer.
    #[error("it does not answer \"{what}\": {why}")]
    Refused {
        /// The action.
        what: String,
        /// What it says: the version that it knows, say.
        why: String,
    },
    /// It said nothing. A process in C says nothing to what it has no action for, and of what such
    /// a one does only that can be known which is seen from outside.
    #[error(
        "it did not answer \"{what}\" within {timeout:?}: a process in C does not, nor does one that is stopped, or whose user does not trust this one"
    )]
    Silent {
        /// The action.
        what: String,
        /// The deadline that was given.
        timeout: Duration,
    },
    /// It answered with something else.
    #[error("its answer to \"{what}\" is of no use: {source}")]
    Unusable {
        /// The action.
        what: String,
        /// What is wrong with it.
        source: io::Error,
    },
    /// It could not be asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The system is short of something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why there are no more copies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The member has left its group, or has ended.
    #[error("the member has ended, or left its group")]
    Ended,
    /// What came is no record.
    #[error("what came is of no use: {0}")]
    Unusable(String),
    /// The system failed to receive.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<InspectError> for io::Error {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Io(error) => error,
            InspectError::Request(error) => error.into(),
            InspectError::NotKnown { .. } => Self::new(io::ErrorKind::Unsupported, error),
            InspectError::Refused { .. } => Self::new(io::ErrorKind::PermissionDenied, error),
            InspectError::Silent { .. } => Self::new(io::ErrorKind::TimedOut, error),
            InspectError::Unusable { .. } => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

impl From<MonitorError> for io::Error {
    fn from(error: MonitorError) -> Self {
        match error {
            MonitorError::Io(error) => error,
            MonitorError::Ended => Self::new(io::ErrorKind::UnexpectedEof, error),
            MonitorError::Unusable(_) => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

macro_rules! one_peer {
    ($($role:ty),*) => {$(
        /// The primary.
        impl<'a> From<&'a $role> for OnePeer<'a> {
            fn from(role: &'a $role) -> Self {
                role.target()
            }
        }
    )*};
}

one_peer! { Client, Secondary, SecondaryHandle }
