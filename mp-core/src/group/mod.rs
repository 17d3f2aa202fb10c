//! The directory where the processes of a group meet.
//!
//! It knows DPDK's rules for finding it, who may own it, its lock, the names
//! that sockets have in it, which of them are dead, and which datagram layout
//! the group speaks. It binds and connects sockets but neither sends nor
//! receives; `role`, `answer` and `ask` call it.

mod config;
mod directory;
mod folder;
pub mod inspect;
mod liveness;
mod location;
mod member;
mod names;
mod place;
mod roster;
mod stale;
mod watch;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use rustix::io::Errno;

pub(crate) use directory::Directory;
pub(crate) use folder::Stamp;
pub(crate) use liveness::PeerIdentity;
pub(crate) use location::Location;
pub use member::Member;
pub(crate) use names::{MemberName, Reserved, SocketName};
pub(crate) use place::{Found, Identity, Place};
pub(crate) use roster::Roster;
pub(crate) use stale::remove_dead_member;
pub use watch::{Change, Watch};

pub(crate) use folder::Folder;

use crate::{
    sys::{Address, Deadline, ForkGuard, PathTooLong, Socket},
    wire::Layout,
};

/// How long joining may wait for the directory lock, which a C primary holds
/// for the whole of a sync request of its own.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long leaving may wait for it. A primary that calls without a pause leaves it free for moments only.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A group: where its directory is. Nothing of it is open.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    dir: PathBuf,
    /// The `dpdk` directory above it, which is checked and made like it; `None`
    /// for a directory that the user named.
    parent: Option<PathBuf>,
    primary: Address,
    place: Place,
}

impl Group {
    pub(crate) fn locate(location: &Location) -> Result<Self, GroupError> {
        let (parent, dir) = location.resolve()?;
        let place = match location {
            Location::Memory(hub) => Place::Memory(Arc::clone(hub)),
            Location::Prefix(_) | Location::Dir(_) => Place::Files,
        };
        // Every socket of the group must fit, so the longest name decides.
        Address::new(&dir.join(SocketName::LONGEST))?;
        let primary = Address::new(&dir.join(SocketName::PRIMARY))?;
        Ok(Self { dir, parent, primary, place })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn primary(&self) -> &Address {
        &self.primary
    }

    pub(crate) fn address(&self, name: impl AsRef<Path>) -> Result<Address, PathTooLong> {
        Address::new(&self.dir.join(name))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Opens the directory, made if need be, and checks that it is private.
    pub(crate) fn make(&self) -> Result<Directory, GroupError> {
        self.folder(Folder::make)
    }

    /// Opens the directory and checks that it is private. [`GroupError::is_absent`] if
    /// there is none.
    pub(crate) fn open(&self) -> Result<Directory, GroupError> {
        self.folder(Folder::open)
    }

    fn folder(&self, open: impl Fn(&Path) -> Result<Folder, GroupError>) -> Result<Directory, GroupError> {
        if let Place::Memory(hub) = &self.place {
            return Ok(Directory::Memory(Arc::clone(hub)));
        }
        if let Some(parent) = &self.parent {
            open(parent)?.check_parent()?;
        }
        let folder = open(&self.dir)?;
        folder.check_private()?;
        Ok(Directory::Files(folder))
    }

    /// Binds the primary's socket, taking over a dead primary's.
    pub(crate) fn bind_primary(&self) -> Result<(Directory, Bound, Layout), BindError> {
        let directory = self.make()?;
        let lock = directory.lock(Deadline::after(LOCK_TIMEOUT))?;
        if let Some(pid) = directory.dpdk_primary()? {
            return Err(BindError::PrimaryExists { dir: self.dir.clone(), holder: Holder::Dpdk { pid } });
        }
        match self.place.probe(&self.primary)? {
            Found::Live => {
                let holder = Holder::Other { pid: directory.read_owner() };
                return Err(BindError::PrimaryExists { dir: self.dir.clone(), holder });
            }
            Found::Dead => directory.unlink(SocketName::PRIMARY)?,
            Found::Nothing => {}
        }
        stale::sweep(self, &directory, |name| Reserved::of(name).is_some());
        let layout = directory.layout()?;
        let bound = self.bind(self.primary.clone())?;
        directory.write_owner();
        drop(lock);
        Ok((directory, bound, layout))
    }

    /// Binds a secondary's socket, which is joining: C primaries send to it from now on.
    pub(crate) fn bind_secondary(&self) -> Result<Bound, BindError> {
        let directory = self.make()?;
        let lock = directory.lock(Deadline::after(LOCK_TIMEOUT))?;
        let bound = self.bind(self.address(SocketName::secondary()).map_err(GroupError::from)?)?;
        drop(lock);
        Ok(bound)
    }

    /// Binds a socket that nobody broadcasts to, for replies to come to.
    pub(crate) fn bind_reply(&self) -> Result<Bound, GroupError> {
        self.open()?;
        self.bind(self.address(SocketName::reply())?)
    }

    /// Removes a member's socket file, so that nobody sends to it any more.
    ///
    /// A DPDK primary holds the directory lock while it works through its list of
    /// members, and fails its whole request if a file on it is gone. One whose
    /// socket is closed it forgives, and removes. So without the lock, within
    /// reason, a secondary leaves its file behind.
    pub(crate) fn leave(&self, bound: &Bound) {
        let directory = self.open().ok();
        let lock = directory.as_ref().map(|directory| directory.lock(Deadline::after(LEAVE_TIMEOUT)));
        if bound.address == self.primary {
            if bound.is_in_place() {
                directory.iter().for_each(Directory::remove_owner);
            }
        } else if matches!(lock, Some(Err(_))) {
            return bound.abandon();
        }
        bound.unlink();
    }

    /// Removes the reply sockets that died with their process.
    pub(crate) fn sweep_replies(&self) {
        if let Ok(directory) = self.open() {
            stale::sweep(self, &directory, |name| Reserved::of(name) == Some(Reserved::Reply));
        }
    }

    fn bind(&self, address: Address) -> Result<Bound, GroupError> {
        let io = |source: Errno| GroupError::Io {
            what: "bind a socket",
            path: address.path().to_owned(),
            source: source.into(),
        };
        let place = self.place.clone();
        let socket = place.socket().map_err(io)?;
        socket.bind(&address).map_err(io)?;
        let identity = place.identity(&address);
        Ok(Bound {
            socket,
            address,
            place,
            identity,
            bound_in: ForkGuard::here(),
            abandoned: AtomicBool::new(false),
        })
    }
}

/// A socket with its file, which goes when this does.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: Socket,
    pub(crate) address: Address,
    place: Place,
    identity: Option<Identity>,
    /// A fork's copy must not remove the file.
    bound_in: ForkGuard,
    abandoned: AtomicBool,
}

impl Bound {
    /// Whether it was bound by this process, not by one that this is a fork of.
    pub(crate) fn is_ours(&self) -> bool {
        self.bound_in.is_here()
    }

