//! Values to bytes and back.
//!
//! The encoding is bincode's with fixed-size integers, little-endian, so that the size of a value
//! does not depend on the numbers in it. A [`Writer`] fills a buffer of the largest size there is,
//! a [`Reader`] walks over a received param; neither allocates. `layout = "C"` types use the same
//! two, with raw bytes at chosen positions. What the bytes of a type are, its
//! [`Payload`](crate::Payload) knows; bincode itself is asked for foreign types only.

#[cfg(feature = "serde")]
mod foreign;
#[cfg(feature = "serde")]
mod frugal;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mp_core::__typed::copies_of_slow;
use mp_core::{Fds, FdsIntoIter, MAX_FDS, MAX_PARAM};
use smallvec::SmallVec;

use crate::error::{DecodeFault, EncodeFault, Undecoded};

#[cfg(feature = "serde")]
pub(crate) use foreign::{decode_any, encode_any};

/// Where generated code puts a value.
#[doc(hidden)]
#[derive(Debug)]
pub struct Writer<'a> {
    /// All zero from `at` on, so that padding that is skipped is padding that is zero.
    param: [u8; MAX_PARAM],
    at: usize,
    /// At most `MAX_FDS`.
    fds: SmallVec<[BorrowedFd<'a>; MAX_FDS]>,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { param: [0; MAX_PARAM], at: 0, fds: SmallVec::new() }
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
        self.bytes(&index.to_le_bytes())
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

    /// The number of items that follow.
    #[inline]
    pub(crate) fn len(&mut self, len: usize) -> Result<(), EncodeFault> {
        self.bytes(&(len as u64).to_le_bytes())
    }

    /// Whether what may follow follows.
    #[inline]
    pub(crate) fn flag(&mut self, flag: bool) -> Result<(), EncodeFault> {
        self.bytes(&[flag.into()])
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
        if self.fds.len() == MAX_FDS {
            return Err(EncodeFault::TooManyFds);
        }
        self.fds.push(fd);
        Ok(())
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
        self.array().map(u32::from_le_bytes)
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

    /// The number of items that follow, at most `max_len`: whoever allocates for them asks first.
    #[inline]
    pub(crate) fn len(&mut self, max_len: usize) -> Result<usize, DecodeFault> {
        let len = u64::from_le_bytes(self.array()?);
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

    /// The next bytes as they are, as many as the array has.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeFault> {
        let bytes = self.param[self.at..].first_chunk().ok_or(DecodeFault::Truncated)?;
        self.at += N;
        Ok(*bytes)
    }

    /// Whether what may be there is there.
    #[inline]
    pub(crate) fn flag(&mut self) -> Result<bool, DecodeFault> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(DecodeFault::Invalid("a `bool` is 0 or 1")),
        }
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

/// An array of items that come one after the other, each of which may fail.
#[inline]
pub(crate) fn array_of<T, const N: usize>(
    mut next: impl FnMut() -> Result<T, DecodeFault>,
) -> Result<[T; N], DecodeFault> {
    let mut items = SmallVec::<[T; N]>::new();
    for _ in 0..N {
        items.push(next()?);
    }
    items.into_inner().map_err(|_| DecodeFault::Truncated)
}
