//! How many bytes a value takes, at least and at most.

use super::{Content, Enum, Field, Struct, Type, Variant, leaf::TAG};

/// The number of items that stands before a list.
const LEN: usize = 8;

impl Type {
    /// The fewest bytes that a value takes.
    pub(crate) fn min(&self) -> usize {
        self.sizes().0
    }

    fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Leaf(leaf) => leaf.sizes(),
            Self::Text(most) => (LEN, LEN.saturating_add(*most)),
            Self::Foreign(most) => (0, *most),
            Self::Fd => (0, 0),
            Self::Option(inner) => (1, inner.sizes().1.saturating_add(1)),
            Self::Result(ok, err) => {
                let ((ok_min, ok_max), (err_min, err_max)) = (ok.sizes(), err.sizes());
                (TAG + ok_min.min(err_min), ok_max.max(err_max).saturating_add(TAG))
            }
            Self::Tuple(parts) => sum(parts.iter().map(Self::sizes)),
            Self::Array(item, len) => times(item.sizes(), *len),
            Self::List(item, most) => (LEN, times(item.sizes(), *most).1.saturating_add(LEN)),
            Self::Map(key, value, most) => {
                let entry = sum([key.sizes(), value.sizes()].into_iter());
                (LEN, times(entry, *most).1.saturating_add(LEN))
            }
            Self::Struct(Struct { c: Some((size, _)), .. }) => (*size, *size),
            Self::Struct(Struct { fields, .. }) => of_fields(fields),
            Self::Enum(Enum { variants, .. }) => {
                let sizes = || variants.iter().map(Variant::sizes);
                let min = sizes().map(|(min, _)| min).min().unwrap_or(0);
                (TAG + min, sizes().map(|(_, max)| max).max().unwrap_or(0).saturating_add(TAG))
            }
        }
    }
}

impl Variant {
    fn sizes(&self) -> (usize, usize) {
        match &self.content {
            Content::Fields(fields) => of_fields(fields),
            Content::Whole(whole) => whole.sizes(),
        }
    }
}

pub(super) fn of_fields(fields: &[Field]) -> (usize, usize) {
    sum(fields.iter().map(|field| field.ty.sizes()))
}

fn sum(sizes: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    sizes.fold((0, 0), |(min, max), (least, most)| (min.saturating_add(least), max.saturating_add(most)))
}

fn times((min, max): (usize, usize), count: usize) -> (usize, usize) {
    (min.saturating_mul(count), max.saturating_mul(count))
}
