//! Keeping handlers and callbacks from the last `close` of what they take out of a message.
//!
//! A handler or callback that drops a descriptor which it took out closes it, and may wait for that
//! as long as the peer likes, and others with it. So a copy is kept until it returns: its own `close`
//! is then not the last. The last is the copy's, by the closing threads ([`discard`](super)). What a
//! handler is, this does not know.

use std::{
    cell::RefCell,
    marker::PhantomData,
    os::fd::{BorrowedFd, OwnedFd},
    sync::atomic::Ordering::Relaxed,
};

use super::{
    Closer, closer_of_this_process, discard,
    kind::{Closing, closing},
};
use crate::{sys::fd_share, wire::OwnedFds};

thread_local! {
    /// `None` while copies are not kept on this thread.
    static COPIES: RefCell<Option<Vec<KeptCopy>>> = const { RefCell::new(None) };
}

/// While it lives, a copy is kept of whatever is taken out of a received message on this thread and
/// may take long to close; what is plainly harmless costs one `fstat`.
///
/// Those of a file system that hangs take long at each `close`, which no copy changes.
#[must_use]
#[derive(Debug)]
pub(crate) struct TakenOut {
    outer: Option<Vec<KeptCopy>>,
    /// It must be dropped on the thread that it was made on.
    here: PhantomData<*const ()>,
}

impl TakenOut {
    /// From now on.
    pub(crate) fn keep_copies() -> Self {
        let outer = COPIES.try_with(|copies| copies.replace(Some(Vec::new()))).ok().flatten();
        Self { outer, here: PhantomData }
    }
}

impl Drop for TakenOut {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let copies = COPIES.try_with(|copies| copies.replace(outer)).ok().flatten().unwrap_or_default();
        if !copies.is_empty() {
            discard(copies.into_iter().map(KeptCopy::into_fd).collect::<OwnedFds>());
        }
    }
}

/// Keeps a copy of `fd`, if its close may take long: a handler has it now, and may close it at any
/// time.
pub(super) fn taken(fd: BorrowedFd<'_>) {
    // Where a thread ends none are kept.
    let _ = COPIES.try_with(|copies| {
        if let Ok(mut copies) = copies.try_borrow_mut()
            && let Some(copies) = copies.as_mut()
            && closing(fd) == Closing::LastIsSlow
        {
            copies.extend(KeptCopy::of(fd, closer_of_this_process(), fd_share()));
        }
    });
}

/// A copy, and who counts it.
#[derive(Debug)]
struct KeptCopy {
    fd: OwnedFd,
    closer: &'static Closer,
}

impl KeptCopy {
    /// `None` if there is no room for one more, or with it more than `share` are kept and wait to
    /// be closed: the rest is the program's.
    fn of(fd: BorrowedFd<'_>, closer: &'static Closer, share: usize) -> Option<Self> {
        let others = closer.kept.fetch_add(1, Relaxed) + closer.lock().len();
        let copy = if others < share { fd.try_clone_to_owned().ok() } else { None };
        if copy.is_none() {
            closer.kept.fetch_sub(1, Relaxed);
        }
        copy.map(|fd| Self { fd, closer })
    }

    fn into_fd(self) -> OwnedFd {
        self.closer.kept.fetch_sub(1, Relaxed);
        self.fd
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        os::{
            fd::{AsFd, AsRawFd},
            unix::net::UnixDatagram,
        },
    };

    use super::*;

    fn kept() -> Vec<(u64, u64)> {
        let identity = |fd: BorrowedFd<'_>| {
            let stat = rustix::fs::fstat(fd).expect("it is open");
            (stat.st_dev, stat.st_ino)
        };
        COPIES.with_borrow(|copies| copies.iter().flatten().map(|copy| identity(copy.fd.as_fd())).collect())
    }

    #[test]
    fn copies_are_kept_only_meanwhile_and_only_of_what_may_take_long() {
        let socket = UnixDatagram::unbound().expect("a socket");
        let null = File::open("/dev/null").expect("it is always there");
        taken(socket.as_fd());
        assert!(kept().is_empty(), "nobody waits for this thread");
        let outer = TakenOut::keep_copies();
        taken(socket.as_fd());
        taken(null.as_fd());
        let of_outer = kept();
        assert_eq!(of_outer.len(), 1);
        let inner = TakenOut::keep_copies();
        assert!(kept().is_empty());
        taken(socket.as_fd());
        drop(inner);
        assert_eq!(kept(), of_outer);
        drop(outer);
        assert!(kept().is_empty());
        assert!(rustix::io::fcntl_getfd(&socket).is_ok(), "{} is not its copies", socket.as_raw_fd());
    }

    #[test]
    fn copies_are_bounded_and_without_one_it_goes_on_without() {
        let socket = UnixDatagram::unbound().expect("a socket");
        let closer: &'static Closer = Box::leak(Box::new(Closer::new()));
        let keep = || KeptCopy::of(socket.as_fd(), closer, 2);
        let two = [keep(), keep()];
        assert!(two.iter().all(Option::is_some) && keep().is_none());
        two.into_iter().flatten().map(KeptCopy::into_fd).for_each(drop);
        assert!(keep().is_some(), "there is room again");
        closer.lock().last_is_slow.extend([0, 1].map(|_| socket.as_fd().try_clone_to_owned().expect("room")));
        assert!(keep().is_none(), "what waits to be closed counts too");
    }
}
