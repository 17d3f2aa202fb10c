//! Why a directory cannot be used, or a place in a group not be taken.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::io::Errno;

use super::{Base, access};
use crate::sys::PathTooLong;

/// Why the group's directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The file-prefix is empty or not one part of a path.
    #[error("{prefix:?} cannot be a file-prefix: it names a directory, so it is not empty and has no slash")]
    FilePrefix {
        /// What was given.
        prefix: std::ffi::OsString,
    },
    /// A path or file-prefix holds a NUL byte.
    #[error("{path:?} holds a NUL byte, which no path can")]
    Nul {
        /// What was given.
        path: std::ffi::OsString,
    },
    /// A socket path would be too long.
    #[error(transparent)]
    PathTooLong(#[from] PathTooLong),
    /// The directory belongs to another user, who could pose as any peer.
    #[error(
        "{path:?} belongs to uid {owner}, not to uid {uid}: refused, since its owner could pose as any process of the group; {}", remedy_of_owner(*owner)
    )]
    Owner {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this process is, or whom [`Builder::beside_user`](crate::Builder::beside_user)
        /// names.
        uid: u32,
    },
    /// Others may enter or change the directory.
    #[error("{path:?} has mode {mode:04o}, open to other users: refused; {}", remedy(path, *mode, *gid))]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its group.
        gid: u32,
    },
    /// The directory is not shared with the group that
    /// [`Builder::share_with_group`](crate::Builder::share_with_group) names, and is another
    /// user's, who would have to share it.
    #[error(
        "{path:?} has mode {mode:04o} and group {gid}, so it is not shared with group {wanted}: its owner can share it, by chgrp {wanted} and chmod 1770"
    )]
    NotShared {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its group.
        gid: u32,
        /// The group with which it should be shared.
        wanted: u32,
    },
    /// This process is not in the group with which the directory is to be shared.
    #[error(
        "uid {uid} is not in group {gid}, with which the runtime directory is to be shared: add it to the group, or start this with setpriv --groups {gid} (systemd: SupplementaryGroups={gid})"
    )]
    NotInGroup {
        /// The group.
        gid: u32,
        /// Who this process is.
        uid: u32,
    },
    /// The directory is shared with a group that this process is not in.
    #[error(
        "cannot open the runtime directory ({path:?}), which is shared with group {gid}, and uid {uid} is not in that: add it to the group, or start this with setpriv --groups {gid} (systemd: SupplementaryGroups={gid}), and call share_with_group({gid}) (mpctl: --group {gid}), or run this as uid {owner}"
    )]
    Outside {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// The group with which it is shared.
        gid: u32,
        /// Who this process is.
        uid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// Only root can run beside another user's processes.
    #[error(
        "uid {uid} cannot act as uid {owner}, beside whose processes it is to run: start this as root, with CAP_SETUID, or as that user"
    )]
    NotRoot {
        /// The user beside whose processes it is to run.
        owner: u32,
        /// Who this process is.
        uid: u32,
    },
    /// In a directory that is shared with a group, a dead process of another user has left a socket
    /// in the way, and the sticky bit keeps this user from removing it.
    #[error(
        "{path:?} was left behind by a process of uid {owner}, and uid {uid} may not remove it: uid {owner}, uid {directory}, who owns the directory, and root may"
    )]
    Anothers {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose the directory is.
        directory: u32,
        /// Who this process is.
        uid: u32,
    },
    /// The runtime directory is a symbolic link: whoever may change it could lead this process into
    /// another group.
    #[error(
        "{path:?} is a symbolic link to {target:?}: refused, since it may lead elsewhere later; give the directory itself"
    )]
    Link {
        /// The link.
        path: PathBuf,
        /// Where it leads to.
        target: PathBuf,
    },
    /// Something is wrong with a directory that DPDK's rules chose.
    #[error("{}{}", told(error), below(Some(base)))]
    Base {
        /// What is wrong.
        error: Box<GroupError>,
        /// The directory above, and what chose it.
        base: Base,
    },
    /// There is a DPDK `config` file, but not one that tells the DPDK version: sending in the wrong
    /// layout would end the IPC of every DPDK process here.
    #[error(
        "{path:?} does not begin with DPDK's magic number, so the datagram layout of the group is unknown"
    )]
    NotDpdkConfig {
        /// The file.
        path: PathBuf,
    },
    /// A DPDK primary is starting: until it has, nobody can tell the layout of its datagrams, and
    /// it answers no requests but its own.
    #[error("the DPDK process {pid} in {dir:?} is still starting; try again when it has started")]
    Starting {
        /// The runtime directory.
        dir: PathBuf,
        /// The process that holds the lock on `config`; 0 if it cannot be seen from here.
        pid: u32,
    },
    /// A peer is bound in a directory that is another one here, as one in a container may be: what
    /// is bound here it cannot send to.
    #[error(
        "the peer is bound as {bound:?}, its replies cannot reach {here:?}: mount the directory at the same path in both places"
    )]
    Elsewhere {
        /// Where the peer is bound, as itself says.
        bound: PathBuf,
        /// The same socket, as it is found from here.
        here: PathBuf,
    },
    /// This process has dropped its privileges since the role started, and the directory or a
    /// socket in it is closed to the user that it is now. Drop them before the start, or share the
    /// directory with a group that is kept
    /// ([`Builder::share_with_group`](crate::Builder::share_with_group)).
    #[error(
        "this process started as uid {started_as} and is uid {now} now, to whom the runtime directory is closed: drop privileges before start(), or call share_with_group() with a group that is kept"
    )]
    UserChanged {
        /// Who it was when the role started.
        started_as: u32,
        /// Who it is now.
        now: u32,
    },
    /// The role has not been started yet.
    #[error("this role has not been started yet")]
    NotStarted,
    /// The system refused something.
    #[error("cannot {what} ({path:?}){}", remedy_of_shortage(source))]
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
    /// Whether it is only that a DPDK primary has not started yet.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        match self {
            Self::Base { error, .. } => error.is_starting(),
            error => matches!(error, Self::Starting { .. }),
        }
    }

    /// Whether this user may not look into it.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::PermissionDenied)
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } | Self::Outside { source, .. } => Some(source.kind()),
            Self::Base { error, .. } => error.io_kind(),
            _ => None,
        }
    }

    /// What the system said, if it was asked.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } | Self::Outside { source, .. } => source.raw_os_error(),
            Self::Base { error, .. } => error.errno(),
            Self::PathTooLong(_) => Some(libc::ENAMETOOLONG),
            _ => None,
        }
    }

    /// The same, with the base directory that it may be due to, once.
    pub(super) fn below(self, base: Option<&Base>) -> Self {
        match base {
            Some(base) if self.names_a_path() => Self::Base { error: Box::new(self), base: base.clone() },
            _ => self,
        }
    }

    /// Whether it is about a directory or what is in it, and has not been told where that comes from.
    fn names_a_path(&self) -> bool {
        match self {
            Self::PathTooLong(_)
            | Self::Owner { .. }
            | Self::Open { .. }
            | Self::NotShared { .. }
            | Self::Outside { .. }
            | Self::Anothers { .. }
            | Self::Link { .. }
            | Self::NotDpdkConfig { .. }
            | Self::Starting { .. }
            | Self::Elsewhere { .. }
            | Self::Io { .. } => true,
            Self::Base { .. }
            | Self::FilePrefix { .. }
            | Self::Nul { .. }
            | Self::NotInGroup { .. }
            | Self::NotRoot { .. }
            | Self::UserChanged { .. }
            | Self::NotStarted => false,
        }
    }

    /// Whether there simply is no such directory.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::NotFound)
    }
}

