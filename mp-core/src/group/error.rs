//! Why a directory cannot be used, or a place in a group not be taken.

use std::{io, path::PathBuf, time::Duration};

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
    /// The role has not been started.
    #[error("this role has not been started")]
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
    /// What the system said, if it was asked.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => source.raw_os_error(),
            Self::PathTooLong(_) => Some(libc::ENAMETOOLONG),
            _ => None,
        }
    }

    /// Whether there simply is no such directory.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl From<GroupError> for io::Error {
    fn from(error: GroupError) -> Self {
        let kind = match &error {
            GroupError::FilePrefix { .. } => io::ErrorKind::InvalidInput,
            GroupError::PathTooLong(_) => io::ErrorKind::InvalidFilename,
            GroupError::Owner { .. } | GroupError::Open { .. } => io::ErrorKind::PermissionDenied,
            GroupError::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Why a process could not take its place in a group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
