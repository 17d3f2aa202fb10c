//! One request under way: who owes an answer, and when to stop waiting.
//!
//! A state machine without I/O. The caller tells it what happened and what time it is; it says what
//! to do next.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::{
    failure::{Settled, Unanswered},
    patience::{Next, Patience},
};
use crate::sys::Deadline;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Everybody has an outcome.
    Done,
    /// Wait for an answer, at most that long.
    Wait(Duration),
    /// See which of those that have not answered still live, and [`settle`](Pending::settle) the
    /// others.
    Look,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Its queue has no room yet.
    NotAsked,
    /// It has been asked.
    Asked,
    Settled(Settled),
}

/// A request to peers `0..n`.
#[derive(Debug)]
pub(super) struct Pending {
    peers: SmallVec<[State; 1]>,
    open: usize,
    unanswered: usize,
    /// A peer that was asked has been settled without its answer, which may still come.
    late_may_come: bool,
    patience: Patience,
}

impl Pending {
    pub(super) fn new(peers: usize, now: Instant, timeout: Duration) -> Self {
        Self {
            peers: SmallVec::from_elem(State::NotAsked, peers),
            open: peers,
            unanswered: 0,
            late_may_come: false,
            patience: Patience::new(now, timeout),
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.patience.deadline()
    }

    pub(super) fn started(&self) -> Instant {
        self.patience.started()
    }

    /// Records that the request is in a peer's queue.
    pub(super) fn asked(&mut self, peer: usize) {
        if let Some(state @ State::NotAsked) = self.peers.get_mut(peer) {
            *state = State::Asked;
            self.unanswered += 1;
        }
    }

    /// Records what became of a peer. The first outcome stays; `false` if it had one.
    pub(super) fn settle(&mut self, peer: usize, outcome: impl Into<Settled>) -> bool {
        let outcome = outcome.into();
        match self.peers.get_mut(peer) {
            None | Some(State::Settled(_)) => false,
            Some(state) => {
                self.late_may_come |= *state == State::Asked && outcome.may_be_answered_late();
                self.unanswered -= usize::from(*state == State::Asked);
                *state = State::Settled(outcome);
                self.open -= 1;
                true
            }
        }
    }

    /// How many have been asked and have no outcome.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The peers without an outcome.
    pub(super) fn open(&self) -> impl Iterator<Item = usize> {
        let is_open = |state: &State| !matches!(state, State::Settled(_));
        self.peers.iter().enumerate().filter(move |(_, state)| is_open(state)).map(|(peer, _)| peer)
    }

    pub(super) fn step(&mut self, now: Instant) -> Step {
        if self.open == 0 {
            return Step::Done;
        }
        match self.patience.next(now) {
            Next::Wait(time) => Step::Wait(time),
            Next::Look => Step::Look,
            Next::GiveUp => {
                for peer in 0..self.peers.len() {
                    let was_sent = self.peers[peer] == State::Asked;
                    self.settle(peer, if was_sent { Unanswered::TimedOut } else { Unanswered::QueueFull });
                }
                Step::Done
            }
        }
    }

    /// Whether answers may still come: the socket that they would come to must not be used again.
    pub(super) fn answers_may_come(&self) -> bool {
        self.late_may_come || self.open > 0
    }

    /// What became of every peer, in order. To be called when done.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Settled> {
        self.peers.iter().map(|state| match state {
            State::Settled(outcome) => outcome.clone(),
            State::NotAsked | State::Asked => Unanswered::TimedOut.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Reason;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn asked(peers: usize, now: Instant, timeout: Duration) -> Pending {
        let mut pending = Pending::new(peers, now, timeout);
        (0..peers).for_each(|peer| pending.asked(peer));
        pending
    }

    #[test]
    fn a_peer_whose_queue_stayed_full_owes_nothing() {
        let start = Instant::now();
        let mut pending = Pending::new(2, start, SECOND);
        pending.asked(1);
        assert!(pending.settle(1, Settled::Replied));
        assert_eq!(pending.step(start + SECOND), Step::Done);
        assert_eq!(pending.outcomes().collect::<Vec<_>>(), [Unanswered::QueueFull.into(), Settled::Replied]);
        assert!(!pending.answers_may_come());
    }

    #[test]
    fn a_request_to_nobody_is_done_at_once() {
        let now = Instant::now();
        let mut pending = Pending::new(0, now, SECOND);
        assert_eq!(pending.step(now), Step::Done);
        assert!(!pending.answers_may_come());
    }

    #[test]
    fn answers_in_any_order_end_it_before_the_deadline() {
        let now = Instant::now();
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut pending = asked(3, now, SECOND);
            for (answered, peer) in order.into_iter().enumerate() {
                assert_eq!(pending.step(now), Step::Wait(ms(20)), "{answered} answered");
                assert!(pending.settle(peer, Settled::Replied));
            }
            assert_eq!(pending.step(now), Step::Done);
            assert!(!pending.answers_may_come());
        }
    }

    #[test]
    fn an_answer_counts_once() {
        let now = Instant::now();
        let mut pending = asked(2, now, SECOND);
        assert!(pending.settle(0, Settled::Replied));
        assert!(
            !pending.settle(0, Unanswered::Ignored { why: Reason::NoAction.into() }),
            "the second answer of a peer"
        );
        assert!(!pending.settle(7, Settled::Replied), "nobody");
        assert_eq!(pending.open().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn those_who_are_silent_time_out_together_at_the_one_deadline() {
        let start = Instant::now();
        let mut pending = asked(3, start, SECOND);
        pending.settle(1, Settled::Replied);
        assert_ne!(pending.step(start + ms(999)), Step::Done);
        assert_eq!(pending.step(start + SECOND), Step::Done);
        let outcomes: Vec<_> = pending.outcomes().collect();
        assert_eq!(outcomes, [Unanswered::TimedOut.into(), Settled::Replied, Unanswered::TimedOut.into()]);
        assert!(pending.answers_may_come(), "late answers may still come");
    }

    #[test]
    fn it_looks_for_the_dead_ever_more_rarely() {
        let start = Instant::now();
        let mut pending = asked(1, start, 10 * SECOND);
        let (mut now, mut looks) = (start, Vec::new());
        while looks.len() < 6 {
            match pending.step(now) {
                Step::Wait(time) => now += time,
                Step::Look => looks.push((now - start).as_millis()),
                Step::Done => unreachable!("nobody answered"),
            }
        }
        assert_eq!(looks, [20, 60, 140, 300, 500, 700]);
    }

    #[test]
    fn the_deadline_comes_before_the_look() {
        let start = Instant::now();
        let mut pending = asked(1, start, ms(5));
        assert_eq!(pending.step(start), Step::Wait(ms(5)));
        assert_eq!(pending.step(start + ms(5)), Step::Done);
    }

    #[test]
    fn a_peer_found_dead_may_have_answered_before() {
        let now = Instant::now();
        let mut pending = asked(1, now, SECOND);
        pending.settle(0, Unanswered::Gone);
        assert_eq!(pending.step(now), Step::Done);
        assert!(pending.answers_may_come());
    }
}