/// An error with its cause, which the error that this is part of does not tell again.
fn told(error: &GroupError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// What to do about what the system is short of; nothing to say of other errors.
fn remedy_of_shortage(source: &io::Error) -> &'static str {
    match Errno::from_io_error(source) {
        Some(Errno::MFILE) => "; raise this process's limit of descriptors (ulimit -n, LimitNOFILE=)",
        Some(Errno::NFILE) => "; raise the system's limit of open files (fs.file-max)",
        Some(Errno::NOSPC | Errno::DQUOT) => "; make room there, for bytes or for inodes",
        Some(Errno::ROFS) => {
            "; mount it writable: whoever joins or asks makes a socket in the runtime directory"
        }
        _ => "",
    }
}

/// What to do with a directory of another user.
fn remedy_of_owner(owner: u32) -> String {
    let as_owner = format!("run this as uid {owner} (setpriv --reuid={owner} --clear-groups ..)");
    match owner {
        0 => format!("{as_owner} or use a directory of your own"),
        _ => format!(
            "{as_owner}, as root name that user with beside_user({owner}) (mpctl: --owner {owner}), or use a directory of your own"
        ),
    }
}

/// What to do with a directory that is open to others.
fn remedy(path: &Path, mode: u32, gid: u32) -> String {
    const STICKY: u32 = 0o1000;
    if mode & !0o2000 == access::SHARED {
        return format!(
            "it is shared with group {gid}: to take part, call share_with_group({gid}) (mpctl: --group {gid})"
        );
    }
    // Those at the top, and those that the system keeps in its own directories, are not one
    // group's.
    let is_systems = path
        .parent()
        .is_none_or(|above| ["/", "/var", "/usr", "/dev"].iter().any(|systems| above == Path::new(systems)));
    if mode & STICKY != 0 || is_systems {
        format!(
            "others need it as it is, so use a directory of the group's own below it, such as {:?}",
            path.join("mp")
        )
    } else {
        "close it with chmod 700".to_owned()
    }
}

