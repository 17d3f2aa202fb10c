//! What waits to be handled, and whose turn it is. No threads, no I/O.

use std::collections::VecDeque;

/// A queue in order of arrival, and the one turn to handle what comes.
#[derive(Debug)]
pub(super) struct Backlog<T> {
    waiting: VecDeque<T>,
    bound: usize,
    /// Somebody has the turn.
    taken: bool,
    closed: bool,
}

/// What is to be done with something that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Handle it now: the turn is the caller's.
    Run,
    /// It waits, behind those that came before it.
    Waits,
    /// There is no room, or no more handling.
    Rejected,
}

impl<T> Backlog<T> {
    pub(super) fn new(bound: usize) -> Self {
        Self { waiting: VecDeque::new(), bound, taken: false, closed: false }
    }

    /// Whether what arrives now can be handled at once.
    pub(super) fn is_free(&self) -> bool {
        !self.taken && !self.closed && self.waiting.is_empty()
    }

    /// Whether nothing more is admitted.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether something waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many wait, and how many may.
    pub(super) fn fill(&self) -> (usize, usize) {
        (self.waiting.len(), self.bound)
    }

    /// What to do with something that arrived; `may_run` if the caller could handle it. Only if it
    /// is to wait, `set_aside` makes it one's own.
    pub(super) fn admit(&mut self, set_aside: impl FnOnce() -> T, may_run: bool) -> Admission {
        if self.is_free() && may_run {
            self.taken = true;
            Admission::Run
        } else if self.closed || self.waiting.len() >= self.bound {
            Admission::Rejected
        } else {
            self.waiting.push_back(set_aside());
            Admission::Waits
        }
    }

    /// For the one whose turn it is: what to handle next, or the end of the turn.
    pub(super) fn next(&mut self) -> Option<T> {
        let next = self.waiting.pop_front();
        self.taken = next.is_some();
        next
    }

    /// Ends the turn, whatever waits.
    pub(super) fn end_turn(&mut self) {
        self.taken = false;
    }

    /// Takes the turn, if it is free and something waits for it.
    pub(super) fn take_over(&mut self) -> Option<T> {
        if self.taken { None } else { self.next() }
    }

    /// Admits nothing more. Returns what waits.
    pub(super) fn close(&mut self) -> VecDeque<T> {
        self.closed = true;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_idle_what_comes_is_handled_by_who_received_it() {
        let mut backlog = Backlog::new(2);
        for item in 0..3 {
            assert_eq!(backlog.admit(|| item, true), Admission::Run);
            assert_eq!(backlog.next(), None);
        }
    }

    #[test]
    fn behind_a_slow_handler_the_order_is_kept() {
        let mut backlog = Backlog::new(9);
        assert_eq!(backlog.admit(|| 0, true), Admission::Run);
        for item in 1..4 {
            assert_eq!(backlog.admit(|| item, true), Admission::Waits);
        }
        assert_eq!([backlog.next(), backlog.next(), backlog.next()], [Some(1), Some(2), Some(3)]);
        assert_eq!(backlog.next(), None);
        assert_eq!(backlog.admit(|| 4, true), Admission::Run);
    }

    #[test]
    fn over_the_bound_the_newest_is_rejected() {
        let mut backlog = Backlog::new(1);
        assert_eq!(backlog.admit(|| 0, true), Admission::Run);
        assert_eq!(backlog.admit(|| 1, true), Admission::Waits);
        assert_eq!(backlog.admit(|| 2, true), Admission::Rejected);
        assert_eq!(backlog.next(), Some(1));
        assert_eq!(backlog.admit(|| 3, true), Admission::Waits);
    }

    #[test]
    fn a_turn_given_up_is_taken_over_in_order() {
        let mut backlog = Backlog::new(9);
        assert_eq!(backlog.admit(|| 0, true), Admission::Run);
        assert_eq!(backlog.admit(|| 1, true), Admission::Waits);
        assert_eq!(backlog.take_over(), None, "the turn is taken");
        backlog.end_turn();
        assert_eq!(backlog.admit(|| 2, true), Admission::Waits, "1 is before it");
        assert_eq!(backlog.take_over(), Some(1));
        assert_eq!(backlog.take_over(), None, "one at a time");
        assert_eq!(backlog.next(), Some(2));
    }

    #[test]
    fn once_closed_it_gives_back_what_waits_and_rejects_the_rest() {
        let mut backlog = Backlog::new(9);
        assert_eq!(backlog.admit(|| 0, true), Admission::Run);
        assert_eq!(backlog.admit(|| 1, true), Admission::Waits);
        assert_eq!(backlog.close(), [1]);
        assert_eq!(backlog.admit(|| 2, true), Admission::Rejected);
        assert_eq!(backlog.next(), None);
        assert_eq!(backlog.admit(|| 3, true), Admission::Rejected);
    }
}
