//! A declaration: names, types, and where a C compiler puts them.

use std::{fmt, str::FromStr};

use mp_core::MAX_PARAM;

/// The fields of a payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    fields: Vec<(String, Type)>,
    packed: bool,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type {
    pub(super) scalar: Scalar,
    /// How many there are of it; `None` if it is not an array.
    pub(super) count: Option<usize>,
}

/// A number, or a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// Of so many bytes.
    Unsigned(usize),
    Signed(usize),
    Float(usize),
    Bool,
    /// An array of these is a text up to its NUL.
    Char,
}

/// A field in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed<'a> {
    pub(super) name: &'a str,
    pub(super) ty: Type,
    pub(super) offset: usize,
}

impl Scalar {
    pub(super) fn size(self) -> usize {
        match self {
            Self::Unsigned(size) | Self::Signed(size) | Self::Float(size) => size,
            Self::Bool | Self::Char => 1,
        }
    }

    /// By its name in Rust or in C, as on every 64-bit Linux.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "u8" | "uint8_t" | "unsigned char" => Self::Unsigned(1),
            "u16" | "uint16_t" | "unsigned short" => Self::Unsigned(2),
            "u32" | "uint32_t" | "unsigned" | "unsigned int" => Self::Unsigned(4),
            "u64" | "uint64_t" | "size_t" | "unsigned long" => Self::Unsigned(8),
            "i8" | "int8_t" | "signed char" => Self::Signed(1),
            "i16" | "int16_t" | "short" => Self::Signed(2),
            "i32" | "int32_t" | "int" => Self::Signed(4),
            "i64" | "int64_t" | "long" | "ssize_t" => Self::Signed(8),
            "f32" | "float" => Self::Float(4),
            "f64" | "double" => Self::Float(8),
            "bool" => Self::Bool,
            "char" => Self::Char,
            _ => return None,
        })
    }
}

impl Type {
    pub(super) fn size(self) -> usize {
        self.scalar.size().saturating_mul(self.count.unwrap_or(1))
    }
}

impl Declared {
    /// The same without gaps, if that is asked for.
    pub(crate) fn packed_if(mut self, packed: bool) -> Self {
        self.packed |= packed;
        self
    }

    /// The fields, each where a C compiler puts it.
    pub(super) fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut end: usize = 0;
        self.fields.iter().map(move |(name, ty)| {
            let offset = end.next_multiple_of(self.alignment(*ty));
            end = offset.saturating_add(ty.size());
            Placed { name, ty: *ty, offset }
        })
    }

    /// The size of the struct, with the gap that an array of it has at its end.
    pub(crate) fn size(&self) -> usize {
        let end = self.placed().last().map_or(0, |last| last.offset.saturating_add(last.ty.size()));
        let widest = self.fields.iter().map(|(_, ty)| self.alignment(*ty)).max().unwrap_or(1);
        end.checked_next_multiple_of(widest).unwrap_or(end)
    }

    fn alignment(&self, ty: Type) -> usize {
        if self.packed { 1 } else { ty.scalar.size() }
    }
}

/// What is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeclaredError {
    Empty,
    /// This is no `name:type`.
    NoType(String),
    NoName(String),
    UnknownType {
        field: String,
        ty: String,
    },
    Length {
        field: String,
        ty: String,
    },
    Twice(String),
    TooLarge(usize),
}

impl std::error::Error for DeclaredError {}

impl fmt::Display for DeclaredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no field is declared; write name:type, such as 'rx:u64 tx:u64'"),
            Self::NoType(word) => write!(f, "{word:?} has no type; write name:type, such as rx:u64"),
            Self::NoName(word) => write!(
                f,
                "{word:?} does not begin with a name of letters, digits and _; write name:type, such as rx:u64"
            ),
            Self::UnknownType { field, ty } => write!(
                f,
                "{field} has the type {ty:?}, which is none; write u8 to u64, i8 to i64, f32, f64, bool, char, \
                 or an array such as [u8;16]"
            ),
            Self::Length { field, ty } => {
                write!(f, "{field} has the type {ty:?}, whose length is none; write 1 to {MAX_PARAM}")
            }
            Self::Twice(name) => write!(f, "{name} is declared twice; give each field a name of its own"),
            Self::TooLarge(size) => {
                write!(f, "the fields take {size} bytes, and a message carries {MAX_PARAM}; declare fewer")
            }
        }
    }
}

impl FromStr for Declared {
    type Err = DeclaredError;

