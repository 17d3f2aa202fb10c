//! Fields that travel as file descriptors, beside the payload.
//!
//! In the payload a descriptor is nothing, so bincode's rules hold: `Option` takes the one byte
//! that says whether it is there, a list the eight that say how many there are. A C layout has no
//! such bytes; there the number of descriptors that came must tell.

mod implied;

use std::any::TypeId;
use std::convert::Infallible;
use std::fmt::Display;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::codec::{FdSource, Reader, Writer, array_of};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::{FdCount, Kind as FieldKind};

/// How an [`FdField`] is made up. A parameter that the compiler finds by itself; it keeps the
/// implementations apart.
pub(crate) mod kind {
    use std::marker::PhantomData;

    /// A type that owns a descriptor.
    #[derive(Debug)]
    pub enum Owned {}
    /// A borrowed descriptor.
    #[derive(Debug)]
    pub enum Lent {}
    /// An `Option` of another kind.
    #[derive(Debug)]
    pub struct Maybe<K>(PhantomData<K>);
    /// An array of another kind.
    #[derive(Debug)]
    pub struct Each<K>(PhantomData<K>);
    /// A list of another kind.
    #[cfg(any(feature = "arrayvec", feature = "heapless"))]
    #[derive(Debug)]
    pub struct Many<K>(PhantomData<K>);
}

/// Whether the payload says how many descriptors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// In bincode's way.
    Written,
    /// It does not; a C layout.
    Implied,
}

/// A field that can be sent as file descriptors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as a file descriptor",
    label = "not a file descriptor",
    note = "a `#[fd]` field is `OwnedFd`, `BorrowedFd<'_>`, `File`, a socket or anything else that is `AsFd` and `TryFrom<OwnedFd>` or `From<OwnedFd>`; `Option` or an array of those; or, with `#[message(max_len = N)]`, a `Vec` of those",
    note = "a raw number (`RawFd`, `i32`) owns nothing and means nothing in another process: use `OwnedFd`, or `BorrowedFd<'_>` if the descriptor is only lent"
)]
pub trait LendFd<Kind> {
    /// The most descriptors that the field carries.
    const MAX_FDS: usize;
    /// The payload bytes that say how many there are.
    const SIZE: usize;
    /// What their number tells.
    const COUNT: FdCount;
    /// What they are, as far as it shows.
    const KIND: FieldKind;

    /// Lends the descriptors to the datagram.
    fn lend<'a>(&'a self, count: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault>;
}

