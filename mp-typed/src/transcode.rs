//! A whole message to its param and descriptors, and back: names for the faults of its fields, and
//! nothing left over.

use std::os::fd::{BorrowedFd, OwnedFd};

use mp_core::{__typed::received, MessageRef, Name};

use crate::codec::{FdSource, Reader, Writer};
use crate::error::{At, DecodeError, EncodeError, Undecoded};
use crate::message::{Body, Decode};
use crate::shape;

/// Encodes a message, request or response: its param, and the descriptors it lends.
///
/// This is what the roles do before they send; call it yourself to hand a typed value to the raw
/// core.
///
/// # Errors
/// A value that breaks a promise of its type: a `max_len` or `max_size` field that is longer than
/// declared, a time before 1970, a foreign `Serialize` that fails.
///
/// ```
/// use mp_typed::Message;
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// let encoded = mp_typed::encode(&LinkState { port: 7, up: true })?;
/// assert_eq!(encoded.param(), [7, 0, 1]);
/// assert!(encoded.fds().is_empty());
/// # Ok::<(), mp_typed::EncodeError>(())
/// ```
pub fn encode<T: Body>(value: &T) -> Result<Encoded<'_>, EncodeError> {
    let mut out = Writer::new();
    match value.encode_body(&mut out) {
        Ok(()) => Ok(Encoded(out)),
        Err(At { field, fault }) => Err(EncodeError { message: T::SHAPE.type_name, field, fault }),
    }
}

/// Decodes a message, request or response from all of `param` and exactly the descriptors `fds`.
///
/// # Errors
/// Bytes that are no value of the type, bytes or descriptors left over or missing. All descriptors
/// are closed then.
///
/// ```
/// # use mp_typed::Message;
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// let state: LinkState = mp_typed::decode(&[7, 0, 1], [])?;
/// assert!(state.port == 7 && state.up);
/// assert!(mp_typed::decode::<LinkState>(&[7, 0, 2], []).is_err()); // no bool is 2
/// # Ok::<(), mp_typed::DecodeError>(())
/// ```
pub fn decode<'de, T: Decode<'de>>(
    param: &'de [u8],
    fds: impl IntoIterator<Item = OwnedFd, IntoIter: ExactSizeIterator>,
) -> Result<T, DecodeError> {
    let message = T::SHAPE.type_name;
    let fds = received(fds.into_iter());
    let (received, limit) = (fds.len(), const { shape::fd_limit(&T::SHAPE) });
    if received > limit {
        return Err(DecodeError::TooManyFds { message, received, limit });
    }
    let mut src = Reader::new(param, received);
    let mut fds = FdSource::new(fds);
    let decoded = T::decode_body(&mut src, &mut fds);
    if decoded.is_ok() {
        fds.accepted();
    }
    decoded.map_err(|why| match why {
        Undecoded::Field(At { field, fault }) => DecodeError::Field { message, field, fault },
        Undecoded::LeftOver if src.position() != param.len() => {
            DecodeError::TrailingBytes { message, used: src.position(), len: param.len() }
        }
        Undecoded::LeftOver => DecodeError::TrailingFds { message, used: src.fds_claimed(), received },
    })
}

/// An encoded value, ready to be sent: at most 256 bytes and 8 borrowed descriptors, all in place.
#[derive(Debug)]
pub struct Encoded<'a>(Writer<'a>);

impl<'a> Encoded<'a> {
    /// The bytes of the value.
    #[inline]
    pub fn param(&self) -> &[u8] {
        self.0.param()
    }

    /// The descriptors of the value, in the order of its fields.
    #[inline]
    pub fn fds(&self) -> &[BorrowedFd<'a>] {
        self.0.fds()
    }
}

/// The name of a message type as the core wants it. The derive has checked it.
pub(crate) const fn name(name: &'static str) -> Name {
    Name::from_static(name)
}

/// What an encoded value is to the core.
pub(crate) fn message<'a>(name: &'a Name, encoded: &'a Encoded<'_>) -> MessageRef<'a> {
    // The derive's checks at compile time are that every value fits.
    MessageRef::new(name, encoded.param(), encoded.fds()).expect("a derived message fits")
}
