//! Which names may cross: lists of what is allowed and of what is denied. No I/O.

use mp_core::{Name, Reason, Why};

/// What an *ignore* says of a name that may not cross.
pub(crate) fn denied() -> Why {
    Why::new(Reason::Declined, "its name may not leave the host")
}

/// What an *ignore* says of a request with descriptors.
pub(crate) fn descriptors() -> Why {
    Why::new(Reason::Declined, "descriptors cannot leave the host")
}

/// The names that cross: those allowed, or all if none is named, without those denied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) allow: Vec<Pattern>,
    pub(crate) deny: Vec<Pattern>,
}

/// A name, or with a `*` at its end all names that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    begin: Vec<u8>,
    is_whole: bool,
}

impl Names {
    pub(crate) fn pass(&self, name: &Name) -> bool {
        let in_list = |list: &[Pattern]| list.iter().any(|pattern| pattern.matches(name));
        (self.allow.is_empty() || in_list(&self.allow)) && !in_list(&self.deny)
    }
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        match pattern.strip_suffix('*') {
            Some(begin) => Self { begin: begin.into(), is_whole: false },
            None => Self { begin: pattern.into(), is_whole: true },
        }
    }

    fn matches(&self, name: &Name) -> bool {
        let name = name.as_bytes();
        if self.is_whole { name == self.begin } else { name.starts_with(&self.begin) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(allow: &[&str], deny: &[&str], name: &'static str) -> bool {
        let list = |list: &[&str]| list.iter().map(|pattern| Pattern::new(pattern)).collect();
        Names { allow: list(allow), deny: list(deny) }.pass(&Name::from_static(name))
    }

    #[test]
    fn without_lists_everything_passes() {
        assert!(pass(&[], &[], "echo"));
    }

    #[test]
    fn what_is_not_allowed_or_is_denied_does_not_pass() {
        assert!(pass(&["echo"], &[], "echo") && !pass(&["echo"], &[], "echoes"));
        assert!(!pass(&[], &["echo"], "echo") && pass(&[], &["echo"], "echoes"));
        assert!(pass(&["app.*"], &["app.secret*"], "app.open"));
        assert!(!pass(&["app.*"], &["app.secret*"], "app.secrets"));
        assert!(!pass(&[], &["*"], "anything"));
    }
}
