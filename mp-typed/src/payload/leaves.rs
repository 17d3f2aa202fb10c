//! The payloads of `core` and `std`, with the bytes that bincode gives them.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Payload;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::Kind;
use crate::shape::TAG_SIZE;

/// A leaf that travels as another: how it is made of it, and what it is made into.
macro_rules! leaves {
    ($($leaf:ty = $size:literal as $other:ty: |$value:ident| $into:expr, |$read:ident| $from:expr;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Payload for $leaf {
            const MAX_SIZE: usize = $size;
            const KIND: Kind = Kind::Named(stringify!($leaf));

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                let $value = self;
                <$other>::encode_payload(&$into, out)
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                let $read = <$other>::decode_payload(src)?;
                $from
            }
        }
    )* };
}

leaves! {
    usize = 8 as u64: |it| *it as u64,
        |it| it.try_into().map_err(|_| DecodeFault::Invalid("a `usize` is too large for this machine"));
    isize = 8 as i64: |it| *it as i64,
        |it| it.try_into().map_err(|_| DecodeFault::Invalid("an `isize` is too large for this machine"));
    f32 = 4 as u32: |it| it.to_bits(), |it| Ok(Self::from_bits(it));
    f64 = 8 as u64: |it| it.to_bits(), |it| Ok(Self::from_bits(it));
    Duration = 12 as (u64, u32): |it| (it.as_secs(), it.subsec_nanos()), |it| duration(it);
    SystemTime = 12 as Duration:
        |it| it.duration_since(UNIX_EPOCH).map_err(|_| EncodeFault::BeforeEpoch)?,
        |it| UNIX_EPOCH.checked_add(it).ok_or(DecodeFault::Invalid("a `SystemTime` is out of range"));
    Ipv4Addr = 4 as [u8; 4]: |it| it.octets(), |it| Ok(it.into());
    Ipv6Addr = 16 as [u8; 16]: |it| it.octets(), |it| Ok(it.into());
    SocketAddrV4 = 6 as (Ipv4Addr, u16): |it| (*it.ip(), it.port()), |it| Ok(Self::new(it.0, it.1));
    SocketAddrV6 = 18 as (Ipv6Addr, u16): |it| (*it.ip(), it.port()), |it| Ok(Self::new(it.0, it.1, 0, 0));
}

/// More nanoseconds than a second has are whole seconds, of which there may be too many.
fn duration((seconds, nanos): (u64, u32)) -> Result<Duration, DecodeFault> {
    let parts = Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanos.into()));
    parts.ok_or(DecodeFault::Invalid("a `Duration` is out of range"))
}

macro_rules! integers {
    ($($integer:ty = $size:literal;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Payload for $integer {
            const MAX_SIZE: usize = $size;
            const KIND: Kind = Kind::Named(stringify!($integer));

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                out.bytes(&self.to_le_bytes())
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                src.array().map(Self::from_le_bytes)
            }
        }
    )* };
}

integers! {
    u16 = 2; u32 = 4; u64 = 8; u128 = 16; i8 = 1; i16 = 2; i32 = 4; i64 = 8; i128 = 16;
}

macro_rules! non_zero {
    ($($non_zero:ty = $size:literal as $integer:ty;)*) => {
        leaves! { $(
            $non_zero = $size as $integer: |it| it.get(),
                |it| Self::new(it).ok_or(DecodeFault::Invalid("a non-zero number is zero"));
        )* }
    };
}

non_zero! {
    NonZeroU8 = 1 as u8; NonZeroU16 = 2 as u16; NonZeroU32 = 4 as u32; NonZeroU64 = 8 as u64;
    NonZeroU128 = 16 as u128; NonZeroUsize = 8 as usize;
    NonZeroI8 = 1 as i8; NonZeroI16 = 2 as i16; NonZeroI32 = 4 as i32; NonZeroI64 = 8 as i64;
    NonZeroI128 = 16 as i128; NonZeroIsize = 8 as isize;
}

macro_rules! either_version {
    ($($either:ident = $size:literal of $v4:ty, $v6:ty;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Payload for $either {
            const MAX_SIZE: usize = $size;
            const KIND: Kind = Kind::Named(stringify!($either));

            #[inline]
            fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                match self {
                    Self::V4(v4) => out.variant(0).and_then(|()| v4.encode_payload(out)),
                    Self::V6(v6) => out.variant(1).and_then(|()| v6.encode_payload(out)),
                }
            }

            #[inline]
            fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                match src.variant()? {
                    0 => <$v4>::decode_payload(src).map(Self::V4),
                    1 => <$v6>::decode_payload(src).map(Self::V6),
                    other => Err(DecodeFault::UnknownVariant(other)),
                }
            }
        }
    )* };
}

either_version! {
    IpAddr = 20 of Ipv4Addr, Ipv6Addr;
    SocketAddr = 22 of SocketAddrV4, SocketAddrV6;
}

#[diagnostic::do_not_recommend]
impl Payload for bool {
    const MAX_SIZE: usize = 1;
    const KIND: Kind = Kind::Named("bool");

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.flag(*self)
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        src.flag()
    }
}

/// One sequence of UTF-8, whose first byte tells how long it is.
#[diagnostic::do_not_recommend]
impl Payload for char {
    const MAX_SIZE: usize = 4;
    const KIND: Kind = Kind::Named("char");

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.bytes(self.encode_utf8(&mut [0; 4]).as_bytes())
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        let [first] = src.array()?;
        let rest = src.bytes(match first {
            ..0xc0 => 0,
            0xc0..0xe0 => 1,
            0xe0..0xf0 => 2,
            0xf0..0xf8 => 3,
            // None begins so, which the check below says.
            0xf8.. => 0,
        })?;
        let mut sequence = [first, 0, 0, 0];
        sequence[1..=rest.len()].copy_from_slice(rest);
        let text = str::from_utf8(&sequence[..=rest.len()]).ok().and_then(|text| text.chars().next());
        text.ok_or(DecodeFault::Invalid("a `char` is one UTF-8 sequence"))
    }
}

#[diagnostic::do_not_recommend]
impl Payload for u8 {
    const MAX_SIZE: usize = 1;
    const KIND: Kind = Kind::Named("u8");

    #[inline]
    fn encode_payload(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.bytes(&[*self])
    }

    #[inline]
    fn decode_payload(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        src.array().map(|[byte]| byte)
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
