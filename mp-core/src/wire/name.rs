//! The name of an action: 1 to 63 bytes, none of them NUL, checked where it is made.

use std::{fmt, io, str::FromStr};

use super::MAX_NAME;

/// How many bytes the wire has for a name and its NUL.
pub(super) const FIELD: usize = MAX_NAME + 1;

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
#[doc(alias = "RTE_MP_MAX_NAME_LEN")]
pub struct Name {
    // Zero beyond `len`, so that the derived comparisons are right.
    bytes: [u8; FIELD],
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
    pub(super) fn padded(&self) -> &[u8; FIELD] {
        &self.bytes
    }

    /// The name that this field of a datagram holds, up to its first NUL; `None` if it is empty or
    /// has no NUL. Looks at eight bytes at a time: every datagram comes through here.
    pub(super) fn of_field(field: &[u8; FIELD]) -> Option<Self> {
        let mut bytes = [0; FIELD];
        let (from, _) = field.as_chunks::<8>();
        let (to, _) = bytes.as_chunks_mut::<8>();
        for (at, (from, to)) in from.iter().zip(to).enumerate() {
            let word = u64::from_le_bytes(*from);
            match first_nul(word) {
                None => *to = *from,
                Some(nul) => {
                    *to = (word & !(u64::MAX << (8 * nul))).to_le_bytes();
                    let len = at as u32 * 8 + nul;
                    return (len > 0).then_some(Self { bytes, len: len as u8 });
                }
            }
        }
        None
    }

    const fn checked(name: &[u8]) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > MAX_NAME {
            return Err(NameError::TooLong { len: name.len() });
        }
        let mut bytes = [0; FIELD];
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

/// Which of the eight bytes of a little-endian word is the first that is zero.
fn first_nul(word: u64) -> Option<u32> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // The lowest bit that is left is the highest of the first byte that is zero: below that byte
    // nothing was borrowed.
    let found = word.wrapping_sub(ONES) & !word & (ONES << 7);
    (found != 0).then(|| found.trailing_zeros() / 8)
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
    fn a_field_holds_the_name_before_its_first_nul() {
        for len in 0..=FIELD {
            for rest in [0, 1, b'x', 0x80, 0xff] {
                let mut field = [rest; FIELD];
                // Bytes that a search eight at a time might take for a NUL.
                field[..len]
                    .iter_mut()
                    .zip([0x80, 1, 0xff, b'n'].into_iter().cycle())
                    .for_each(|(to, of)| *to = of);
                field[len..].iter_mut().take(1).for_each(|nul| *nul = 0);
                let expected = Name::new(&field[..len]).ok();
                assert_eq!(Name::of_field(&field), expected, "{len} bytes, then {rest}");
            }
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
