//! A task that awaits a change is woken by a thread of the watch's own, since there is no runtime here that
//! could. It knows a descriptor to wait for and whom to wake, nothing of changes.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    thread,
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    io::Errno,
};

use crate::sys::{ThreadRole, spawn_for_all};

/// The thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Waking(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Readable when the thread is to end.
    end: OwnedFd,
}

#[derive(Debug, Default)]
struct State {
    waker: Option<Waker>,
    ends: bool,
}

impl Waking {
    /// Wakes whenever this descriptor becomes readable and somebody waits.
    pub(super) fn start(readable: BorrowedFd<'_>) -> io::Result<Self> {
        let readable = readable.try_clone_to_owned()?;
        let end = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), end });
        let of_thread = Arc::clone(&shared);
        spawn_for_all(thread::Builder::new(), ThreadRole::Watching, move || of_thread.run(&readable))?;
        Ok(Self(shared))
    }

    /// Wakes this one, the next time, instead of whom it was told before.
    pub(super) fn wake(&self, waker: &Waker) {
        let mut state = self.0.state();
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        drop(state);
        self.0.changed.notify_one();
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.0.state().ends = true;
        self.0.changed.notify_one();
        let _ = rustix::io::write(&self.0.end, &1_u64.to_ne_bytes());
    }
}

impl Shared {
    fn run(&self, readable: &OwnedFd) {
        let mut has_warned = false;
        while self.is_waited_for() {
            let mut polled =
                [readable.as_fd(), self.end.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
            match poll(&mut polled, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                // Whoever waits looks, and is told what is wrong.
                Err(errno) => {
                    if !std::mem::replace(&mut has_warned, true) {
                        tracing::warn!(%errno, "a watch cannot be waited for");
                    }
                }
            }
            let waker = self.state().waker.take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Waits until somebody does; `false` if it is to end.
    fn is_waited_for(&self) -> bool {
        let mut state = self.state();
        while state.waker.is_none() && !state.ends {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.ends
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
