//! What a typed message is made of, as the members that know its type tell it with `mp.describe`.
//!
//! ```text
//! told ─► mod ◄─ sizes    how many bytes it takes
//!          ▲ ◄── spelled  in Rust-like notation
//!          ├──── c        as C structs
//!          ├──── write    JSON to a payload and descriptors
//!          ├──── read     and back
//!          └──── noted    what was read, in Rust-like notation
//! ```
//!
//! It does no I/O, and knows neither members nor the command line. The form of what is told stands in the
//! documentation of `mp-typed`.

mod c;
mod leaf;
mod noted;
mod read;
mod sizes;
mod spelled;
#[cfg(test)]
mod tests;
mod told;
mod write;

use std::fmt;

pub(crate) use c::in_c;
pub(crate) use noted::noted;
pub(crate) use read::read;
pub(crate) use told::Told;
pub(crate) use write::{Written, write};

/// All that a member tells of its actions.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) pid: u32,
    pub(crate) version: String,
    pub(crate) role: String,
    pub(crate) socket: String,
    pub(crate) actions: Vec<Action>,
}

/// An action.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) name: String,
    /// `None` of one that takes bytes.
    pub(crate) definition: Option<Definition>,
}

/// What an action takes, and what it answers.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// 0 for none.
    pub(crate) fingerprint: u64,
    /// Earlier definitions that are taken, too.
    pub(crate) accepts: Vec<u64>,
    pub(crate) body: Body,
    /// `None` of a message.
    pub(crate) response: Option<Body>,
}

/// A message, request or response.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) ty: Type,
    /// The most bytes.
    pub(crate) max: usize,
    /// The most descriptors that are sent with it.
    pub(crate) fds: usize,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// One of those that have a name: `u16`, `IpAddr`.
    Leaf(leaf::Leaf),
    /// Text of at most so many bytes.
    Text(usize),
    /// What only serde knows, of at most so many bytes.
    Foreign(usize),
    /// A file descriptor.
    Fd,
    Option(Box<Type>),
    Result(Box<Type>, Box<Type>),
    Tuple(Vec<Type>),
    Array(Box<Type>, usize),
    /// A list or a set of at most so many.
    List(Box<Type>, usize),
    /// Keys with values, at most so many.
    Map(Box<Type>, Box<Type>, usize),
    Struct(Struct),
    Enum(Enum),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Struct {
    pub(crate) name: String,
    /// Size and alignment, if it is laid out as C does.
    pub(crate) c: Option<(usize, usize)>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// The most bytes.
    pub(crate) max: usize,
    /// The most descriptors.
    pub(crate) fds: usize,
    /// Where it lies in a C struct.
    pub(crate) offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) variants: Vec<Variant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) content: Content,
}

/// What follows the number of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Fields(Vec<Field>),
    /// A type as a whole, as the answer in a `Result` is.
    Whole(Box<Type>),
}

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field, as one would write it: `head[3].port`.
    path: String,
    what: String,
}

impl Fault {
    fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into() }
    }

    /// The same, seen from outside of `field`.
    fn within(mut self, field: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{field}{joint}{}", self.path);
        self
    }

    fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}` ", self.path)?;
        }
        f.write_str(&self.what)
    }
}

/// Fields that have no names, but places.
fn are_places(fields: &[Field]) -> bool {
    !fields.is_empty() && fields.iter().enumerate().all(|(place, field)| field.name == place.to_string())
}