/// A field that can be sent and received as file descriptors: anything that is `AsFd` and
/// `TryFrom<OwnedFd>`, which whatever is `From<OwnedFd>` is too; `Option` and arrays of it, and
/// bounded lists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as a file descriptor",
    label = "not a file descriptor",
    note = "a `#[fd]` field is `OwnedFd`, `BorrowedFd<'_>`, `File`, a socket or anything else that is `AsFd` and `TryFrom<OwnedFd>` or `From<OwnedFd>`; `Option` or an array of those; or, with `#[message(max_len = N)]`, a `Vec` of those",
    note = "a raw number (`RawFd`, `i32`) owns nothing and means nothing in another process: use `OwnedFd`, or `BorrowedFd<'_>` if the descriptor is only lent"
)]
pub trait FdField<Kind>: LendFd<Kind> + Sized {
    /// Claims as many of the received descriptors as the field holds, and looks at what they are.
    fn claim(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<(), DecodeFault>;

    /// Takes them. To be called after everything has been claimed, at the same place in `src`.
    fn take(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<Self, DecodeFault>;
}

#[diagnostic::do_not_recommend]
impl<T: AsFd + TryFrom<OwnedFd, Error: Display> + 'static> LendFd<kind::Owned> for T {
    const MAX_FDS: usize = 1;
    const SIZE: usize = 0;
    const COUNT: FdCount = FdCount::One;
    const KIND: FieldKind = FieldKind::FD;

    #[inline]
    fn lend<'a>(&'a self, _: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault> {
        out.fd(self.as_fd())
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsFd + TryFrom<OwnedFd, Error: Display> + 'static> FdField<kind::Owned> for T {
    #[inline]
    fn claim(_: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<(), DecodeFault> {
        implied::check::<Self>(fds.look(src.claim_fd()?)?)?;
        if can_refuse::<Self>() {
            fds.expect_refusal();
        }
        Ok(())
    }

    #[inline]
    fn take(_: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<Self, DecodeFault> {
        src.claim_fd()?;
        Self::try_from(fds.take()?).map_err(|error| DecodeFault::RefusedFd(error.to_string()))
    }
}

#[diagnostic::do_not_recommend]
impl LendFd<kind::Lent> for BorrowedFd<'_> {
    const MAX_FDS: usize = 1;
    const SIZE: usize = 0;
    const COUNT: FdCount = FdCount::One;
    const KIND: FieldKind = FieldKind::FD;

    #[inline]
    fn lend<'a>(&'a self, _: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault> {
        out.fd(*self)
    }
}

#[diagnostic::do_not_recommend]
impl<K, T: LendFd<K>> LendFd<kind::Maybe<K>> for Option<T> {
    const MAX_FDS: usize = T::MAX_FDS;
    const SIZE: usize = T::SIZE.saturating_add(1);
    const KIND: FieldKind = FieldKind::Of("Option", &[T::KIND]);
    const COUNT: FdCount = T::COUNT.in_option_or_list();

    #[inline]
    fn lend<'a>(&'a self, count: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault> {
        if count == Count::Written {
            out.flag(self.is_some())?;
        }
        self.iter().try_for_each(|fd| fd.lend(count, out))
    }
}

#[diagnostic::do_not_recommend]
impl<K, T: FdField<K>> FdField<kind::Maybe<K>> for Option<T> {
    #[inline]
    fn claim(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<(), DecodeFault> {
        if is_there(count, src)? { T::claim(count, src, fds) } else { Ok(()) }
    }

    #[inline]
    fn take(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<Self, DecodeFault> {
        if is_there(count, src)? { T::take(count, src, fds).map(Some) } else { Ok(None) }
    }
}

#[diagnostic::do_not_recommend]
impl<K, T: LendFd<K>, const N: usize> LendFd<kind::Each<K>> for [T; N] {
    const MAX_FDS: usize = T::MAX_FDS.saturating_mul(N);
    const SIZE: usize = T::SIZE.saturating_mul(N);
    const COUNT: FdCount = T::COUNT.in_array();
    const KIND: FieldKind = FieldKind::Array(&T::KIND, N);

    #[inline]
    fn lend<'a>(&'a self, count: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault> {
        self.iter().try_for_each(|fd| fd.lend(count, out))
    }
}

#[diagnostic::do_not_recommend]
impl<K, T: FdField<K>, const N: usize> FdField<kind::Each<K>> for [T; N] {
    #[inline]
    fn claim(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<(), DecodeFault> {
        (0..N).try_for_each(|_| T::claim(count, src, fds))
    }

    #[inline]
    fn take(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<Self, DecodeFault> {
        array_of(|| T::take(count, src, fds))
    }
}

/// A list of descriptors that the type itself bounds.
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
macro_rules! bounded_lists {
    ($($list:ty, $try_push:ident;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<K, T: LendFd<K>, const N: usize> LendFd<kind::Many<K>> for $list {
            const MAX_FDS: usize = T::MAX_FDS.saturating_mul(N);
            const SIZE: usize = T::SIZE.saturating_mul(N).saturating_add(crate::shape::LEN_SIZE);
            const COUNT: FdCount = T::COUNT.in_option_or_list();
            const KIND: FieldKind = FieldKind::AtMost(&FieldKind::Of("List", &[T::KIND]), N);

            #[inline]
            fn lend<'a>(&'a self, count: Count, out: &mut Writer<'a>) -> Result<(), EncodeFault> {
                lend_list(self, count, out)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<K, T: FdField<K>, const N: usize> FdField<kind::Many<K>> for $list {
            #[inline]
            fn claim(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<(), DecodeFault> {
                claim_list::<K, T>(N, count, src, fds)
            }

            #[inline]
            fn take(count: Count, src: &mut Reader<'_>, fds: &mut FdSource) -> Result<Self, DecodeFault> {
                let mut taken = Self::new();
                for _ in 0..list_len(N, count, src)? {
                    let fd = T::take(count, src, fds)?;
                    taken.$try_push(fd).map_err(|_| DecodeFault::MissingFd)?;
                }
                Ok(taken)
            }
        }
    )* };
}

#[cfg(feature = "arrayvec")]
bounded_lists! { arrayvec::ArrayVec<T, N>, try_push; }
#[cfg(feature = "heapless")]
bounded_lists! { heapless::Vec<T, N>, push; }

/// A list of descriptors that `max_len` bounds, to be sent.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not apply to `{Self}`",
    label = "not a list of file descriptors",
    note = "on a `#[fd]` field `max_len` bounds `Vec<OwnedFd>`, `Vec<BorrowedFd<'_>>` and the like"
)]
pub trait LendFdList<Kind> {
    /// What the list is made of.
    type Fd: LendFd<Kind>;

    /// Lends the descriptors to the datagram.
    fn lend_list<'a>(&'a self, max_len: usize, count: Count, out: &mut Writer<'a>)
    -> Result<(), EncodeFault>;
}

/// A list of descriptors that `max_len` bounds, to be sent and received.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not apply to `{Self}`",
    label = "not a list of file descriptors",
    note = "on a `#[fd]` field `max_len` bounds `Vec<OwnedFd>`, `Vec<BorrowedFd<'_>>` and the like"
)]
pub trait FdList<Kind>: LendFdList<Kind> + Sized {
    /// Claims as many of the received descriptors as the sender put into the list.
    fn claim_list(
        max_len: usize,
        count: Count,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<(), DecodeFault>;

    /// Takes them. To be called after everything has been claimed, at the same place in `src`.
    fn take_list(
        max_len: usize,
        count: Count,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<Self, DecodeFault>;
}

#[diagnostic::do_not_recommend]
impl<K, T: LendFd<K>> LendFdList<K> for Vec<T> {
    type Fd = T;

    #[inline]
    fn lend_list<'a>(
        &'a self,
        max_len: usize,
        count: Count,
        out: &mut Writer<'a>,
    ) -> Result<(), EncodeFault> {
        if self.len() > max_len {
            return Err(EncodeFault::TooLong { len: self.len(), max_len });
        }
        lend_list(self, count, out)
    }
}

#[diagnostic::do_not_recommend]
impl<K, T: FdField<K>> FdList<K> for Vec<T> {
    #[inline]
    fn claim_list(
        max_len: usize,
        count: Count,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<(), DecodeFault> {
        claim_list::<K, T>(max_len, count, src, fds)
    }

    #[inline]
    fn take_list(
        max_len: usize,
        count: Count,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<Self, DecodeFault> {
        let len = list_len(max_len, count, src)?;
        (0..len).map(|_| T::take(count, src, fds)).collect()
    }
}

fn lend_list<'a, K, T: LendFd<K>>(
    fds: &'a [T],
    count: Count,
    out: &mut Writer<'a>,
) -> Result<(), EncodeFault> {
    if count == Count::Written {
        out.len(fds.len())?;
    }
    fds.iter().try_for_each(|fd| fd.lend(count, out))
}

/// Whether the type's conversion can fail.
#[inline]
fn can_refuse<T: TryFrom<OwnedFd> + 'static>() -> bool {
    TypeId::of::<T::Error>() != TypeId::of::<Infallible>()
}

fn is_there(count: Count, src: &mut Reader<'_>) -> Result<bool, DecodeFault> {
    match count {
        Count::Written => src.flag(),
        Count::Implied => Ok(src.fds_left() > 0),
    }
}

fn claim_list<K, T: FdField<K>>(
    max_len: usize,
    count: Count,
    src: &mut Reader<'_>,
    fds: &mut FdSource,
) -> Result<(), DecodeFault> {
    let len = list_len(max_len, count, src)?;
    (0..len).try_for_each(|_| T::claim(count, src, fds))
}

fn list_len(max_len: usize, count: Count, src: &mut Reader<'_>) -> Result<usize, DecodeFault> {
    match count {
        Count::Written => src.len(max_len),
        Count::Implied => Ok(src.fds_left().min(max_len)),
    }
}
