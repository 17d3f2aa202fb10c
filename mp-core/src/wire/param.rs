//! The bytes of a message, at most 256, held inline.

use std::{fmt, io, ops::Deref};

use super::MAX_PARAM;

/// The payload of a message: 0 to 256 bytes, held inline.
///
/// # Examples
///
/// ```
/// use mp_core::Param;
///
/// let param = Param::new(b"hello")?;
/// assert_eq!(&*param, b"hello");
/// assert_eq!(
///     Param::new([0; 257]).unwrap_err().to_string(),
///     "a param of 257 bytes does not fit a message; the limit is 256",
/// );
/// # Ok::<(), mp_core::ParamError>(())
/// ```
///
/// Implements `param` and `len_param` of `struct rte_mp_msg`.
#[doc(alias = "rte_mp_msg")]
#[doc(alias = "len_param")]
#[derive(Clone, Copy)]
#[doc(alias = "RTE_MP_MAX_PARAM_LEN")]
pub struct Param {
    bytes: [u8; MAX_PARAM],
    len: u16,
}

impl Param {
    /// A param without bytes.
    pub const EMPTY: Self = Self { bytes: [0; MAX_PARAM], len: 0 };

    /// Takes a copy of `bytes`.
    ///
    /// # Errors
    ///
    /// [`ParamError`] if there are more than 256.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ParamError> {
        let bytes = bytes.as_ref();
        let mut param = Self::EMPTY;
        param.bytes.get_mut(..bytes.len()).ok_or(ParamError { len: bytes.len() })?.copy_from_slice(bytes);
        param.len = bytes.len() as u16;
        Ok(param)
    }
}

impl Param {
    /// The first `len` of the bytes that a datagram has for it; what follows stays unseen.
    pub(crate) fn of_field(field: &[u8; MAX_PARAM], len: usize) -> Self {
        Self { bytes: *field, len: len.min(MAX_PARAM) as u16 }
    }
}

impl Deref for Param {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl AsRef<[u8]> for Param {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Default for Param {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl PartialEq for Param {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Param {}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// More bytes than a message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("a param of {len} bytes does not fit a message; the limit is {MAX_PARAM}")]
pub struct ParamError {
    /// How many there are.
    pub len: usize,
}

impl From<ParamError> for io::Error {
    fn from(error: ParamError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
