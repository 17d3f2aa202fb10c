//! DPDK's `config` file: which DPDK made it, whether that process lives, and whether it has
//! started.
//!
//! A DPDK primary holds a POSIX lock on it for life, and that primary may live in this very
//! process. Such a lock belongs to process and file, not to a descriptor: closing *any* descriptor
//! of the file ends it. So a `config` file that has been opened here stays open.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat},
    io::{Errno, pread},
};

use crate::sys::lock_holder;

pub(super) const NAME: &str = "config";

const MAGIC: u32 = 19_820_526;

/// How many files stay open if need be; beyond it one is closed whose lock is not ours.
const KEPT: usize = 64;

/// A `config` file, open.
#[derive(Debug, Clone)]
pub(super) struct Config {
    fd: Arc<OwnedFd>,
    device: u64,
    inode: u64,
}

/// What the start of a `config` file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Of a DPDK with this version word.
    Version(u32),
    /// Zeros, or too short: a DPDK process that is starting leaves the magic number for the end.
    NotYet,
    /// Not DPDK's.
    Foreign,
}

impl Config {
    /// Opens the one in this directory, unless it is open already; `None` if there is none.
    pub(super) fn open(directory: impl AsFd) -> Result<Option<Self>, Errno> {
        /// Those that have been opened, the oldest first.
        static OPEN: Mutex<Vec<Config>> = Mutex::new(Vec::new());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let stat = match statat(&directory, NAME, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        // An open file keeps its inode number from being used again.
        if let Some(config) = open.iter().find(|config| config.is(&stat)) {
            return Ok(Some(config.clone()));
        }
        // Not through a link: the directory may be another user's, and this process root.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match openat(&directory, NAME, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        // Another may have taken the place of the one looked at.
        let stat = fstat(&fd)?;
        let config = Self { fd: Arc::new(fd), device: stat.st_dev, inode: stat.st_ino };
        forget_some(&mut open);
        open.push(config.clone());
        Ok(Some(config))
    }

    pub(super) fn start(&self) -> io::Result<Start> {
        let mut start = [0; 8];
        let len = pread(&*self.fd, &mut start, 0)?;
        Ok(Start::of(&start[..len]))
    }

    /// The process that holds a lock on it, as a live DPDK primary does; 0 if that cannot be seen
    /// from here. This process's own locks are told as well.
    pub(super) fn lock_holder(&self) -> io::Result<Option<u32>> {
        lock_holder(self.fd.as_fd())
    }

    fn is(&self, stat: &Stat) -> bool {
        (self.device, self.inode) == (stat.st_dev, stat.st_ino)
    }

    fn is_removed(&self) -> bool {
        fstat(&*self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// Whether closing it may end a lock of this process.
    fn may_be_ours(&self) -> bool {
        self.lock_holder().map_or(true, |holder| holder == Some(std::process::id()))
    }
}

/// Makes room for one more: those that are removed go, and the oldest if there are too many.
fn forget_some(open: &mut Vec<Config>) {
    open.retain(|config| !config.is_removed() || config.may_be_ours());
    if open.len() >= KEPT
        && let Some(oldest) = open.iter().position(|config| !config.may_be_ours())
    {
        open.remove(oldest);
    }
}

impl Start {
    /// The version word is `year << 24 | month << 16 | minor << 8 | release` since 20.02; before
    /// that a small count stood there, which is below any year.
    fn of(start: &[u8]) -> Self {
        match *start {
            [0, 0, 0, 0, ..] => Self::NotYet,
            [a, b, c, d, e, f, g, h] if u32::from_ne_bytes([a, b, c, d]) == MAGIC => {
                Self::Version(u32::from_ne_bytes([e, f, g, h]))
            }
            _ if start.len() < 8 => Self::NotYet,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(magic: u32, version: u32) -> [u8; 8] {
        let mut start = [0; 8];
        start[..4].copy_from_slice(&magic.to_ne_bytes());
        start[4..].copy_from_slice(&version.to_ne_bytes());
        start
    }

    #[test]
    fn the_word_behind_the_magic_is_the_version() {
        for word in [4, 0x160b_0b63, 0x1a07_0063] {
            assert_eq!(Start::of(&config(MAGIC, word)), Start::Version(word));
        }
    }

    #[test]
    fn a_file_without_the_magic_tells_no_version() {
        for start in [&[][..], &[1; 7], &config(0, 0x160b_0b63)] {
            assert_eq!(Start::of(start), Start::NotYet);
        }
        assert_eq!(Start::of(&config(MAGIC.swap_bytes(), 0)), Start::Foreign);
    }

    #[test]
    fn not_more_files_stay_open_than_may() {
        let dirs: Vec<_> = (0..KEPT + 8).map(|_| tempfile::tempdir().expect("a directory")).collect();
        for dir in &dirs {
            std::fs::write(dir.path().join(NAME), "").expect("it is ours");
            let directory = std::fs::File::open(dir.path()).expect("it is there");
            Config::open(directory).expect("it can be read").expect("it is there");
        }
        let is_config = |fd: std::fs::DirEntry| {
            std::fs::read_link(fd.path())
                .is_ok_and(|path| dirs.iter().any(|dir| path.starts_with(dir.path())))
        };
        let fds = std::fs::read_dir("/proc/self/fd").expect("it is there");
        let open = fds.filter_map(Result::ok).filter_map(|fd| is_config(fd).then_some(())).count();
        assert!((1..=KEPT).contains(&open), "{open}");
    }
}
