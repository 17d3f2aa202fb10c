//! Payloads in words.

use std::{borrow::Cow, fmt, io};

use serde::{Serialize, Serializer, ser::SerializeMap};

/// What a payload says: its fields by name, without those that mean nothing in a payload of its
/// type.
///
/// Displayed, they stand in one line; serialized, they are a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded(Vec<(&'static str, Value)>);

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A text, or a number whose meaning is known.
    Text(Cow<'static, str>),
}

impl Decoded {
    /// Without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields, in the order of the struct.
    #[must_use]
    pub fn fields(&self) -> &[(&'static str, Value)] {
        &self.0
    }

    pub(crate) fn value(mut self, name: &'static str, value: Value) -> Self {
        self.0.push((name, value));
        self
    }

    pub(crate) fn number(self, name: &'static str, value: impl Into<i64>) -> Self {
        self.value(name, Value::Number(value.into()))
    }

    pub(crate) fn text(self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.value(name, Value::Text(value.into()))
    }

    pub(crate) fn word(self, name: &'static str, value: i32, words: &[(i32, &'static str)]) -> Self {
        self.value(name, Value::of_word(value, words))
    }

    /// A result: 0, or a negated `errno`, told in words too.
    pub(crate) fn result(self, value: i32) -> Self {
        let decoded = self.number("result", value);
        match value {
            ..0 => decoded.text("error", io::Error::from_raw_os_error(value.saturating_neg()).to_string()),
            0.. => decoded,
        }
    }
}

impl Value {
    /// What a number stands for, or the number itself.
    pub(crate) fn of_word(value: i32, words: &[(i32, &'static str)]) -> Self {
        match words.iter().find(|(number, _)| *number == value) {
            Some((_, word)) => Self::Text((*word).into()),
            None => Self::Number(value.into()),
        }
    }
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            // A peer chose it: it must not reach a terminal as it is.
            Self::Text(text) => text.escape_debug().fmt(f),
        }
    }
}

impl Serialize for Decoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_wrote_is_escaped() {
        let decoded = Decoded::new().text("name", "a\u{1b}[31m\n").number("num", 2);
        assert_eq!(decoded.to_string(), r"name a\u{1b}[31m\n, num 2");
        assert_eq!(
            serde_json::to_string(&decoded).expect("serializes"),
            r#"{"name":"a\u001b[31m\n","num":2}"#
        );
    }

    #[test]
    fn a_negative_result_is_told_in_words() {
        let decoded = Decoded::new().result(-17);
        assert_eq!(decoded.to_string(), "result -17, error File exists (os error 17)");
        assert_eq!(Decoded::new().result(0).to_string(), "result 0");
        assert!(Decoded::new().result(i32::MIN).to_string().starts_with("result -2147483648, error"));
    }

    #[test]
    fn a_number_without_a_meaning_stays_a_number() {
        let words = [(1, "one")];
        assert_eq!(Decoded::new().word("type", 1, &words).to_string(), "type one");
        assert_eq!(Decoded::new().word("type", 2, &words).to_string(), "type 2");
    }
}
