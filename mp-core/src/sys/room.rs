//! Waiting for room: in the queues of peers, and in a socket's own send buffer.
//!
//! A datagram finds no room for one of two reasons. Its peer's queue may be full: `poll` tells of
//! room in it on a socket that is connected to that peer, and on no other. Or too much of what the
//! sending socket has sent is unread, by whomever: then its peers' queues may have room, which
//! would be told at once and again and again, though nothing can be sent. [`Room`] tells the two
//! apart, and waits for what has to happen. Whom to send what, until when, and what it means not to
//! be sent to is its caller's.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

use super::{Address, Deadline, Socket, clock::timespec, fd_share};

/// How long to wait, where nothing tells, before trying again.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How much longer than a round of tries the pause after it is at least: so trying takes a small
/// part of the time, however many there are to try.
const PAUSE_TO_ROUND: u32 = 20;

/// Those that one socket wants to send to and that had no room, each known to the caller by a key.
#[derive(Debug)]
pub(crate) struct Room<K> {
    waiting: Vec<Waiting<K>>,
    rhythm: Rhythm,
    own_ready: bool,
}

#[derive(Debug)]
struct Waiting<K> {
    key: K,
    teller: Teller,
    ready: bool,
}

/// What tells of room at a peer.
#[derive(Debug)]
enum Teller {
    /// The sending socket, which is connected to it.
    Itself,
    /// A socket connected to it for that.
    Probe(Socket),
    /// Nothing yet.
    NotAsked(Address),
    /// Nothing: it cannot be connected to, or there are no descriptors to spare.
    Nobody,
}