impl From<GroupError> for io::Error {
    fn from(error: GroupError) -> Self {
        Self::new(kind(&error), error)
    }
}

fn kind(error: &GroupError) -> io::ErrorKind {
    match error {
        GroupError::Base { error, .. } => kind(error),
        GroupError::FilePrefix { .. } => io::ErrorKind::InvalidInput,
        GroupError::PathTooLong(_) => io::ErrorKind::InvalidFilename,
        GroupError::Owner { .. }
        | GroupError::Open { .. }
        | GroupError::NotShared { .. }
        | GroupError::NotInGroup { .. }
        | GroupError::NotRoot { .. }
        | GroupError::UserChanged { .. }
        | GroupError::Anothers { .. } => io::ErrorKind::PermissionDenied,
        GroupError::Io { source, .. } | GroupError::Outside { source, .. } => source.kind(),
        _ => io::ErrorKind::Other,
    }
}

/// Why a process could not take its place in a group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The directory cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The directory lock stayed taken: a process is joining, or a C primary is in the middle of a
    /// request.
    #[error(
        "the lock of {dir:?} is still held after {waited:?}; a process is joining, or a primary is waiting for replies{}",
        below(base.as_ref())
    )]
    Locked {
        /// The runtime directory.
        dir: PathBuf,
        /// How long it was tried.
        waited: Duration,
        /// The directory above, and what chose it; `None` if the runtime directory was given.
        base: Option<Base>,
    },
    /// A live primary has this group.
    #[error("{dir:?} already has a primary: {holder}{}", below(base.as_ref()))]
    PrimaryExists {
        /// The runtime directory.
        dir: PathBuf,
        /// Who it is.
        holder: Holder,
        /// The directory above, and what chose it; `None` if the runtime directory was given.
        base: Option<Base>,
    },
}

impl BindError {
    /// The same, with the base directory that it may be due to.
    pub(super) fn below(self, base: Option<&Base>) -> Self {
        match self {
            Self::Group(error) => Self::Group(error.below(base)),
            Self::Locked { dir, waited, .. } => Self::Locked { dir, waited, base: base.cloned() },
            Self::PrimaryExists { dir, holder, .. } => {
                Self::PrimaryExists { dir, holder, base: base.cloned() }
            }
        }
    }
}

/// Where the base directory came from, as it ends a text.
pub(crate) fn below(base: Option<&Base>) -> String {
    base.map_or_else(String::new, |base| format!(" (below {base})"))
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Group(error) => error.into(),
            BindError::Locked { .. } => Self::new(io::ErrorKind::TimedOut, error),
            BindError::PrimaryExists { .. } => Self::new(io::ErrorKind::AddrInUse, error),
        }
    }
}

