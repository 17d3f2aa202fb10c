//! A watch as a stream for tasks and as an iterator that blocks, for threads.

use std::{
    future::poll_fn,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::{Stream, stream::FusedStream};

use super::{Change, Waking, Watch};
use crate::group::GroupError;

impl Watch {
    /// The next change, in a task of any runtime; `None` after an error. The first time starts a thread, which
    /// wakes the task and ends with the watch.
    ///
    /// # Errors
    ///
    /// As [`next_within`](Self::next_within).
    pub async fn next(&mut self) -> Option<Result<Change, GroupError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Change, GroupError>> {
        if let Some(change) = self.next_within(Duration::ZERO)? {
            return Poll::Ready(Ok(change));
        }
        if self.waking.is_none() {
            let waking = Waking::start(self.signals.as_fd()).map_err(|source| {
                let path = self.group.dir().to_owned();
                self.group.explain(GroupError::Io { what: "start the thread that watches", path, source })
            });
            self.has_failed = waking.is_err();
            self.waking = Some(waking?);
        }
        // What happens from now on leaves the descriptor readable, so the thread sees it.
        self.waking.iter().for_each(|waking| waking.wake(context.waker()));
        Poll::Pending
    }
}

/// Ends after an error.
impl Stream for Watch {
    type Item = Result<Change, GroupError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.has_failed {
            true => Poll::Ready(None),
            false => self.poll(context).map(Some),
        }
    }
}

impl FusedStream for Watch {
    fn is_terminated(&self) -> bool {
        self.has_failed
    }
}

/// Waits for each change as long as it takes; ends after an error.
impl Iterator for &mut Watch {
    type Item = Result<Change, GroupError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        loop {
            if let Some(change) = self.next_within(Duration::MAX).transpose() {
                return Some(change);
            }
        }
    }
}

/// Waits for each change as long as it takes; ends after an error.
impl IntoIterator for Watch {
    type Item = Result<Change, GroupError>;
    type IntoIter = Changes;

    fn into_iter(self) -> Changes {
        Changes(self)
    }
}

/// The changes that a [`Watch`] tells, for a thread that waits for them.
#[derive(Debug)]
pub struct Changes(Watch);

impl Iterator for Changes {
    type Item = Result<Change, GroupError>;

    fn next(&mut self) -> Option<Self::Item> {
        Iterator::next(&mut &mut self.0)
    }
}
