//! How the processes of a group spell its directory, and whether a path leads into it, however it
//! is spelled.
//!
//! A C peer takes an answer only from the very path that it asked, byte for byte, and `/var/run`,
//! say, is a link to `/run`. So whatever a peer sends to is bound as that peer spells the
//! directory. The kernel tells: the name of a connected socket's peer is the path that the peer
//! gave to `bind`.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::fs::stat;

use super::{Group, GroupError, SocketName};
use crate::sys::{Address, Socket};

impl Group {
    /// The directory as the live primary spells it; as we do, if there is none.
    pub(super) fn spelled_by_primary(&self) -> Result<PathBuf, GroupError> {
        let socket = Socket::new().map_err(|source| {
            let (what, path) = ("make a socket", self.dir.clone());
            self.explain(GroupError::Io { what, path, source: source.into() })
        })?;
        match socket.connect(&self.primary) {
            Ok(()) => self.spelled_by(&self.primary, &socket),
            Err(_) => Ok(self.dir.clone()),
        }
    }

    /// The directory as the peer spells it that is bound at `at`, to which `connected` is.
    pub(crate) fn spelled_by(&self, at: &Address, connected: &Socket) -> Result<PathBuf, GroupError> {
        let own = || self.dir.clone();
        let Some(peer) = connected.peer() else { return Ok(own()) };
        let (Some(dir), true) = (peer.path().parent(), peer.path().is_absolute()) else { return Ok(own()) };
        // Of a file that was renamed the name tells nothing.
        if dir == self.dir || peer.file_name() != at.file_name() {
            return Ok(own());
        }
        if is_same_directory(dir, &self.dir) {
            return Ok(dir.to_owned());
        }
        let (bound, here) = (peer.path().to_owned(), at.path().to_owned());
        Err(self.explain(GroupError::Elsewhere { bound, here }))
    }

    /// Something has come from this address. Tells, once, if it is the primary's and that spells
    /// the directory otherwise than this secondary's socket is bound: one that asks nothing itself
    /// would not learn it before the primary's requests fail.
    pub(crate) fn heard_from(&self, from: &Address) {
        // Asked for every datagram: what is quick to tell comes first.
        if let Some((joined_as, told)) = self.joined_as.get()
            && from.as_bytes().ends_with(SocketName::PRIMARY.as_bytes())
            && from.file_name() == OsStr::new(SocketName::PRIMARY)
            && let Some(dir) = from.path().parent()
            && dir != joined_as
            && !told.is_completed()
            && dir.is_absolute()
            && is_same_directory(dir, joined_as)
        {
            self.check_joined_as(dir);
        }
    }

    /// Tells, once, if a primary that came later spells the directory otherwise than this
    /// secondary's socket is bound.
    pub(crate) fn check_joined_as(&self, spelled: &Path) {
        if let Some((joined_as, told)) = self.joined_as.get()
            && joined_as != spelled
        {
            told.call_once(|| {
                tracing::warn!(
                    primary = ?spelled, secondary = ?joined_as,
                    "the primary spells the runtime directory otherwise than this secondary, which \
                     joined before it: a DPDK primary will not take its answers; start it anew"
                );
            });
        }
    }
}

/// How many other spellings are remembered.
const REMEMBERED: usize = 8;

/// Spellings of the group's directory other than ours, found to be the same directory: members that
/// were given another path (`/run` for `/var/run`) are bound in that, and so sign their answers
/// with it.
#[derive(Debug, Default)]
pub(crate) struct Spellings(Mutex<Vec<PathBuf>>);

impl Spellings {
    /// Whether a socket at this address is in the group's directory.
    ///
    /// A spelling once found right is not looked at again: a link in it that is changed later is
    /// its owner's doing, whom the trust policy has let in.
    pub(crate) fn are_of(&self, group: &Group, address: &Address) -> bool {
        let Some(dir) = address.path().parent() else { return false };
        if dir == group.dir() || self.lock().iter().any(|known| known == dir) {
            return true;
        }
        // A relative path is of its process's directory, not of ours.
        let is_same = dir.is_absolute() && is_same_directory(dir, group.dir());
        if is_same {
            let mut known = self.lock();
            known.truncate(REMEMBERED - 1);
            known.insert(0, dir.to_owned());
        }
        is_same
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same_directory(a: &Path, b: &Path) -> bool {
    let which = |dir| stat(dir).ok().map(|stat| (stat.st_dev, stat.st_ino));
    which(a).is_some_and(|a| which(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::group::Location;

    #[test]
    fn a_directory_is_known_by_what_it_is_not_by_how_it_is_called() {
        let base = tempfile::tempdir().expect("a temporary directory");
        let (dir, other, link) = (base.path().join("a"), base.path().join("b"), base.path().join("link"));
        fs::create_dir(&dir).and_then(|()| fs::create_dir(&other)).expect("free names");
        symlink(&dir, &link).expect("a free name");
        let group = Group::locate(&Location::Dir(dir.clone())).expect("a short path");
        let spellings = Spellings::default();
        let in_dir = |dir: &Path| Address::new(&dir.join("mp_socket_1_1")).expect("a short path");
        for dir in [&dir, &link, &other.join("../a"), &link] {
            assert!(spellings.are_of(&group, &in_dir(dir)), "{dir:?}");
        }
        for dir in [&other, &base.path().join("nowhere"), Path::new(""), Path::new("a")] {
            assert!(!spellings.are_of(&group, &in_dir(dir)), "{dir:?}");
        }
        let spelled = |n| (0..n).fold(dir.clone(), |dir, _| dir.join("."));
        (1..=2 * REMEMBERED).for_each(|n| {
            spellings.are_of(&group, &in_dir(&spelled(n).join("../a")));
        });
        assert!(spellings.lock().len() <= REMEMBERED);
    }
}
