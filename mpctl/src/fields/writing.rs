//! Values as a command line gives them, written as a declaration has them.

use std::fmt;

use super::{
    Declared,
    declared::{Placed, Scalar, Type},
};
use crate::show::plural;

/// What is wrong with the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValuesError {
    /// So many values for so many fields.
    Count {
        values: usize,
        fields: usize,
    },
    /// A quote or bracket is not closed.
    Open(char),
    /// Some have a name and some have none.
    Mixed(String),
    Twice(String),
    /// A value that is not one of the field's type.
    Value {
        field: String,
        ty: String,
        value: String,
    },
    /// A text or list that is too long.
    Long {
        field: String,
        most: usize,
        length: usize,
        nul: bool,
    },
}

impl std::error::Error for ValuesError {}

impl fmt::Display for ValuesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { values, fields } => write!(
                f,
                "{} for {}; give each its value in order, or some by name: name=value",
                plural(*values, "value"),
                plural(*fields, "field"),
            ),
            Self::Open(mark) => write!(f, "the values have a {mark} that is not closed; close it"),
            Self::Mixed(value) => {
                write!(f, "{value:?} has no name, and others have one; give all by name, or none")
            }
            Self::Twice(name) => write!(f, "{name} has two values; give it one"),
            Self::Value { field, ty, value } => write!(f, "{field} takes {ty}, not {value:?}"),
            Self::Long { field, most, length, nul: true } => {
                write!(f, "{field} holds {most} bytes and its NUL, not {length}; shorten it")
            }
            Self::Long { field, most, length, nul: false } => {
                write!(f, "{field} holds {most} values, not {length}; leave some out")
            }
        }
    }
}

impl Declared {
    /// The payload with these values: all in order, or some by name.
    pub(crate) fn write(&self, values: &str) -> Result<Vec<u8>, ValuesError> {
        let words = words(values)?;
        let fields: Vec<_> = self.placed().collect();
        let mut bytes = vec![0; self.size()];
        for (field, value) in assigned(&fields, &words)? {
            let written = field.write(value)?;
            bytes[field.offset..field.offset + written.len()].copy_from_slice(&written);
        }
        Ok(bytes)
    }
}

/// Which field gets which value.
fn assigned<'a>(
    fields: &'a [Placed<'a>],
    words: &'a [Word],
) -> Result<Vec<(&'a Placed<'a>, &'a str)>, ValuesError> {
    let named: Vec<_> = words.iter().map(|word| word.named(fields)).collect();
    if named.iter().all(Option::is_none) {
        if words.len() != fields.len() {
            return Err(ValuesError::Count { values: words.len(), fields: fields.len() });
        }
        return Ok(fields.iter().zip(words.iter().map(|word| word.text.as_str())).collect());
    }
    let mut given: Vec<(&Placed<'_>, &str)> = Vec::new();
    for (word, named) in words.iter().zip(named) {
        let (field, value) = named.ok_or_else(|| ValuesError::Mixed(word.text.clone()))?;
        if given.iter().any(|(other, _)| other.name == field.name) {
            return Err(ValuesError::Twice(field.name.to_owned()));
        }
        given.push((field, value));
    }
    Ok(given)
}

impl Placed<'_> {
    fn write(&self, value: &str) -> Result<Vec<u8>, ValuesError> {
        match self.ty {
            Type { scalar: Scalar::Char, count: Some(size) } => self.text(value, size),
            Type { scalar, count: Some(count) } => self.list(scalar, value, count),
            Type { scalar, count: None } => self.scalar(scalar, value),
        }
    }

    /// With its NUL, which C peers look for.
    fn text(&self, value: &str, size: usize) -> Result<Vec<u8>, ValuesError> {
        if value.len() >= size {
            let field = self.name.to_owned();
            return Err(ValuesError::Long { field, most: size - 1, length: value.len(), nul: true });
        }
        Ok(value.as_bytes().to_owned())
    }

    /// As in C, the items that are not given are zero.
    fn list(&self, scalar: Scalar, value: &str, count: usize) -> Result<Vec<u8>, ValuesError> {
        let inside = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inside = inside
            .ok_or_else(|| self.refused(value, &format!("a list such as [1,2], of {}", range(scalar))))?;
        let items: Vec<_> = inside
            .split(|character: char| character == ',' || character.is_whitespace())
            .filter(|item| !item.is_empty())
            .collect();
        if items.len() > count {
            let field = self.name.to_owned();
            return Err(ValuesError::Long { field, most: count, length: items.len(), nul: false });
        }
        items
            .into_iter()
            .map(|item| self.scalar(scalar, item))
            .collect::<Result<Vec<_>, _>>()
            .map(|items| items.concat())
    }

    fn scalar(&self, scalar: Scalar, value: &str) -> Result<Vec<u8>, ValuesError> {
        scalar_bytes(scalar, value).ok_or_else(|| self.refused(value, &range(scalar)))
    }

    fn refused(&self, value: &str, ty: &str) -> ValuesError {
        ValuesError::Value { field: self.name.to_owned(), ty: ty.to_owned(), value: value.to_owned() }
    }
}

