//! One value on its way from the thread for asynchronous requests to a future. Memory for it is
//! allocated only once it is there, so a request that waits takes little.
//!
//! The model checker has its own copy of this file, with its own primitives in `super::sync`:
//! nothing else here may be shared between threads.

use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The two ends of one value.
pub(super) fn receiver<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(State::Open(None)));
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// Where the value comes from. If it is dropped, the other end is told that there will be none.
#[derive(Debug)]
pub(super) struct Sender<T>(Arc<Mutex<State<T>>>);

/// Where the value goes to.
#[derive(Debug)]
pub(super) struct Receiver<T>(Arc<Mutex<State<T>>>);

#[derive(Debug)]
enum State<T> {
    Open(Option<Waker>),
    Done(Box<T>),
    /// There is no value, or it has been taken.
    Over,
}

impl<T> Sender<T> {
    pub(super) fn complete(self, value: T) {
        self.settle(State::Done(Box::new(value)));
    }

    fn settle(&self, with: State<T>) {
        let mut state = lock(&self.0);
        if let State::Open(waker) = &mut *state {
            let waker = waker.take();
            *state = with;
            // A waker is foreign code: it runs without the lock.
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.settle(State::Over);
    }
}

impl<T> Receiver<T> {
    /// `None` if there is no value to come.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        if let State::Open(waker) = &mut *state {
            let before = match waker {
                Some(waker) if waker.will_wake(context.waker()) => None,
                waker => waker.replace(context.waker().clone()),
            };
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Done(value) => Poll::Ready(Some(*value)),
            _ => Poll::Ready(None),
        }
    }

    /// Whether the value is still to come.
    pub(super) fn is_open(&self) -> bool {
        matches!(&*lock(&self.0), State::Open(_))
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
