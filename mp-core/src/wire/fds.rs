//! The descriptors of a received message: owned, bounded, and closed where that holds nobody up.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use smallvec::SmallVec;

use super::MAX_FDS;

/// The file descriptors of a message, owned: dropping them closes them.
///
/// To send there are at most 8. A received message may hold more, because peers on DPDK 24.11 and
/// later may send up to 253. All of them are close-on-exec. Up to 8 are held without allocating.
///
/// Who sends a descriptor can make its last `close` take as long as it likes: a connection may
/// linger. So those of a received message that nobody takes out are closed without waiting for it,
/// by a thread of their own unless they are plainly harmless (files, pipes, memory, `/dev/null`).
/// One that is taken out is an ordinary [`OwnedFd`], which whoever drops it closes, and waits for
/// that.
///
/// A handler or callback must not be held up like that, so of what it takes out and what is not
/// plainly harmless a copy is kept until it returns. A connection that it closes is closed for the
/// other side only then.
///
/// # Examples
///
/// ```
/// use mp_core::Fds;
///
/// let mut fds = Fds::new();
/// fds.push(std::fs::File::open("/dev/null")?.into())?;
/// assert_eq!(fds.len(), 1);
/// for fd in fds {
///     drop(fd); // an `OwnedFd`
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements `fds` and `num_fds` of `struct rte_mp_msg`, and the `SCM_RIGHTS` of `unix(7)`.
#[doc(alias = "rte_mp_msg")]
#[doc(alias = "num_fds")]
#[doc(alias = "SCM_RIGHTS")]
#[derive(Debug, Default)]
#[doc(alias = "RTE_MP_MAX_FD_NUM")]
pub struct Fds {
    owned: OwnedFds,
    /// How they are closed, if a peer sent them.
    care: Option<&'static Care>,
}

/// How descriptors are closed that a peer sent, and whose last `close` may take long.
#[derive(Debug)]
pub(crate) struct Care {
    /// Closes those that nobody has taken out.
    pub(crate) discard: fn(OwnedFds),
    /// Is told of each that is taken out, before whoever takes it can close it.
    pub(crate) taken: fn(BorrowedFd<'_>),
}

/// Up to 8 are held without allocating.
pub(crate) type OwnedFds = SmallVec<[OwnedFd; MAX_FDS]>;

impl Fds {
    /// No descriptors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No descriptors; those that are put in are closed with such care.
    pub(crate) fn closed_with(care: &'static Care) -> Self {
        Self { owned: OwnedFds::new(), care: Some(care) }
    }

    /// Adds one at the end.
    ///
    /// # Errors
    ///
    /// [`FdsError`] if there are 8 already; `fd` is closed then, and those before it stay.
    pub fn push(&mut self, fd: OwnedFd) -> Result<(), FdsError> {
        if self.len() >= MAX_FDS {
            return Err(FdsError { count: self.len() + 1 });
        }
        self.owned.push(fd);
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owned.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty()
    }

    /// Lends each, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = BorrowedFd<'_>> {
        self.owned.iter().map(AsFd::as_fd)
    }

    /// All of them; none are left here. What comes after them is closed with the same care.
    pub(crate) fn take(&mut self) -> Self {
        Self { owned: std::mem::take(&mut self.owned), care: self.care }
    }

    /// Takes what has been received, however many there are.
    pub(crate) fn append(&mut self, fds: impl Iterator<Item = OwnedFd>) {
        self.owned.extend(fds);
    }
}

impl IntoIterator for Fds {
    type Item = OwnedFd;
    type IntoIter = FdsIntoIter;

    fn into_iter(mut self) -> FdsIntoIter {
        FdsIntoIter { left: std::mem::take(&mut self.owned).into_iter(), care: self.care }
    }
}

impl Drop for Fds {
    fn drop(&mut self) {
        if let Some(care) = self.care
            && !self.owned.is_empty()
        {
            (care.discard)(std::mem::take(&mut self.owned));
        }
    }
}

/// The owned descriptors of a message, one by one; those not taken are closed.
#[derive(Debug)]
pub struct FdsIntoIter {
    left: smallvec::IntoIter<[OwnedFd; MAX_FDS]>,
    care: Option<&'static Care>,
}

impl Iterator for FdsIntoIter {
    type Item = OwnedFd;

    fn next(&mut self) -> Option<OwnedFd> {
        let fd = self.left.next()?;
        if let Some(care) = self.care {
            (care.taken)(fd.as_fd());
        }
        Some(fd)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl ExactSizeIterator for FdsIntoIter {}

impl Drop for FdsIntoIter {
    fn drop(&mut self) {
        if let Some(care) = self.care
            && self.left.len() > 0
        {
            (care.discard)(self.left.by_ref().collect());
        }
    }
}

impl FdsIntoIter {
    /// Those that are left, to look at.
    #[must_use]
    pub fn as_slice(&self) -> &[OwnedFd] {
        self.left.as_slice()
    }
}

/// More file descriptors than a message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{count} file descriptors do not fit a message; the limit is {MAX_FDS}")]
pub struct FdsError {
    /// How many there would be.
    pub count: usize,
}

impl From<FdsError> for io::Error {
    fn from(error: FdsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
