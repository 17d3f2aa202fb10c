//! Values whose encoding has a largest size that is known at compile time.

mod bounded;
mod containers;
mod leaves;

pub(crate) use bounded::MaxLen;

use crate::codec::{Reader, Writer, array_of};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::Kind;

/// A value with a known largest encoded size, so that it can be part of a message.
///
/// Numbers, `bool`, `char`, tuples, arrays, `Option`, `Result`, times and addresses are payloads;
/// for your own structs and enums `#[derive(Payload)]`. Text and lists are payloads in bounded form
/// (`heapless` and `arrayvec` behind the features of those names); growable ones get their bound at
/// the field, with `max_len`.
///
/// ```
/// use mp_typed::Payload;
///
/// #[derive(Payload)]
/// struct Geometry { slots: u32, head: [u64; 4] }
///
/// assert_eq!(Geometry::MAX_SIZE, 4 + 4 * 8);
/// assert_eq!(Option::<Geometry>::MAX_SIZE, 1 + 36);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no largest size, so it cannot be part of a message",
    label = "no largest size is known",
    note = "for a type of your own add `#[derive(Payload)]` to it; for a foreign one that serde can encode, vouch for its size with `max_size = N` at the field",
    note = "text and lists inside of other types need a bound in their type: `heapless::String<N>`, `heapless::Vec<T, N>`, an array",
    note = "a type with descriptors cannot be a part of another; for a request that is answered with one type or else with another, write `response = Result<Answer, Error>` on it, where both derive `Response`"
)]
pub trait Payload: Sized {
    /// The most bytes that the encoding of any value of this type takes.
    const MAX_SIZE: usize;

    #[doc(hidden)]
    const KIND: Kind;

    #[doc(hidden)]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault>;

    #[doc(hidden)]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault>;

    /// Items in a row. Bytes override this and the next two, to be moved at once.
    #[doc(hidden)]
    fn encode_items(items: &[Self], out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        items.iter().try_for_each(|item| item.encode_payload(out))
    }

    #[doc(hidden)]
    fn decode_array<const N: usize>(src: &mut Reader<'_>) -> Result<[Self; N], DecodeFault> {
        array_of(|| Self::decode_payload(src))
    }

    #[doc(hidden)]
    fn decode_vec(len: usize, src: &mut Reader<'_>) -> Result<Vec<Self>, DecodeFault> {
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(Self::decode_payload(src)?);
        }
        Ok(items)
    }
}