fn scalar_bytes(scalar: Scalar, value: &str) -> Option<Vec<u8>> {
    match scalar {
        Scalar::Unsigned(size) => {
            let number = integer(value).and_then(|number| u64::try_from(number).ok())?;
            let fits = size == 8 || number >> (8 * size) == 0;
            fits.then(|| native(&number.to_ne_bytes(), size))
        }
        Scalar::Signed(size) => {
            let number = integer(value).and_then(|number| i64::try_from(number).ok())?;
            let unused = 64 - 8 * size;
            (number << unused >> unused == number).then(|| native(&number.to_ne_bytes(), size))
        }
        Scalar::Float(4) => value.parse::<f32>().ok().map(|number| number.to_ne_bytes().to_vec()),
        Scalar::Float(_) => value.parse::<f64>().ok().map(|number| number.to_ne_bytes().to_vec()),
        Scalar::Bool => match value {
            "true" | "1" => Some(vec![1]),
            "false" | "0" => Some(vec![0]),
            _ => None,
        },
        Scalar::Char => match value.as_bytes() {
            [byte] => Some(vec![*byte]),
            _ => None,
        },
    }
}

/// The bytes of a number that has more, of which the rest says nothing.
fn native(bytes: &[u8; 8], size: usize) -> Vec<u8> {
    if cfg!(target_endian = "little") { bytes[..size].to_vec() } else { bytes[8 - size..].to_vec() }
}

/// In decimal, or in hexadecimal after `0x`.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse::<u64>(),
    };
    // Both take a sign of their own.
    number.ok().filter(|_| !digits.contains(['+', '-'])).map(|number| sign * i128::from(number))
}

/// What a field takes, in words.
fn range(scalar: Scalar) -> String {
    match scalar {
        Scalar::Unsigned(size) => format!("0 to {}", u64::MAX >> (64 - 8 * size)),
        Scalar::Signed(size) => {
            let most = i64::MAX >> (64 - 8 * size);
            format!("{} to {most}", -most - 1)
        }
        Scalar::Float(_) => "a number".to_owned(),
        Scalar::Bool => "true or false".to_owned(),
        Scalar::Char => "one character of one byte".to_owned(),
    }
}

/// A word of the values; one that begins with a quote has no name.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    /// The field that it names, and the value.
    fn named<'a>(&'a self, fields: &'a [Placed<'a>]) -> Option<(&'a Placed<'a>, &'a str)> {
        let (name, value) = self.text.split_once('=').filter(|_| !self.quoted)?;
        let field = fields.iter().find(|field| field.name == name)?;
        Some((field, value))
    }
}

