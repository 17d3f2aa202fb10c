//! Colour, which only a terminal gets: items are displayed with `{:#}` then.

use std::fmt;

/// What a reader is to notice first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    /// Something is wrong.
    Bad,
    /// Something may be.
    Odd,
    Good,
    /// What is there for context.
    Faint,
}

impl Tint {
    pub(crate) fn of(self, text: &str) -> String {
        let code = match self {
            Self::Bad => "31",
            Self::Odd => "33",
            Self::Good => "32",
            Self::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The text, in colour if it is displayed for a terminal.
    pub(crate) fn on(self, f: &fmt::Formatter<'_>, text: &str) -> String {
        if f.alternate() { self.of(text) } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Wrong;

    impl fmt::Display for Wrong {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&Tint::Bad.on(f, "wrong"))
        }
    }

    #[test]
    fn only_a_terminal_gets_colour() {
        assert_eq!(Wrong.to_string(), "wrong");
        assert_eq!(format!("{Wrong:#}"), "\u{1b}[31mwrong\u{1b}[0m");
    }
}
