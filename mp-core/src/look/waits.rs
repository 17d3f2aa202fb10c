//! Requests under way that have not been answered at once, for those who ask who waits for whom.
//!
//! A request is noted here when its requester first looks whether its peer still lives (after 20 ms),
//! or finds no room at its peer: so a request that is answered at once costs nothing. Who notes it
//! takes it out again by dropping its [`WaitNoted`].

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Json;
use crate::wire::Name;

/// Those of one role.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    next: u64,
    waits: Vec<(u64, ListedRequest)>,
}

/// A request under way, as `mp.status` lists it.
#[derive(Debug, Clone)]
pub(crate) struct ListedRequest {
    pub(crate) name: Name,
    /// The sockets of those who owe an answer.
    pub(crate) to: Vec<PathBuf>,
    pub(crate) since: Instant,
    pub(crate) timeout: Duration,
    /// The thread that waits.
    pub(crate) thread: u32,
    /// That thread does other things meanwhile.
    pub(crate) is_async: bool,
    /// It has not been asked yet: its peer has no room.
    pub(crate) for_room: bool,
    pub(crate) sequence: Option<u64>,
}

/// A request that is noted, until this is dropped.
#[derive(Debug)]
pub(crate) struct WaitNoted {
    waits: Arc<Waits>,
    id: u64,
}

impl Waits {
    pub(crate) fn note(self: &Arc<Self>, wait: ListedRequest) -> WaitNoted {
        let mut noted = self.lock();
        noted.next += 1;
        let id = noted.next;
        noted.waits.push((id, wait));
        drop(noted);
        WaitNoted { waits: Arc::clone(self), id }
    }

    /// All of them, the oldest first.
    pub(crate) fn describe(&self, now: Instant, json: &mut Json) {
        let mut waits: Vec<_> = self.lock().waits.iter().map(|(_, wait)| wait.clone()).collect();
        waits.sort_by_key(|wait| wait.since);
        json.array(|json| waits.iter().for_each(|wait| wait.describe(now, json)));
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitNoted {
    /// Fewer owe an answer by now.
    pub(crate) fn set_to(&self, to: Vec<PathBuf>) {
        let mut noted = self.waits.lock();
        if let Some((_, wait)) = noted.waits.iter_mut().find(|(id, _)| *id == self.id) {
            wait.to = to;
        }
    }
}

impl Drop for WaitNoted {
    fn drop(&mut self) {
        self.waits.lock().waits.retain(|(id, _)| *id != self.id);
    }
}

impl ListedRequest {
    fn describe(&self, now: Instant, json: &mut Json) {
        json.object(|json| {
            json.key("name").text(&self.name.to_string());
            json.key("to").array(|json| self.to.iter().for_each(|to| json.text(&to.to_string_lossy())));
            json.key("age_ms").number(now.saturating_duration_since(self.since).as_millis());
            json.key("timeout_ms").number(self.timeout.as_millis());
            json.key("thread").number(self.thread);
            json.key("kind").text(if self.is_async { "async" } else { "blocking" });
            json.key("waits_for").text(if self.for_room { "room" } else { "answer" });
            if let Some(sequence) = self.sequence {
                json.key("sequence").number(sequence);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_long_as_it_lasts() {
        let waits = Arc::new(Waits::default());
        let since = Instant::now();
        let wait = |name, since| ListedRequest {
            name: Name::from_static(name),
            to: vec!["/p/mp_socket".into(), "/p/mp_socket_1_a".into()],
            since,
            timeout: Duration::from_secs(1),
            thread: 7,
            is_async: false,
            for_room: false,
            sequence: Some(3),
        };
        let told = |waits: &Waits| {
            let now = since + Duration::from_millis(30);
            Json::document(|json| waits.describe(now, json.key("requests")))
        };
        let younger = waits.note(wait("b", since + Duration::from_millis(10)));
        let older = waits.note(wait("a", since));
        older.set_to(vec!["/p/mp_socket".into()]);
        drop(younger);
        let expected = r#"{"requests":[{"name":"a","to":["/p/mp_socket"],"age_ms":30,"timeout_ms":1000,"thread":7,"kind":"blocking","waits_for":"answer","sequence":3}]}"#;
        assert_eq!(told(&waits), expected);
        drop(older);
        assert_eq!(told(&waits), r#"{"requests":[]}"#);
    }
}
