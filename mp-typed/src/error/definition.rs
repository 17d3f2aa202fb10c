//! A definition in words, as two peers tell each other.

use std::fmt;

/// A definition of a message, or of a request and its response: its fingerprint, and its fields in
/// words.
///
/// ```
/// use mp_typed::{Definition, Request};
///
/// #[derive(Request)]
/// #[message(name = "speed_set", response = ())]
/// struct SetSpeed { port: u16, mbit: Option<u32> }
///
/// let definition = Definition::of_request::<SetSpeed>();
/// assert_eq!(definition.fields, "SetSpeed { port: u16, mbit: Option<u32> } -> () {}");
/// assert_eq!(definition.fingerprint, SetSpeed::FINGERPRINT);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Definition {
    /// [`Message::FINGERPRINT`](crate::Message::FINGERPRINT) or
    /// [`Request::FINGERPRINT`](crate::Request::FINGERPRINT); 0 if it has none, or none is known.
    pub fingerprint: u64,
    /// All fields with their kinds. What a peer tells may be cut off, as a message has 256 bytes.
    pub fields: String,
}

impl Definition {
    /// From what a peer says, as its `Display` does; all of that is the fields if it says something
    /// else.
    pub(crate) fn of_peer(words: &str) -> Self {
        let parsed = words.split_once(' ').and_then(|(number, fields)| {
            let is_one = number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
            let fingerprint = is_one.then(|| u64::from_str_radix(number, 16).ok())??;
            Some(Self { fingerprint, fields: fields.to_owned() })
        });
        parsed.unwrap_or_else(|| Self { fingerprint: 0, fields: words.to_owned() })
    }
}

/// What a peer sent is shown with control characters escaped.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x} ", self.fingerprint)?;
        self.fields.chars().try_for_each(|char| {
            if char.is_control() { write!(f, "{}", char.escape_default()) } else { write!(f, "{char}") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_is_taken_apart_or_taken_whole() {
        let definition = Definition { fingerprint: 0xabc, fields: "Ping {} -> () {}".to_owned() };
        assert_eq!(Definition::of_peer(&definition.to_string()), definition);
        for words in
            ["", "12", "-000000000000abc Ping", "000000000000abc Ping {}", "+00000000000abc1 x", "é é"]
        {
            assert_eq!(Definition::of_peer(words), Definition { fingerprint: 0, fields: words.to_owned() });
        }
        let cut = &definition.to_string()[..20];
        assert_eq!(Definition::of_peer(cut), Definition { fingerprint: 0xabc, fields: "Pin".to_owned() });
    }
}
