use std::sync::Arc;

use rustix::{
    fs::{AtFlags, CWD, StatxFlags, statx},
    io::Errno,
};

use super::GroupError;
use crate::sys::{Address, Hub, Socket, Tenant};

/// Where the sockets of a group are bound.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// To files.
    Files,
    /// Within this process.
    Memory(Arc<Hub>),
}

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A socket that a process holds.
    Live,
    /// A file that nothing listens on any more.
    Dead,
    /// No file.
    Nothing,
}

/// Tells one socket file from another that took its place: file systems use
/// inode numbers again at once, so the time of birth belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    inode: u64,
    born: (i64, u32),
}

impl Place {
    pub(super) fn socket(&self) -> Result<Socket, Errno> {
        match self {
            Self::Files => Socket::unix(),
            Self::Memory(hub) => Socket::memory(hub),
        }
    }

    /// Looks at an address without sending anything to it.
    pub(crate) fn probe(&self, address: &Address) -> Result<Found, GroupError> {
        match self {
            Self::Files => probe_file(address),
            Self::Memory(hub) => Ok(match hub.tenant(address) {
                Tenant::Live => Found::Live,
                Tenant::Dead => Found::Dead,
                Tenant::Nobody => Found::Nothing,
            }),
        }
    }

    /// Which socket file is at an address; `None` if there is none.
    pub(crate) fn identity(&self, address: &Address) -> Option<Identity> {
        match self {
            Self::Files => {
                let flags = StatxFlags::INO | StatxFlags::BTIME;
                let stat = statx(CWD, address.path(), AtFlags::empty(), flags).ok()?;
                Some(Identity { inode: stat.stx_ino, born: (stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec) })
            }
            Self::Memory(hub) => hub.id(address).map(|inode| Identity { inode, born: (0, 0) }),
        }
    }

    /// Removes a socket file. Gone already is as good.
    pub(super) fn unlink(&self, address: &Address) {
        match self {
            Self::Files => {
                let _ = rustix::fs::unlink(address.path());
            }
            Self::Memory(hub) => hub.unlink(address.file_name()),
        }
    }
}

fn probe_file(address: &Address) -> Result<Found, GroupError> {
    let io = |source: Errno| GroupError::Io {
        what: "probe a socket",
        path: address.path().to_owned(),
        source: source.into(),
    };
    match Socket::unix().map_err(io)?.connect(address) {
        // It may be connected to another, or be another kind of socket: still somebody's.
        Ok(()) | Err(Errno::PERM | Errno::PROTOTYPE | Errno::AGAIN) => Ok(Found::Live),
        Err(Errno::CONNREFUSED) => Ok(Found::Dead),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(source) => Err(io(source)),
    }
}
