//! Idle reply sockets, for whoever asks next. It knows neither peers nor requests: callers say
//! which fit.
//!
//! The model checker compiles this file again with its own primitives in `super::sync`: nothing
//! else here may be shared between threads.

use super::sync::{Mutex, MutexGuard, PoisonError};

/// How many are kept for the next requests.
pub(super) const IDLE: usize = 32;

/// After how many whose peers live a [`Pool::drop_stale`] stops looking.
pub(super) const LOOKS: usize = 4;

/// Reply sockets without a request on them, to which no answer may still come.
///
/// A thread that takes one has it alone, and brings it back only if nothing more can arrive on it.
/// Sockets are closed after the lock is released, so no other thread waits for that.
#[derive(Debug)]
pub(super) struct Pool<L> {
    shelf: Mutex<Shelf<L>>,
}

#[derive(Debug)]
struct Shelf<L> {
    /// In the order in which they came back.
    idle: Vec<L>,
    closed: bool,
}

impl<L> Pool<L> {
    pub(super) fn new() -> Self {
        Self { shelf: Mutex::new(Shelf { idle: Vec::new(), closed: false }) }
    }

    /// The one that came back last of those that fit.
    pub(super) fn take(&self, fits: impl Fn(&L) -> bool) -> Option<L> {
        let mut shelf = self.lock();
        let at = shelf.idle.iter().rposition(fits)?;
        Some(shelf.idle.remove(at))
    }

    /// Keeps one for later, unless the pool is closed. If that is one too many, drops the one that
    /// has been idle longest, whose peer is the likeliest to be gone.
    pub(super) fn give_back(&self, reply_socket: L) {
        let mut shelf = self.lock();
        if shelf.closed {
            drop(shelf);
            drop(reply_socket);
            return;
        }
        let oldest = (shelf.idle.len() >= IDLE).then(|| shelf.idle.remove(0));
        shelf.idle.push(reply_socket);
        drop(shelf);
        drop(oldest);
    }

    /// Drops those whose peer is gone, beginning with the longest idle, until it has found
    /// [`LOOKS`] whose peers live; the next call begins with those that follow. Looks at them one
    /// at a time, without the lock.
    pub(super) fn drop_stale(&self, is_stale: impl Fn(&L) -> bool) {
        let mut looks = 0;
        // More cannot be idle, and others may bring back what was looked at.
        for _ in 0..IDLE {
            let mut shelf = self.lock();
            if shelf.idle.is_empty() || looks == LOOKS {
                return;
            }
            let oldest = shelf.idle.remove(0);
            drop(shelf);
            if is_stale(&oldest) {
                drop(oldest);
            } else {
                looks += 1;
                self.give_back(oldest);
            }
        }
    }

    /// Drops those that fit: their peer is gone.
    pub(super) fn forget(&self, fits: impl Fn(&L) -> bool) {
        let mut shelf = self.lock();
        let (gone, kept) = std::mem::take(&mut shelf.idle).into_iter().partition(fits);
        shelf.idle = kept;
        drop(shelf);
        let _: Vec<L> = gone;
    }

    /// Drops all, and those that come back later.
    pub(super) fn close(&self) {
        let mut shelf = self.lock();
        shelf.closed = true;
        let idle = std::mem::take(&mut shelf.idle);
        drop(shelf);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<L>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
