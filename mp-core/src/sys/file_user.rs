//! As whom this process uses the file system: as itself or, if it is root, as another user.
//!
//! What a user's directory holds, that user may change at any moment, into a link to what only root
//! can reach. So root uses it as that user: it finds what the user would find, and what it makes
//! there is the user's from the first moment.

#![allow(unsafe_code)]

use rustix::{io::Errno, process::geteuid};

/// Whom the file system takes this process for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FileUser(Option<u32>);

impl FileUser {
    /// This process's own effective user, if that is it already.
    pub(crate) fn with_uid(uid: u32) -> Self {
        Self(Some(uid).filter(|uid| *uid != geteuid().as_raw()))
    }

    /// Calls `call` as that user; `EPERM` if this process may not act as one.
    pub(crate) fn act<T>(self, call: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
        let Some(uid) = self.0 else { return call() };
        let _until_then = Acting::begin(uid)?;
        call()
    }
}

/// This thread acts as another user until this is dropped; other threads do not (`setfsuid(2)`).
struct Acting {
    before: u32,
}

impl Acting {
    fn begin(uid: u32) -> Result<Self, Errno> {
        let this = Self { before: setfsuid(uid) };
        // It tells of no failure, but which one was before: asked for a user that there is not,
        // it only tells.
        if setfsuid(u32::MAX) == uid { Ok(this) } else { Err(Errno::PERM) }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        setfsuid(self.before);
    }
}

/// Tells who it was before.
fn setfsuid(uid: u32) -> u32 {
    // SAFETY: it takes a number and no pointer. It changes as whom the kernel lets this thread use
    // files, and nothing of this process's memory or descriptors.
    let before = unsafe { libc::setfsuid(uid) };
    before.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, chown},
        path::Path,
    };

    use super::*;

    #[test]
    fn what_is_made_meanwhile_is_that_users_and_nothing_is_afterwards() {
        if !geteuid().is_root() {
            return println!("skipped: only root may act as another user");
        }
        let dir = tempfile::tempdir().expect("a directory");
        chown(dir.path(), Some(65_534), None).expect("root may");
        let (theirs, ours) = (dir.path().join("theirs"), dir.path().join("ours"));
        let make = |path: &Path| fs::write(path, "").map_err(|_| Errno::IO);
        FileUser::with_uid(65_534).act(|| make(&theirs)).expect("the directory is its");
        make(&ours).expect("root may");
        let owner = |path: &Path| fs::metadata(path).expect("it is there").uid();
        assert_eq!((owner(&theirs), owner(&ours)), (65_534, 0));
        // It reaches nothing more than that user does.
        let closed = tempfile::tempdir().expect("a directory");
        let refused = FileUser::with_uid(65_534).act(|| make(&closed.path().join("theirs")));
        assert_eq!(refused, Err(Errno::IO));
    }
}
