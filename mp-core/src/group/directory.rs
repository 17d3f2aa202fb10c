use std::{
    ffi::{OsStr, OsString},
    sync::Arc,
    time::Duration,
};

use super::{
    BindError, GroupError, Reserved,
    folder::{Folder, Lock, Stamp},
};
use crate::{
    sys::{Deadline, Hub},
    wire::Layout,
};

/// The group's directory, open: of the file system, or within this process.
#[derive(Debug)]
pub(crate) enum Directory {
    Files(Folder),
    Memory(Arc<Hub>),
}

impl Directory {
    /// Takes DPDK's directory lock for as long as the result lives. Never held
    /// while waiting for a peer.
    pub(super) fn lock(&self, deadline: Deadline) -> Result<Option<Lock>, BindError> {
        match self {
            Self::Files(folder) => folder.lock(deadline).map(Some),
            Self::Memory(_) => Ok(None),
        }
    }

    /// The layout of the group's datagrams, from DPDK's `config` if there is one.
    pub(crate) fn layout(&self) -> Result<Layout, GroupError> {
        match self {
            Self::Files(folder) => folder.layout(),
            Self::Memory(_) => Ok(Layout::Bytes332),
        }
    }

    /// The live DPDK primary of this directory.
    pub(crate) fn dpdk_primary(&self) -> Result<Option<u32>, GroupError> {
        match self {
            Self::Files(folder) => folder.dpdk_primary(),
            Self::Memory(_) => Ok(None),
        }
    }

    /// Whether a DPDK process has been here: its `config` file is, or cannot be looked at.
    pub(crate) fn has_dpdk(&self) -> bool {
        matches!(self, Self::Files(folder) if folder.has_dpdk())
    }

    /// The file names of all secondaries' and reply sockets.
    pub(crate) fn sockets(&self) -> Result<Vec<OsString>, GroupError> {
        match self {
            Self::Files(folder) => folder.sockets(),
            Self::Memory(hub) => {
                Ok(hub.names().into_iter().filter(|name| Reserved::of(name).is_some()).collect())
            }
        }
    }

    /// Tells one state of the directory from the next; `None` if it cannot.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Files(folder) => folder.stamp(),
            Self::Memory(_) => None,
        }
    }

    /// Leaves word of who the primary is. Only the text of an error needs it.
    pub(super) fn write_owner(&self) {
        if let Self::Files(folder) = self {
            folder.write_owner();
        }
    }

    pub(super) fn read_owner(&self) -> Option<u32> {
        match self {
            Self::Files(folder) => folder.read_owner(),
            Self::Memory(_) => Some(std::process::id()),
        }
    }

    pub(super) fn remove_owner(&self) {
        if let Self::Files(folder) = self {
            folder.remove_owner();
        }
    }

    /// When a socket's file was made, since the epoch; `None` if it is gone, or was never a file.
    pub(super) fn made_at(&self, name: &OsStr) -> Option<Duration> {
        match self {
            Self::Files(folder) => folder.made_at(name).ok(),
            Self::Memory(_) => Some(Duration::ZERO),
        }
    }

    /// Removes a socket that was found dead.
    pub(super) fn unlink(&self, name: impl AsRef<OsStr>) -> Result<(), GroupError> {
        match self {
            Self::Files(folder) => Ok(folder.unlink(name)?),
            Self::Memory(hub) => {
                hub.unlink(name.as_ref());
                Ok(())
            }
        }
    }
}
