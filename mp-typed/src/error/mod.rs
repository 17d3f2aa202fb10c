//! What can go wrong between a value and its bytes: one error type per direction.
//!
//! A *fault* says what is wrong with one field; the *error* around it says which field of which
//! type. Codecs return faults, so that the hot path carries no names; [`encode`](crate::encode) and
//! [`decode`](crate::decode) add them.

mod asking;
mod definition;

use std::{
    io,
    mem::{Discriminant, discriminant},
};

use mp_core::MAX_FDS;
use thiserror::Error;

pub use asking::{ReplyError, RequestError, SendError};
pub use definition::Definition;

/// Why a value could not be encoded.
///
/// The type itself always fits a message, that was checked when it was compiled. What is left are
/// the promises that only a value can break.
#[derive(Debug, Error)]
#[non_exhaustive]
#[error("`{}` cannot be sent: {fault}", place(message, field))]
pub struct EncodeError {
    /// The message, request or response type.
    pub message: &'static str,
    /// Its field, or the field of it that contains the culprit. Empty if it is the value as a
    /// whole.
    pub field: &'static str,
    /// What is wrong with the field's value; a part of this error's text, so no source of it.
    pub fault: EncodeFault,
}

impl EncodeError {
    /// What DPDK's functions set `rte_errno` to for a message like this: `E2BIG` or `EINVAL`.
    pub(crate) fn errno(&self) -> i32 {
        match self.fault {
            EncodeFault::TooLong { .. }
            | EncodeFault::TooLarge { .. }
            | EncodeFault::NoRoom
            | EncodeFault::TooManyFds => libc::E2BIG,
            EncodeFault::BeforeEpoch | EncodeFault::Serialize(_) => libc::EINVAL,
        }
    }
}

impl From<EncodeError> for io::Error {
    fn from(error: EncodeError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// What went wrong and in which field, without the figures, which a peer chooses.
pub(crate) type DecodeErrorKind =
    (Discriminant<DecodeError>, &'static str, Option<Discriminant<DecodeFault>>);

impl DecodeError {
    pub(crate) fn kind(&self) -> DecodeErrorKind {
        match self {
            Self::Field { field, fault, .. } => (discriminant(self), field, Some(discriminant(fault))),
            _ => (discriminant(self), "", None),
        }
    }
}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What is wrong with the value of a field that is to be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeFault {
    /// A `max_len` field holds more than was declared: shorten the value or raise the bound.
    #[error("its length is {len}, its `max_len` is {max_len}")]
    TooLong {
        /// Bytes of a text, items of anything else.
        len: usize,
        /// The declared bound.
        max_len: usize,
    },
    /// A `max_size` field encodes to more bytes than its author vouched for.
    #[error("it takes {size} bytes, its `max_size` is {max_size}")]
    TooLarge {
        /// Bytes that the value takes.
        size: usize,
        /// The declared bound.
        max_size: usize,
    },
    /// There is no room left in the message, or in a `max_size` field that is larger than all of
    /// it.
    #[error("it does not fit into what is left of the message")]
    NoRoom,
    /// A type with `max_fds` may receive more descriptors than can be sent.
    #[error(
        "with it there are more than {MAX_FDS} file descriptors, which is all that a message is sent with"
    )]
    TooManyFds,
    /// A `SystemTime` before 1970, for which the encoding has no form.
    #[error("it is a time before 1970-01-01")]
    BeforeEpoch,
    /// The `Serialize` implementation of a `max_size` field failed, or asked for what bincode
    /// cannot do.
    #[error("{0}")]
    Serialize(String),
}

impl From<EncodeFault> for io::Error {
    fn from(fault: EncodeFault) -> Self {
        Self::new(io::ErrorKind::InvalidInput, fault)
    }
}

/// Why a datagram is not a value of the expected type.
///
/// Whatever the reason, every descriptor that came with the datagram has been closed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes or descriptors of one field make no value of its type.
    #[error("`{}` cannot be read: {fault}", place(message, field))]
    Field {
        /// The message, request or response type.
        message: &'static str,
        /// Its field, or the field of it that contains the culprit. Empty if it is the value as a
        /// whole.
        field: &'static str,
        /// What is wrong; a part of this error's text, so no source of it.
        fault: DecodeFault,
    },
    /// The param goes on after the last field: the sender has another type in mind.
    #[error("`{message}` takes {used} of the {len} bytes received")]
    TrailingBytes {
        /// The message, request or response type.
        message: &'static str,
        /// Bytes that make up the value.
        used: usize,
        /// Bytes received.
        len: usize,
    },
    /// More descriptors came than the value has places for.
    #[error("`{message}` has places for {used} of the {received} file descriptors received")]
    TrailingFds {
        /// The message, request or response type.
        message: &'static str,
        /// Descriptors that the value takes.
        used: usize,
        /// Descriptors received.
        received: usize,
    },
    /// More descriptors came than a message may have. Peers since DPDK 24.11 can send up to 253: a
    /// type for what they send raises its limit with `#[message(max_fds = 253)]`.
    #[error("`{message}` came with {received} file descriptors, the limit is {limit}")]
    TooManyFds {
        /// The message, request or response type.
        message: &'static str,
        /// Descriptors received.
        received: usize,
        /// Descriptors that such a message may have.
        limit: usize,
    },
}