    /// Whether the file is still the one that was bound.
    pub(crate) fn is_in_place(&self) -> bool {
        self.identity.is_some() && self.place.identity(&self.address) == self.identity
    }

    /// Leaves the file behind, for others to remove once the socket is closed.
    fn abandon(&self) {
        self.abandoned.store(true, Relaxed);
    }

    /// Removes the file, if it is still ours. No datagram can be sent to the
    /// socket from then on.
    pub(crate) fn unlink(&self) {
        if self.is_ours() && !self.abandoned.load(Relaxed) && self.is_in_place() {
            self.place.unlink(&self.address);
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.unlink();
    }
}

/// Why the group's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// The file-prefix is empty or not one part of a path.
    #[error("{prefix:?} cannot be a file-prefix: it names a directory, so it is not empty and has no slash")]
    FilePrefix {
        /// What was given.
        prefix: std::ffi::OsString,
    },
    /// A socket path would be too long.
    #[error(transparent)]
    PathTooLong(#[from] PathTooLong),
    /// The directory belongs to another user, who could pose as any peer.
    #[error(
        "{path:?} belongs to uid {owner}, not to uid {uid}: refused, since its owner could pose as any process of the group"
    )]
    Owner {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this process is.
        uid: u32,
    },
    /// Others may enter or change the directory.
    #[error("{path:?} has mode {mode:04o}, open to other users: refused; close it with chmod 700")]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is a DPDK `config` file, but not one that tells the DPDK version:
    /// sending in the wrong layout would end the IPC of every DPDK process here.
    #[error(
        "{path:?} does not begin with DPDK's magic number, so the datagram layout of the group is unknown"
    )]
    NotDpdkConfig {
        /// The file.
        path: PathBuf,
    },
    /// The role has not been started yet.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The system refused something.
    #[error("cannot {what} ({path:?})")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl GroupError {
    /// Whether there simply is no such directory.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Why a process could not take its place in a group.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The directory cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The directory lock stayed taken: a process is joining, or a C primary is
    /// in the middle of a request.
    #[error(
        "the lock of {dir:?} is still held after {waited:?}; a process is joining, or a primary is waiting for replies"
    )]
    Locked {
        /// The runtime directory.
        dir: PathBuf,
        /// How long it was tried.
        waited: Duration,
    },
    /// A live primary has this group.
    #[error("{dir:?} already has a primary: {holder}")]
    PrimaryExists {
        /// The runtime directory.
        dir: PathBuf,
        /// Who it is.
        holder: Holder,
    },
}

/// The primary that holds a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A DPDK process, known by its lock on `config`.
    Dpdk {
        /// Its process.
        pid: u32,
    },
    /// Another process, alive on `mp_socket`.
    Other {
        /// Its process, if it left word of it.
        pid: Option<u32>,
    },
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dpdk { pid } => write!(f, "the DPDK process {pid}"),
            Self::Other { pid: Some(pid) } => write!(f, "process {pid}"),
            Self::Other { pid: None } => f.write_str("a live process on mp_socket"),
        }
    }
}
