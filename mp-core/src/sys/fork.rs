//! Telling a process from its fork, and keeping a fork from holding what its parent is known by.
//!
//! A fork has copies of sockets, locks and queues, but not the threads that serve them. Asking for
//! the pid would take a system call each time; a handler that libc runs in the child of every
//! `fork` costs nothing until then.
//!
//! A socket lives as long as any process holds it. A fork that goes on without running another
//! program would keep its parent's place in the group after the parent's end, and answer nobody
//! there. So every socket that is to be bound is noted here first, and the child of a fork has at
//! its number a socket that leads nowhere instead.
#![allow(unsafe_code)]

use std::{
    mem::MaybeUninit,
    os::fd::{AsRawFd, OwnedFd, RawFd},
    ptr,
    sync::{
        Once,
        atomic::{
            AtomicI32, AtomicPtr, AtomicU32, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

use rustix::io::Errno;

/// How many forks lie between this process and the first that used this crate.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many forks this process has begun.
static FORKS_BEGUN: AtomicU32 = AtomicU32::new(0);

/// The process in which something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForkGuard(u32);

impl ForkGuard {
    pub(crate) fn here() -> Self {
        watch_forks();
        Self(GENERATION.load(Relaxed))
    }

    /// Whether this is not a fork of that process.
    pub(crate) fn is_here(self) -> bool {
        self.0 == GENERATION.load(Relaxed)
    }
}

fn watch_forks() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: `before` may run in any process, and only adds to an atomic. `in_child` may run
        // in any child: what it does is async-signal-safe (see there). A crate that is never
        // unloaded, so their addresses stay valid. If there is no memory for it, forks are not told
        // apart and keep their parents' sockets.
        let _ = unsafe { libc::pthread_atfork(Some(before), None, Some(in_child)) };
    });
}

unsafe extern "C" fn before() {
    FORKS_BEGUN.fetch_add(1, SeqCst);
}

/// Async-signal-safe: it loads and stores atomics, follows pointers that are never freed, and makes
/// system calls. Other threads may have been anywhere when the process forked; nothing here waits
/// for them.
unsafe extern "C" fn in_child() {
    GENERATION.fetch_add(1, Relaxed);
    let mut nowhere = NONE;
    for place in places() {
        let fd = place.fd.swap(NONE, SeqCst);
        // Somebody may have closed what is not theirs, and opened something else at its number.
        if fd < 0 || inode_of(fd) != Some(place.inode.load(SeqCst)) {
            continue;
        }
        if nowhere == NONE {
            nowhere = socket_to_nowhere();
        }
        // SAFETY: the number is that of a socket of ours: `NotInForks` is dropped before its
        // descriptor is closed, and the inode says so. `dup3` keeps the number in use: whoever owns
        // it goes on to own it, and closes the socket that leads nowhere. Where there is none, for
        // want of room, `dup3` fails and the fork keeps its parent's socket.
        unsafe { libc::dup3(nowhere, fd, libc::O_CLOEXEC) };
    }
    if nowhere >= 0 {
        // SAFETY: it was made above, and nobody else knows of it.
        unsafe { libc::close(nowhere) };
    }
}

/// A socket that is bound nowhere and shut down: receiving from it is at the end at once.
/// Async-signal-safe.
fn socket_to_nowhere() -> RawFd {
    // SAFETY: neither call is given memory.
    unsafe {
        let fd = libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        libc::shutdown(fd, libc::SHUT_RDWR);
        fd
    }
}

/// Async-signal-safe.
fn inode_of(fd: RawFd) -> Option<u64> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: it has room for what `fstat` writes, which is all of it if that returns 0.
    unsafe { (libc::fstat(fd, stat.as_mut_ptr()) == 0).then(|| stat.assume_init().st_ino) }
}

/// A socket's number, noted: a fork will not hold that socket. To be dropped before the socket is.
#[derive(Debug)]
pub(super) struct NotInForks {
    place: &'static Place,
    fd: RawFd,
}

impl NotInForks {
    /// Makes a socket that no fork holds.
    pub(super) fn made(make: impl Fn() -> Result<OwnedFd, Errno>) -> Result<(OwnedFd, Self), Errno> {
        watch_forks();
        loop {
            let forks = FORKS_BEGUN.load(SeqCst);
            let fd = make()?;
            let noted = Self::note(fd.as_raw_fd());
            // A fork that began after this load finds the note; one that began before it may not,
            // and may hold the socket. Nobody else does yet, so another takes its place.
            if FORKS_BEGUN.load(SeqCst) == forks {
                return Ok((fd, noted));
            }
            drop(noted);
        }
    }

    fn note(fd: RawFd) -> Self {
        let is_free = |place: &&Place| place.fd.compare_exchange(NONE, CLAIMED, SeqCst, SeqCst).is_ok();
        let place = places().find(is_free).unwrap_or_else(|| {
            let chunk: &Chunk = Box::leak(Box::new(Chunk::empty()));
            chunk.places[0].fd.store(CLAIMED, SeqCst);
            append(chunk);
            &chunk.places[0]
        });
        place.inode.store(inode_of(fd).unwrap_or(0), SeqCst);
        place.fd.store(fd, SeqCst);
        Self { place, fd }
    }
}

impl Drop for NotInForks {
    fn drop(&mut self) {
        // In a fork the place has been emptied, and may be another socket's by now.
        let _ = self.place.fd.compare_exchange(self.fd, NONE, SeqCst, SeqCst);
    }
}

/// No descriptor: the place is free.
const NONE: RawFd = -1;
/// No descriptor yet.
const CLAIMED: RawFd = -2;

/// Where a socket's number is noted.
#[derive(Debug)]
struct Place {
    fd: AtomicI32,
    inode: AtomicU64,
}

/// Some places. They are never freed, so that a fork can read them whenever it begins.
struct Chunk {
    places: [Place; 64],
    next: AtomicPtr<Chunk>,
}

static FIRST: Chunk = Chunk::empty();

impl Chunk {
    const fn empty() -> Self {
        Self {
            places: [const { Place { fd: AtomicI32::new(NONE), inode: AtomicU64::new(0) } }; 64],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn next(&self) -> Option<&'static Self> {
        let next = self.next.load(SeqCst);
        // SAFETY: it is null, or `append` put a leaked box there: valid for ever, and only shared.
        unsafe { next.cast_const().as_ref() }
    }
}

fn places() -> impl Iterator<Item = &'static Place> {
    std::iter::successors(Some(&FIRST), |chunk| chunk.next()).flat_map(|chunk| &chunk.places)
}

fn append(chunk: &'static Chunk) {
    let new = ptr::from_ref(chunk).cast_mut();
    let mut last = &FIRST;
    while last.next.compare_exchange(ptr::null_mut(), new, SeqCst, SeqCst).is_err() {
        // It has a next one, or the exchange would have succeeded.
        last = last.next().unwrap_or(last);
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketType};

    use super::*;

    #[test]
    fn places_are_used_again_and_there_are_always_more() {
        let make = || rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None);
        let count = || places().count();
        for _ in 0..2 {
            let made: Vec<_> = (0..200).map(|_| NotInForks::made(make).expect("descriptors")).collect();
            let mut fds: Vec<_> = made.iter().map(|(fd, _)| fd.as_raw_fd()).collect();
            fds.sort_unstable();
            let noted = |fd: &RawFd| places().filter(|place| place.fd.load(SeqCst) == *fd).count() == 1;
            assert!(fds.iter().all(noted));
            drop(made);
        }
        assert!((200..1024).contains(&count()), "{}", count());
    }
}
