//! Closing descriptors that a peer sent and that nobody has kept.
//!
//! The last `close` of a connection may take as long as its peer likes, that of a packet socket 14
//! ms, that of a file on a network until its server answers. So what is not plainly harmless
//! ([`kind`]) is left to closing threads, which live only while there is something to close:
//! whoever drops a message goes on at once. Most are closed by the exit of a thread that has a
//! table of its own ([`table`]), so that what lingers does not keep even a closing thread.
//!
//! What a handler takes out it closes itself; [`taken`] sees to it that this is not the last
//! `close`.
//!
//! What waits is bounded: at a quarter of the descriptors that the process may have [`is_full`]
//! says so, and `receive` takes no more until there is room.

#![allow(unsafe_code)]

mod kind;
mod table;
mod taken;

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    ptr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicPtr, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
    thread,
};

use super::{ForkGuard, ThreadRole, fd_share, spawn_for_all};
use crate::wire::{Care, Fds, OwnedFds};
use kind::{Closing, closing};
pub(crate) use taken::TakenOut;

/// How many threads close at most.
const THREADS: usize = 8;

/// How many of them close what each copy may take long of: the others stay free for the rest.
const FOR_EACH_IS_SLOW: usize = 4;

/// How many descriptors one thread takes at once.
const AT_ONCE: usize = 256;

/// The stack of a closing thread.
const STACK: usize = 128 << 10;

/// For what peers have sent.
pub(crate) static CARE: Care = Care { discard, taken: taken::taken };

/// Closes these without waiting for it.
pub(crate) fn discard(fds: OwnedFds) {
    let mut closer = None;
    for fd in fds {
        match closing(fd.as_fd()) {
            Closing::Quick => drop(fd),
            closing => closer.get_or_insert_with(closer_of_this_process).put(fd, closing),
        }
    }
    if let Some(closer) = closer {
        closer.start();
    }
}

/// Takes descriptors that a peer sent: those that nobody takes out are closed without waiting for
/// it.
pub fn received(fds: impl Iterator<Item = OwnedFd>) -> Fds {
    let mut received = Fds::closed_with(&CARE);
    received.append(fds);
    received
}

/// Copies of those whose last close may take long, as far as there is room for copies. Whoever
/// keeps them may leave the originals to code that could close them.
pub fn copies_of_slow(fds: &[OwnedFd]) -> Fds {
    let slow = fds.iter().filter(|fd| closing(fd.as_fd()) == Closing::LastIsSlow);
    received(slow.filter_map(|fd| fd.try_clone().ok()))
}

/// Whether so many wait to be closed that no more should be taken.
pub(super) fn is_full() -> bool {
    // SAFETY: what it points to, if to anything, is never freed.
    let closer = unsafe { CLOSER.load(Acquire).as_ref() };
    closer.is_some_and(|closer| closer.full.load(Relaxed) && closer.made_in.is_here())
}

/// What waits to be closed, and who closes.
#[derive(Debug)]
struct Closer {
    waiting: Mutex<Waiting>,
    full: AtomicBool,
    has_warned: AtomicBool,
    /// How many copies are kept of what handlers that run have taken out.
    kept: AtomicUsize,
    made_in: ForkGuard,
}

#[derive(Debug, Default)]
struct Waiting {
    last_is_slow: VecDeque<OwnedFd>,
    each_is_slow: VecDeque<OwnedFd>,
    threads: usize,
    /// How many of them are closing what each copy may take long of.
    for_each_is_slow: usize,
}

/// What a closing thread does next.
enum Task {
    ByExiting(Vec<OwnedFd>),
    Plainly(OwnedFd),
}

static CLOSER: AtomicPtr<Closer> = AtomicPtr::new(ptr::null_mut());