/// What is wrong with a received field.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeFault {
    /// The param ends within the field.
    #[error("the param ends too early")]
    Truncated,
    /// No descriptor is left for the field.
    #[error("its file descriptor is missing")]
    MissingFd,
    /// The descriptor is of another sort than the field's type stands for: a `UnixStream` that is a
    /// file, say.
    #[error("its file descriptor is {found}, not {expected}")]
    WrongFd {
        /// What the field's type stands for.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// The `TryFrom<OwnedFd>` of the field's type refuses the descriptor; these are its words.
    #[error("its file descriptor is refused: {0}")]
    RefusedFd(String),
    /// A list or text is longer than its bound.
    #[error("its length is {len}, its bound is {max_len}")]
    TooLong {
        /// The length that the sender claims.
        len: u64,
        /// The declared bound.
        max_len: usize,
    },
    /// A `max_size` field takes more bytes than its author vouched for.
    #[error("it takes {size} bytes, its `max_size` is {max_size}")]
    TooLarge {
        /// Bytes that the value takes.
        size: usize,
        /// The declared bound.
        max_size: usize,
    },
    /// The number says which variant of an enum follows, and there is no such variant.
    #[error("there is no variant {0}")]
    UnknownVariant(u32),
    /// The bytes are no value of the type: a `bool` of 7, say, or text that is not UTF-8.
    #[error("{0}")]
    Invalid(&'static str),
    /// The `Deserialize` implementation of a `max_size` field failed, or asked for what bincode
    /// cannot do.
    #[error("{0}")]
    Deserialize(String),
}

impl From<DecodeFault> for io::Error {
    fn from(fault: DecodeFault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

/// A fault and the field it was found in.
#[doc(hidden)]
#[derive(Debug)]
pub struct At<F> {
    pub(crate) field: &'static str,
    pub(crate) fault: F,
}

impl<F> From<F> for At<F> {
    fn from(fault: F) -> Self {
        Self { field: "", fault }
    }
}

/// Why a message was not decoded, before the message is named.
#[doc(hidden)]
#[derive(Debug)]
pub enum Undecoded {
    Field(At<DecodeFault>),
    /// Bytes or descriptors belong to no field; the reader knows how many.
    LeftOver,
}

impl From<At<DecodeFault>> for Undecoded {
    fn from(at: At<DecodeFault>) -> Self {
        Self::Field(at)
    }
}

impl From<DecodeFault> for Undecoded {
    fn from(fault: DecodeFault) -> Self {
        Self::Field(fault.into())
    }
}

fn place(message: &str, field: &str) -> String {
    if field.is_empty() { message.to_owned() } else { format!("{message}.{field}") }
}
