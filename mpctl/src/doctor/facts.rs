//! What there is to see of a group: its directory, its sockets, and the processes behind them.
//!
//! Nothing is changed, and no member notices.

use std::{
    fs,
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    path::{Path, PathBuf},
};

use mp_core::{
    Layout,
    inspect::{Group, Member, Role},
};
use rustix::{fs::inotify, io::Errno};

use crate::process::{self, Files};

/// Whose a directory is, and who may do what there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) uid: u32,
}

/// What is to be judged.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) dir: Owned,
    /// The directory above, if it is one of DPDK's.
    pub(super) above: Option<Owned>,
    pub(super) members: Vec<MemberFacts>,
    /// Sockets for replies whose processes have gone.
    pub(super) reply_sockets: Vec<PathBuf>,
    /// `None` if `config` cannot be understood.
    pub(super) layout: Option<Layout>,
    /// Why the directory cannot be watched.
    pub(super) unwatchable: Option<Errno>,
}

/// A member, and its process.
#[derive(Debug, Clone)]
pub(super) struct MemberFacts {
    pub(super) socket: PathBuf,
    pub(super) role: Role,
    pub(super) alive: bool,
    pub(super) pid: Option<u32>,
    pub(super) uid: u32,
    /// The directory as this member spells it.
    pub(super) spelled: Option<PathBuf>,
    /// Why it runs no code, if it does not, and what to do about it.
    pub(super) standstill: Option<String>,
    pub(super) files: Option<Files>,
    pub(super) other_pid_namespace: bool,
    /// The ABI version of the DPDK library that it has loaded.
    pub(super) dpdk_abi: Option<u32>,
}

impl Facts {
    pub(super) fn of(group: &Group) -> Self {
        let dir = Owned::of(&group.dir);
        let above = group.dir.parent().filter(|above| above.file_name().is_some_and(|name| name == "dpdk"));
        let bound = bound_in(&group.dir);
        Self {
            dir: dir.unwrap_or_else(|| Owned { path: group.dir.clone(), mode: 0o700, uid: own_uid() }),
            above: above.and_then(Owned::of),
            members: group.members.iter().map(|member| MemberFacts::of(member, &bound)).collect(),
            reply_sockets: left_over(&group.dir),
            layout: group.layout,
            unwatchable: watch(&group.dir).err(),
        }
    }
}

impl Owned {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some(Self { path: path.to_owned(), mode: metadata.mode() & 0o7777, uid: metadata.uid() })
    }
}

impl MemberFacts {
    fn of(member: &Member, bound: &[PathBuf]) -> Self {
        let pid = member.pid.filter(|_| member.alive);
        let name = member.socket.file_name();
        let spelled = bound.iter().find(|path| path.file_name() == name).and_then(|path| path.parent());
        Self {
            socket: member.socket.clone(),
            role: member.role,
            alive: member.alive,
            pid: member.pid,
            uid: member.uid,
            spelled: spelled.map(Path::to_owned).filter(|_| member.alive),
            standstill: pid.and_then(process::standstill),
            files: pid.and_then(process::files),
            other_pid_namespace: pid.is_some_and(process::is_in_other_pid_namespace),
            dpdk_abi: pid.and_then(process::dpdk_abi),
        }
    }
}

pub(super) fn own_uid() -> u32 {
    mp_core::Credentials::own().uid
}

/// The sockets that are bound in this directory, each as its process spelled it.
fn bound_in(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read(process::UNIX_SOCKETS).unwrap_or_default();
    let Ok(here) = dir.canonicalize() else { return Vec::new() };
    let is_here = |path: &PathBuf| {
        path.parent().and_then(|parent| parent.canonicalize().ok()).is_some_and(|parent| parent == here)
    };
    table.split(|byte| *byte == b'\n').filter_map(process::bound_path).filter(is_here).collect()
}

/// Sockets for replies on which nobody waits any more.
fn left_over(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_reply =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mp_reply_"));
    let is_dead = |path: &PathBuf| {
        let connected = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
        connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(is_reply).filter(is_dead).collect();
    found.sort();
    found
}

/// Tries what every member and requester does that waits for news.
fn watch(dir: &Path) -> Result<(), Errno> {
    use inotify::{CreateFlags, WatchFlags};
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&fd, dir, WatchFlags::CREATE | WatchFlags::ONLYDIR).map(drop)
}
