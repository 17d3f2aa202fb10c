//! JSON, written piece by piece. What is to be written, callers know.
//!
//! A dependency for it would come with every program that has a member in it.

use std::fmt::{Display, Write};

/// A JSON object in the making. Keys and values are written in turn; commas come by themselves.
#[derive(Debug, Default)]
pub struct Json {
    text: String,
    /// Something stands before what is written next, in the same object or array.
    follows: bool,
}

impl Json {
    /// An object with what `fill` writes into it.
    #[must_use]
    pub fn document(fill: impl FnOnce(&mut Self)) -> String {
        let mut this = Self::default();
        this.object(fill);
        this.text
    }

    /// The key of the value that is written next.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.text(key);
        self.text.push(':');
        self.follows = false;
        self
    }

    /// A number, which prints as JSON has numbers.
    pub fn number(&mut self, number: impl Display) {
        self.begin();
        // A `String` takes everything.
        let _ = write!(self.text, "{number}");
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.number(value);
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        self.begin();
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                c if c.is_control() => _ = write!(self.text, "\\u{:04x}", u32::from(c)),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    /// `null`.
    pub fn null(&mut self) {
        self.begin();
        self.text.push_str("null");
    }

    /// An object.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.within('{', '}', fill);
    }

    /// An array.
    pub fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.within('[', ']', fill);
    }

    fn within(&mut self, open: char, close: char, fill: impl FnOnce(&mut Self)) {
        self.begin();
        self.text.push(open);
        self.follows = false;
        fill(self);
        self.text.push(close);
        self.follows = true;
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.follows, true) {
            self.text.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_escapes_are_where_json_has_them() {
        let text = Json::document(|json| {
            json.key("n").number(-7);
            json.key("a").array(|json| {
                json.object(|_| {});
                json.object(|json| json.key("x").boolean(true));
                json.array(|json| {
                    json.number(1);
                    json.number(2);
                });
            });
            json.key("t").text("a\"b\\c\n\u{7f}é");
            json.key("z").null();
        });
        assert_eq!(text, r#"{"n":-7,"a":[{},{"x":true},[1,2]],"t":"a\"b\\c\u000a\u007fé","z":null}"#);
    }
}
