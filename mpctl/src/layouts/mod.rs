//! Definitions of messages as a program has dumped them (`mp_typed::Layouts`), and as members tell them.
//! Decisions only.

mod compared;
mod dump;
mod told;

pub(crate) use compared::{Compared, Verdict, compare};
pub(crate) use dump::definitions;

/// What is known of a message or request, from either side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// `message` or `request`; empty if it is not told.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// `None` for none.
    pub(crate) fingerprint: Option<u64>,
    /// Earlier ones that it takes, too.
    pub(crate) accepts: Vec<u64>,
    /// Whether anything is told of what it is made of.
    pub(crate) typed: bool,
    /// Those of the body, then those of the response.
    pub(crate) fields: Vec<Field>,
}

/// A field, as far as both sides tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// With its variant, if it is one's, and `response` before those.
    pub(crate) name: String,
    /// The most bytes.
    pub(crate) size: u64,
}
