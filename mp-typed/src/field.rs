//! One field of a derived type: everything the generated code needs to know about it, made by one
//! expression.
//!
//! The derives emit one [`Codec`] constant per field, at the field's type, and use nothing else of
//! that type. A type that cannot be a field is therefore exactly one error, there, however often
//! the field is touched.
//!
//! The constructors in [`spelled`](crate::spelled) make the same as [`payload`], and give better
//! advice if they cannot.

use std::alloc::Layout;
use std::marker::PhantomData;

use crate::c_layout::CField;
use crate::codec::{FdSource, Mark, Reader, Writer};
use crate::error::{At, DecodeFault, EncodeFault};
use crate::fd::{Count, FdField, FdList, LendFd, LendFdList};
use crate::kind::{FdCount, Field, Kind};
use crate::payload::{MaxLen, Payload};
use crate::shape;

/// How a payload field of type `T` becomes bytes, and at most how many.
#[derive(Debug)]
pub struct Codec<'de, T> {
    size: usize,
    kind: Kind,
    /// Its size and alignment in a C layout.
    pub layout: Layout,
    /// Encodes a value of the field.
    pub put: for<'a, 'b> fn(&'a T, &mut Writer<'b>) -> Result<(), EncodeFault>,
    /// Decodes a value of the field.
    pub get: Get<'de, T>,
}

/// How a `#[fd]` field of type `T` becomes descriptors, at most how many, and the bytes that count
/// them.
#[derive(Debug)]
pub struct FdCodec<'de, T> {
    size: usize,
    fds: usize,
    count: FdCount,
    kind: Kind,
    put: Lend<T>,
    claim: Claim,
    take: Take<T>,
    of: PhantomData<&'de ()>,
}

type Get<'de, T> = fn(&mut Reader<'de>) -> Result<T, DecodeFault>;
type Claim = fn(&mut Reader<'_>, &mut FdSource) -> Result<(), DecodeFault>;
type Take<T> = fn(&mut Reader<'_>, &mut FdSource) -> Result<T, DecodeFault>;
/// The datagram borrows the descriptor from the value.
type Lend<T> = for<'a> fn(&'a T, &mut Writer<'a>) -> Result<(), EncodeFault>;

impl<'de, T> Codec<'de, T> {
    /// The most bytes that the field takes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The field in numbers, for the arithmetic.
    #[must_use]
    pub const fn shape(&self, name: &'static str) -> Field {
        Field { name, kind: self.kind, size: self.size, fds: 0, count: FdCount::Fixed, offset: 0 }
    }

    /// Encodes the field called `field`.
    #[inline]
    pub fn encode(
        &self,
        value: &T,
        field: &'static str,
        out: &mut Writer<'_>,
    ) -> Result<(), At<EncodeFault>> {
        (self.put)(value, out).map_err(|fault| At { field, fault })
    }

    /// Decodes the field called `field`.
    #[inline]
    pub fn decode(&self, field: &'static str, src: &mut Reader<'de>) -> Result<T, At<DecodeFault>> {
        (self.get)(src).map_err(|fault| At { field, fault })
    }
}

impl<T> FdCodec<'_, T> {
    /// The field in numbers, for the arithmetic.
    #[must_use]
    pub const fn shape(&self, name: &'static str) -> Field {
        Field { name, kind: self.kind, size: self.size, fds: self.fds, count: self.count, offset: 0 }
    }

    /// Encodes the field called `field`.
    #[inline]
    pub fn encode<'a>(
        &self,
        value: &'a T,
        field: &'static str,
        out: &mut Writer<'a>,
    ) -> Result<(), At<EncodeFault>> {
        (self.put)(value, out).map_err(|fault| At { field, fault })
    }

    /// Claims the descriptors of the field called `field`, and tells where to take them.
    #[inline]
    pub fn claim(
        &self,
        field: &'static str,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<Mark, At<DecodeFault>> {
        let mark = src.mark();
        (self.claim)(src, fds).map_err(|fault| At { field, fault })?;
        Ok(mark)
    }

    /// Takes the descriptors of the field called `field`, after all fields have claimed theirs.
    #[inline]
    pub fn take(
        &self,
        field: &'static str,
        mark: Mark,
        src: &mut Reader<'_>,
        fds: &mut FdSource,
    ) -> Result<T, At<DecodeFault>> {
        src.rewind(mark);
        (self.take)(src, fds).map_err(|fault| At { field, fault })
    }
}

/// A field of a type with a largest size.
#[must_use]
pub const fn payload<'de, T: Payload>() -> Codec<'de, T> {
    Codec {
        size: T::MAX_SIZE,
        kind: T::KIND,
        layout: UNKNOWN,
        put: |value, out| value.encode_payload(out),
        get: |src| T::decode_payload(src),
    }
}

/// A field with `max_len`.
#[must_use]
pub const fn max_len<'de, T: MaxLen<'de>, const N: usize>() -> Codec<'de, T> {
    Codec {
        size: shape::list_of(T::ITEM_SIZE, N).saturating_add(T::BASE_SIZE),
        kind: Kind::AtMost(&T::KIND, N),
        layout: UNKNOWN,
        put: |value, out| value.encode_bounded(N, out),
        get: |src| T::decode_bounded(N, src),
    }
}

