//! Values to bytes and back: the one module that knows bincode.
//!
//! The encoding is bincode's with fixed-size integers, little-endian, so that the size of a value does not depend on the
//! numbers in it. A [`Writer`] fills a buffer of the largest size there is, a [`Reader`] walks over a received param;
//! neither allocates. `layout = "C"` types use the same two, with raw bytes at chosen positions.

use std::os::fd::{BorrowedFd, OwnedFd};

use arrayvec::ArrayVec;
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use mp_core::{MAX_FDS, MAX_PARAM};
use serde::{Deserialize, Serialize};

use crate::error::{At, DecodeError, DecodeFault, EncodeError, EncodeFault};
use crate::frugal::Frugal;
use crate::message::{Body, Decode};

type Config = Configuration<LittleEndian, Fixint, Limit<MAX_PARAM>>;
const CONFIG: Config = bincode::config::standard().with_fixed_int_encoding().with_limit::<MAX_PARAM>();

/// Encodes a message, request or response: its param, and the descriptors it lends.
///
/// This is what the roles do before they send; call it yourself to hand a typed value to the raw core.
///
/// # Errors
/// A value that breaks a promise of its type: a `max_len` or `max_size` field that is longer than declared, a time
/// before 1970, a foreign `Serialize` that fails.
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
/// Bytes that are no value of the type, bytes or descriptors left over or missing. All descriptors are closed then.
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
    fds: impl IntoIterator<Item = OwnedFd>,
) -> Result<T, DecodeError> {
    let message = T::SHAPE.type_name;
    let mut kept = ArrayVec::new();
    let mut received = 0;
    for fd in fds {
        received += 1;
        // One too many is closed here, the others when `kept` goes.
        drop(kept.try_push(fd));
    }
    if received > MAX_FDS {
        return Err(DecodeError::TooManyFds { message, received });
    }
    let mut src = Reader { param, at: 0, fds: kept.into_iter() };
    let value = T::decode_body(&mut src).map_err(|At { field, fault }| DecodeError::Field {
        message,
        field,
        fault,
    })?;
    if src.at != param.len() {
        return Err(DecodeError::TrailingBytes { message, used: src.at, len: param.len() });
    }
    match src.fds.len() {
        0 => Ok(value),
        left => Err(DecodeError::TrailingFds { message, used: received - left, received }),
    }
}

/// An encoded value, ready to be sent: at most 256 bytes and 8 borrowed descriptors, all in place.
#[derive(Debug)]
pub struct Encoded<'a>(Writer<'a>);

impl<'a> Encoded<'a> {
    /// The bytes of the value.
    #[inline]
    pub fn param(&self) -> &[u8] {
        &self.0.param[..self.0.at]
    }

    /// The descriptors of the value, in the order of its fields.
    #[inline]
    pub fn fds(&self) -> &[BorrowedFd<'a>] {
        &self.0.fds
    }
}

/// Where generated code puts a value.
#[doc(hidden)]
#[derive(Debug)]
pub struct Writer<'a> {
    /// All zero from `at` on, so that padding that is skipped is padding that is zero.
    param: [u8; MAX_PARAM],
    at: usize,
    fds: ArrayVec<BorrowedFd<'a>, MAX_FDS>,
}

impl<'a> Writer<'a> {
    #[inline]
    fn new() -> Self {
        Self { param: [0; MAX_PARAM], at: 0, fds: ArrayVec::new() }
    }

    /// Says which variant of an enum follows.
    #[inline]
    pub fn variant(&mut self, index: u32) -> Result<(), EncodeFault> {
        self.value(&index)
    }

    /// Bytes written so far.
    #[must_use]
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes on at `position`, which is never before what was written.
    #[inline]
    pub fn seek(&mut self, position: usize) -> Result<(), EncodeFault> {
        if position > MAX_PARAM {
            return Err(EncodeFault::NoRoom);
        }
        self.at = position;
        Ok(())
    }

    /// A value that bincode encodes by itself.
    #[inline]
    pub(crate) fn value<T: bincode::Encode>(&mut self, value: &T) -> Result<(), EncodeFault> {
        self.at +=
            bincode::encode_into_slice(value, &mut self.param[self.at..], CONFIG).map_err(encode_fault)?;
        Ok(())
    }

    /// A value that bincode encodes through serde, in at most `max_size` bytes.
    #[inline]
    pub(crate) fn serde<T: Serialize>(&mut self, value: &T, max_size: usize) -> Result<(), EncodeFault> {
        let size = bincode::serde::encode_into_slice(value, &mut self.param[self.at..], CONFIG)
            .map_err(encode_fault)?;
        if size > max_size {
            return Err(EncodeFault::TooLarge { size, max_size });
        }
        self.at += size;
        Ok(())
    }

    /// The number of items that follow.
    #[inline]
    pub(crate) fn len(&mut self, len: usize) -> Result<(), EncodeFault> {
        self.value(&(len as u64))
    }

