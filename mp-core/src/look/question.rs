//! What can be asked of a member about itself, and how the questions lie in a param.
//!
//! ```text
//! mp.describe  mp.status   version: u16
//! mp.monitor               version: u16, kinds: u8, 0: u8, then a name, perhaps with `*` at its end
//! ```
//!
//! Numbers are little-endian. Whoever is asked in a version that it does not know says so.

use crate::wire::{Kind, MAX_PARAM, Name, Reason, Why};

/// The version of all three, and of what they are answered with.
pub(crate) const VERSION: u16 = 1;

pub(crate) const DESCRIBE: Name = Name::from_static("mp.describe");
pub(crate) const STATUS: Name = Name::from_static("mp.status");
pub(crate) const MONITOR: Name = Name::from_static("mp.monitor");

/// What all names begin with that only this crate answers to.
const RESERVED: [u8; 3] = *b"mp.";

/// Whether only this crate answers to the name.
#[inline]
pub(crate) fn is_reserved(name: &Name) -> bool {
    name.as_bytes().starts_with(&RESERVED)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    Describe,
    Status,
    Monitor(Filter),
}

/// Which datagrams a monitor gets. Default: all.
///
/// # Examples
///
/// ```
/// use mp_core::inspect::Filter;
///
/// let opens = Filter::all().name("ring_*").messages(false);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// A bit for each kind.
    kinds: u8,
    name: Vec<u8>,
}

impl Default for Filter {
    fn default() -> Self {
        Self::all()
    }
}

impl Filter {
    /// All there are.
    #[must_use]
    pub fn all() -> Self {
        Self { kinds: 0b1111, name: Vec::new() }
    }

    /// Those of this name; those whose names begin so, if it ends with `*`. At most 252 bytes of it
    /// count.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        self.name = name[..name.len().min(MAX_PARAM - 4)].to_vec();
        self
    }

    /// Whether one-way messages are among them.
    #[must_use]
    pub fn messages(self, wanted: bool) -> Self {
        self.with(Kind::Message, wanted)
    }

    /// Whether requests are among them.
    #[must_use]
    pub fn requests(self, wanted: bool) -> Self {
        self.with(Kind::Request, wanted)
    }

    /// Whether replies are among them.
    #[must_use]
    pub fn replies(self, wanted: bool) -> Self {
        self.with(Kind::Reply, wanted)
    }

    /// Whether *ignore* answers are among them.
    #[must_use]
    pub fn ignores(self, wanted: bool) -> Self {
        self.with(Kind::Ignore, wanted)
    }

    fn with(mut self, kind: Kind, wanted: bool) -> Self {
        let bit = 1 << kind as u8;
        self.kinds = if wanted { self.kinds | bit } else { self.kinds & !bit };
        self
    }

    /// Whether a datagram is among them. One that is not well-formed has neither kind nor name, and
    /// is among all only.
    pub(crate) fn lets_through(&self, datagram: Option<(Kind, &Name)>) -> bool {
        let Some((kind, name)) = datagram else { return *self == Self::all() };
        let is_named = match self.name.as_slice() {
            [] => true,
            [start @ .., b'*'] => name.as_bytes().starts_with(start),
            whole => name.as_bytes() == whole,
        };
        is_named && self.kinds & (1 << kind as u8) != 0
    }
}

impl Question {
    /// What is asked by a request of a reserved name.
    pub(crate) fn of(name: &Name, param: &[u8]) -> Result<Self, Why> {
        let (version, rest) = match param {
            [low, high, rest @ ..] => (u16::from_le_bytes([*low, *high]), rest),
            _ => return Err(Why::new(Reason::Undecodable, "it does not say which version it is of")),
        };
        let known = |question| match version {
            VERSION => Ok(question),
            _ => Err(Why::new(
                Reason::Undecodable,
                format_args!("version {version} of \"{name}\" is not known here: version {VERSION} is"),
            )),
        };
        match *name {
            DESCRIBE => known(Self::Describe),
            STATUS => known(Self::Status),
            MONITOR => match rest {
                [kinds, _, name @ ..] => known(Self::Monitor(Filter { kinds: *kinds, name: name.to_vec() })),
                _ => known(Self::Monitor(Filter::all())),
            },
            _ => Err(Why::new(
                Reason::NoAction,
                "names that begin with \"mp.\" are this library's own, and this release has no such one",
            )),
        }
    }

    pub(crate) fn name(&self) -> Name {
        match self {
            Self::Describe => DESCRIBE,
            Self::Status => STATUS,
            Self::Monitor(_) => MONITOR,
        }
    }

    /// The param that asks it.
    pub(crate) fn param(&self) -> Vec<u8> {
        let mut param = VERSION.to_le_bytes().to_vec();
        if let Self::Monitor(filter) = self {
            param.extend([filter.kinds, 0]);
            param.extend(&filter.name);
        }
        param
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood() {
        let filter = Filter::all().name("ring_*").replies(false);
        for question in [Question::Describe, Question::Status, Question::Monitor(filter)] {
            assert_eq!(Question::of(&question.name(), &question.param()).expect("known"), question);
            assert!(is_reserved(&question.name()));
        }
        assert!(!is_reserved(&Name::from_static("mp_malloc_sync")));
    }

    #[test]
    fn another_version_and_another_question_are_refused_in_words() {
        let refused = |name: &Name, param: &[u8]| Question::of(name, param).expect_err("refused").to_string();
        assert!(
            refused(&STATUS, &[7, 0]).ends_with("version 7 of \"mp.status\" is not known here: version 1 is")
        );
        assert!(refused(&MONITOR, &[2, 1, 15, 0]).contains("version 258 of \"mp.monitor\""));
        assert!(refused(&DESCRIBE, &[]).contains("which version"));
        assert!(refused(&Name::from_static("mp.kill"), &[1, 0]).contains("no such one"));
    }

    #[test]
    fn a_filter_goes_by_kind_and_by_the_beginning_of_names() {
        let (open, stats) = (Name::from_static("ring_open"), Name::from_static("stats"));
        let filter = Filter::all().name("ring_*").ignores(false);
        assert!(filter.lets_through(Some((Kind::Request, &open))));
        assert!(!filter.lets_through(Some((Kind::Ignore, &open))));
        assert!(!filter.lets_through(Some((Kind::Request, &stats))));
        assert!(Filter::all().name("stats").lets_through(Some((Kind::Reply, &stats))));
        assert!(Filter::all().lets_through(None) && !filter.lets_through(None));
    }
}
