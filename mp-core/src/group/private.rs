//! A runtime directory of this process's own, for groups that live within it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::names::unique;
use crate::sys::ForkGuard;

/// A temporary directory with mode 0700, which whoever starts first in the group makes. It is
/// removed, with what is left in it, when the last role and handle of the group are gone.
#[derive(Debug)]
pub(crate) struct PrivateDirectory {
    path: PathBuf,
    /// A fork's copy must not remove the directory.
    made_in: ForkGuard,
}

impl PrivateDirectory {
    pub(crate) fn new() -> Arc<Self> {
        let name = format!("mp-in-process-{}-{:x}", std::process::id(), unique());
        Arc::new(Self { path: std::env::temp_dir().join(name), made_in: ForkGuard::here() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn remove(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            fs::remove_file(entry?.path())?;
        }
        fs::remove_dir(&self.path)
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if !self.made_in.is_here() {
            return;
        }
        match self.remove() {
            // Nobody started in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::debug!(path = ?self.path, %error, "could not remove a group's directory"),
            Ok(()) => {}
        }
    }
}
