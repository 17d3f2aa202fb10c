//! `layout = "C"`: payloads that are a C struct, byte for byte, for peers written in C.
//!
//! Where a field goes is C's rule, which `std::alloc::Layout::extend` implements; a Rust type need
//! not be `repr(C)` for it. Padding is never read, and always written as zero.

use std::alloc::Layout;

use crate::codec::{Reader, Writer, array_of};
use crate::error::{DecodeFault, EncodeFault};
use crate::kind::Kind;

/// A value that has the bytes of a C type: fixed-width numbers, `bool`, arrays, and structs that
/// derive `Payload` with `#[payload(layout = "C")]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no C layout, so it cannot be a field of a `layout = \"C\"` type",
    label = "no C layout",
    note = "the fields are numbers, `bool`, arrays of those, and structs with `#[derive(Payload)]` and `#[payload(layout = \"C\")]`; text is `[u8; N]`"
)]
pub trait CField: Sized {
    /// Its size and alignment.
    const LAYOUT: Layout;

    /// What it is.
    const KIND: Kind;

    /// Writes the value, which takes `LAYOUT.size()` bytes.
    fn encode_c(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault>;

    /// Reads a value of `LAYOUT.size()` bytes.
    fn decode_c(src: &mut Reader<'_>) -> Result<Self, DecodeFault>;

    /// Items in a row; bytes are moved at once.
    #[inline]
    fn encode_c_items(items: &[Self], out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        items.iter().try_for_each(|item| item.encode_c(out))
    }

    /// The opposite of `encode_c_items`.
    #[inline]
    fn decode_c_array<const N: usize>(src: &mut Reader<'_>) -> Result<[Self; N], DecodeFault> {
        array_of(|| Self::decode_c(src))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        #[diagnostic::do_not_recommend]
        impl CField for $number {
            const LAYOUT: Layout = Layout::new::<$number>();
            const KIND: Kind = Kind::Named(stringify!($number));

            #[inline]
            fn encode_c(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
                out.bytes(&self.to_ne_bytes())
            }

            #[inline]
            fn decode_c(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
                let bytes = src.bytes(size_of::<Self>())?;
                bytes.try_into().map(Self::from_ne_bytes).map_err(|_| DecodeFault::Truncated)
            }
        }
    )* };
}

numbers!(u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);

#[diagnostic::do_not_recommend]
impl CField for u8 {
    const LAYOUT: Layout = Layout::new::<u8>();
    const KIND: Kind = Kind::Named("u8");

    #[inline]
    fn encode_c(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.bytes(&[*self])
    }

    #[inline]
    fn decode_c(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        Self::decode_c_array(src).map(|[byte]| byte)
    }

    #[inline]
    fn encode_c_items(items: &[Self], out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        out.bytes(items)
    }

    #[inline]
    fn decode_c_array<const N: usize>(src: &mut Reader<'_>) -> Result<[Self; N], DecodeFault> {
        src.bytes(N)?.try_into().map_err(|_| DecodeFault::Truncated)
    }
}

#[diagnostic::do_not_recommend]
impl CField for bool {
    const LAYOUT: Layout = Layout::new::<bool>();
    const KIND: Kind = Kind::Named("bool");

    #[inline]
    fn encode_c(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        u8::from(*self).encode_c(out)
    }

    #[inline]
    fn decode_c(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        match u8::decode_c(src)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeFault::Invalid("a `bool` is 0 or 1")),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: CField, const N: usize> CField for [T; N] {
    const LAYOUT: Layout = match T::LAYOUT.size().checked_mul(N) {
        Some(size) => match Layout::from_size_align(size, T::LAYOUT.align()) {
            Ok(layout) => layout,
            Err(_) => panic!("this C array is larger than the address space"),
        },
        None => panic!("this C array is larger than the address space"),
    };
    const KIND: Kind = Kind::Array(&T::KIND, N);

    #[inline]
    fn encode_c(&self, out: &mut Writer<'_>) -> Result<(), EncodeFault> {
        T::encode_c_items(self, out)
    }

    #[inline]
    fn decode_c(src: &mut Reader<'_>) -> Result<Self, DecodeFault> {
        T::decode_c_array(src)
    }
}