    /// Bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeFault> {
        let room = self.param[self.at..].get_mut(..bytes.len()).ok_or(EncodeFault::NoRoom)?;
        room.copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// A descriptor, beside the bytes.
    #[inline]
    pub(crate) fn fd(&mut self, fd: BorrowedFd<'a>) -> Result<(), EncodeFault> {
        self.fds.try_push(fd).map_err(|_| EncodeFault::NoRoom)
    }
}

/// Where generated code gets a value from.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reader<'de> {
    param: &'de [u8],
    /// Never past the end of `param`.
    at: usize,
    fds: arrayvec::IntoIter<OwnedFd, MAX_FDS>,
}

impl<'de> Reader<'de> {
    /// Which variant of an enum follows.
    #[inline]
    pub fn variant(&mut self) -> Result<u32, DecodeFault> {
        self.value()
    }

    /// Bytes read so far.
    #[must_use]
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes on at `position`.
    #[inline]
    pub fn seek(&mut self, position: usize) -> Result<(), DecodeFault> {
        if position > self.param.len() {
            return Err(DecodeFault::Truncated);
        }
        self.at = position;
        Ok(())
    }

    /// A value that bincode decodes by itself.
    #[inline]
    pub(crate) fn value<T: bincode::Decode<()>>(&mut self) -> Result<T, DecodeFault> {
        let (value, size) =
            bincode::decode_from_slice(&self.param[self.at..], CONFIG).map_err(decode_fault)?;
        self.at += size;
        Ok(value)
    }

    /// A value that bincode decodes through serde, of at most `max_size` bytes.
    #[inline]
    pub(crate) fn serde<T: Deserialize<'de>>(&mut self, max_size: usize) -> Result<T, DecodeFault> {
        let (Frugal(value), size) =
            bincode::serde::borrow_decode_from_slice(&self.param[self.at..], CONFIG).map_err(decode_fault)?;
        if size > max_size {
            return Err(DecodeFault::TooLarge { size, max_size });
        }
        self.at += size;
        Ok(value)
    }

    /// The number of items that follow, at most `max_len`: whoever allocates for them asks first.
    #[inline]
    pub(crate) fn len(&mut self, max_len: usize) -> Result<usize, DecodeFault> {
        let len: u64 = self.value()?;
        match usize::try_from(len) {
            Ok(fits) if fits <= max_len => Ok(fits),
            _ => Err(DecodeFault::TooLong { len, max_len }),
        }
    }

    /// The next `len` bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'de [u8], DecodeFault> {
        let bytes = self.param[self.at..].get(..len).ok_or(DecodeFault::Truncated)?;
        self.at += len;
        Ok(bytes)
    }

    /// The next descriptor.
    #[inline]
    pub(crate) fn fd(&mut self) -> Result<OwnedFd, DecodeFault> {
        self.fds.next().ok_or(DecodeFault::MissingFd)
    }

    /// Descriptors that no field has taken yet.
    #[inline]
    pub(crate) fn fds_left(&self) -> usize {
        self.fds.len()
    }
}

#[cold]
fn encode_fault(error: bincode::error::EncodeError) -> EncodeFault {
    use bincode::error::EncodeError as Bincode;
    match error {
        Bincode::UnexpectedEnd => EncodeFault::NoRoom,
        Bincode::InvalidSystemTime { .. } => EncodeFault::BeforeEpoch,
        Bincode::OtherString(text) => EncodeFault::Serialize(text),
        other => EncodeFault::Serialize(other.to_string()),
    }
}

#[cold]
fn decode_fault(error: bincode::error::DecodeError) -> DecodeFault {
    use bincode::error::DecodeError as Bincode;
    match error {
        Bincode::UnexpectedEnd { .. } | Bincode::LimitExceeded => DecodeFault::Truncated,
        Bincode::InvalidBooleanValue(_) => DecodeFault::Invalid("a `bool` is 0 or 1"),
        Bincode::InvalidCharEncoding(_) => DecodeFault::Invalid("a `char` is one UTF-8 sequence"),
        Bincode::Utf8 { .. } => DecodeFault::Invalid("the text is not UTF-8"),
        Bincode::NonZeroTypeIsZero { .. } => DecodeFault::Invalid("a non-zero number is zero"),
        Bincode::OutsideUsizeRange(_) => DecodeFault::Invalid("a `usize` is too large for this machine"),
        Bincode::InvalidDuration { .. } => DecodeFault::Invalid("a `Duration` is out of range"),
        Bincode::InvalidSystemTime { .. } => DecodeFault::Invalid("a `SystemTime` is out of range"),
        Bincode::UnexpectedVariant { found, .. } => DecodeFault::UnknownVariant(found),
        Bincode::OtherString(text) => DecodeFault::Deserialize(text),
        other => DecodeFault::Deserialize(other.to_string()),
    }
}
