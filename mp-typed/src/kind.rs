//! What a definition is: kinds, names and order of all fields, as text for people and as a number that
//! tells two of them apart.
//!
//! The number, the fingerprint, is made by the compiler and travels behind a message's name. So its
//! rules hold for good: a change here makes every peer built before it a stranger. Bounds (`max_len`,
//! `max_size`, a bounded container's capacity) and names of types are left out: what is over a bound is
//! refused in words, and what is not is the same on the wire.

use std::alloc::Layout;
use std::fmt;

/// What a field holds, as far as it shows on the wire.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One of those that have a name: `u16`, `text`, `fd`.
    Named(&'static str),
    /// Made of others: `Option`, `List`, `Map`.
    Of(&'static str, &'static [Kind]),
    /// So many of one after the other.
    Array(&'static Kind, usize),
    /// Fields.
    Struct(&'static [Variant]),
    /// The number of a variant, and its fields.
    Enum(&'static [Variant]),
    /// The same of a derived type, whose name and layout do not show.
    Type(&'static Shape),
    /// What grows to so many bytes or items, which does not show.
    AtMost(&'static Kind, usize),
}

impl Kind {
    pub(crate) const TEXT: Self = Self::Named("text");
    pub(crate) const FD: Self = Self::Named("fd");
    /// What serde makes of a foreign type, of which only serde knows more.
    pub(crate) const SERDE: Self = Self::Named("serde");
    pub(crate) const NOTHING: Self = Self::Of("Tuple", &[]);
}

/// What a derived type looks like on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// As people know the type.
    pub type_name: &'static str,
    /// How it is laid out.
    pub form: Form,
    /// One, without a name, for a struct.
    pub variants: &'static [Variant],
    /// The `max_fds` of the type: how many descriptors may be received, if more than can be sent.
    pub max_fds: Option<usize>,
}

/// How the fields make up the payload.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// One field after the other.
    Struct,
    /// The number of the variant, then its fields.
    Enum,
    /// The same, of a `Result`, whose two parts have been checked each by itself.
    Result,
    /// As C lays out a struct.
    C(Layout),
}

impl Shape {
    /// No bytes, no descriptors. Also stands in for a type that the derive has found a mistake in.
    pub const EMPTY: Self = Self {
        type_name: "()",
        form: Form::Struct,
        variants: &[Variant { name: "", fields: &[] }],
        max_fds: None,
    };

    /// The kind of a whole message.
    pub(crate) const fn whole(&self) -> Kind {
        match self.form {
            Form::Struct | Form::C(_) => Kind::Struct(self.variants),
            Form::Enum | Form::Result => Kind::Enum(self.variants),
        }
    }
}

/// A variant of an enum, or the fields of a struct.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// As people know it.
    pub name: &'static str,
    /// In the order of declaration.
    pub fields: &'static [Field],
}

/// A field, in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As people know it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The most bytes it takes.
    pub size: usize,
    /// The most descriptors it carries.
    pub fds: usize,
    /// What the number of descriptors tells about the value.
    pub count: FdCount,
    /// Where it starts, in a C layout.
    pub offset: usize,
}

impl Field {
    /// The same field at its place in a C struct.
    #[must_use]
    pub const fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }
}

/// What the number of descriptors tells about the field that holds them, where nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdCount {
    /// It is one, always.
    One,
    /// It is always the same.
    Fixed,
    /// It is that of an `Option` or list of single descriptors: all there is to know.
    Varies,
    /// Different values have the same number: `[None, Some(fd)]` and `[Some(fd), None]`.
    Ambiguous,
}

impl FdCount {
    /// That of an `Option` or list of these.
    #[must_use]
    pub const fn in_option_or_list(self) -> Self {
        match self {
            Self::One => Self::Varies,
            Self::Fixed | Self::Varies | Self::Ambiguous => Self::Ambiguous,
        }
    }

    /// That of an array of these.
    #[must_use]
    pub const fn in_array(self) -> Self {
        match self {
            Self::One | Self::Fixed => Self::Fixed,
            Self::Varies | Self::Ambiguous => Self::Ambiguous,
        }
    }
}

/// FNV-1a of 64 bits, with its bits mixed in the end.
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    const fn number(mut self, number: usize) -> Self {
        let (bytes, mut i) = ((number as u64).to_le_bytes(), 0);
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    const fn text(self, text: &str) -> Self {
        let (bytes, mut i) = (text.as_bytes(), 0);
        let mut hash = self.number(bytes.len());
        while i < bytes.len() {
            hash = hash.byte(bytes[i]);
            i += 1;
        }
        hash
    }

    pub(crate) const fn kind(self, kind: &Kind) -> Self {
        match kind {
            Kind::Named(name) => self.byte(1).text(name),
            Kind::Of(name, parts) => {
                let (mut hash, mut i) = (self.byte(2).text(name).number(parts.len()), 0);
                while i < parts.len() {
                    hash = hash.kind(&parts[i]);
                    i += 1;
                }
                hash
            }
            Kind::Array(item, len) => self.byte(3).number(*len).kind(item),
            Kind::Struct(variants) => self.byte(4).variants(variants),
            Kind::Enum(variants) => self.byte(5).variants(variants),
            Kind::Type(shape) => self.kind(&shape.whole()),
            Kind::AtMost(kind, _) => self.kind(kind),
        }
    }

    const fn variants(self, variants: &[Variant]) -> Self {
        let (mut hash, mut i) = (self.number(variants.len()), 0);
        while i < variants.len() {
            hash = hash.text(variants[i].name).fields(variants[i].fields);
            i += 1;
        }
        hash
    }

    const fn fields(self, fields: &[Field]) -> Self {
        let (mut hash, mut i) = (self.number(fields.len()), 0);
        while i < fields.len() {
            hash = hash.text(fields[i].name).kind(&fields[i].kind);
            i += 1;
        }
        hash
    }

    /// Never 0, which stands for none.
    pub(crate) const fn end(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = mixed ^ (mixed >> 29);
        if mixed == 0 { 1 } else { mixed }
    }
}

/// The hash of a kind alone, to compare two.
pub(crate) const fn hash(kind: &Kind) -> u64 {
    Hash::new().kind(kind).end()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Of("List", [item]) => write!(f, "[{item}]"),
            Self::Of("Tuple", parts) => listed(f, "(", parts, ")"),
            Self::Of(name, parts) => {
                f.write_str(name)?;
                listed(f, "<", parts, ">")
            }
            Self::Array(item, len) => write!(f, "[{item}; {len}]"),
            Self::Struct(variants) => variants.first().map_or(Ok(()), |only| fields(f, only.fields)),
            Self::Enum(variants) => {
                for (i, variant) in variants.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { " | " })?;
                    f.write_str(variant.name)?;
                    if !variant.fields.is_empty() {
                        f.write_str(" ")?;
                        fields(f, variant.fields)?;
                    }
                }
                Ok(())
            }
            Self::Type(shape) => shape.whole().fmt(f),
            Self::AtMost(kind, _) => kind.fmt(f),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, open: &str, parts: &[Kind], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (i, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(close)
}

fn fields(f: &mut fmt::Formatter<'_>, fields: &[Field]) -> fmt::Result {
    f.write_str("{")?;
    for (i, field) in fields.iter().enumerate() {
        write!(f, "{} {}: {}", if i == 0 { "" } else { "," }, field.name, field.kind)?;
    }
    f.write_str(if fields.is_empty() { "}" } else { " }" })
}
