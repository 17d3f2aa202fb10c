use super::sync::{Mutex, MutexGuard, PoisonError};

/// How many are kept for the next requests.
const IDLE: usize = 32;

/// Reply sockets without a request on them, on which no answer is owed.
///
/// Whoever takes one has it alone; it comes back only if nothing more can arrive
/// on it. It closes none while others wait for its lock.
#[derive(Debug)]
pub(super) struct Pool<L> {
    shelf: Mutex<Shelf<L>>,
}

#[derive(Debug)]
struct Shelf<L> {
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
        Some(shelf.idle.swap_remove(at))
    }

    /// Keeps one for later, unless there are enough, or the pool is closed.
    pub(super) fn give_back(&self, reply_socket: L) {
        let mut shelf = self.lock();
        if !shelf.closed && shelf.idle.len() < IDLE {
            shelf.idle.push(reply_socket);
        } else {
            drop(shelf);
            drop(reply_socket);
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
