//! Bytes, read as a declaration has them.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    Declared,
    declared::{Scalar, Type},
};

/// The fields of a payload with their values, in the order of the struct.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields {
    fields: Vec<(String, Value)>,
    /// How many bytes follow that are not declared.
    beyond: usize,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Unsigned(u64),
    Signed(i64),
    Float32(f32),
    Float64(f64),
    Bool(bool),
    Text(String),
    Array(Vec<Value>),
}

impl Declared {
    /// Reads the fields; `None` if there are too few bytes.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<Fields> {
        let beyond = bytes.len().checked_sub(self.size())?;
        let value = |offset: usize, ty: Type| Value::of(ty, bytes.get(offset..offset + ty.size())?);
        let fields = self.placed().map(|field| Some((field.name.to_owned(), value(field.offset, field.ty)?)));
        Some(Fields { fields: fields.collect::<Option<_>>()?, beyond })
    }
}

impl Value {
    /// `None` if there are other than as many bytes as it takes.
    fn of(ty: Type, bytes: &[u8]) -> Option<Self> {
        match ty {
            Type { scalar, count: None } => Self::scalar(scalar, bytes),
            Type { scalar: Scalar::Char, .. } => Some(Self::Text(mp_dpdk::text(bytes))),
            Type { scalar, .. } => bytes
                .chunks(scalar.size())
                .map(|item| Self::scalar(scalar, item))
                .collect::<Option<_>>()
                .map(Self::Array),
        }
    }

    fn scalar(scalar: Scalar, bytes: &[u8]) -> Option<Self> {
        Some(match scalar {
            Scalar::Unsigned(1) => Self::Unsigned(u8::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Unsigned(2) => Self::Unsigned(u16::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Unsigned(4) => Self::Unsigned(u32::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Unsigned(_) => Self::Unsigned(u64::from_ne_bytes(bytes.try_into().ok()?)),
            Scalar::Signed(1) => Self::Signed(i8::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Signed(2) => Self::Signed(i16::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Signed(4) => Self::Signed(i32::from_ne_bytes(bytes.try_into().ok()?).into()),
            Scalar::Signed(_) => Self::Signed(i64::from_ne_bytes(bytes.try_into().ok()?)),
            Scalar::Float(4) => Self::Float32(f32::from_ne_bytes(bytes.try_into().ok()?)),
            Scalar::Float(_) => Self::Float64(f64::from_ne_bytes(bytes.try_into().ok()?)),
            Scalar::Bool => Self::Bool(*bytes.first()? != 0),
            Scalar::Char => Self::Text(mp_dpdk::text(bytes)),
        })
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.fields.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {value}")?;
        }
        match self.beyond {
            0 => Ok(()),
            beyond => write!(f, ", and {} that no field has", crate::show::plural(beyond, "byte")),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Float32(number) => number.fmt(f),
            Self::Float64(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            // A peer chose it: it must not reach a terminal as it is.
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Declared {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_type_is_read() {
        let all = declared(
            "packed a:u8 b:u16 c:u32 d:u64 e:i8 f:i16 g:i32 h:i64 i:f32 j:f64 k:bool l:char m:[i16;2] n:[char;4]",
        );
        let bytes = [
            &1_u8.to_ne_bytes()[..],
            &2_u16.to_ne_bytes(),
            &3_u32.to_ne_bytes(),
            &u64::MAX.to_ne_bytes(),
            &(-1_i8).to_ne_bytes(),
            &(-2_i16).to_ne_bytes(),
            &(-3_i32).to_ne_bytes(),
            &i64::MIN.to_ne_bytes(),
            &1.5_f32.to_ne_bytes(),
            &(-0.25_f64).to_ne_bytes(),
            &[2],
            b"x",
            &7_i16.to_ne_bytes(),
            &(-7_i16).to_ne_bytes(),
            b"ab\0z",
        ]
        .concat();
        let fields = all.read(&bytes).expect("as many as it takes");
        let json = serde_json::to_string(&fields).expect("serializes");
        assert_eq!(
            json,
            r#"{"a":1,"b":2,"c":3,"d":18446744073709551615,"e":-1,"f":-2,"g":-3,"h":-9223372036854775808,"i":1.5,"j":-0.25,"k":true,"l":"x","m":[7,-7],"n":"ab"}"#
        );
        assert!(fields.to_string().ends_with("k true, l \"x\", m [7, -7], n \"ab\""), "{fields}");
    }

    #[test]
    fn too_few_bytes_are_not_read_and_too_many_are_told() {
        let pair = declared("a:u8 b:u8");
        assert_eq!(pair.read(&[1]), None);
        assert_eq!(pair.read(&[1, 2]).expect("two").to_string(), "a 1, b 2");
        assert_eq!(pair.read(&[1, 2, 3]).expect("two").to_string(), "a 1, b 2, and 1 byte that no field has");
    }

    #[test]
    fn whatever_a_peer_wrote_reaches_no_terminal() {
        let text = declared("t:[char;8]").read(b"\x1b[2J\xff\0..").expect("eight");
        assert_eq!(text.to_string(), "t \"\\u{1b}[2J\u{fffd}\"");
    }
}
