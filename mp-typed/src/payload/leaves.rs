//! The payloads of `core` and `std`.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};
use std::time::{Duration, SystemTime};

use super::Payload;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::Kind;
use crate::shape::TAG_SIZE;

macro_rules! leaves {
    ($($leaf:ty = $size:literal),* $(,)?) => { $(
        #[diagnostic::do_not_recommend]
        impl Payload for $leaf {
            const MAX_SIZE: usize = $size;
            const KIND: Kind = Kind::Named(stringify!($leaf));

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                out.value(self)
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                src.value()
            }
        }
    )* };
}

leaves! {
    u16 = 2, u32 = 4, u64 = 8, u128 = 16, usize = 8,
    i8 = 1, i16 = 2, i32 = 4, i64 = 8, i128 = 16, isize = 8,
    NonZeroU8 = 1, NonZeroU16 = 2, NonZeroU32 = 4, NonZeroU64 = 8, NonZeroU128 = 16, NonZeroUsize = 8,
    NonZeroI8 = 1, NonZeroI16 = 2, NonZeroI32 = 4, NonZeroI64 = 8, NonZeroI128 = 16, NonZeroIsize = 8,
    f32 = 4, f64 = 8, bool = 1, char = 4,
    Duration = 12, SystemTime = 12,
    Ipv4Addr = 4, Ipv6Addr = 16, IpAddr = 20, SocketAddrV4 = 6, SocketAddrV6 = 18, SocketAddr = 22,
}

#[diagnostic::do_not_recommend]
impl Payload for u8 {
    const MAX_SIZE: usize = 1;
    const KIND: Kind = Kind::Named("u8");

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.value(self)
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        src.value()
    }

    #[inline]
    fn encode_items(items: &[Self], out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.bytes(items)
    }

    #[inline]
    fn decode_array<const N: usize>(src: &mut Reader<'_>) -> Result<[Self; N], DecodeFault> {
        src.bytes(N)?.try_into().map_err(|_| DecodeFault::Truncated)
    }

    #[inline]
    fn decode_vec(len: usize, src: &mut Reader<'_>) -> Result<Vec<Self>, DecodeFault> {
        Ok(src.bytes(len)?.to_vec())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Payload for Wrapping<T> {
    const MAX_SIZE: usize = T::MAX_SIZE;
    const KIND: Kind = T::KIND;

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        self.0.encode_payload(out)
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        T::decode_payload(src).map(Wrapping)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Payload for PhantomData<T> {
    const MAX_SIZE: usize = 0;
    const KIND: Kind = Kind::NOTHING;

    #[inline]
    fn encode_payload(&self, _: &mut Writer<'_>) -> Result<(), EncodeFault> {
        Ok(())
    }

    #[inline]
    fn decode_payload(_: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        Ok(PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Payload for Option<T> {
    const MAX_SIZE: usize = T::MAX_SIZE.saturating_add(1);
    const KIND: Kind = Kind::Of("Option", &[T::KIND]);

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        self.is_some().encode_payload(out)?;
        self.iter().try_for_each(|value| value.encode_payload(out))
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        if bool::decode_payload(src)? { T::decode_payload(src).map(Some) } else { Ok(None) }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload, const N: usize> Payload for [T; N] {
    const MAX_SIZE: usize = T::MAX_SIZE.saturating_mul(N);
    const KIND: Kind = Kind::Array(&T::KIND, N);

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        T::encode_items(self, out)
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        T::decode_array(src)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload, E: Payload> Payload for Result<T, E> {
    const MAX_SIZE: usize = {
        let larger = if T::MAX_SIZE > E::MAX_SIZE { T::MAX_SIZE } else { E::MAX_SIZE };
        larger.saturating_add(TAG_SIZE)
    };
    const KIND: Kind = Kind::Of("Result", &[T::KIND, E::KIND]);

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        match self {
            Ok(value) => out.variant(0).and_then(|()| value.encode_payload(out)),
            Err(error) => out.variant(1).and_then(|()| error.encode_payload(out)),
        }
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        match src.variant()? {
            0 => T::decode_payload(src).map(Ok),
            1 => E::decode_payload(src).map(Err),
            other => Err(DecodeFault::UnknownVariant(other)),
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt),*))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($part: Payload),*> Payload for ($($part,)*) {
            const MAX_SIZE: usize = 0_usize $(.saturating_add($part::MAX_SIZE))*;
            const KIND: Kind = Kind::Of("Tuple", &[$($part::KIND),*]);

            #[inline]
            fn encode_payload(&self, _out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                $(self.$index.encode_payload(_out)?;)*
                Ok(())
            }

            #[inline]
            fn decode_payload(_src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                Ok(($($part::decode_payload(_src)?,)*))
            }
        }
    )* };
}

tuples! {
    ()
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}