/// A field with `max_size`.
#[must_use]
pub const fn max_size<'de, T: SerdeField<'de>, const N: usize>() -> Codec<'de, T> {
    Codec {
        size: N,
        kind: Kind::AtMost(&Kind::SERDE, N),
        layout: UNKNOWN,
        put: |value, out| value.encode_foreign(N, out),
        get: |src| T::decode_foreign(N, src),
    }
}

/// A field of a `layout = "C"` type.
#[must_use]
pub const fn c<'de, T: CField>() -> Codec<'de, T> {
    Codec {
        size: T::LAYOUT.size(),
        kind: T::KIND,
        layout: T::LAYOUT,
        put: |value, out| value.encode_c(out),
        get: |src| T::decode_c(src),
    }
}

/// Nobody asks for the C layout of what is not in a C layout.
const UNKNOWN: Layout = Layout::new::<()>();

/// A `#[fd]` field.
#[must_use]
pub const fn fd<'de, T: FdField<K>, K, const IMPLIED: bool>() -> FdCodec<'de, T> {
    FdCodec {
        claim: |src, fds| T::claim(const { count(IMPLIED) }, src, fds),
        take: |src, fds| T::take(const { count(IMPLIED) }, src, fds),
        ..lent_fd::<T, K, IMPLIED>()
    }
}

/// A `#[fd]` field that borrows, so that its type is never received.
#[must_use]
pub const fn lent_fd<'de, T: LendFd<K>, K, const IMPLIED: bool>() -> FdCodec<'de, T> {
    let size = if IMPLIED { 0 } else { T::SIZE };
    let put: Lend<T> = |fd, out| fd.lend(const { count(IMPLIED) }, out);
    FdCodec {
        size,
        fds: T::MAX_FDS,
        count: T::COUNT,
        kind: T::KIND,
        put,
        claim: |_, _| Err(DecodeFault::MissingFd),
        take: |_, _| Err(DecodeFault::MissingFd),
        of: PhantomData,
    }
}

/// A `#[fd]` field with `max_len`.
#[must_use]
pub const fn fd_list<'de, T: FdList<K>, K, const N: usize, const IMPLIED: bool>() -> FdCodec<'de, T> {
    FdCodec {
        claim: |src, fds| T::claim_list(N, const { count(IMPLIED) }, src, fds),
        take: |src, fds| T::take_list(N, const { count(IMPLIED) }, src, fds),
        ..lent_fd_list::<T, K, N, IMPLIED>()
    }
}

/// A `#[fd]` field with `max_len` that borrows.
#[must_use]
pub const fn lent_fd_list<'de, T: LendFdList<K>, K, const N: usize, const IMPLIED: bool>() -> FdCodec<'de, T>
{
    let counted = <T::Fd as LendFd<K>>::SIZE.saturating_mul(N).saturating_add(shape::LEN_SIZE);
    let put: Lend<T> = |fds, out| fds.lend_list(N, const { count(IMPLIED) }, out);
    FdCodec {
        size: if IMPLIED { 0 } else { counted },
        fds: <T::Fd as LendFd<K>>::MAX_FDS.saturating_mul(N),
        count: <T::Fd as LendFd<K>>::COUNT.in_option_or_list(),
        kind: Kind::AtMost(const { &Kind::Of("List", &[<T::Fd as LendFd<K>>::KIND]) }, N),
        put,
        claim: |_, _| Err(DecodeFault::MissingFd),
        take: |_, _| Err(DecodeFault::MissingFd),
        of: PhantomData,
    }
}

const fn count(implied: bool) -> Count {
    if implied { Count::Implied } else { Count::Written }
}

/// What `max_size` vouches for: anything that serde can encode.
#[cfg(feature = "serde")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be encoded by serde, so `max_size` does not help",
    label = "not `Serialize` and `Deserialize`",
    note = "`max_size = N` vouches for the largest size of a foreign type that implements serde's traits; for a type of your own use `#[derive(Payload)]` instead"
)]
pub trait SerdeField<'de>: Sized {
    /// Encodes the value in at most `max_size` bytes.
    fn encode_foreign(&self, max_size: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault>;

    /// Decodes a value of at most `max_size` bytes.
    fn decode_foreign(max_size: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault>;
}

#[cfg(feature = "serde")]
#[diagnostic::do_not_recommend]
impl<'de, T: serde::Serialize + serde::Deserialize<'de>> SerdeField<'de> for T {
    #[inline]
    fn encode_foreign(&self, max_size: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.serde(self, max_size)
    }

    #[inline]
    fn decode_foreign(max_size: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        src.serde(max_size)
    }
}

/// What `max_size` vouches for, which without serde is nothing.
#[cfg(not(feature = "serde"))]
#[diagnostic::on_unimplemented(
    message = "`max_size` encodes `{Self}` through serde, and mp-typed is built without its feature `serde`",
    label = "needs the feature `serde`",
    note = "the feature is there by default: leave out `default-features = false`, or add `features = [\"serde\"]` to the dependency on mp-typed",
    note = "without serde: `#[derive(Payload)]` for a type of your own, `max_len = N` for text and lists"
)]
pub trait SerdeField<'de>: Sized {
    /// Never called.
    fn encode_foreign(&self, max_size: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault>;

    /// Never called.
    fn decode_foreign(max_size: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault>;
}
