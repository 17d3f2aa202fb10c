//! What those who ask and the thread for asynchronous requests share.
//!
//! The model checker has its own copy of this file, with its own primitives in `super::sync`:
//! nothing else here may be shared between threads.

use std::mem::swap;

use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A request under way, in the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(pub(super) u64);

/// Wakes the thread while it waits for sockets.
pub(super) trait Bell {
    fn ring(&self);
}

/// Requests on their way to the thread, and how many are under way in all.
#[derive(Debug)]
pub(super) struct Submissions<J, B> {
    shared: Mutex<Shared<J>>,
    pub(super) bell: B,
    /// Wakes the thread while there is nothing else to wait for.
    rings: Condvar,
}

#[derive(Debug)]
struct Shared<J> {
    taken: Taken<J>,
    made: u64,
    under_way: usize,
    bound: usize,
    /// The thread has been woken and has not looked yet.
    rung: bool,
    /// The thread waits in [`wait`](Submissions::wait).
    idle: bool,
}

/// What is new to the thread.
#[derive(Debug)]
pub(super) struct Taken<J> {
    pub(super) submitted: Vec<(Id, J)>,
    pub(super) cancelled: Vec<Id>,
    /// Nothing will follow: what is under way is to be ended.
    pub(super) closed: bool,
}

impl<J> Default for Taken<J> {
    fn default() -> Self {
        Self { submitted: Vec::new(), cancelled: Vec::new(), closed: false }
    }
}

/// Why a request is not taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    Closed,
    /// As many are under way as may be.
    TooMany {
        bound: usize,
    },
}

impl<J, B: Bell> Submissions<J, B> {
    pub(super) fn new(bound: usize, bell: B) -> Self {
        let shared =
            Shared { taken: Taken::default(), made: 0, under_way: 0, bound, rung: false, idle: false };
        Self { shared: Mutex::new(shared), bell, rings: Condvar::new() }
    }

    /// Hands a request to the thread. Until [`ended`](Self::ended) it is under way.
    pub(super) fn submit(&self, request: J) -> Result<Id, (J, NotTaken)> {
        let mut shared = self.lock();
        if shared.taken.closed {
            return Err((request, NotTaken::Closed));
        }
        if shared.under_way >= shared.bound {
            return Err((request, NotTaken::TooMany { bound: shared.bound }));
        }
        shared.under_way += 1;
        shared.made += 1;
        let id = Id(shared.made);
        shared.taken.submitted.push((id, request));
        self.wake(shared);
        Ok(id)
    }

    /// The request is not wanted any more. It may have ended already.
    pub(super) fn cancel(&self, id: Id) {
        let mut shared = self.lock();
        if !shared.taken.closed {
            shared.taken.cancelled.push(id);
            self.wake(shared);
        }
    }

    /// Nothing more is taken on, and what is under way is to be ended.
    pub(super) fn close(&self) {
        let mut shared = self.lock();
        shared.taken.closed = true;
        self.wake(shared);
    }

    /// For the thread, if nothing is under way: waits until something is new. It takes no
    /// descriptor, so that nobody who closes what is not theirs keeps it from waking.
    pub(super) fn wait(&self) {
        let mut shared = self.lock();
        shared.idle = true;
        while !shared.rung {
            shared = self.rings.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
        shared.idle = false;
    }

    /// For the thread: what is new, into a `taken` that has been emptied.
    pub(super) fn take(&self, taken: &mut Taken<J>) {
        let mut shared = self.lock();
        shared.rung = false;
        swap(&mut shared.taken.submitted, &mut taken.submitted);
        swap(&mut shared.taken.cancelled, &mut taken.cancelled);
        taken.closed = shared.taken.closed;
    }

    /// For the thread: a request is over. To be called before its outcome is told, so that whoever
    /// hears of it can make another.
    pub(super) fn ended(&self) {
        self.lock().under_way -= 1;
    }

    fn wake(&self, mut shared: MutexGuard<'_, Shared<J>>) {
        let (rung, idle) = (std::mem::replace(&mut shared.rung, true), shared.idle);
        drop(shared);
        match (rung, idle) {
            (true, _) => {}
            (false, true) => self.rings.notify_one(),
            (false, false) => self.bell.ring(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<J>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