impl<K> Room<K> {
    pub(crate) fn new() -> Self {
        Self { waiting: Vec::new(), rhythm: Rhythm::new(Instant::now()), own_ready: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait, in the order in which they came.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.waiting.iter().map(|waiting| &waiting.key)
    }

    /// Whether the sending socket's own buffer was full at the last try: then it is no use to try
    /// others.
    pub(crate) fn is_own_full(&self) -> bool {
        self.rhythm.own_full
    }

    /// One is to be sent to when there is room. `peer` is `None` if the sending socket is connected
    /// to it.
    pub(crate) fn join(&mut self, key: K, peer: Option<&Address>) {
        let teller = peer.map_or(Teller::Itself, |peer| Teller::NotAsked(peer.clone()));
        self.waiting.push(Waiting { key, teller, ready: false });
    }

    /// A send from `own` to this one has just given `EAGAIN`.
    pub(crate) fn found_none(&mut self, own: &Socket, key: K, peer: Option<&Address>) {
        // A connected socket tells of both by itself.
        if peer.is_some() && own.is_buffer_full() {
            self.rhythm.found_own_full(Instant::now());
        }
        self.join(key, peer);
    }

    /// Waits until there may be room, or, if that is wanted, something to receive at `own`, but not
    /// longer than `time`.
    pub(crate) fn wait(&mut self, own: &Socket, time: Duration, or_receive: bool) {
        self.ask_tellers();
        let time = self.due(Instant::now()).map_or(time, |due| due.min(time));
        let mut of_own = if or_receive { PollFlags::IN } else { PollFlags::empty() };
        of_own.set(PollFlags::OUT, self.listens_to_own());
        // Not to be told of what is not listened to: an error would be, again and again.
        let own = (!of_own.is_empty()).then(|| PollFd::new(own, of_own));
        let probes = self.probes().map(|probe| PollFd::new(probe, PollFlags::OUT));
        let mut polled: Vec<_> = probes.chain(own).collect();
        match poll(&mut polled, Some(&timespec(time))) {
            Ok(_) => {
                let ready: Vec<_> = polled.iter().map(|fd| fd.revents() & !PollFlags::IN).collect();
                self.told(&ready);
            }
            Err(Errno::INTR) => {}
            // The system is short of something: as if nothing told.
            Err(_) => thread::sleep(time.min(FIRST_PAUSE)),
        }
    }

    /// Tries those that may have room, in their order; who takes it (`true`) waits no longer.
    pub(crate) fn retry(&mut self, own: &Socket, mut send: impl FnMut(&K) -> bool) {
        let start = Instant::now();
        let (listens, is_due) = (self.rhythm.listens_to_peers(), self.rhythm.is_due(start));
        let own_ready = std::mem::take(&mut self.own_ready);
        let (mut round, mut tried) = (Round { start, served: 0, own_full: false, was_told: false }, 0);
        self.waiting.retain_mut(|waiting| {
            let is_told = match waiting.teller {
                Teller::Itself => own_ready,
                _ => std::mem::take(&mut waiting.ready),
            };
            let is_told_of = matches!(waiting.teller, Teller::Itself | Teller::Probe(_));
            let may_have_room = match listens {
                true if is_told_of => is_told,
                true => is_due,
                false => own_ready || is_due,
            };
            if round.own_full || !may_have_room {
                return true;
            }
            tried += 1;
            round.was_told |= listens && is_told_of;
            if send(&waiting.key) {
                round.served += 1;
                return false;
            }
            round.own_full = !matches!(waiting.teller, Teller::Itself) && own.is_buffer_full();
            true
        });
        if tried > 0 {
            self.rhythm.after(&round, start.elapsed());
        }
    }

    /// When to try again though nothing tells; `None` if whatever is waited for is told.
    pub(crate) fn due(&self, now: Instant) -> Option<Duration> {
        let untold = |waiting: &Waiting<K>| matches!(waiting.teller, Teller::NotAsked(_) | Teller::Nobody);
        let is_untold = !self.rhythm.listens_to_peers() || self.waiting.iter().any(untold);
        (is_untold && !self.is_empty()).then(|| self.rhythm.again.left_at(now))
    }

    /// Whether the sending socket itself tells of what is waited for, as being writable.
    pub(crate) fn listens_to_own(&self) -> bool {
        let is_teller = |waiting: &Waiting<K>| matches!(waiting.teller, Teller::Itself);
        self.rhythm.own_full || self.rhythm.listens_to_peers() && self.waiting.iter().any(is_teller)
    }

    /// The sockets that tell, as being writable, of room at the others.
    pub(crate) fn probes(&self) -> impl Iterator<Item = &Socket> {
        let waiting = if self.rhythm.listens_to_peers() { &*self.waiting } else { &[] };
        waiting.iter().filter_map(|waiting| match &waiting.teller {
            Teller::Probe(probe) => Some(probe),
            _ => None,
        })
    }

    /// Finds tellers for those that have none yet, if they are needed: a full buffer of our own is
    /// not told of by them.
    pub(crate) fn ask_tellers(&mut self) {
        if !self.rhythm.listens_to_peers() {
            return;
        }
        let mut spare = fd_share().saturating_sub(self.probes().count());
        for waiting in &mut self.waiting {
            if let Teller::NotAsked(peer) = &waiting.teller {
                let probe = if spare > 0 { probe(peer).ok() } else { None };
                spare = spare.saturating_sub(usize::from(probe.is_some()));
                waiting.teller = probe.map_or(Teller::Nobody, Teller::Probe);
            }
        }
    }

    /// What `poll` told of the probes, in order, and of the sending socket, if it was asked.
    fn told(&mut self, ready: &[PollFlags]) {
        let count = self.probes().count();
        let (probes, own) = ready.split_at(count.min(ready.len()));
        self.own_ready = self.listens_to_own() && own.iter().any(|ready| !ready.is_empty());
        if self.rhythm.listens_to_peers() {
            let waiting = self.waiting.iter_mut().filter(|w| matches!(w.teller, Teller::Probe(_)));
            waiting.zip(probes).for_each(|(waiting, ready)| waiting.ready = !ready.is_empty());
        }
    }
}

/// A socket on which `poll` tells when the peer's queue has room.
fn probe(peer: &Address) -> Result<Socket, Errno> {
    let socket = Socket::new()?;
    socket.connect(peer)?;
    Ok(socket)
}

/// What came of trying those that might have room.
#[derive(Debug)]
struct Round {
    start: Instant,
    served: usize,
    /// It ended at the sending socket's own buffer.
    own_full: bool,
    /// Some were tried since room at them had been told of.
    was_told: bool,
}

/// What to listen to, and when to try unasked. No I/O, no clock.
#[derive(Debug)]
struct Rhythm {
    /// The sending socket's own buffer is full.
    own_full: bool,
    /// Room was told of, but not found.
    was_misled: bool,
    pause: Duration,
    again: Deadline,
}

impl Rhythm {
    fn new(now: Instant) -> Self {
        let again = Deadline::after_from(now, FIRST_PAUSE);
        Self { own_full: false, was_misled: false, pause: FIRST_PAUSE, again }
    }

    /// Whether what peers' queues tell is of use.
    fn listens_to_peers(&self) -> bool {
        !self.own_full && !self.was_misled
    }

    fn is_due(&self, now: Instant) -> bool {
        self.again.left_at(now).is_zero()
    }

    fn found_own_full(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.own_full, true) {
            self.again = Deadline::after_from(now, self.pause);
        }
    }

