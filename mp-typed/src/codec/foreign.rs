//! Foreign types, which only serde knows: the one module that knows bincode.
//!
//! bincode is told to write integers of fixed size, little-endian, as [`payload`](crate::payload) does for
//! the types that it knows itself. A program that has no such types builds without this module, and so
//! without bincode and serde.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use mp_core::MAX_PARAM;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::frugal::Frugal;
use super::{Reader, Writer};
use crate::error::{DecodeFault, EncodeFault};

type Config = Configuration<LittleEndian, Fixint, Limit<MAX_PARAM>>;
const CONFIG: Config = bincode::config::standard().with_fixed_int_encoding().with_limit::<MAX_PARAM>();

const ANY_SIZE: Configuration<LittleEndian, Fixint> = bincode::config::standard().with_fixed_int_encoding();

impl Writer<'_> {
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
}

impl<'de> Reader<'de> {
    /// A value that bincode decodes through serde, of at most `max_size` bytes.
    #[inline]
    pub(crate) fn serde<T: Deserialize<'de>>(&mut self, max_size: usize) -> Result<T, DecodeFault> {
        let seed = Frugal::of(MAX_PARAM);
        let (value, size) = bincode::serde::seed_decode_from_slice(seed, &self.param[self.at..], CONFIG)
            .map_err(decode_fault)?;
        if size > max_size {
            return Err(DecodeFault::TooLarge { size, max_size });
        }
        self.at += size;
        Ok(value)
    }
}

/// The same encoding for a value of any size.
pub(crate) fn encode_any(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, EncodeFault> {
    bincode::serde::encode_to_vec(value, ANY_SIZE).map_err(encode_fault)
}

/// The opposite of [`encode_any`]: the value at the start of these bytes, and how many it takes.
pub(crate) fn decode_any<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), DecodeFault> {
    let seed = Frugal::of(bytes.len());
    bincode::serde::seed_decode_from_slice(seed, bytes, ANY_SIZE).map_err(decode_fault)
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
