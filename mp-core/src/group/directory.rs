//! The runtime directory, open: its owner and mode, its lock, DPDK's `config` in it, and the names
//! in it. What it finds it tells; what that means `Group` knows.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{self, AtFlags, Dir, FlockOperation, Mode, OFlags, Stat, flock, mkdir, openat, statat, unlinkat},
    io::Errno,
    process::Gid,
};

use super::{
    Access, BindError, GroupError, LOCK_TIMEOUT, Reserved, access,
    config::{self, Config, Start},
};
use crate::{sys::Deadline, wire::Layout};

/// Where a pure-Rust primary leaves its pid, for the error of a second one. DPDK never looks at it.
const OWNER: &str = "mp_primary";

/// How far apart two changes of a directory can be and yet bear the same time: the kernel takes it
/// from a clock that ticks at least 100 times a second, and some file systems keep whole seconds
/// only.
const CLOCK_TICKS: Duration = Duration::from_millis(20);
const WHOLE_SECONDS: Duration = Duration::from_secs(2);

/// How often a DPDK process that is starting is looked at.
pub(crate) const STARTING_PAUSE: Duration = Duration::from_millis(5);

/// A directory of the file system, open.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    access: Access,
}

impl Directory {
    /// Makes the runtime directory, if there is none, and opens it.
    pub(crate) fn make(path: &Path, access: Access) -> Result<Self, GroupError> {
        let directory = Self::made(path, access, Self::open)?;
        match access {
            Access::SharedWith(gid) => directory.share(gid)?,
            Access::Private | Access::Beside(_) => {}
        }
        Ok(directory)
    }

    /// The same for the one above it, which members of a group must be let through.
    pub(crate) fn make_parent(path: &Path, access: Access) -> Result<Self, GroupError> {
        let directory = Self::made(path, access, Self::open_parent)?;
        if access.shared_with().is_some() {
            directory.let_through()?;
        }
        Ok(directory)
    }

    /// Of another user's, nothing is made.
    fn made(
        path: &Path,
        access: Access,
        open: impl Fn(&Path, Access) -> Result<Self, GroupError>,
    ) -> Result<Self, GroupError> {
        match access {
            Access::Beside(_) => open(path, access),
            Access::Private | Access::SharedWith(_) => match mkdir(path, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => open(path, access),
                Err(source) => Err(io_error("make the runtime directory", path, source)),
            },
        }
    }

    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, GroupError> {
        Self::open_with(path, access, OFlags::RDONLY)
    }

    /// To look at, not into: others need not be let read it.
    pub(crate) fn open_parent(path: &Path, access: Access) -> Result<Self, GroupError> {
        Self::open_with(path, access, OFlags::PATH)
    }

    fn open_with(path: &Path, access: Access, how: OFlags) -> Result<Self, GroupError> {
        let flags = how | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match access.file_user().act(|| fs::open(path, flags, Mode::empty())) {
            Ok(fd) => Ok(Self { fd, path: path.to_owned(), access }),
            // Another user than the one that was named cannot enter it: whose it is root can tell.
            Err(Errno::ACCESS) if matches!(access, Access::Beside(_)) => match fs::lstat(path) {
                Ok(stat) => Err(access
                    .check_directory(path, &stat, own_uid())
                    .err()
                    .unwrap_or_else(|| io_error("open the runtime directory", path, Errno::ACCESS))),
                Err(source) => Err(io_error("open the runtime directory", path, source)),
            },
            Err(source @ (Errno::NOTDIR | Errno::LOOP)) => match std::fs::read_link(path) {
                Ok(target) => Err(GroupError::Link { path: path.to_owned(), target }),
                Err(_) => Err(io_error("open the runtime directory", path, source)),
            },
            Err(Errno::ACCESS) => Err(fs::lstat(path)
                .ok()
                .and_then(|stat| access::outside(path, &stat, Errno::ACCESS))
                .unwrap_or_else(|| io_error("open the runtime directory", path, Errno::ACCESS))),
            Err(source) => Err(io_error("open the runtime directory", path, source)),
        }
    }

    /// It must be its user's and closed to others, or shared with the group that it is to be.
    pub(crate) fn check(&self) -> Result<(), GroupError> {
        self.access.check_directory(&self.path, &self.stat()?, own_uid())
    }

    /// Whether it may be the one above this.
    pub(crate) fn check_below(&self, parent: &Self) -> Result<(), GroupError> {
        let owner = self.stat()?.st_uid;
        parent.access.check_parent(&parent.path, &parent.stat()?, own_uid(), owner)
    }

    fn stat(&self) -> Result<Stat, GroupError> {
        fs::fstat(&self.fd).map_err(|source| io_error("examine the runtime directory", &self.path, source))
    }

