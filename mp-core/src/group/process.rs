//! What `/proc` tells of a process that may be a member: whether it is the one that holds a socket.
//!
//! A pid in a socket's name, or in a word that a primary left, is one in the namespace of whoever
//! wrote it. Seen from another namespace it may be somebody else's, and after its process is gone
//! the next one's.

use std::{
    cell::OnceCell,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
};

/// Whether the process with this pid, here, is known to hold the socket that is bound at `socket`.
///
/// `false` also where this user may not see which files that process has open.
pub(super) fn holds(pid: u32, socket: &Path) -> bool {
    Sockets::of(&pid.to_string()).are_held(pid, socket)
}

/// Which sockets are bound where, in the network namespace of a process.
///
/// It is read when something is asked of it.
#[derive(Debug)]
pub(super) struct Sockets {
    process: String,
    table: OnceCell<Vec<u8>>,
}

impl Sockets {
    /// In this process's own.
    pub(super) fn of_this_process() -> Self {
        Self::of("self")
    }

    fn of(process: &str) -> Self {
        Self { process: process.to_owned(), table: OnceCell::new() }
    }

    /// The same as [`holds`], without reading a table for each.
    pub(super) fn has_held(&self, pid: u32, socket: &Path) -> bool {
        self.are_held(pid, socket) || self.inodes(socket).is_empty() && holds(pid, socket)
    }

    fn are_held(&self, pid: u32, socket: &Path) -> bool {
        let bound = self.inodes(socket);
        let is_bound =
            |target: &Path| bound.iter().any(|inode| *target == *Path::new(&format!("socket:[{inode}]")));
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        !bound.is_empty()
            && files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| is_bound(&target))
    }

    fn inodes(&self, socket: &Path) -> Vec<u64> {
        let read = || fs::read(format!("/proc/{}/net/unix", self.process)).unwrap_or_default();
        let table = self.table.get_or_init(read);
        table.split(|byte| *byte == b'\n').filter_map(|line| inode_of(line, socket)).collect()
    }
}

/// The inode of the socket in a line of `/proc/net/unix`, if that is bound at this path, however it
/// is spelled.
fn inode_of(line: &[u8], socket: &Path) -> Option<u64> {
    // The path comes last, and no field before it has a slash.
    let (fields, path) = line.split_at(line.iter().position(|byte| *byte == b'/')?);
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    if path != socket
        && (path.file_name() != socket.file_name() || !is_same(path.parent()?, socket.parent()?))
    {
        return None;
    }
    str::from_utf8(fields).ok()?.split_whitespace().nth(6)?.parse().ok()
}

fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    inode(one).is_some_and(|one| inode(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixDatagram};

    use super::*;

    #[test]
    fn who_holds_a_socket_is_told_from_who_does_not() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let socket = dir.path().join("mp_socket_1_1");
        let held = UnixDatagram::bind(&socket).expect("it is free");
        let own = std::process::id();
        assert!(holds(own, &socket));
        assert!(!holds(1, &socket), "init");
        assert!(!holds(4_000_000, &socket), "nobody");
        assert!(!holds(own, &dir.path().join("mp_socket_1_2")));
        drop(held);
        assert!(!holds(own, &socket), "nobody any more");
    }

    #[test]
    fn the_spelling_of_the_directory_does_not_matter() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::create_dir(&real).expect("it can be made");
        symlink(&real, &link).expect("it can be made");
        let _held = UnixDatagram::bind(link.join("mp_socket")).expect("it is free");
        assert!(holds(std::process::id(), &real.join("mp_socket")));
    }
}
