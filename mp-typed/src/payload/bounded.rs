//! Growable values that get their bound from the field they are in: `max_len = N`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::Payload;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::Kind;
use crate::shape::LEN_SIZE;

/// A growable value that `max_len` can bound: text in bytes, everything else in items.
#[diagnostic::on_unimplemented(
    message = "`max_len` does not apply to `{Self}`",
    label = "`max_len` cannot bound this",
    note = "`max_len` bounds `String`, `&str`, `Vec<T>`, `&[u8]`, maps and sets, and `Option` of those, where the items are payloads"
)]
pub trait MaxLen<'de>: Sized {
    /// Bytes that every value takes, whatever it holds.
    #[doc(hidden)]
    const BASE_SIZE: usize;

    /// The most bytes that an item takes.
    #[doc(hidden)]
    const ITEM_SIZE: usize;

    #[doc(hidden)]
    const KIND: Kind;

    #[doc(hidden)]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault>;

    #[doc(hidden)]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault>;
}

#[diagnostic::do_not_recommend]
impl<'de> MaxLen<'de> for &'de [u8] {
    const BASE_SIZE: usize = LEN_SIZE;
    const ITEM_SIZE: usize = 1;
    const KIND: Kind = Kind::Of("List", &[Kind::Named("u8")]);

    #[inline]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        encode_len(self.len(), max_len, out)?;
        out.bytes(self)
    }

    #[inline]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        let len = src.len(max_len)?;
        src.bytes(len)
    }
}

#[diagnostic::do_not_recommend]
impl<'de> MaxLen<'de> for &'de str {
    const BASE_SIZE: usize = LEN_SIZE;
    const ITEM_SIZE: usize = 1;
    const KIND: Kind = Kind::TEXT;

    #[inline]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        self.as_bytes().encode_bounded(max_len, out)
    }

    #[inline]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        let bytes = <&[u8]>::decode_bounded(max_len, src)?;
        str::from_utf8(bytes).map_err(|_| DecodeFault::Invalid("the text is not UTF-8"))
    }
}

#[diagnostic::do_not_recommend]
impl<'de> MaxLen<'de> for String {
    const BASE_SIZE: usize = LEN_SIZE;
    const ITEM_SIZE: usize = 1;
    const KIND: Kind = Kind::TEXT;

    #[inline]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        self.as_bytes().encode_bounded(max_len, out)
    }

    #[inline]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        <&str>::decode_bounded(max_len, src).map(Self::from)
    }
}

#[diagnostic::do_not_recommend]
impl<'de, T: Payload> MaxLen<'de> for Vec<T> {
    const BASE_SIZE: usize = LEN_SIZE;
    const ITEM_SIZE: usize = T::MAX_SIZE;
    const KIND: Kind = Kind::Of("List", &[T::KIND]);

    #[inline]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        encode_len(self.len(), max_len, out)?;
        T::encode_items(self, out)
    }

    #[inline]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        let len = src.len(max_len)?;
        T::decode_vec(len, src)
    }
}

#[diagnostic::do_not_recommend]
impl<'de, T: MaxLen<'de>> MaxLen<'de> for Option<T> {
    const BASE_SIZE: usize = T::BASE_SIZE + 1;
    const ITEM_SIZE: usize = T::ITEM_SIZE;
    const KIND: Kind = Kind::Of("Option", &[T::KIND]);

    #[inline]
    fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.flag(self.is_some())?;
        self.iter().try_for_each(|value| value.encode_bounded(max_len, out))
    }

    #[inline]
    fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
        if src.flag()? { T::decode_bounded(max_len, src).map(Some) } else { Ok(None) }
    }
}

/// Items go in the order in which the collection gives them, as serde does it.
macro_rules! collections {
    ($(impl<$($param:ident: $($bound:path)|+),*> for $collection:ty as $kind:literal $($part:ident: $item:ident)|+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<'de, $($param: $($bound +)+),*> MaxLen<'de> for $collection {
            const BASE_SIZE: usize = LEN_SIZE;
            const ITEM_SIZE: usize = 0_usize $(.saturating_add($item::MAX_SIZE))+;
            const KIND: Kind = Kind::Of($kind, &[$($item::KIND),+]);

            #[inline]
            fn encode_bounded(&self, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                encode_len(self.len(), max_len, out)?;
                #[allow(unused_parens, reason = "a set has single items")]
                for ($($part),+) in self {
                    $($part.encode_payload(out)?;)+
                }
                Ok(())
            }

            #[inline]
            fn decode_bounded(max_len: usize, src: &mut Reader<'de>) -> Result<Self, DecodeFault> {
                let len = src.len(max_len)?;
                #[allow(unused_parens, clippy::needless_question_mark, reason = "a set has single items")]
                (0..len).map(|_| Ok(($($item::decode_payload(src)?),+))).collect()
            }
        }
    )* };
}

collections! {
    impl<T: Payload> for VecDeque<T> as "List" item: T;
    impl<T: Payload | Ord> for BTreeSet<T> as "Set" item: T;
    impl<T: Payload | Eq | Hash, S: BuildHasher | Default> for HashSet<T, S> as "Set" item: T;
    impl<K: Payload | Ord, V: Payload> for BTreeMap<K, V> as "Map" key: K | value: V;
    impl<K: Payload | Eq | Hash, V: Payload, S: BuildHasher | Default> for HashMap<K, V, S> as "Map" key: K | value: V;
}

fn encode_len(len: usize, max_len: usize, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
    if len > max_len {
        return Err(EncodeFault::TooLong { len, max_len });
    }
    out.len(len)
}
