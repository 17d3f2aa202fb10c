//! A message before it is laid out, owned and lent: name, param, descriptors. Every one fits a
//! datagram, whatever its layout.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

use smallvec::SmallVec;

use super::{Fds, FdsError, MAX_FDS, MAX_PARAM, Name, Param, ParamError};

/// A name, a param and file descriptors: what processes exchange.
///
/// # Examples
///
/// ```
/// use mp_core::{Message, Name};
///
/// let message = Message::new(Name::new("ring_open")?)
///     .with_param(7_u32.to_ne_bytes())?
///     .with_fd(std::fs::File::open("/dev/null")?.into())?;
/// assert_eq!(message.param.len(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements `struct rte_mp_msg`.
#[doc(alias = "rte_mp_msg")]
#[derive(Debug)]
pub struct Message {
    /// Which action it is for.
    pub name: Name,
    /// The payload, 0 to 256 bytes.
    pub param: Param,
    /// Owned descriptors, closed with the message.
    pub fds: Fds,
    pub(crate) fingerprint: u64,
}

impl Message {
    /// A message without param or descriptors.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self { name, param: Param::EMPTY, fds: Fds::new(), fingerprint: 0 }
    }

    /// The same with this param.
    ///
    /// # Errors
    ///
    /// [`ParamError`] over 256 bytes; the message and its descriptors are dropped, so closed.
    pub fn with_param(mut self, bytes: impl AsRef<[u8]>) -> Result<Self, ParamError> {
        self.param = Param::new(bytes)?;
        Ok(self)
    }

    /// The same with one more descriptor.
    ///
    /// # Errors
    ///
    /// [`FdsError`] at the ninth; all nine are closed.
    pub fn with_fd(mut self, fd: OwnedFd) -> Result<Self, FdsError> {
        self.fds.push(fd)?;
        Ok(self)
    }

    /// The same with a fingerprint of the definition of its param and descriptors; 0 for none.
    ///
    /// Peers that use this crate see it where the name is at most 39 bytes long, others do not.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: u64) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// The fingerprint of the definition that its sender has; 0 if that is not known.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// A message to be sent, borrowed: nothing is copied or owned on the way out.
///
/// Every call that sends takes `impl Into<MessageRef>`, so a [`&Message`](Message) does too.
///
/// # Examples
///
/// ```
/// use std::os::fd::AsFd;
/// use mp_core::{MessageRef, Name};
///
/// let name = Name::from_static("log_to");
/// let file = std::fs::File::open("/dev/null")?;
/// let message = MessageRef::new(&name, b"level=3", &[file.as_fd()])?;
/// assert_eq!(message.param(), b"level=3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MessageRef<'a> {
    name: &'a Name,
    param: &'a [u8],
    fds: SmallVec<[BorrowedFd<'a>; MAX_FDS]>,
    fingerprint: u64,
}

impl<'a> MessageRef<'a> {
    /// Borrows the parts of a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`] over 256 bytes or 8 descriptors. Nothing is closed: they are the caller's.
    pub fn new(name: &'a Name, param: &'a [u8], fds: &[BorrowedFd<'a>]) -> Result<Self, MessageError> {
        check_size(param, fds)?;
        Ok(Self { name, param, fds: SmallVec::from_slice(fds), fingerprint: 0 })
    }

    /// The same with a fingerprint, as [`Message::with_fingerprint`].
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: u64) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// The fingerprint of the sender's definition; 0 for none.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Which action it is for.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.name
    }

    /// The payload, at most 256 bytes.
    #[must_use]
    pub fn param(&self) -> &[u8] {
        self.param
    }

    /// The descriptors. Of a received message, forwarded, there may be more than can be sent.
    #[must_use]
    pub fn fds(&self) -> &[BorrowedFd<'a>] {
        &self.fds
    }

    /// A received message may hold more descriptors than one sent from here may.
    pub(crate) fn check(&self) -> Result<(), FdsError> {
        match self.fds.len() {
            0..=MAX_FDS => Ok(()),
            count => Err(FdsError { count }),
        }
    }
}

/// Whether these fit a message that is sent from here.
pub(crate) fn check_size(param: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), MessageError> {
    if param.len() > MAX_PARAM {
        return Err(ParamError { len: param.len() }.into());
    }
    match fds.len() {
        0..=MAX_FDS => Ok(()),
        count => Err(FdsError { count }.into()),
    }
}

impl<'a> From<&'a Message> for MessageRef<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            name: &message.name,
            param: &message.param,
            fds: message.fds.iter().collect(),
            fingerprint: message.fingerprint,
        }
    }
}

/// Why parts do not make a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The param is too large.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// There are too many descriptors.
    #[error(transparent)]
    Fds(#[from] FdsError),
}

impl From<MessageError> for io::Error {
    fn from(error: MessageError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
