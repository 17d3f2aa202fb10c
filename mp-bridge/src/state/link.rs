//! What two bridges have with each other while a session lasts: who is heard, in what order frames
//! go and come, and which requests are open.
//!
//! A session's frames are numbered. One that comes twice is dropped; after one that is missing,
//! nothing of the session can be believed any more, and it begins anew.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use crate::frame::{Body, Frame};

/// How many requests may be open to one other bridge.
pub(super) const MAX_OPEN: usize = 16_384;

/// One session, as this end sees it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: u64,
    pub(super) session: u64,
    pub(super) host: String,
    /// When the other end was heard last.
    heard: Instant,
    /// Whether it was heard since the connection to the server is there. Until then nothing is
    /// sent in order: after a restart of the server the other end may not be back yet.
    is_fresh: bool,
    queue: VecDeque<Body>,
    next_out: u64,
    next_in: u64,
    open: BTreeMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    member: u64,
    until: Instant,
}

/// What a frame of the other end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepted {
    /// The next one, or one that has no number.
    Next,
    /// It came before.
    Twice,
    /// At least one before it is lost.
    Gap,
    /// It belongs to another session.
    Stale,
}

/// Nothing more can be kept for the other end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Link {
    pub(super) fn new(peer: u64, session: u64, host: String, now: Instant) -> Self {
        let (queue, open) = Default::default();
        Self { peer, session, host, heard: now, is_fresh: true, queue, next_out: 1, next_in: 1, open }
    }

    /// To be asked of each frame from the other end.
    pub(super) fn accept(&mut self, frame: &Frame, now: Instant) -> Accepted {
        if frame.session != self.session || frame.from != self.peer {
            return Accepted::Stale;
        }
        (self.heard, self.is_fresh) = (now, true);
        if frame.sequence == 0 {
            return Accepted::Next;
        }
        match frame.sequence.cmp(&self.next_in) {
            std::cmp::Ordering::Less => Accepted::Twice,
            std::cmp::Ordering::Greater => Accepted::Gap,
            std::cmp::Ordering::Equal => {
                self.next_in += 1;
                Accepted::Next
            }
        }
    }

    /// The connection to the server is lost.
    pub(super) fn disconnected(&mut self) {
        self.is_fresh = false;
    }

    /// Whether the server's word that the other end is not there is to be believed.
    pub(super) fn can_be_gone(&self) -> bool {
        self.is_fresh
    }

    pub(super) fn is_silent(&self, grace: Duration, now: Instant) -> bool {
        now.duration_since(self.heard) > grace
    }

    /// Queues a message or request, if there are not more than `bound`.
    pub(super) fn push(&mut self, body: Body, bound: usize) -> Result<(), Full> {
        if self.queue.len() >= bound {
            return Err(Full);
        }
        self.queue.push_back(body);
        Ok(())
    }

    /// Queues what must not be dropped. Of that there is no more than there are members and
    /// requests.
    pub(super) fn push_control(&mut self, body: Body) {
        self.queue.push_back(body);
    }

    /// Queues a request, which is open until then.
    pub(super) fn ask(
        &mut self,
        id: u64,
        member: u64,
        request: Body,
        bound: usize,
        until: Instant,
    ) -> Result<(), Full> {
        if self.open.len() >= MAX_OPEN {
            return Err(Full);
        }
        self.push(request, bound)?;
        self.open.insert(id, Open { member, until });
        Ok(())
    }

    /// A request is answered; `false` if it is not open.
    pub(super) fn settle(&mut self, id: u64) -> bool {
        self.open.remove(&id).is_some()
    }

    /// Takes out the requests whose time is over.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<u64> {
        self.take(|open| open.until <= now)
    }

    /// Takes out those to one member.
    pub(super) fn open_to(&mut self, member: u64) -> Vec<u64> {
        self.take(|open| open.member == member)
    }

    /// Takes out all.
    pub(super) fn open(&mut self) -> Vec<u64> {
        self.take(|_| true)
    }

    fn take(&mut self, which: impl Fn(&Open) -> bool) -> Vec<u64> {
        self.open.extract_if(.., |_, open| which(open)).map(|(id, _)| id).collect()
    }

    /// How many messages and requests have not been sent.
    pub(super) fn unsent(&self) -> usize {
        self.queue.iter().filter(|body| matches!(body, Body::Message { .. } | Body::Request { .. })).count()
    }

    /// The next frame to send, if it may be sent now.
    pub(super) fn next_frame(&mut self, me: u64) -> Option<Frame> {
        if !self.is_fresh {
            return None;
        }
        let body = self.queue.pop_front()?;
        let sequence = self.next_out;
        self.next_out += 1;
        Some(Frame { from: me, session: self.session, sequence, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn frame(sequence: u64) -> Frame {
        Frame { from: 7, session: 5, sequence, body: Body::Beat }
    }

    #[test]
    fn what_comes_twice_is_told_and_what_is_missing_too() {
        let now = Instant::now();
        let mut link = Link::new(7, 5, "far".into(), now);
        assert_eq!(link.accept(&frame(1), now), Accepted::Next);
        assert_eq!(link.accept(&frame(1), now), Accepted::Twice);
        assert_eq!(link.accept(&frame(0), now), Accepted::Next);
        assert_eq!(link.accept(&frame(2), now), Accepted::Next);
        assert_eq!(link.accept(&frame(4), now), Accepted::Gap);
        assert_eq!(link.accept(&Frame { session: 6, ..frame(3) }, now), Accepted::Stale);
        assert_eq!(link.accept(&Frame { from: 8, ..frame(3) }, now), Accepted::Stale);
    }

    #[test]
    fn only_frames_of_the_session_show_that_the_other_end_is_there() {
        let now = Instant::now();
        let mut link = Link::new(7, 5, "far".into(), now);
        let later = now + 2 * SECOND;
        link.accept(&Frame { session: 6, ..frame(0) }, later);
        assert!(link.is_silent(SECOND, later));
        link.accept(&frame(0), later);
        assert!(!link.is_silent(SECOND, later));
    }

    #[test]
    fn after_a_lost_connection_nothing_is_sent_until_the_other_end_is_heard() {
        let now = Instant::now();
        let mut link = Link::new(7, 5, "far".into(), now);
        link.push(Body::Left { member: 1 }, 2).expect("room");
        link.push(Body::Left { member: 2 }, 2).expect("room");
        assert_eq!(link.push(Body::Left { member: 3 }, 2), Err(Full));
        assert_eq!(link.next_frame(1).map(|frame| frame.sequence), Some(1));
        link.disconnected();
        assert!(link.next_frame(1).is_none() && !link.can_be_gone());
        link.accept(&frame(0), now);
        assert_eq!(link.next_frame(1).map(|frame| frame.sequence), Some(2));
        assert!(link.next_frame(1).is_none() && link.can_be_gone());
    }

    #[test]
    fn a_request_is_open_until_it_is_answered_or_its_time_is_over() {
        let now = Instant::now();
        let mut link = Link::new(7, 5, "far".into(), now);
        for (id, member, until) in [(1, 3, now + SECOND), (2, 4, now + 2 * SECOND), (3, 4, now + SECOND)] {
            link.ask(id, member, Body::Beat, 9, until).expect("room");
        }
        assert!(link.settle(1) && !link.settle(1));
        assert_eq!(link.expired(now + SECOND), [3]);
        assert!(link.open_to(3).is_empty());
        assert_eq!(link.open_to(4), [2]);
        assert!(link.open().is_empty());
    }

    #[test]
    fn open_requests_are_bounded() {
        let now = Instant::now();
        let mut link = Link::new(7, 5, "far".into(), now);
        for id in 0..MAX_OPEN as u64 {
            link.ask(id, 0, Body::Beat, usize::MAX, now).expect("room");
        }
        assert_eq!(link.ask(u64::MAX, 0, Body::Beat, usize::MAX, now), Err(Full));
    }
}
