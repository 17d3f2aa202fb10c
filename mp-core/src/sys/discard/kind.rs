//! Which descriptors can be closed anywhere, and how the others take long.
//!
//! It only asks the kernel what a descriptor is; what to do then is decided elsewhere.

use std::{
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use rustix::fs::{CWD, FileType, Stat, fstat, fstatfs, major, readlinkat_raw};

/// How a descriptor closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// At once.
    Quick,
    /// The last copy may take long, any other is closed at once.
    LastIsSlow,
    /// Each copy may take long: its file system, or whoever serves it, is told of each.
    EachIsSlow,
}

/// More memory than this takes long to free: a quarter of a second for each GiB.
const MUCH: i64 = 64 << 20;

/// Memory devices, of which there is `/dev/null`.
const MEMORY_MAJOR: u32 = 1;

/// File systems, by their magic numbers, that nobody else has to be asked for.
const LOCAL: [u32; 15] = [
    0xef53,      // ext2 to ext4
    0x5846_5342, // XFS
    0x9123_683e, // btrfs
    0xf2f5_2010, // F2FS
    0x2fc1_2fc1, // ZFS
    0x0102_1994, // tmpfs, and so memfds
    0x8584_58f6, // ramfs
    0x9584_58f6, // hugetlbfs
    0x794c_7630, // overlayfs
    0x7371_7368, // squashfs
    0xe0f5_e1e2, // EROFS
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x5049_4446, // pidfds
    0x6e73_6673, // namespaces
];

/// What is not plainly harmless is slow.
pub(super) fn closing(fd: BorrowedFd<'_>) -> Closing {
    let Ok(stat) = fstat(fd) else { return Closing::LastIsSlow };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Closing::Quick,
        FileType::CharacterDevice if major(stat.st_rdev) == MEMORY_MAJOR => Closing::Quick,
        FileType::RegularFile | FileType::Directory => of_file(fd, &stat),
        FileType::Unknown if is_eventfd(fd) => Closing::Quick,
        _ => Closing::LastIsSlow,
    }
}

fn of_file(fd: BorrowedFd<'_>, stat: &Stat) -> Closing {
    let is_local = fstatfs(fd).is_ok_and(|fs| LOCAL.contains(&(fs.f_type as u32)));
    match is_local {
        false => Closing::EachIsSlow,
        // Its memory goes with the last copy.
        true if stat.st_nlink == 0 && stat.st_blocks.saturating_mul(512) > MUCH => Closing::LastIsSlow,
        true => Closing::Quick,
    }
}

/// Of all that has no inode of its own, only its name tells.
fn is_eventfd(fd: BorrowedFd<'_>) -> bool {
    let mut name = [MaybeUninit::uninit(); 32];
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    readlinkat_raw(CWD, path, &mut name).is_ok_and(|(name, _)| name == b"anon_inode:[eventfd]")
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::Write,
        net::TcpListener,
        os::{fd::AsFd, unix::net::UnixDatagram},
    };

    use rustix::{
        event::{EventfdFlags, eventfd},
        fs::{MemfdFlags, memfd_create},
        pipe::pipe,
    };

    use super::*;

    #[test]
    fn what_is_plainly_harmless_is_quick() {
        let null = File::open("/dev/null").expect("it is always there");
        let file = tempfile::tempfile().expect("a temporary file");
        let directory = File::open("/proc/self").expect("it is always there");
        let memory = memfd_create("small", MemfdFlags::CLOEXEC).expect("a little memory");
        let (read, write) = pipe().expect("a pipe");
        let event = eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd");
        let fds =
            [null.as_fd(), file.as_fd(), directory.as_fd(), memory.as_fd(), read.as_fd(), write.as_fd()];
        for fd in fds.into_iter().chain([event.as_fd()]) {
            assert_eq!(closing(fd), Closing::Quick, "{fd:?}");
        }
    }

    #[test]
    fn what_may_hold_up_its_last_user_is_slow() {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
        let unix = UnixDatagram::unbound().expect("a socket");
        let epoll =
            rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).expect("an epoll");
        for fd in [tcp.as_fd(), unix.as_fd(), epoll.as_fd()] {
            assert_eq!(closing(fd), Closing::LastIsSlow, "{fd:?}");
        }
    }

    #[test]
    fn memory_is_slow_if_it_is_much() {
        let mut memory = File::from(memfd_create("much", MemfdFlags::CLOEXEC).expect("a little memory"));
        let mebibyte = vec![1; 1 << 20];
        for _ in 0..65 {
            memory.write_all(&mebibyte).expect("there is memory");
        }
        assert_eq!(closing(memory.as_fd()), Closing::LastIsSlow);
    }
}