/// In the child of a fork a new one: the parent's may be locked for ever there, and has no threads.
fn closer_of_this_process() -> &'static Closer {
    loop {
        let found = CLOSER.load(Acquire);
        // SAFETY: what it points to, if to anything, is never freed.
        if let Some(closer) = unsafe { found.as_ref() }
            && closer.made_in.is_here()
        {
            return closer;
        }
        let new = Box::into_raw(Box::new(Closer::new()));
        if CLOSER.compare_exchange(found, new, AcqRel, Acquire).is_err() {
            // SAFETY: it has just been made from a box, and nobody else has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

impl Closer {
    fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            full: AtomicBool::new(false),
            has_warned: AtomicBool::new(false),
            kept: AtomicUsize::new(0),
            made_in: ForkGuard::here(),
        }
    }

    fn put(&self, fd: OwnedFd, closing: Closing) {
        let mut waiting = self.lock();
        match closing {
            Closing::EachIsSlow => waiting.each_is_slow.push_back(fd),
            Closing::LastIsSlow | Closing::Quick => waiting.last_is_slow.push_back(fd),
        }
    }

    /// Has a thread close what waits. If none can be started it waits for the next that can.
    fn start(&'static self) {
        let mut waiting = self.lock();
        let (was_full, now, is_full) = (self.full.load(Relaxed), waiting.len(), self.set_full(&waiting));
        if waiting.threads < THREADS {
            let thread = thread::Builder::new().stack_size(STACK);
            if spawn_for_all(thread, ThreadRole::Closing, || self.run()).is_ok() {
                waiting.threads += 1;
            }
        }
        drop(waiting);
        if is_full && !was_full {
            if self.has_warned.swap(true, Relaxed) {
                tracing::debug!(waiting = now, "too many descriptors that peers sent wait to be closed");
            } else {
                tracing::warn!(
                    waiting = now,
                    "too many descriptors that peers sent wait to be closed: until there is room, what comes \
                     with more is rejected; the next times are told at debug level"
                );
            }
        }
    }

    /// Closes until nothing waits.
    fn run(&self) {
        table::block_signals();
        while let Some(task) = self.next() {
            match task {
                Task::ByExiting(fds) => table::close(fds),
                Task::Plainly(fd) => {
                    drop(fd);
                    self.lock().for_each_is_slow -= 1;
                }
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut waiting = self.lock();
        let task = waiting.next();
        if task.is_none() {
            waiting.threads -= 1;
        }
        self.set_full(&waiting);
        task
    }

    fn set_full(&self, waiting: &Waiting) -> bool {
        let is_full = waiting.len() >= fd_share();
        self.full.store(is_full, Relaxed);
        is_full
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn len(&self) -> usize {
        self.last_is_slow.len() + self.each_is_slow.len()
    }

    fn next(&mut self) -> Option<Task> {
        if !self.last_is_slow.is_empty() {
            let many = self.last_is_slow.len().min(AT_ONCE);
            return Some(Task::ByExiting(self.last_is_slow.drain(..many).collect()));
        }
        if self.for_each_is_slow < FOR_EACH_IS_SLOW {
            let fd = self.each_is_slow.pop_front()?;
            self.for_each_is_slow += 1;
            return Some(Task::Plainly(fd));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn null() -> OwnedFd {
        std::fs::File::open("/dev/null").expect("it is always there").into()
    }

    #[test]
    fn what_waits_is_bounded_by_the_processs_limit() {
        let closer = Closer::new();
        let null = null();
        let copy = |_| null.try_clone().expect("room for the share that waits");
        let mut waiting = closer.lock();
        waiting.each_is_slow.extend((1..fd_share()).map(copy));
        assert!(!closer.set_full(&waiting));
        waiting.last_is_slow.push_back(copy(0));
        assert!(closer.set_full(&waiting) && closer.full.load(Relaxed));
        assert!(matches!(waiting.next(), Some(Task::ByExiting(fds)) if fds.len() == 1));
        assert!(!closer.set_full(&waiting) && !closer.full.load(Relaxed));
    }

    #[test]
    fn whose_each_copy_is_slow_keeps_not_all_threads() {
        let mut waiting = Waiting::default();
        (0..9).for_each(|_| waiting.each_is_slow.push_back(null()));
        for _ in 0..FOR_EACH_IS_SLOW {
            assert!(matches!(waiting.next(), Some(Task::Plainly(_))));
        }
        assert!(waiting.next().is_none(), "as many threads may be kept for ever");
        waiting.last_is_slow.push_back(null());
        assert!(matches!(waiting.next(), Some(Task::ByExiting(_))));
        // One has come to its end.
        waiting.for_each_is_slow -= 1;
        assert!(matches!(waiting.next(), Some(Task::Plainly(_))));
    }
}