    fn after(&mut self, round: &Round, took: Duration) {
        self.own_full = round.own_full;
        // Whatever the reason: to listen to the same again at once could go on for ever.
        self.was_misled = round.was_told && round.served == 0;
        self.pause = if round.served > 0 { FIRST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.again = Deadline::after_from(round.start + took, self.pause.max(took * PAUSE_TO_ROUND));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::time::{ClockId, clock_gettime};

    use super::{
        super::{Frame, Wait},
        *,
    };

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn socket_at(dir: &Path, name: &str) -> (Socket, Address) {
        let address = Address::new(&dir.join(name)).expect("a short path");
        let socket = Socket::to_bind().expect("a socket");
        socket.bind(&address).expect("a free path");
        (socket, address)
    }

    fn round(start: Instant, served: usize, own_full: bool) -> Round {
        Round { start, served, own_full, was_told: false }
    }

    fn cpu_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[test]
    fn a_full_buffer_of_our_own_is_not_listened_to_peers_about() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(start);
        assert!(rhythm.listens_to_peers());
        rhythm.found_own_full(start);
        assert!(!rhythm.listens_to_peers() && !rhythm.is_due(start) && rhythm.is_due(start + ms(1)));
        rhythm.after(&round(start + ms(1), 3, true), Duration::ZERO);
        assert!(!rhythm.listens_to_peers() && rhythm.is_due(start + ms(2)), "it goes on: soon again");
        rhythm.after(&round(start + ms(2), 3, false), Duration::ZERO);
        assert!(rhythm.listens_to_peers());
    }

    #[test]
    fn pauses_grow_while_nothing_is_found_and_are_never_short_beside_the_tries() {
        let (mut rhythm, mut now) = (Rhythm::new(Instant::now()), Instant::now());
        rhythm.found_own_full(now);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            rhythm.after(&round(now, 0, true), Duration::ZERO);
            pauses.push(rhythm.again.left_at(now).as_millis());
            now += ms(100);
        }
        assert_eq!(pauses, [2, 4, 8, 10, 10, 10]);
        rhythm.after(&round(now, 0, true), ms(3));
        assert_eq!(rhythm.again.left_at(now + ms(3)), ms(60));
    }

    #[test]
    fn who_was_told_of_room_and_found_none_pauses_once_then_listens_again() {
        let now = Instant::now();
        let mut rhythm = Rhythm::new(now);
        rhythm.after(&Round { was_told: true, ..round(now, 0, false) }, Duration::ZERO);
        assert!(!rhythm.listens_to_peers() && !rhythm.is_due(now));
        rhythm.after(&round(now + ms(2), 0, false), Duration::ZERO);
        assert!(rhythm.listens_to_peers());
    }

    #[test]
    fn room_at_a_peer_is_told_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (peer, address) = socket_at(dir.path(), "peer");
        let own = Socket::new().expect("a socket");
        while own.send(Some(&address), b"filler", &[]).is_ok() {}
        let mut room = Room::new();
        room.found_none(&own, (), Some(&address));
        assert!(!room.is_own_full());
        room.wait(&own, Duration::ZERO, false);
        room.retry(&own, |()| unreachable!("there is no room"));
        assert_eq!(room.due(Instant::now()), None, "it is waited for until it is told of");
        peer.receive(&mut Frame::new(), Wait::No).expect("it is full");
        room.wait(&own, ms(10_000), false);
        room.retry(&own, |()| own.send(Some(&address), b"filler", &[]).is_ok());
        assert!(room.is_empty());
    }

    #[test]
    fn a_full_buffer_of_our_own_takes_little_time_and_is_found_to_have_room_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let peers: Vec<_> = (0..60).map(|i| socket_at(dir.path(), &i.to_string())).collect();
        let own = Socket::new().expect("a socket");
        let send = |peer: &usize| own.send(Some(&peers[*peer].1), &[0; 332], &[]).is_ok();
        let mut room = Room::new();
        for peer in (0..10).flat_map(|_| 0..peers.len()) {
            if room.is_own_full() {
                room.join(peer, Some(&peers[peer].1));
            } else if !send(&peer) {
                room.found_none(&own, peer, Some(&peers[peer].1));
            }
        }
        assert!(room.is_own_full(), "six hundred datagrams are more than the buffer holds");
        let (start, cpu) = (Instant::now(), cpu_time());
        while start.elapsed() < ms(300) {
            room.wait(&own, ms(300), false);
            room.retry(&own, send);
        }
        let cpu = cpu_time() - cpu;
        assert!(cpu < ms(60), "{cpu:?} of 300 ms");
        // Some read, but not so many that the kernel would tell: three quarters would have to.
        let waited = room.len();
        for (peer, _) in &peers[..4] {
            while peer.receive(&mut Frame::new(), Wait::No).is_ok() {}
        }
        let deadline = Deadline::after(ms(10_000));
        while room.len() == waited && !deadline.is_over() {
            room.wait(&own, deadline.left(), false);
            room.retry(&own, send);
        }
        assert!(room.len() < waited, "there is room for some");
    }
}
