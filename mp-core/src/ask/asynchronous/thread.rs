//! The one thread for asynchronous requests: how the first request starts it, how it is closed, and
//! how others hear of its end. What it does, and how a thread is started, [`Start`] knows.
//!
//! The model checker has its own copy of this file, with its own primitives in `super::sync`:
//! nothing else here may be shared between threads.

use std::io;

use super::{
    submissions::{Bell, Submissions, Taken},
    sync::{Arc, Condvar, Deadline, Mutex, MutexGuard, OnceLock, PoisonError, ThreadId, current},
};
use crate::{ask::RequestError, sys::ForkGuard};

/// What the thread does, and how it comes to be.
pub(super) trait Start<J, B> {
    type Worker: Send + 'static;

    /// Whether the role stops, so that no thread is needed any more.
    fn is_stopped(&self) -> bool;

    fn bell(&self) -> io::Result<B>;

    /// What the thread is to have in hand.
    fn worker(&self, shared: Arc<Shared<J, B>>) -> io::Result<Self::Worker>;

    /// Starts a thread.
    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> io::Result<()>;

    /// What the thread does, until it is closed.
    fn run(worker: Self::Worker);
}

/// A thread that the first request starts, and no other is.
#[derive(Debug)]
pub(super) struct OneThread<J, B> {
    /// How many requests may be under way.
    bound: usize,
    shared: OnceLock<Arc<Shared<J, B>>>,
    /// Held while the thread is started; `true` if it must not be any more.
    closed: Mutex<bool>,
}

/// What the thread shares with everybody.
#[derive(Debug)]
pub(super) struct Shared<J, B> {
    pub(super) submissions: Submissions<J, B>,
    thread: Mutex<Thread>,
    changed: Condvar,
    /// The process that has the thread: the child of a fork has not.
    started_in: ForkGuard,
}

#[derive(Debug)]
enum Thread {
    Starting,
    Running(ThreadId),
    Ended,
}

impl<J: Send + 'static, B: Bell + Send + Sync + 'static> OneThread<J, B> {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, shared: OnceLock::new(), closed: Mutex::new(false) }
    }

    /// Takes on nothing more, and ends what is under way.
    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if let Some(shared) = self.shared.get() {
            shared.submissions.close();
        }
    }

    /// After [`close`](Self::close): waits until the thread has ended, but not longer than
    /// `deadline`, and not on that thread. Tells whether it has.
    pub(super) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        let Some(shared) = self.shared.get() else { return true };
        let mut thread = shared.lock_thread();
        loop {
            match *thread {
                Thread::Ended => return true,
                Thread::Running(id) if id == current().id() => return true,
                _ if deadline.is_over() => return false,
                _ => {
                    let left = deadline.left();
                    thread =
                        shared.changed.wait_timeout(thread, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Whether this is that thread.
    pub(super) fn is_thread_here(&self) -> bool {
        let thread = self.shared.get().map(|shared| shared.lock_thread());
        matches!(thread.as_deref(), Some(Thread::Running(id)) if *id == current().id())
    }

    /// What is shared with the thread, which is started if it is not running.
    pub(super) fn shared(&self, start: &impl Start<J, B>) -> Result<&Arc<Shared<J, B>>, RequestError> {
        if start.is_stopped() {
            return Err(RequestError::Stopped);
        }
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(RequestError::Stopped);
        }
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let shared = Arc::new(Shared {
            submissions: Submissions::new(self.bound, start.bell()?),
            thread: Mutex::new(Thread::Starting),
            changed: Condvar::new(),
            started_in: ForkGuard::here(),
        });
        start_thread(&shared, start)?;
        Ok(self.shared.get_or_init(|| shared))
    }
}

fn start_thread<J, B, S>(shared: &Arc<Shared<J, B>>, start: &S) -> io::Result<()>
where
    J: Send + 'static,
    B: Bell + Send + Sync + 'static,
    S: Start<J, B>,
{
    let worker = start.worker(Arc::clone(shared))?;
    let end = AtEnd(Arc::clone(shared));
    start.spawn(move || {
        *end.0.lock_thread() = Thread::Running(current().id());
        S::run(worker);
    })
}

impl<J, B> Shared<J, B> {
    pub(super) fn is_ours(&self) -> bool {
        self.started_in.is_here()
    }

    fn lock_thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the thread: tells when it has ended, whatever ended it.
struct AtEnd<J, B: Bell>(Arc<Shared<J, B>>);

impl<J, B: Bell> Drop for AtEnd<J, B> {
    fn drop(&mut self) {
        // Closed already, unless the thread panicked: then nobody must wait for it.
        self.0.submissions.close();
        let mut taken = Taken::default();
        self.0.submissions.take(&mut taken);
        drop(taken);
        *self.0.lock_thread() = Thread::Ended;
        self.0.changed.notify_all();
    }
}
