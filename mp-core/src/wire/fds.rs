use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use smallvec::SmallVec;

use super::MAX_FDS;

/// The file descriptors of a message, owned: dropping them closes them.
///
/// To send there are at most 8. A received message may hold more, because
/// peers on DPDK 24.11 and later may send up to 253. All of them are
/// close-on-exec. Up to 8 are held without allocating.
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
/// Implements `fds` and `num_fds` of `struct rte_mp_msg`, and the `SCM_RIGHTS`
/// of `unix(7)`.
#[derive(Debug, Default)]
pub struct Fds(SmallVec<[OwnedFd; MAX_FDS]>);

impl Fds {
    /// No descriptors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one at the end.
    ///
    /// # Errors
    ///
    /// [`FdsError`] if there are 8 already; `fd` is closed then, and those
    /// before it stay.
    pub fn push(&mut self, fd: OwnedFd) -> Result<(), FdsError> {
        if self.len() >= MAX_FDS {
            return Err(FdsError { count: self.len() + 1 });
        }
        self.0.push(fd);
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lends each, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(AsFd::as_fd)
    }

    /// Takes what has been received, however many there are.
    pub(crate) fn append(&mut self, fds: impl Iterator<Item = OwnedFd>) {
        self.0.extend(fds);
    }
}

impl IntoIterator for Fds {
    type Item = OwnedFd;
    type IntoIter = FdsIntoIter;

    fn into_iter(self) -> FdsIntoIter {
        FdsIntoIter(self.0.into_iter())
    }
}

/// The owned descriptors of a message, one by one; those not taken are closed.
#[derive(Debug)]
pub struct FdsIntoIter(smallvec::IntoIter<[OwnedFd; MAX_FDS]>);

impl Iterator for FdsIntoIter {
    type Item = OwnedFd;

    fn next(&mut self) -> Option<OwnedFd> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for FdsIntoIter {}

/// More file descriptors than a message can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{count} file descriptors do not fit a message; the limit is {MAX_FDS}")]
pub struct FdsError {
    /// How many there would be.
    pub count: usize,
}
