//! Answers to requesters whose queues are full.
//!
//! A requester that does not read must hold up neither the receiving thread nor
//! the answers to others. Its answers are put aside here, and a thread of its
//! own, which lives only while there are any, sends them when there is room.

use std::{
    collections::{HashSet, VecDeque},
    os::fd::BorrowedFd,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use rustix::io::Errno;
use smallvec::SmallVec;

use super::{ReplyError, ReplyPort};
use crate::{
    sys::{Address, CARE, Deadline, Room, fd_share, room_for_a_thread},
    wire::{Datagram, Fds, MAX_FDS, MessageError},
};

/// How long an answer is kept for a requester that does not read.
const KEPT: Duration = Duration::from_secs(5);

/// How many replies are kept at most, and as many *ignores* besides: these may stand for replies
/// that found no room here, and must not find none for the same reason.
const BOUND: usize = 256;

/// How many of all that there is room for still one requester may have, lest it takes the room of
/// the others: the more have answers here, the fewer has each.
const PART_OF_ONE: usize = 4;

/// What part of the descriptors that are ours to keep may be copies for answers that wait: so
/// an eighth of what the process may have.
const PART_OF_FDS: usize = 2;

/// How often to look for answers that have been put aside in the meantime.
const LOOK: Duration = Duration::from_millis(10);

/// The answers put aside. A thread sends them exactly while there are any.
#[derive(Debug, Default)]
pub(super) struct HeldAnswers {
    queue: Mutex<VecDeque<HeldAnswer>>,
    /// How long the queue is, for those who only want to know that it is empty.
    len: AtomicUsize,
    emptied: Condvar,
}

#[derive(Debug)]
struct HeldAnswer {
    to: Address,
    datagram: Datagram,
    fds: Copies,
    is_ignore: bool,
    deadline: Deadline,
}

impl HeldAnswers {
    /// Whether answers to this requester wait: a newer one must not overtake them.
    pub(super) fn has(&self, to: &Address) -> bool {
        self.len.load(SeqCst) > 0 && self.lock().iter().any(|answer| answer.to == *to)
    }

    pub(super) fn push(
        &self,
        port: &Arc<ReplyPort>,
        to: &Address,
        datagram: Datagram,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        let (fds, is_ignore) = (Copies::of(fds)?, datagram.is_ignore());
        let answer = HeldAnswer { to: to.clone(), datagram, fds, is_ignore, deadline: Deadline::after(KEPT) };
        let mut queue = self.lock();
        let alike = || queue.iter().filter(|answer| answer.is_ignore == is_ignore);
        let of_one = alike().filter(|answer| answer.to == *to).count();
        if !is_room(alike().count(), of_one) {
            return Err(ReplyError::TooManyWaiting);
        }
        if queue.is_empty() {
            let port = Arc::clone(port);
            let thread = thread::Builder::new().name("mp_held_replies".into());
            room_for_a_thread()?;
            thread.spawn(move || port.held().run(&port))?;
        }
        queue.push_back(answer);
        self.len.store(queue.len(), SeqCst);
        Ok(())
    }

    /// Waits until nothing is put aside, but not longer than `deadline`.
    pub(super) fn wait_until_empty(&self, deadline: Deadline) {
        let mut queue = self.lock();
        while !queue.is_empty() && !deadline.is_over() {
            queue =
                self.emptied.wait_timeout(queue, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends what is put aside, until nothing is.
    fn run(&self, port: &ReplyPort) {
        let (socket, mut room) = (&port.bound.socket, Room::new());
        loop {
            let mut kept_from = KeptFrom::now(port);
            {
                let mut queue = self.lock();
                give_up_late(port, &mut queue);
                for HeldAnswer { to, .. } in queue.iter() {
                    if !room.keys().any(|waiting| waiting == to) {
                        room.join(to.clone(), Some(to));
                    }
                }
                room.retry(socket, |to| send_to(port, &mut queue, to, &mut kept_from));
                self.len.store(queue.len(), SeqCst);
                if queue.is_empty() {
                    self.emptied.notify_all();
                    return;
                }
            }
            room.wait(socket, LOOK, false);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<HeldAnswer>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one requester may have one more, of those that are kept.
fn is_room(kept: usize, of_one: usize) -> bool {
    of_one * PART_OF_ONE < BOUND.saturating_sub(kept)
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

/// Who has something unread, while there is not room for all: they get no more for now.
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

/// Drops those that have waited for too long.
fn give_up_late(port: &ReplyPort, queue: &mut VecDeque<HeldAnswer>) {
    queue.retain(|answer| {
        let is_late = answer.deadline.is_over();
        if is_late {
            port.counters.answers_lost.add();
        }
        !is_late
    });
}

/// Sends one requester's answers in order, as far as there is room, and drops those that cannot
/// be delivered any more. Tells whether none is left.
fn send_to(
    port: &ReplyPort,
    queue: &mut VecDeque<HeldAnswer>,
    to: &Address,
    kept_from: &mut KeptFrom,
) -> bool {
    let mut is_stuck = false;
    queue.retain(|answer| {
        if answer.to != *to || is_stuck {
            return true;
        }
        let fds: SmallVec<[BorrowedFd<'_>; MAX_FDS]> = answer.fds.fds.iter().collect();
        let sent = match kept_from.requesters.contains(to) {
            true => Err(Errno::AGAIN),
            false => port.send_whoever_reads(to, &answer.datagram, &fds),
        };
        match sent {
            Ok(()) => kept_from.sent_to(to),
            Err(Errno::AGAIN) => is_stuck = true,
            Err(errno) => {
                tracing::debug!(%to, %errno, "an answer could not be delivered");
                port.counters.answers_lost.add();
            }
        }
        is_stuck
    });
    !is_stuck
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of as many requesters, each of which reads nothing, are kept of each.
    fn kept_of_each(requesters: usize) -> Vec<usize> {
        let mut kept = vec![0; requesters];
        for at in (0..requesters).cycle().take(BOUND * requesters) {
            if is_room(kept.iter().sum(), kept[at]) {
                kept[at] += 1;
            }
        }
        kept
    }

    #[test]
    fn the_more_do_not_read_the_fewer_answers_are_kept_of_each() {
        assert_eq!(kept_of_each(1), [52]);
        assert!(kept_of_each(10).iter().all(|kept| (18..=19).contains(kept)));
        assert!(kept_of_each(200).iter().all(|kept| *kept >= 1), "each has one");
        // However many there are, one that had none before finds room after each that is sent.
        let all: usize = kept_of_each(700).iter().sum();
        assert!(all <= BOUND && is_room(all - 1, 0));
    }
}