/// The primary that holds a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base {
        Base { dir: "/srv".into(), rule: super::super::inspect::BaseRule::RuntimeDirectory }
    }

    const BELOW: &str = "(below \"/srv\", since $RUNTIME_DIRECTORY says so)";

    /// What an error tells of a place, from the variants themselves: a new one does not compile until it
    /// is said here whether it names one.
    fn place_in(error: &GroupError) -> Option<&Path> {
        match error {
            GroupError::PathTooLong(PathTooLong { path, .. })
            | GroupError::Owner { path, .. }
            | GroupError::Open { path, .. }
            | GroupError::NotShared { path, .. }
            | GroupError::Outside { path, .. }
            | GroupError::Anothers { path, .. }
            | GroupError::Link { path, .. }
            | GroupError::NotDpdkConfig { path }
            | GroupError::Starting { dir: path, .. }
            | GroupError::Elsewhere { here: path, .. }
            | GroupError::Io { path, .. } => Some(path),
            GroupError::Base { error, .. } => place_in(error),
            GroupError::FilePrefix { .. }
            | GroupError::Nul { .. }
            | GroupError::NotInGroup { .. }
            | GroupError::NotRoot { .. }
            | GroupError::UserChanged { .. }
            | GroupError::NotStarted => None,
        }
    }

    fn one_of_each() -> Vec<GroupError> {
        let path = || PathBuf::from("/srv/dpdk/x");
        let io =
            GroupError::Io { what: "list", path: path(), source: io::ErrorKind::PermissionDenied.into() };
        vec![
            GroupError::FilePrefix { prefix: "a/b".into() },
            GroupError::Nul { path: "a\0".into() },
            PathTooLong { path: path(), len: 11 }.into(),
            GroupError::Owner { path: path(), owner: 1, uid: 2 },
            GroupError::Open { path: path(), mode: 0o755, gid: 3 },
            GroupError::NotShared { path: path(), mode: 0o700, gid: 3, wanted: 4 },
            GroupError::Outside {
                path: path(),
                owner: 1,
                gid: 2,
                uid: 3,
                source: io::Error::from_raw_os_error(libc::EACCES),
            },
            GroupError::NotInGroup { gid: 3, uid: 1 },
            GroupError::NotRoot { owner: 1, uid: 2 },
            GroupError::Anothers { path: path(), owner: 1, directory: 2, uid: 3 },
            GroupError::Link { path: path(), target: "/x".into() },
            GroupError::Base { error: Box::new(io), base: base() },
            GroupError::NotDpdkConfig { path: path() },
            GroupError::Starting { dir: path(), pid: 7 },
            GroupError::Elsewhere { bound: "/x/mp_socket".into(), here: path() },
            GroupError::UserChanged { started_as: 1, now: 2 },
            GroupError::NotStarted,
            GroupError::Io { what: "bind a socket", path: path(), source: io::ErrorKind::NotFound.into() },
        ]
    }

    #[test]
    fn whatever_names_a_directory_says_once_where_the_base_directory_came_from() {
        for (error, same) in one_of_each().into_iter().zip(one_of_each()) {
            let names_one = place_in(&error).is_some();
            let facts = |error: &GroupError| {
                (error.is_absent(), error.is_starting(), error.is_permission_denied(), error.errno())
            };
            let (of_error, plain) = (facts(&error), kind(&error));
            // On its way to the user it may be told so more than once.
            let told = error.below(Some(&base())).below(Some(&base()));
            assert_eq!(told.to_string().matches(BELOW).count(), usize::from(names_one), "{told}");
            assert_eq!((facts(&told), io::Error::from(told).kind()), (of_error, plain));
            let text = same.to_string();
            assert_eq!(same.below(None).to_string(), text, "where the user gave the directory");
        }
    }

    #[test]
    fn who_cannot_take_its_place_is_told_where_the_base_directory_came_from() {
        let dir = || PathBuf::from("/srv/dpdk/x");
        let holder = Holder::Dpdk { pid: 7 };
        let errors = [
            BindError::Group(GroupError::NotDpdkConfig { path: dir() }),
            BindError::Locked { dir: dir(), waited: Duration::from_secs(10), base: None },
            BindError::PrimaryExists { dir: dir(), holder, base: None },
        ];
        for error in errors {
            let told = error.below(Some(&base()));
            let has_base = match &told {
                BindError::Group(error) => matches!(error, GroupError::Base { .. }),
                BindError::Locked { base, .. } | BindError::PrimaryExists { base, .. } => base.is_some(),
            };
            assert!(has_base && told.to_string().contains(BELOW), "{told}");
            let started = crate::StartError::from(told).to_string();
            assert!(started.contains(BELOW), "{started}");
        }
    }

    #[test]
    fn nobody_is_told_to_close_what_others_need() {
        let told = |path: &str, mode| GroupError::Open { path: path.into(), mode, gid: 7 }.to_string();
        for (path, mode) in
            [("/tmp", 0o1777), ("/", 0o755), ("/run", 0o755), ("/var/run", 0o755), ("/srv/x", 0o1777)]
        {
            let told = told(path, mode);
            assert!(told.contains("directory of the group's own") && !told.contains("chmod"), "{told}");
        }
        assert!(told("/srv/app", 0o755).ends_with("chmod 700"));
        assert!(told("/srv/app", 0o1770).contains("share_with_group(7)"));
    }
}
