use std::io;

use crate::{DecodeError, EncodeError};

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The value breaks a promise of its type, such as a `max_len`. Nothing has been sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It could not be delivered.
    #[error(transparent)]
    Core(#[from] mp_core::SendError),
}

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The value breaks a promise of its type, such as a `max_len`. Nothing has been sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It could not be delivered, or was not answered.
    #[error(transparent)]
    Core(#[from] mp_core::RequestError),
    /// A reply came that is no value of the response type. Its descriptors are closed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Why a response was not sent. The requester has been told to ignore this
/// process, if it can be reached.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The value breaks a promise of its type, such as a `max_len`.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It could not be delivered.
    #[error(transparent)]
    Core(#[from] mp_core::ReplyError),
}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Encode(error) => Self::new(io::ErrorKind::InvalidInput, error),
            SendError::Core(error) => error.into(),
        }
    }
}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Encode(error) => Self::new(io::ErrorKind::InvalidInput, error),
            RequestError::Core(error) => error.into(),
            RequestError::Decode(error) => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
