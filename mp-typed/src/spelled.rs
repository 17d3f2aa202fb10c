//! The same as [`Payload`], in words that fit how a field's type is spelled.
//!
//! Whoever writes `String` needs `max_len`, whoever writes `OwnedFd` needs `#[fd]`: the derives
//! pick the constructor by the spelling, and the bound of the constructor brings the advice.
//! Spelling picks words only. The traits decide, and all of these are implemented for whatever is a
//! payload: so is a type of yours that happens to be called `String`.
//!
//! They are written out because a macro of ours would show in every error of a user.

use crate::field::{Codec, max_len, payload};
use crate::payload::{MaxLen, Payload};

/// A field that is spelled like an `Option` or an array of `Inner`.
#[must_use]
pub const fn wrapped<'de, T: WrappedField<Inner>, Inner: ?Sized>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like an `Option` or an array of `Inner`, which then is what to speak
/// of.
#[diagnostic::on_unimplemented(
    message = "`{Inner}` has no largest size, so it cannot be part of a message",
    label = "no largest size of `{Inner}` is known",
    note = "for a type of your own add `#[derive(Payload)]` to it; for a foreign one that serde can encode, vouch for the size of the whole field with `max_size = N`",
    note = "text and lists inside of other types need a bound in their type: `heapless::String<N>`, `heapless::Vec<T, N>`, an array"
)]
pub trait WrappedField<Inner: ?Sized>: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload, Inner: ?Sized> WrappedField<Inner> for T {}

/// A field that is spelled like text.
#[must_use]
pub const fn text<'de, T: TextField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be of any length, so it cannot be part of a message as it is",
    label = "has no largest size",
    note = "bound it with `#[message(max_len = N)]` on the field, N in bytes (`#[payload(max_len = N)]` in a payload); or use `heapless::String<N>` (feature `heapless`)"
)]
pub trait TextField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> TextField for T {}

/// A field that is spelled like a list.
#[must_use]
pub const fn list<'de, T: ListField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like a list.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be of any length, so it cannot be part of a message as it is",
    label = "has no largest size",
    note = "bound it with `#[message(max_len = N)]` on the field, N in items (`#[payload(max_len = N)]` in a payload); or use an array, or `heapless::Vec<T, N>` (feature `heapless`)"
)]
pub trait ListField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> ListField for T {}

/// A field that is spelled like a map or a set.
#[must_use]
pub const fn map<'de, T: MapField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like a map or a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can hold any number of entries, so it cannot be part of a message as it is",
    label = "has no largest size",
    note = "bound it with `#[message(max_len = N)]` on the field, N in entries (`#[payload(max_len = N)]` in a payload)"
)]
pub trait MapField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> MapField for T {}

/// A field that is spelled like a pointer.
#[must_use]
pub const fn pointer<'de, T: PointerField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like a pointer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a pointer, which means nothing in another process",
    label = "a pointer cannot travel",
    note = "send what it points to: put the value itself into the field; a type that contains itself has no largest size and cannot be sent"
)]
pub trait PointerField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> PointerField for T {}

/// A field that is spelled like a reference.
#[must_use]
pub const fn reference<'de, T: ReferenceField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a reference, which means nothing in another process",
    label = "a reference cannot travel",
    note = "send what it refers to: put the value itself into the field; of references only `&str` and `&[u8]` can be sent, with `#[message(max_len = N)]`"
)]
pub trait ReferenceField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> ReferenceField for T {}

/// A field that is spelled like a file descriptor.
#[must_use]
pub const fn handle<'de, T: HandleField>() -> Codec<'de, T> {
    payload()
}

/// A payload that is spelled like a file descriptor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a file descriptor, which cannot be part of the payload",
    label = "needs `#[fd]`",
    note = "mark the field `#[fd]`: the kernel then passes the descriptor beside the payload"
)]
pub trait HandleField: Payload {}

#[diagnostic::do_not_recommend]
impl<T: Payload> HandleField for T {}

/// A field with `max_len` that is spelled like a list or set of `Item`.
#[must_use]
pub const fn max_len_of_list<'de, T: BoundedList<'de, Item>, Item: ?Sized, const N: usize>() -> Codec<'de, T>
{
    max_len::<T, N>()
}

/// What `max_len` bounds, spelled like a list or set of `Item`, which then is what to speak of.
#[diagnostic::on_unimplemented(
    message = "`max_len` bounds how many items `{Self}` holds, and an item, `{Item}`, has no largest size",
    label = "no largest size of `{Item}` is known",
    note = "give the items a bound in their type: `heapless::String<N>` or `[u8; N]` for text, `#[derive(Payload)]` for a type of your own; or vouch for the size of the whole field, in bytes, with `max_size = N` in place of `max_len`"
)]
pub trait BoundedList<'de, Item: ?Sized>: MaxLen<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: MaxLen<'de>, Item: ?Sized> BoundedList<'de, Item> for T {}

/// A field with `max_len` that is spelled like a map.
#[must_use]
pub const fn max_len_of_map<'de, T: BoundedMap<'de>, const N: usize>() -> Codec<'de, T> {
    max_len::<T, N>()
}

/// What `max_len` bounds, spelled like a map.
#[diagnostic::on_unimplemented(
    message = "`max_len` bounds how many entries `{Self}` holds, and its keys or values have no largest size",
    label = "no largest size of an entry is known",
    note = "give keys and values a bound in their types: `heapless::String<N>` or `[u8; N]` for text, `#[derive(Payload)]` for types of your own; or vouch for the size of the whole field, in bytes, with `max_size = N` in place of `max_len`"
)]
pub trait BoundedMap<'de>: MaxLen<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: MaxLen<'de>> BoundedMap<'de> for T {}

/// A field with `max_len` that is spelled like something with a bound in its type.
#[must_use]
pub const fn max_len_of_bounded<'de, T: BoundedAlready<'de>, const N: usize>() -> Codec<'de, T> {
    max_len::<T, N>()
}

/// What `max_len` bounds, spelled like something with a bound in its type.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not apply to `{Self}`, which has its bound in its type",
    label = "bounded already",
    note = "leave `max_len` out"
)]
pub trait BoundedAlready<'de>: MaxLen<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: MaxLen<'de>> BoundedAlready<'de> for T {}

/// A field with `max_len` that is spelled like text or a list in another form than those that
/// `max_len` knows.
#[must_use]
pub const fn max_len_of_other<'de, T: BoundedOther<'de>, const N: usize>() -> Codec<'de, T> {
    max_len::<T, N>()
}

/// What `max_len` bounds, spelled like text or a list in another form than those that `max_len`
/// knows.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not know `{Self}`",
    label = "not one of the types that `max_len` bounds",
    note = "use `String` or `&str` for text and paths, `Vec<T>` or `&[u8]` for lists; or `max_size = N` in place of `max_len`, with which serde encodes the value, in at most N bytes"
)]
pub trait BoundedOther<'de>: MaxLen<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: MaxLen<'de>> BoundedOther<'de> for T {}
