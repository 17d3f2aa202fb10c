//! Sending the answers that requesters had no room for: what the thread of [`HeldAnswers`] does.
//!
//! An answer that waits has copies of its descriptors, of which there is a bound in the process. In
//! which order answers leave, and when the thread starts and ends, [`HeldAnswers`] knows.
//!
//! [`HeldAnswers`]: super::held::HeldAnswers

use std::{
    collections::HashSet,
    os::fd::BorrowedFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rustix::io::Errno;
use smallvec::SmallVec;

use super::{
    ReplyError, ReplyPort,
    held::{Delivery, HeldAnswer, Queue},
};
use crate::{
    group::Undelivered,
    receive::Cause,
    sys::{Address, CARE, Deadline, Room, ThreadRole, fd_share},
    wire::{Datagram, Fds, MAX_FDS, MessageError},
};

/// How long an answer is kept for a requester that does not read.
const KEPT: Duration = Duration::from_secs(5);

/// What part of the descriptors that are ours to keep may be copies for answers that wait: so an
/// eighth of what the process may have.
const PART_OF_FDS: usize = 2;

/// How often to look for answers that have been put aside in the meantime.
const LOOK: Duration = Duration::from_millis(10);

/// What is put aside of an answer.
#[derive(Debug)]
pub(super) struct PutAside {
    datagram: Datagram,
    fds: Copies,
}

impl ReplyPort {
    /// Puts an answer aside, for a thread to send it when there is room.
    pub(super) fn hold(
        self: &Arc<Self>,
        to: &Address,
        datagram: Datagram,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        let (fds, is_ignore) = (Copies::of(fds)?, datagram.is_ignore());
        let (answer, deadline) = (PutAside { datagram, fds }, Deadline::after(KEPT));
        self.held().push(HeldAnswer { to: to.clone(), answer, is_ignore, deadline }, || {
            if let Some(timer) = &self.timer {
                return timer.set(Some(LOOK)).map_err(|errno| ReplyError::Io(errno.into()));
            }
            let port = Arc::clone(self);
            let run = move || port.held().run(&mut ToRequesters::from(&port));
            Ok(self.threads.spawn(ThreadRole::HeldReplies, run)?)
        })
    }
}

impl ReplyPort {
    /// Without a thread: sends what there is room for of the answers put aside, and has the timer tell
    /// when to call this again, if some are left.
    pub(super) fn deliver(&self) {
        let Some(timer) = &self.timer else { return };
        if self.held().len() == 0 {
            return;
        }
        let again = (!self.held().round(&mut AtOnce(ToRequesters::from(self)))).then_some(LOOK);
        if let Err(errno) = timer.set(again) {
            if self.counters.told.is_first(Cause::Timer(errno)) {
                tracing::warn!(%errno, "answers that had no room wait until something comes");
            } else {
                tracing::debug!(%errno, "answers that had no room wait until something comes");
            }
        }
    }
}

/// Tries each requester once, and waits for none.
struct AtOnce<'a>(ToRequesters<'a>);

impl Delivery for AtOnce<'_> {
    type To = Address;
    type Answer = PutAside;

    fn look(&mut self) {
        self.0.look();
    }

    fn give_up(&mut self, answer: &PutAside) {
        self.0.give_up(answer);
    }

    fn send_each(&mut self, queue: &mut Queue<Address, PutAside>) {
        let requesters: HashSet<_> = queue.requesters().cloned().collect();
        for to in &requesters {
            queue.send_to(to, |answer| send(self.0.port, to, answer, &mut self.0.kept_from));
        }
    }

    fn wait(&mut self) {}
}

/// What the thread has for sending.
struct ToRequesters<'a> {
    port: &'a ReplyPort,
    room: Room<Address>,
    kept_from: KeptFrom,
}

impl<'a> ToRequesters<'a> {
    fn from(port: &'a ReplyPort) -> Self {
        Self { port, room: Room::new(), kept_from: KeptFrom::default() }
    }
}

impl Delivery for ToRequesters<'_> {
    type To = Address;
    type Answer = PutAside;

    fn look(&mut self) {
        self.kept_from = KeptFrom::now(self.port);
    }

    fn give_up(&mut self, _: &PutAside) {
        self.port.counters.answers_lost.add();
    }

    fn send_each(&mut self, queue: &mut Queue<Address, PutAside>) {
        let Self { port, room, kept_from } = self;
        for to in queue.requesters() {
            if !room.keys().any(|waiting| waiting == to) {
                room.join(to.clone(), Some(to));
            }
        }
        room.retry(&port.bound.socket, |to| queue.send_to(to, |answer| send(port, to, answer, kept_from)));
    }

    fn wait(&mut self) {
        self.room.wait(&self.port.bound.socket, LOOK, false);
    }
}

/// Sends an answer, or drops it if it cannot be delivered any more. `false` if there is no room.
fn send(port: &ReplyPort, to: &Address, answer: &PutAside, kept_from: &mut KeptFrom) -> bool {
    if kept_from.requesters.contains(to) {
        return false;
    }
    let fds: SmallVec<[BorrowedFd<'_>; MAX_FDS]> = answer.fds.fds.iter().collect();
    match port.send_whoever_reads(to, &answer.datagram, &fds) {
        Ok(()) => kept_from.sent_to(to),
        Err(Errno::AGAIN) => return false,
        Err(errno) => {
            if Undelivered::from(errno) == Undelivered::Refused {
                // Warns of it, if that is why.
                port.bound.user_change();
            }
            tracing::debug!(%to, %errno, "an answer could not be delivered");
            port.counters.answers_lost.add();
        }
    }
    true
}

/// Copies of an answer's descriptors.
#[derive(Debug)]
struct Copies {
    /// The last of which may be closed here: what a peer sent may have been lent for its answer.
    fds: Fds,
    counted: usize,
}

/// How many there are in this process, of all its roles.
static COPIES: AtomicUsize = AtomicUsize::new(0);

impl Copies {
    fn of(fds: &[BorrowedFd<'_>]) -> Result<Self, ReplyError> {
        let mut copies = Self { fds: Fds::closed_with(&CARE), counted: 0 };
        if fds.is_empty() {
            return Ok(copies);
        }
        let bound = fd_share() / PART_OF_FDS;
        let more = |count: usize| Some(count + fds.len()).filter(|count| *count <= bound);
        COPIES.fetch_update(SeqCst, SeqCst, more).map_err(|_| ReplyError::OutOfDescriptors)?;
        copies.counted = fds.len();
        for fd in fds {
            let copy = fd.try_clone_to_owned().map_err(|_| ReplyError::OutOfDescriptors)?;
            copies.fds.push(copy).map_err(MessageError::from)?;
        }
        Ok(copies)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        COPIES.fetch_sub(self.counted, SeqCst);
    }
}

/// The requesters that get no more for now: there is not room for all, and they have something
/// unread.
#[derive(Default)]
struct KeptFrom {
    requesters: HashSet<Address>,
    has_room: bool,
}

impl KeptFrom {
    fn now(port: &ReplyPort) -> Self {
        let requesters = port.kept_from();
        Self { has_room: requesters.is_empty(), requesters }
    }

    fn sent_to(&mut self, to: &Address) {
        if !self.has_room {
            self.requesters.insert(to.clone());
        }
    }
}