/// Splits at blanks outside of quotes and brackets; quotes are left out.
fn words(text: &str) -> Result<Vec<Word>, ValuesError> {
    let (mut words, mut word) = (Vec::new(), None::<Word>);
    let mut open: Option<char> = None;
    for character in text.chars() {
        match (open, character) {
            (Some(quote @ ('"' | '\'')), _) if character == quote => open = None,
            (Some('['), ']') => {
                open = None;
                started(&mut word).text.push(character);
            }
            (Some(_), _) => started(&mut word).text.push(character),
            (None, '"' | '\'') => {
                open = Some(character);
                word.get_or_insert(Word { text: String::new(), quoted: true });
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, _) => {
                open = (character == '[').then_some('[');
                started(&mut word).text.push(character);
            }
        }
    }
    words.extend(word);
    match open {
        Some(mark) => Err(ValuesError::Open(mark)),
        None => Ok(words),
    }
}

fn started(word: &mut Option<Word>) -> &mut Word {
    word.get_or_insert(Word { text: String::new(), quoted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Declared {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn told(fields: &str, values: &str) -> String {
        declared(fields).write(values).expect_err(values).to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let all = declared("a:u8 b:i16 c:u64 d:f32 e:bool f:[char;8] g:[i32;3] h:char i:f64");
        for values in [
            r#"255 -32768 0xffffffffffffffff 1.5 true "a b" [1,-2,3] x -2.5"#,
            r#"i=-2.5 h=x g="[1 -2, 3]" f='a b' e=1 d=1.5 c=18446744073709551615 b=-0x8000 a=0xff"#,
        ] {
            let bytes = all.write(values).unwrap_or_else(|error| panic!("{values}: {error}"));
            let json = serde_json::to_string(&all.read(&bytes)).expect("serializes");
            assert_eq!(
                json,
                r#"{"a":255,"b":-32768,"c":18446744073709551615,"d":1.5,"e":true,"f":"a b","g":[1,-2,3],"h":"x","i":-2.5}"#
            );
        }
    }

    #[test]
    fn what_is_not_given_is_zero() {
        assert_eq!(declared("a:u8 b:[u8;4] c:u8").write("b=[1]").expect("fits"), [0, 1, 0, 0, 0, 0]);
        assert_eq!(declared("a:[char;4]").write("''").expect("fits"), [0; 4]);
    }

    #[test]
    fn a_text_with_a_sign_of_equality_is_a_text() {
        let devargs = declared("devargs:[char;32]");
        for values in ["vdev:net_tap0,iface=tap0", "\"devargs=x\"", "devargs=iface=tap0"] {
            assert!(devargs.write(values).is_ok_and(|bytes| bytes.contains(&b'=')), "{values}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_values_is_told() {
        assert!(told("a:u8 b:u8", "1").starts_with("1 value for 2 fields"));
        assert!(told("a:u8", "1 2").starts_with("2 values for 1 field"));
        assert!(told("a:u8 b:u8", "a=1 2").starts_with("\"2\" has no name"));
        assert!(told("a:u8", "a=1 a=2").starts_with("a has two values"));
        assert_eq!(told("a:u8", "256"), "a takes 0 to 255, not \"256\"");
        assert_eq!(told("a:u8", "-1"), "a takes 0 to 255, not \"-1\"");
        assert_eq!(told("a:i8", "-129"), "a takes -128 to 127, not \"-129\"");
        assert_eq!(
            told("a:i64", "9223372036854775808"),
            format!("a takes {} to {}, not \"9223372036854775808\"", i64::MIN, i64::MAX)
        );
        assert_eq!(told("a:u8", "--1"), "a takes 0 to 255, not \"--1\"");
        assert_eq!(told("a:u8", "0x+1"), "a takes 0 to 255, not \"0x+1\"");
        assert_eq!(told("a:bool", "yes"), "a takes true or false, not \"yes\"");
        assert_eq!(told("a:char", "é"), "a takes one character of one byte, not \"é\"");
        assert_eq!(told("a:[char;4]", "abcd"), "a holds 3 bytes and its NUL, not 4; shorten it");
        assert_eq!(told("a:[u8;2]", "[1,2,3]"), "a holds 2 values, not 3; leave some out");
        assert_eq!(told("a:[u8;2]", "1"), "a takes a list such as [1,2], of 0 to 255, not \"1\"");
        assert_eq!(told("a:u8", "\"1"), "the values have a \" that is not closed; close it");
    }
}
