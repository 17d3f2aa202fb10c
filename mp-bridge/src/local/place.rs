//! A bridge's place in a group: one for each runtime directory, and what the primary's socket there
//! tells.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
        net::UnixDatagram,
    },
    path::{Path, PathBuf},
};

use mp_core::{Client, StartError};

/// The lock of a directory's one bridge. In it stands whom the stand-ins stand for.
const LIST: &str = "mp_bridge";

/// Where a bridge is, and what keeps a second one out.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) client: Client,
    pub(crate) dir: PathBuf,
    /// Locked as long as this, or a copy, is open: a bridge that is killed leaves it.
    pub(crate) list: File,
}

/// Why a bridge has no place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Another bridge of this group runs on this host.
    #[error("{dir:?} has a bridge already: one is enough for a group on a host")]
    Taken {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The group cannot be used.
    #[error(transparent)]
    Group(#[from] StartError),
    /// The runtime directory or the lock in it cannot be made.
    #[error("{path:?} cannot be made")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Place {
    pub(crate) fn take(client: Client) -> Result<Self, PlaceError> {
        let dir = client.runtime_dir().map(Path::to_owned).unwrap_or_default();
        let failed = |path: &Path, source| PlaceError::Io { path: path.to_owned(), source };
        let make = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        make.map_err(|source| failed(&dir, source))?;
        let path = dir.join(LIST);
        let open =
            File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let list = open.map_err(|source| failed(&path, source))?;
        match list.try_lock() {
            Ok(()) => Ok(Self { client, dir, list }),
            Err(TryLockError::WouldBlock) => Err(PlaceError::Taken { dir }),
            Err(TryLockError::Error(source)) => Err(failed(&path, source)),
        }
    }
}

/// Who is bound at the primary's socket, as a number that another one would not have; `None` if
/// nobody lives there.
pub(super) fn primary_of(dir: &Path) -> Option<u64> {
    let socket = dir.join("mp_socket");
    let probe = UnixDatagram::unbound().ok()?;
    match probe.connect(&socket) {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            None
        }
        // It may be connected to another: that is no word of its death.
        _ => identity(&socket),
    }
}

/// Tells a file from every other one that was at this path.
fn identity(path: &Path) -> Option<u64> {
    let file = fs::symlink_metadata(path).ok()?;
    let mut hasher = DefaultHasher::new();
    (file.dev(), file.ino(), file.ctime(), file.ctime_nsec()).hash(&mut hasher);
    Some(hasher.finish())
}