    /// `name:type` with blanks, commas or semicolons between them; `packed` may stand first.
    fn from_str(text: &str) -> Result<Self, DeclaredError> {
        let mut words = words(text);
        let packed = words.first().is_some_and(|word| word == "packed");
        if packed {
            words.remove(0);
        }
        let mut fields: Vec<(String, Type)> = Vec::new();
        for word in &words {
            let (name, ty) = field(word)?;
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(DeclaredError::Twice(name));
            }
            fields.push((name, ty));
        }
        let declared = Self { fields, packed };
        match (declared.fields.len(), declared.size()) {
            (0, _) => Err(DeclaredError::Empty),
            (_, size) if size > MAX_PARAM => Err(DeclaredError::TooLarge(size)),
            _ => Ok(declared),
        }
    }
}

/// The words between blanks, commas and semicolons that are not inside brackets.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut depth) = (Vec::new(), String::new(), 0_usize);
    // A blank beside the colon does not end the word.
    let text = text.split(':').map(str::trim).collect::<Vec<_>>().join(":");
    for character in text.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = depth == 0 && (character.is_whitespace() || matches!(character, ',' | ';'));
        if !ends {
            word.push(character);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn field(word: &str) -> Result<(String, Type), DeclaredError> {
    let (name, ty) = word.split_once(':').ok_or_else(|| DeclaredError::NoType(word.to_owned()))?;
    if !is_name(name) {
        return Err(DeclaredError::NoName(word.to_owned()));
    }
    let (scalar, count) = array(ty);
    let unknown = || DeclaredError::UnknownType { field: name.to_owned(), ty: ty.to_owned() };
    let length = || DeclaredError::Length { field: name.to_owned(), ty: ty.to_owned() };
    let scalar = Scalar::named(scalar).ok_or_else(unknown)?;
    let count = match count {
        Some(count) => {
            Some(count.parse().ok().filter(|count| (1..=MAX_PARAM).contains(count)).ok_or_else(length)?)
        }
        None => None,
    };
    Ok((name.to_owned(), Type { scalar, count }))
}

/// The type and the length of `[u8;16]` and `u8[16]`; the type alone of others.
fn array(ty: &str) -> (&str, Option<&str>) {
    let inside = ty.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.split_once(';'));
    let behind = || ty.strip_suffix(']').and_then(|rest| rest.split_once('['));
    match inside.or_else(behind) {
        Some((scalar, count)) => (scalar.trim(), Some(count.trim())),
        None => (ty, None),
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |character: char| character.is_ascii_alphabetic() || character == '_';
    text.starts_with(is_letter)
        && text.chars().all(|character| is_letter(character) || character.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Declared {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn offsets(text: &str) -> Vec<usize> {
        declared(text).placed().map(|field| field.offset).collect()
    }

    #[test]
    fn fields_stand_where_a_c_compiler_puts_them() {
        assert_eq!(offsets("rx:u64 tx:u64"), [0, 8]);
        let mixed = "a:u8 b:u32 c:u8 d:u16 e:f64 f:char[3]";
        assert_eq!((offsets(mixed), declared(mixed).size()), (vec![0, 4, 8, 10, 16, 24], 32));
        let packed = format!("packed {mixed}");
        assert_eq!((offsets(&packed), declared(&packed).size()), (vec![0, 1, 5, 6, 8, 16], 19));
        assert_eq!(declared(mixed).packed_if(true), declared(&packed));
    }

    #[test]
    fn a_declaration_may_be_written_in_rust_or_in_c() {
        let rust = declared("type:i32 num:i32 name:[char;64] mac:[u8;6]");
        assert_eq!(rust, declared("type: int, num: int32_t; name: char[64] mac: [ uint8_t ; 6 ]"));
        assert_eq!(rust.size(), 80);
    }

    #[test]
    fn what_is_wrong_with_a_declaration_is_told() {
        let told = |text: &str| text.parse::<Declared>().expect_err(text).to_string();
        assert!(told("").starts_with("no field is declared"));
        assert!(told("packed").starts_with("no field is declared"));
        assert!(told("rx").starts_with("\"rx\" has no type"));
        assert!(told("1x:u8").starts_with("\"1x:u8\" does not begin with a name"));
        assert!(told("x:u7").contains("x has the type \"u7\", which is none"));
        assert!(told("x:[u8;0]").contains("whose length is none"));
        assert!(told("x:[u8;257]").contains("whose length is none"));
        assert!(told("x:[u8;16").contains("which is none"));
        assert!(told("x:u8 x:u8").starts_with("x is declared twice"));
        assert_eq!(told("x:[u64;33]"), "the fields take 264 bytes, and a message carries 256; declare fewer");
    }
}
