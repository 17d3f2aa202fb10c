//! When to look again at what the kernel tells nothing of. No I/O, no clock.

use std::time::{Duration, Instant};

use crate::sys::Deadline;

/// How soon to look again at one that seems dead while somebody holds the directory lock, which is
/// needed to be certain. The kernel tells nobody that a lock has become free.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LONGEST_RETRY: Duration = Duration::from_millis(200);

/// How often to look at members whose processes cannot be watched.
const ROUND: Duration = Duration::from_millis(500);

/// What such a round may take for each of them: a look is some microseconds, so it stays at about a
/// hundredth of the time however many they are.
const OF_EACH: Duration = Duration::from_micros(500);

/// When to look again, though nothing has been told.
#[derive(Debug)]
pub(super) struct Pace {
    retry: Option<(Deadline, Duration)>,
    round: Option<Deadline>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { retry: None, round: None }
    }

    /// Whether the members that cannot be watched are to be looked at now.
    pub(super) fn is_round(&self, now: Instant) -> bool {
        self.round.is_some_and(|round| round.left_at(now).is_zero())
    }

    /// Whether what could not be decided is to be tried again now.
    pub(super) fn is_retry(&self, now: Instant) -> bool {
        self.retry.is_none_or(|(retry, _)| retry.left_at(now).is_zero())
    }

    /// To be called after each look: whether something could not be decided, and how many members
    /// cannot be watched.
    pub(super) fn looked(&mut self, now: Instant, undecided: bool, unwatched: usize) {
        self.retry = match self.retry {
            _ if !undecided => None,
            None => Some((Deadline::after_from(now, FIRST_RETRY), FIRST_RETRY)),
            Some((retry, pause)) if retry.left_at(now).is_zero() => {
                let pause = (pause * 2).min(LONGEST_RETRY);
                Some((Deadline::after_from(now, pause), pause))
            }
            waiting => waiting,
        };
        let again = ROUND.max(OF_EACH * u32::try_from(unwatched).unwrap_or(u32::MAX));
        self.round = match self.round {
            _ if unwatched == 0 => None,
            Some(round) if !round.left_at(now).is_zero() => Some(round),
            _ => Some(Deadline::after_from(now, again)),
        };
    }

    /// How long to wait at most; `None` if there is nothing to look at unasked.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let retry = self.retry.map(|(retry, _)| retry);
        retry.into_iter().chain(self.round).map(|next| next.left_at(now)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn while_everybody_is_watched_nothing_is_looked_at_unasked() {
        let (mut pace, now) = (Pace::new(), Instant::now());
        pace.looked(now, false, 0);
        assert_eq!(pace.wait(now), None);
        assert!(!pace.is_round(now + ms(60_000)));
    }

    #[test]
    fn what_could_not_be_decided_is_retried_ever_more_rarely_but_never_given_up() {
        let (mut pace, start) = (Pace::new(), Instant::now());
        let (mut now, mut pauses) = (start, Vec::new());
        for _ in 0..8 {
            pace.looked(now, true, 0);
            let pause = pace.wait(now).expect("it is tried again");
            assert!(!pace.is_retry(now), "not at once");
            now += pause;
            assert!(pace.is_retry(now));
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 200, 200, 200]);
        pace.looked(now, false, 0);
        assert_eq!(pace.wait(now), None);
        pace.looked(now, true, 0);
        assert_eq!(pace.wait(now), Some(FIRST_RETRY), "the next time it is soon again");
    }

    #[test]
    fn a_look_for_another_reason_puts_off_neither() {
        let (mut pace, now) = (Pace::new(), Instant::now());
        pace.looked(now, true, 3);
        pace.looked(now + ms(4), true, 3);
        assert_eq!(pace.wait(now + ms(4)), Some(ms(6)));
        pace.looked(now + ms(5), false, 3);
        assert_eq!(pace.wait(now + ms(5)), Some(ms(495)));
    }

    #[test]
    fn rounds_are_rarer_the_more_there_are_to_look_at() {
        for (unwatched, expected) in [(1, ms(500)), (1000, ms(500)), (10_000, ms(5000))] {
            let (mut pace, now) = (Pace::new(), Instant::now());
            pace.looked(now, false, unwatched);
            assert_eq!(pace.wait(now), Some(expected), "{unwatched}");
            assert!(!pace.is_round(now) && pace.is_round(now + expected));
        }
    }
}
