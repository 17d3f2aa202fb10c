//! Bounded text and lists of the `heapless` and `arrayvec` crates, behind the features of those
//! names.

#[cfg(any(feature = "arrayvec", feature = "heapless"))]
use super::Payload;
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
use crate::codec::{Reader, Writer};
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
use crate::error::{DecodeFault, EncodeFault};
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
use crate::kind::Kind;
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
use crate::shape::{LEN_SIZE, list_of};

/// What the two crates offer is alike but for the name of the fallible push.
#[cfg(any(feature = "arrayvec", feature = "heapless"))]
macro_rules! containers {
    ($text:ty, $list:ty, $try_push:ident) => {
        #[diagnostic::do_not_recommend]
        impl<const N: usize> Payload for $text {
            const MAX_SIZE: usize = N.saturating_add(LEN_SIZE);
            const KIND: Kind = Kind::AtMost(&Kind::TEXT, N);

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                out.len(self.len())?;
                out.bytes(self.as_bytes())
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                let len = src.len(N)?;
                let text = str::from_utf8(src.bytes(len)?);
                let text = text.map_err(|_| DecodeFault::Invalid("the text is not UTF-8"))?;
                Self::try_from(text).map_err(|_| DecodeFault::Truncated)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T: Payload, const N: usize> Payload for $list {
            const MAX_SIZE: usize = list_of(T::MAX_SIZE, N).saturating_add(LEN_SIZE);
            const KIND: Kind = Kind::AtMost(&Kind::Of("List", &[T::KIND]), N);

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                out.len(self.len())?;
                T::encode_items(self, out)
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                let len = src.len(N)?;
                let mut list = Self::new();
                for _ in 0..len {
                    list.$try_push(T::decode_payload(src)?).map_err(|_| DecodeFault::Truncated)?;
                }
                Ok(list)
            }
        }
    };
}

#[cfg(feature = "arrayvec")]
containers!(arrayvec::ArrayString<N>, arrayvec::ArrayVec<T, N>, try_push);
#[cfg(feature = "heapless")]
containers!(heapless::String<N>, heapless::Vec<T, N>, push);
