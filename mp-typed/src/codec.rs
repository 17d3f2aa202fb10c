//! Values to bytes and back: the one module that knows bincode.
//!
//! The encoding is bincode's with fixed-size integers, little-endian, so that the size of a value
//! does not depend on the numbers in it. A [`Writer`] fills a buffer of the largest size there is,
//! a [`Reader`] walks over a received param; neither allocates. `layout = "C"` types use the same
//! two, with raw bytes at chosen positions.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use arrayvec::ArrayVec;
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use mp_core::__typed::copies_of_slow;
use mp_core::{Fds, FdsIntoIter, MAX_FDS, MAX_PARAM};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{DecodeFault, EncodeFault, Undecoded};
use crate::frugal::Frugal;

type Config = Configuration<LittleEndian, Fixint, Limit<MAX_PARAM>>;
const CONFIG: Config = bincode::config::standard().with_fixed_int_encoding().with_limit::<MAX_PARAM>();

const ANY_SIZE: Configuration<LittleEndian, Fixint> = bincode::config::standard().with_fixed_int_encoding();

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
    pub(crate) fn new() -> Self {
        Self { param: [0; MAX_PARAM], at: 0, fds: ArrayVec::new() }
    }

    /// What has been written.
    #[inline]
    pub(crate) fn param(&self) -> &[u8] {
        &self.param[..self.at]
    }

    /// The descriptors, in the order in which they were given.
    #[inline]
    pub(crate) fn fds(&self) -> &[BorrowedFd<'a>] {
        &self.fds
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
        self.fds.try_push(fd).map_err(|_| EncodeFault::TooManyFds)
    }
}

/// Where generated code gets a value from.
///
/// It counts the descriptors that came but does not hold them: fields claim theirs, and take them
/// when it is certain that the rest is in order.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reader<'de> {
    param: &'de [u8],
    /// Never past the end of `param`.
    at: usize,
    fds: usize,
    /// Never more than `fds`.
    claimed: usize,
}

/// A place in what is read, to go back to.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    at: usize,
    claimed: usize,
}

/// The descriptors that came.
///
/// A peer can make the last close of one take as long as it likes. So those that no value has in
/// the end are closed elsewhere, by mp-core, and nobody waits for it. That includes what a type of the
/// user's refuses, and what was taken before it: of these there are copies until all is decoded.
#[doc(hidden)]
#[derive(Debug)]
pub struct FdSource {
    left: FdsIntoIter,
    /// A field that claimed one may yet refuse it.
    may_be_refused: bool,
    copies: Fds,
}

impl FdSource {
    pub(crate) fn new(fds: Fds) -> Self {
        Self { left: fds.into_iter(), may_be_refused: false, copies: Fds::new() }
    }

    /// One that has been claimed, to look at before any is taken.
    #[inline]
    pub(crate) fn look(&self, index: usize) -> Result<BorrowedFd<'_>, DecodeFault> {
        self.left.as_slice().get(index).map(AsFd::as_fd).ok_or(DecodeFault::MissingFd)
    }

    /// Whoever takes one may refuse it. To be told before any is taken.
    #[inline]
    pub(crate) fn expect_refusal(&mut self) {
        self.may_be_refused = true;
    }

    /// The next descriptor.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<OwnedFd, DecodeFault> {
        if std::mem::take(&mut self.may_be_refused) {
            self.copies = copies_of_slow(self.left.as_slice());
        }
        self.left.next().ok_or(DecodeFault::MissingFd)
    }

    /// All of them have become part of a value: no close of a copy is the last.
    #[inline]
    pub(crate) fn accepted(self) {
        self.copies.into_iter().for_each(drop);
    }
}

impl<'de> Reader<'de> {
    #[inline]
    pub(crate) fn new(param: &'de [u8], fds: usize) -> Self {
        Self { param, at: 0, fds, claimed: 0 }
    }

    /// Nothing is left over.
    #[inline]
    pub fn end(&self) -> Result<(), Undecoded> {
        let all = self.at == self.param.len() && self.claimed == self.fds;
        if all { Ok(()) } else { Err(Undecoded::LeftOver) }
    }

    /// Where it is.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark { at: self.at, claimed: self.claimed }
    }

    /// Goes back to where it was.
    #[inline]
    pub(crate) fn rewind(&mut self, mark: Mark) {
        (self.at, self.claimed) = (mark.at, mark.claimed);
    }

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
        let seed = Frugal::of(MAX_PARAM);
        let (value, size) = bincode::serde::seed_decode_from_slice(seed, &self.param[self.at..], CONFIG)
            .map_err(decode_fault)?;
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

    /// One of the descriptors: which.
    #[inline]
    pub(crate) fn claim_fd(&mut self) -> Result<usize, DecodeFault> {
        if self.claimed == self.fds {
            return Err(DecodeFault::MissingFd);
        }
        self.claimed += 1;
        Ok(self.claimed - 1)
    }

    /// Descriptors that fields have claimed.
    #[inline]
    pub(crate) fn fds_claimed(&self) -> usize {
        self.claimed
    }

    /// Descriptors that no field has claimed yet.
    #[inline]
    pub(crate) fn fds_left(&self) -> usize {
        self.fds - self.claimed
    }
}

/// The same encoding for a value of any size, through serde.
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