    /// Shares it with a group, if it is this user's. The group comes first: no other gets in
    /// meanwhile.
    fn share(&self, gid: u32) -> Result<(), GroupError> {
        let stat = self.stat()?;
        if stat.st_uid != own_uid() || self.check().is_ok() {
            return Ok(());
        }
        let shared = fs::fchown(&self.fd, None, Some(Gid::from_raw(gid)))
            .and_then(|()| fs::fchmod(&self.fd, Mode::from_raw_mode(access::SHARED)));
        shared.map_err(|source| io_error("share the runtime directory", &self.path, source))
    }

    /// Lets everybody through, but nobody list it, if it is this user's.
    fn let_through(&self) -> Result<(), GroupError> {
        const THROUGH: u32 = 0o011;
        let stat = self.stat()?;
        if stat.st_uid != own_uid() || stat.st_mode & THROUGH == THROUGH {
            return Ok(());
        }
        // A descriptor that is for the path only can be changed no other way.
        let through = fs::chmod(
            format!("/proc/self/fd/{}", self.fd.as_raw_fd()),
            Mode::from_raw_mode(stat.st_mode | THROUGH),
        );
        through.map_err(|source| io_error("let the group through", &self.path, source))
    }

    /// Whether it is in no directory any more.
    pub(crate) fn is_removed(&self) -> bool {
        fs::fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// Takes DPDK's directory lock for as long as the result lives. Never held while waiting for a
    /// peer.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<Lock, BindError> {
        // `flock` belongs to the open file: a lock needs one of its own. The kernel tells nobody
        // when a lock becomes free, so it is tried again.
        let fd = openat(&self.fd, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|source| io_error("open the runtime directory", &self.path, source))?;
        let mut pause = Duration::from_micros(100);
        loop {
            match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { fd }),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if !deadline.is_over() => {
                    thread::sleep(pause.min(deadline.left()));
                    pause = (pause * 2).min(Duration::from_micros(400));
                }
                Err(Errno::WOULDBLOCK) => {
                    let (dir, waited) = (self.path.clone(), LOCK_TIMEOUT);
                    return Err(BindError::Locked { dir, waited, base: None });
                }
                Err(source) => {
                    return Err(io_error("lock the runtime directory", &self.path, source).into());
                }
            }
        }
    }

    /// The layout of the group's datagrams, from DPDK's `config` if there is one.
    pub(crate) fn layout(&self) -> Result<Layout, GroupError> {
        Ok(self.dpdk_version()?.map_or(Layout::OLDEST, Layout::of_version))
    }

    /// The same, but while a DPDK process is starting waits for it until the deadline.
    pub(crate) fn layout_within(&self, deadline: Deadline) -> Result<Layout, GroupError> {
        loop {
            match self.layout() {
                Err(error) if error.is_starting() && !deadline.is_over() => {
                    // It tells nobody when it has started.
                    thread::sleep(STARTING_PAUSE.min(deadline.left()));
                }
                layout => return layout,
            }
        }
    }

    /// The version word of DPDK's `config`, if there is one.
    pub(crate) fn dpdk_version(&self) -> Result<Option<u32>, GroupError> {
        let Some(config) = self.config()? else { return Ok(None) };
        // Looked at before reading: a process that has started in between has left its word.
        let holder = config.lock_holder().map_err(|source| self.config_error(source))?;
        match (config.start().map_err(|source| self.config_error(source))?, holder) {
            (Start::Version(version), _) => Ok(Some(version)),
            (Start::NotYet, Some(pid)) => Err(GroupError::Starting { dir: self.path.clone(), pid }),
            _ => Err(GroupError::NotDpdkConfig { path: self.path.join(config::NAME) }),
        }
    }

    /// The live DPDK primary of this directory.
    pub(crate) fn dpdk_primary(&self) -> Result<Option<u32>, GroupError> {
        let Some(config) = self.config()? else { return Ok(None) };
        config.lock_holder().map_err(|source| self.config_error(source))
    }

    /// Whether a DPDK process has been here: its `config` file is, or cannot be looked at.
    pub(crate) fn has_dpdk(&self) -> bool {
        !matches!(self.config(), Ok(None))
    }

    fn config(&self) -> Result<Option<Config>, GroupError> {
        Config::open(&self.fd).map_err(|source| self.config_error(source.into()))
    }

    fn config_error(&self, source: io::Error) -> GroupError {
        GroupError::Io { what: "read DPDK's config file", path: self.path.join(config::NAME), source }
    }

    /// The file names of all secondaries' and reply sockets.
    pub(crate) fn sockets(&self) -> Result<Vec<OsString>, GroupError> {
        let list = || -> Result<Vec<OsString>, Errno> {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.fd)? {
                let entry = entry?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if Reserved::of(name).is_some() {
                    names.push(name.to_owned());
                }
            }
            Ok(names)
        };
        list().map_err(|source| io_error("list the runtime directory", &self.path, source))
    }

    /// Tells one state of the directory from the next; `None` if it has changed so recently that
    /// the next change could bear the same time.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let stat = fs::fstat(&self.fd).ok()?;
        let changed = Duration::new(stat.st_ctime.try_into().ok()?, stat.st_ctime_nsec as u32);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let granularity = if changed.subsec_nanos() == 0 { WHOLE_SECONDS } else { CLOCK_TICKS };
        (now > changed + granularity).then_some(Stamp(changed))
    }

    /// When a file was made, since the epoch: nobody writes to a socket's file.
    pub(crate) fn made_at(&self, name: &OsStr) -> Result<Duration, Errno> {
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Duration::new(stat.st_mtime.try_into().unwrap_or(0), stat.st_mtime_nsec as u32))
    }

    /// Removes a file. Gone already is as good.
    pub(crate) fn unlink(&self, name: impl AsRef<OsStr>) -> Result<(), GroupError> {
        match unlinkat(&self.fd, name.as_ref(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::PERM) => Err(self.not_removed(name.as_ref())),
            Err(source) => Err(io_error("remove a file", &self.path.join(name.as_ref()), source)),
        }
    }

    /// The sticky bit keeps it from this user.
    fn not_removed(&self, name: &OsStr) -> GroupError {
        let path = self.path.join(name);
        let file = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        match (file, self.stat()) {
            (Ok(file), Ok(directory)) => {
                GroupError::Anothers { path, owner: file.st_uid, directory: directory.st_uid, uid: own_uid() }
            }
            _ => io_error("remove a file", &path, Errno::PERM),
        }
    }

    /// Leaves word of who the primary is. Only the text of an error needs it.
    pub(crate) fn write_owner(&self) {
        // Made anew: what another user has put there may lead elsewhere.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || openat(&self.fd, OWNER, flags, Mode::RUSR | Mode::WUSR);
        self.remove_owner();
        if let Ok(fd) = self.access.file_user().act(make) {
            if let Some(gid) = self.access.shared_with() {
                let _ = fs::fchown(&fd, None, Some(Gid::from_raw(gid)));
                let _ = fs::fchmod(&fd, Mode::RUSR | Mode::WUSR | Mode::RGRP);
            }
            let _ = rustix::io::write(fd, std::process::id().to_string().as_bytes());
        }
    }

    pub(crate) fn read_owner(&self) -> Option<u32> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.fd, OWNER, flags, Mode::empty()).ok()?;
        let mut text = [0; 16];
        let len = rustix::io::read(fd, &mut text).ok()?;
        std::str::from_utf8(&text[..len]).ok()?.parse().ok()
    }

    pub(crate) fn remove_owner(&self) {
        let _ = self.unlink(OWNER);
    }
}

