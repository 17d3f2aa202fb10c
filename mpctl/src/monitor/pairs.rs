//! Which request an answer belongs to, and how much later it came.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Event;

/// The requests that are not answered yet, as far as they were seen.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    asked: BTreeMap<Key, VecDeque<Duration>>,
    count: usize,
}

/// More are not kept: the oldest have timed out long since.
const MOST: usize = 16_384;

/// How long a request may have been waiting at most, when room is made.
const OLD: Duration = Duration::from_secs(60);

/// What an answer has in common with its request, as one member sees both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    seen_by: Option<String>,
    /// Which way the request went.
    direction: &'static str,
    name: String,
    /// The other side's socket, without its directory, which may be spelled in several ways.
    peer: String,
    sequence: Option<u64>,
}

impl Key {
    fn of(event: &Event, direction: &'static str) -> Option<Self> {
        let peer = event.peer.socket.as_ref()?;
        Some(Self {
            seen_by: event.seen_by.socket.clone(),
            direction,
            name: event.name.clone()?,
            peer: peer.rsplit('/').next().unwrap_or(peer).to_owned(),
            sequence: event.sequence,
        })
    }
}

impl Pairs {
    /// Takes note of a request, and tells an answer how much later than its request it is.
    pub(crate) fn pair(&mut self, event: &mut Event) {
        let opposite = if event.direction == "in" { "out" } else { "in" };
        match event.kind {
            Some("request") if event.error.is_none() => self.note(event),
            Some("reply" | "ignore") => {
                let asked = Key::of(event, opposite).and_then(|key| self.take(&key));
                let after = asked.and_then(|asked| event.monotonic.checked_sub(asked));
                event.after_us = after.map(|after| after.as_nanos() as f64 / 1000.0);
            }
            _ => {}
        }
    }

    fn note(&mut self, event: &Event) {
        let Some(key) = Key::of(event, event.direction) else { return };
        if self.count >= MOST {
            self.forget(event.monotonic);
        }
        self.asked.entry(key).or_default().push_back(event.monotonic);
        self.count += 1;
    }

    fn take(&mut self, key: &Key) -> Option<Duration> {
        let times = self.asked.get_mut(key)?;
        let first = times.pop_front();
        if times.is_empty() {
            self.asked.remove(key);
        }
        self.count -= usize::from(first.is_some());
        first
    }

    /// Forgets what is old; all, if nothing is.
    fn forget(&mut self, now: Duration) {
        self.asked.retain(|_, times| {
            times.retain(|asked| now.saturating_sub(*asked) < OLD);
            !times.is_empty()
        });
        self.count = self.asked.values().map(VecDeque::len).sum();
        if self.count >= MOST {
            self.asked.clear();
            self.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Party, *};

    fn event(direction: &'static str, kind: &'static str, peer: &str, sequence: u64, us: u64) -> Event {
        Event {
            seen_by: Party { pid: Some(7), socket: Some("/g/mp_socket".into()) },
            peer: Party { pid: None, socket: Some(peer.into()) },
            direction,
            kind: Some(kind),
            name: Some("open".into()),
            sequence: Some(sequence),
            monotonic: Duration::from_micros(us),
            ..Event::default()
        }
    }

    fn after(pairs: &mut Pairs, mut event: Event) -> Option<f64> {
        pairs.pair(&mut event);
        event.after_us
    }

    #[test]
    fn an_answer_is_paired_with_its_own_request() {
        let mut pairs = Pairs::default();
        assert_eq!(after(&mut pairs, event("in", "request", "/g/mp_reply_9_a", 1, 100)), None);
        assert_eq!(after(&mut pairs, event("in", "request", "/g/mp_reply_9_a", 2, 110)), None);
        assert_eq!(after(&mut pairs, event("in", "reply", "/g/mp_reply_9_a", 1, 115)), None, "the same way");
        assert_eq!(after(&mut pairs, event("out", "reply", "/g/mp_reply_9_b", 1, 115)), None, "another peer");
        assert_eq!(after(&mut pairs, event("out", "ignore", "/link/mp_reply_9_a", 2, 120)), Some(10.0));
        assert_eq!(after(&mut pairs, event("out", "reply", "/g/mp_reply_9_a", 1, 150)), Some(50.0));
        assert_eq!(after(&mut pairs, event("out", "reply", "/g/mp_reply_9_a", 1, 160)), None, "a second one");
        assert_eq!(pairs.count, 0);
    }

    #[test]
    fn requests_without_answers_do_not_pile_up() {
        let mut pairs = Pairs::default();
        for number in 0..100_000 {
            pairs.pair(&mut event("in", "request", "/g/mp_reply_9_a", number, 10 * number));
        }
        assert!(pairs.count <= MOST && pairs.asked.len() == pairs.count);
    }
}
