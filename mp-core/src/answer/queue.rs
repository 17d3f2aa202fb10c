//! A bounded queue between the thread that receives and whoever reads: blocking, with a deadline,
//! or as a stream. Whoever puts something in waits for nobody.
//!
//! The model checker has its own copy of this file, with its own primitives in `super::sync`:
//! nothing else here may be shared between threads.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use super::sync::{Condvar, Deadline, Mutex, MutexGuard, PoisonError};

/// What waits to be read, in the order in which it came.
#[derive(Debug)]
pub(super) struct Queue<T, W> {
    state: Mutex<State<T, W>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T, W> {
    items: VecDeque<T>,
    bound: usize,
    /// Why nothing more is taken in.
    closed: Option<W>,
    /// Of whoever was told that there is nothing yet.
    waker: Option<Waker>,
}

/// What a reader is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    Item(T),
    /// There is nothing, and nothing will come.
    Ended,
    /// There is nothing yet.
    Late,
}

impl<T, W: Copy> Queue<T, W> {
    /// A bound of 0 is one of 1: nothing would ever be read.
    pub(super) fn new(bound: usize) -> Self {
        let state = State { items: VecDeque::new(), bound: bound.max(1), closed: None, waker: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Puts it in, unless that is closed (why is told), or full (`full` is).
    pub(super) fn push(&self, item: T, full: W) -> Result<(), (T, W)> {
        self.push_beside(0, item, full)
    }

    /// The same where `taken` of those that are in it count no more: somebody is on the way for them.
    pub(super) fn push_beside(&self, taken: usize, item: T, full: W) -> Result<(), (T, W)> {
        let mut state = self.lock();
        if let Some(why) = state.closed {
            return Err((item, why));
        }
        if state.items.len() >= state.bound + taken {
            return Err((item, full));
        }
        state.items.push_back(item);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_one();
        // A waker is foreign code: it runs without the lock.
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Waits for the next until the deadline; without one, until the end.
    pub(super) fn next(&self, deadline: Option<Deadline>) -> Next<T> {
        let mut state = self.lock();
        loop {
            match state.next() {
                Next::Late if deadline.as_ref().is_some_and(|deadline| deadline.is_over()) => {
                    return Next::Late;
                }
                Next::Late => {}
                next => return next,
            }
            state = match &deadline {
                Some(deadline) => {
                    let woken = self.changed.wait_timeout(state, deadline.left());
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// What there is now.
    pub(super) fn try_next(&self) -> Next<T> {
        self.lock().next()
    }

    /// The next, or `None` at the end.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = self.lock();
        match state.next() {
            Next::Item(item) => return Poll::Ready(Some(item)),
            Next::Ended => return Poll::Ready(None),
            Next::Late => {}
        }
        let before = match &mut state.waker {
            Some(waker) if waker.will_wake(context.waker()) => None,
            waker => waker.replace(context.waker().clone()),
        };
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Takes nothing more in, unless that is so already. What is there can be read.
    pub(super) fn close(&self, why: W) {
        let mut state = self.lock();
        state.closed.get_or_insert(why);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether there is nothing, and nothing will come.
    pub(super) fn is_ended(&self) -> bool {
        let state = self.lock();
        state.closed.is_some() && state.items.is_empty()
    }

    /// Takes out those of which that is true.
    pub(super) fn remove(&self, is_one: impl Fn(&T) -> bool) -> Vec<T> {
        let mut state = self.lock();
        let (removed, kept) = std::mem::take(&mut state.items).into_iter().partition(is_one);
        state.items = kept;
        let removed: VecDeque<T> = removed;
        removed.into()
    }

    /// Takes out what nobody has read.
    pub(super) fn drain(&self) -> VecDeque<T> {
        std::mem::take(&mut self.lock().items)
    }

    fn lock(&self) -> MutexGuard<'_, State<T, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, W> State<T, W> {
    fn next(&mut self) -> Next<T> {
        match self.items.pop_front() {
            Some(item) => Next::Item(item),
            None if self.closed.is_some() => Next::Ended,
            None => Next::Late,
        }
    }
}