/// When a directory last changed. It stays the same exactly as long as nothing is made, renamed or
/// removed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(Duration);

/// The directory lock, held.
#[derive(Debug)]
pub(crate) struct Lock {
    fd: OwnedFd,
}

/// Closing would not do: the lock belongs to the open file, of which a fork that was begun
/// meanwhile has a copy.
impl Drop for Lock {
    fn drop(&mut self) {
        // It fails only on what cannot be locked.
        let _ = flock(&self.fd, FlockOperation::Unlock);
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn io_error(what: &'static str, path: &Path, source: Errno) -> GroupError {
    GroupError::Io { what, path: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_stays_taken_is_told_with_its_directory() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::open(dir.path(), Access::Private).expect("it is there");
        let at_once = || Deadline::after(Duration::ZERO);
        let held = directory.lock(at_once()).expect("it is free");
        let error = directory.lock(at_once()).expect_err("it is held");
        assert!(matches!(&error, BindError::Locked { dir: told, .. } if told == dir.path()), "{error}");
        assert!(error.to_string().contains(dir.path().to_str().expect("ASCII")), "{error}");
        drop(held);
        directory.lock(at_once()).expect("it is free again");
    }

    #[test]
    fn a_copy_that_a_fork_has_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::open(dir.path(), Access::Private).expect("it is there");
        let at_once = || Deadline::after(Duration::ZERO);
        let held = directory.lock(at_once()).expect("it is free");
        // As a fork's: another descriptor of the same open file.
        let _copy = held.fd.try_clone().expect("a descriptor");
        drop(held);
        directory.lock(at_once()).expect("it is free again");
    }
}
