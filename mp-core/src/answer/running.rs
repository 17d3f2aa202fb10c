//! Which handlers run, and since when, for those who ask.
//!
//! A handler that was received and is run at once has no time of its own, since that would cost each
//! request a look at the clock: it gets that of the next look at it, which comes within a tick of the
//! thread that stands by. So it is told to be younger than it is, by a tick at most.

use std::time::Instant;

/// Those of one member. What is told of each, `B` has.
#[derive(Debug)]
pub(super) struct Running<B>(Vec<Option<Handler<B>>>);

/// A handler that runs.
#[derive(Debug, Clone)]
pub(super) struct Handler<B> {
    pub(super) brief: B,
    since: Option<Instant>,
}

/// Where a handler is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl<B> Running<B> {
    pub(super) fn new() -> Self {
        Self(Vec::from([None]))
    }

    /// A handler begins; `since` if its time is known.
    #[inline]
    pub(super) fn began(&mut self, brief: B, since: Option<Instant>) -> Place {
        // The only one, most of the time: written where it stays.
        if let Some(first @ None) = self.0.first_mut() {
            *first = Some(Handler { brief, since });
            return Place(0);
        }
        self.began_beside_others(Handler { brief, since })
    }

    #[cold]
    fn began_beside_others(&mut self, handler: Handler<B>) -> Place {
        match self.0.iter().position(Option::is_none) {
            Some(free) => {
                self.0[free] = Some(handler);
                Place(free)
            }
            None => {
                self.0.push(Some(handler));
                Place(self.0.len() - 1)
            }
        }
    }

    #[inline]
    pub(super) fn ended(&mut self, place: Place) {
        self.0[place.0] = None;
    }

    /// Somebody looks: who has no time gets this one.
    pub(super) fn seen(&mut self, now: impl FnOnce() -> Instant) {
        let mut new = self.0.iter_mut().flatten().filter(|handler| handler.since.is_none()).peekable();
        if new.peek().is_some() {
            let now = now();
            new.for_each(|handler| handler.since = Some(now));
        }
    }

    /// All of them, the oldest first, each with its beginning.
    pub(super) fn all(&mut self, now: Instant) -> Vec<(B, Instant)>
    where
        B: Clone,
    {
        self.seen(|| now);
        let handlers = self.0.iter().flatten();
        let mut all: Vec<_> =
            handlers.map(|handler| (handler.brief.clone(), handler.since.unwrap_or(now))).collect();
        all.sort_by_key(|(_, since)| *since);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_is_told_with_its_time_or_that_of_the_first_look() {
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        let mut running = Running::new();
        let slow = running.began("slow", None);
        let timed = running.began("timed", Some(later(10)));
        running.seen(|| later(40));
        running.seen(|| later(80));
        assert_eq!(running.all(later(90)), [("timed", later(10)), ("slow", later(40))]);
        running.ended(timed);
        assert_eq!(running.began("new", None), timed, "a place is used again");
        assert_eq!(running.all(later(99)), [("slow", later(40)), ("new", later(99))]);
        running.ended(slow);
        running.ended(timed);
        assert!(running.all(later(100)).is_empty());
    }
}
