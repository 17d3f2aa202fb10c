use std::{fmt, io, str::FromStr};

use super::MAX_NAME;

/// The name of a message or request: 1 to 63 bytes without NUL.
///
/// An action is registered under a name, and a reply carries the name of the request it answers.
/// Peers written in C may use bytes that are not UTF-8, so a name is bytes;
/// [`Display`](fmt::Display) shows them lossily.
///
/// # Examples
///
/// ```
/// use mp_core::Name;
///
/// const STATS: Name = Name::from_static("stats_get");
/// assert_eq!(STATS, Name::new("stats_get")?);
/// assert!(Name::new("").is_err());
/// # Ok::<(), mp_core::NameError>(())
/// ```
///
/// Implements the `name` of `struct rte_mp_msg`.
#[doc(alias = "rte_mp_msg")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    // Zero beyond `len`, so that the derived comparisons are right.
    bytes: [u8; MAX_NAME],
    len: u8,
}

impl Name {
    /// Checks `name` and takes a copy of it.
    ///
    /// # Errors
    ///
    /// [`NameError`] if it is empty, longer than 63 bytes or contains a NUL.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, NameError> {
        Self::checked(name.as_ref())
    }

    /// The same for a name known at compile time.
    ///
    /// # Panics
    ///
    /// If the name is not valid: used in a `const`, that is a compile error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        match Self::checked(name.as_bytes()) {
            Ok(name) => name,
            Err(NameError::Empty) => panic!("a message name cannot be empty"),
            Err(NameError::TooLong { .. }) => panic!("a message name is at most 63 bytes long"),
            Err(NameError::Nul { .. }) => panic!("a message name cannot contain a NUL byte"),
        }
    }

    /// The name's bytes, without a NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The same with zeros after it.
    pub(super) fn padded(&self) -> &[u8; MAX_NAME] {
        &self.bytes
    }

    const fn checked(name: &[u8]) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(NameError::TooLong { len: name.len() });
        }
        let mut bytes = [0; MAX_NAME];
        let mut at = 0;
        while at < name.len() {
            if name[at] == 0 {
                return Err(NameError::Nul { at });
            }
            bytes[at] = name[at];
            at += 1;
        }
        Ok(Self { bytes, len: name.len() as u8 })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

/// Why something cannot be the name of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no byte in it.
    #[error("a message name cannot be empty")]
    Empty,
    /// It does not fit the 64 bytes that the wire has for it and its NUL.
    #[error("this message name is {len} bytes long; the limit is {MAX_NAME}")]
    TooLong {
        /// How long it is, in bytes.
        len: usize,
    },
    /// The wire ends names at the first NUL.
    #[error("a message name cannot contain a NUL byte; this one has one at byte {at}")]
    Nul {
        /// Where the first one is.
        at: usize,
    },
}

impl From<NameError> for io::Error {
    fn from(error: NameError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_1_to_63_bytes_are_valid() {
        for len in [1, 62, 63] {
            let name = Name::new("n".repeat(len)).expect("valid");
            assert_eq!(name.as_bytes().len(), len);
        }
    }

    #[test]
    fn each_kind_of_bad_name_is_told_with_its_figure() {
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new("n".repeat(64)), Err(NameError::TooLong { len: 64 }));
        assert_eq!(Name::new("a\0b"), Err(NameError::Nul { at: 1 }));
        assert_eq!(
            Name::new("n".repeat(64)).map_err(|e| e.to_string()),
            Err("this message name is 64 bytes long; the limit is 63".into())
        );
    }
}
