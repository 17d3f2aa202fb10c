//! Answers that had no room at their requesters, and the life of the thread that sends them.
//!
//! A requester that does not read must hold up neither the receiving thread nor the answers to
//! others. Its answers are put aside here, and a thread of its own, which lives only while there
//! are any, sends them when there is room.
//!
//! What sending is, and when there is room, [`Delivery`] knows. The model checker has its own copy
//! of this file, with its own primitives in `super::sync`: nothing else here may be shared between
//! threads.

use std::collections::VecDeque;

use super::{
    ReplyError,
    sync::{AtomicUsize, Condvar, Deadline, Mutex, MutexGuard, PoisonError, SeqCst},
};

/// How many replies are kept at most. As many *ignores* have room of their own besides, since a reply
/// that finds no room here is replaced by one.
const BOUND: usize = 256;

/// What part of the room that is left one requester may take, so that the others find some: the more
/// requesters have answers here, the fewer answers each may have.
const PART_OF_ONE: usize = 4;

/// What the thread does.
pub(crate) trait Delivery {
    type To: PartialEq;
    type Answer;

    /// Looks who may be sent to, before a round. Nobody waits for it meanwhile.
    fn look(&mut self);

    /// This one has waited for too long.
    fn give_up(&mut self, answer: &Self::Answer);

    /// Sends what there is room for.
    fn send_each(&mut self, queue: &mut Queue<Self::To, Self::Answer>);

    /// Waits until there may be room, but not for long: more may have been put aside meanwhile.
    fn wait(&mut self);
}

/// The answers put aside. A thread sends them exactly while there are any.
#[derive(Debug)]
pub(crate) struct HeldAnswers<To, A> {
    queue: Mutex<Queue<To, A>>,
    /// How long the queue is, for those who only want to know that it is empty.
    len: AtomicUsize,
    emptied: Condvar,
}

#[derive(Debug)]
pub(crate) struct HeldAnswer<To, A> {
    pub(crate) to: To,
    pub(crate) answer: A,
    pub(crate) is_ignore: bool,
    /// Until when it is kept for a requester that does not read.
    pub(crate) deadline: Deadline,
}

/// The oldest first.
#[derive(Debug)]
pub(crate) struct Queue<To, A>(VecDeque<HeldAnswer<To, A>>);

impl<To: PartialEq, A> HeldAnswers<To, A> {
    pub(super) fn new() -> Self {
        Self { queue: Mutex::new(Queue(VecDeque::new())), len: AtomicUsize::new(0), emptied: Condvar::new() }
    }

    /// Whether answers to this requester wait: a newer one must not overtake them.
    pub(super) fn has(&self, to: &To) -> bool {
        self.len() > 0 && self.lock().requesters().any(|waiting| waiting == to)
    }

    /// How many are put aside.
    pub(super) fn len(&self) -> usize {
        self.len.load(SeqCst)
    }

    /// Puts an answer aside. `start` starts a thread that [runs](Self::run); if it fails, nothing
    /// is put aside.
    pub(super) fn push(
        &self,
        answer: HeldAnswer<To, A>,
        start: impl FnOnce() -> Result<(), ReplyError>,
    ) -> Result<(), ReplyError> {
        let mut queue = self.lock();
        if !queue.has_room_for(&answer) {
            return Err(ReplyError::TooManyWaiting);
        }
        if queue.0.is_empty() {
            // The thread does nothing before it has this lock.
            start()?;
        }
        queue.0.push_back(answer);
        self.len.store(queue.0.len(), SeqCst);
        Ok(())
    }

    /// Waits until nothing is put aside, but not longer than `deadline`.
    pub(super) fn wait_until_empty(&self, deadline: Deadline) {
        let mut queue = self.lock();
        while !queue.0.is_empty() && !deadline.is_over() {
            queue =
                self.emptied.wait_timeout(queue, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends what is put aside, until nothing is.
    pub(super) fn run(&self, delivery: &mut impl Delivery<To = To, Answer = A>) {
        while !self.round(delivery) {
            delivery.wait();
        }
    }

    /// Sends what there is room for. Tells whether nothing is put aside any more.
    pub(super) fn round(&self, delivery: &mut impl Delivery<To = To, Answer = A>) -> bool {
        delivery.look();
        let mut queue = self.lock();
        queue.give_up_overdue(|answer| delivery.give_up(answer));
        delivery.send_each(&mut queue);
        self.len.store(queue.0.len(), SeqCst);
        if queue.0.is_empty() {
            self.emptied.notify_all();
        }
        queue.0.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Queue<To, A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<To: PartialEq, A> Queue<To, A> {
    /// To whom each is.
    pub(super) fn requesters(&self) -> impl Iterator<Item = &To> {
        self.0.iter().map(|answer| &answer.to)
    }

    /// Has one requester's answers sent in order, until `send` finds no room (`false`) for one.
    /// Tells whether none is left.
    pub(super) fn send_to(&mut self, to: &To, mut send: impl FnMut(&A) -> bool) -> bool {
        let mut is_stuck = false;
        self.0.retain(|answer| {
            if answer.to != *to || is_stuck {
                return true;
            }
            is_stuck = !send(&answer.answer);
            is_stuck
        });
        !is_stuck
    }

    /// Drops those that have waited for too long.
    fn give_up_overdue(&mut self, mut give_up: impl FnMut(&A)) {
        self.0.retain(|answer| {
            let is_overdue = answer.deadline.is_over();
            if is_overdue {
                give_up(&answer.answer);
            }
            !is_overdue
        });
    }

    fn has_room_for(&self, more: &HeldAnswer<To, A>) -> bool {
        let alike = || self.0.iter().filter(|answer| answer.is_ignore == more.is_ignore);
        let of_one = alike().filter(|answer| answer.to == more.to).count();
        is_room(alike().count(), of_one)
    }
}

/// Whether one requester may have one more, of those that are kept.
fn is_room(kept: usize, of_one: usize) -> bool {
    of_one * PART_OF_ONE < BOUND.saturating_sub(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of as many requesters, each of which reads nothing, are kept of each.
    fn kept_of_each(requesters: usize) -> Vec<usize> {
        let mut kept = vec![0; requesters];
        for at in (0..requesters).cycle().take(BOUND * requesters) {
            if is_room(kept.iter().sum(), kept[at]) {
                kept[at] += 1;
            }
        }
        kept
    }

    #[test]
    fn the_more_do_not_read_the_fewer_answers_are_kept_of_each() {
        assert_eq!(kept_of_each(1), [52]);
        assert!(kept_of_each(10).iter().all(|kept| (18..=19).contains(kept)));
        assert!(kept_of_each(200).iter().all(|kept| *kept >= 1), "each has one");
        // However many there are, one that had none before finds room after each that is sent.
        let all: usize = kept_of_each(700).iter().sum();
        assert!(all <= BOUND && is_room(all - 1, 0));
    }
}
