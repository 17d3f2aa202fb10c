//! How long a request waits, for an answer or for room to ask, and when to look whether those who owe
//! the answer still live. A decision without I/O and without a clock.

use std::time::{Duration, Instant};

use crate::sys::Deadline;

/// How long to wait before asking whether those who owe an answer still live. Long enough that a
/// request that is answered never asks.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_millis(200);

/// The deadline of a request, and when to look next.
#[derive(Debug)]
pub(super) struct Patience {
    started: Instant,
    deadline: Deadline,
    look_at: Deadline,
    pause: Duration,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The deadline has passed.
    GiveUp,
    /// Wait for an answer, or for room to ask, at most that long.
    Wait(Duration),
    /// See which of those that have not answered still live.
    Look,
}

impl Patience {
    pub(super) fn new(now: Instant, timeout: Duration) -> Self {
        let (deadline, look_at) = (Deadline::after_from(now, timeout), Deadline::after_from(now, FIRST_LOOK));
        Self { started: now, deadline, look_at, pause: FIRST_LOOK }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(super) fn next(&mut self, now: Instant) -> Next {
        let left = self.deadline.left_at(now);
        if left.is_zero() {
            return Next::GiveUp;
        }
        let until_look = self.look_at.left_at(now);
        if until_look.is_zero() {
            self.pause = (self.pause * 2).min(LONGEST_LOOK);
            self.look_at = Deadline::after_from(now, self.pause);
            return Next::Look;
        }
        Next::Wait(left.min(until_look))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn it_looks_ever_more_seldom_and_gives_up_at_the_deadline() {
        let start = Instant::now();
        let mut patience = Patience::new(start, ms(500));
        let (mut now, mut looks) = (start, Vec::new());
        loop {
            match patience.next(now) {
                Next::Wait(time) => now += time,
                Next::Look => looks.push((now - start).as_millis()),
                Next::GiveUp => break,
            }
        }
        assert_eq!((looks, now - start), (vec![20, 60, 140, 300], ms(500)));
    }

    #[test]
    fn a_deadline_before_the_first_look_is_waited_for_exactly() {
        let start = Instant::now();
        let mut patience = Patience::new(start, ms(7));
        assert_eq!(patience.next(start), Next::Wait(ms(7)));
        assert_eq!(patience.next(start + ms(6)), Next::Wait(ms(1)));
        assert_eq!(patience.next(start + ms(7)), Next::GiveUp);
    }
}
