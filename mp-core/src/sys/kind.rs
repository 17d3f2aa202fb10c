//! What a descriptor is and how large, found out without asking anybody who could take long.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, StatxFlags, statx};

/// What a file descriptor is, as far as the kernel knows without asking whoever serves the file.
///
/// Implements `stx_mode` of `statx(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FdKind {
    /// A file, also one in memory (`memfd_create(2)`).
    File,
    /// A directory.
    Directory,
    /// A device that is read character by character, `/dev/null` among them.
    CharacterDevice,
    /// A disk.
    BlockDevice,
    /// A pipe.
    Pipe,
    /// A socket of any family.
    Socket,
    /// One of the kernel's own: an eventfd, an epoll, a timer, a VFIO group.
    Other,
}

impl FdKind {
    const ALL: [Self; 7] = [
        Self::Other,
        Self::File,
        Self::Directory,
        Self::CharacterDevice,
        Self::BlockDevice,
        Self::Pipe,
        Self::Socket,
    ];

    /// As it stands in a record.
    pub(crate) fn code(self) -> u32 {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default() as u32
    }

    /// A code of a later release is [`Other`](Self::Other).
    pub(crate) fn of_code(code: u32) -> Self {
        Self::ALL.get(code as usize).copied().unwrap_or(Self::Other)
    }

    /// In one word, as JSON has it: `file`, say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::CharacterDevice => "character_device",
            Self::BlockDevice => "block_device",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::Other => "other",
        }
    }
}

/// What it is, and its size in bytes: of a file; else 0.
pub(crate) fn look_at(fd: BorrowedFd<'_>) -> (FdKind, u64) {
    // A file of FUSE or of a network may be served by somebody slow, who is not asked so.
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let Ok(found) = statx(fd, c"", flags, StatxFlags::TYPE | StatxFlags::SIZE) else {
        return (FdKind::Other, 0);
    };
    match FileType::from_raw_mode(found.stx_mode.into()) {
        FileType::RegularFile => (FdKind::File, found.stx_size),
        FileType::Directory => (FdKind::Directory, 0),
        FileType::CharacterDevice => (FdKind::CharacterDevice, 0),
        FileType::BlockDevice => (FdKind::BlockDevice, 0),
        FileType::Fifo => (FdKind::Pipe, 0),
        FileType::Socket => (FdKind::Socket, 0),
        _ => (FdKind::Other, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd, os::unix::net::UnixDatagram};

    use super::*;

    #[test]
    fn each_sort_is_told_with_the_size_of_files() {
        let memory = super::super::seal("12345").expect("memory");
        assert_eq!(look_at(memory.as_fd()), (FdKind::File, 5));
        let null = File::open("/dev/null").expect("it is there");
        assert_eq!(look_at(null.as_fd()), (FdKind::CharacterDevice, 0));
        let socket = UnixDatagram::unbound().expect("a socket");
        assert_eq!(look_at(socket.as_fd()), (FdKind::Socket, 0));
        for kind in FdKind::ALL {
            assert_eq!(FdKind::of_code(kind.code()), kind);
        }
        assert_eq!(FdKind::of_code(99), FdKind::Other);
    }
}
