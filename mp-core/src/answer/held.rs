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

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use smallvec::SmallVec;

use super::{ReplyError, ReplyPort};
use crate::{
    sys::{Address, Deadline, Socket, discard, fd_share},
    wire::{Datagram, Fds, MAX_FDS, MessageError},
};

/// How long an answer is kept for a requester that does not read.
const KEPT: Duration = Duration::from_secs(5);

/// How many replies are kept at most, and as many *ignores* besides: these may stand for replies
/// that found no room here, and must not be refused for the same reason.
const BOUND: usize = 256;

/// How many of all that there is room for still one requester may have, lest it takes the room of
/// the others: the more have answers here, the fewer has each.
const PART_OF_ONE: usize = 4;

/// What part of the descriptors that are ours to keep may be copies for answers that wait: so
/// an eighth of what the process may have.
const PART_OF_FDS: usize = 2;

/// How often the requesters are looked at of which `poll` tells nothing.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The answers put aside. A thread sends them exactly while there are any.
#[derive(Debug, Default)]
pub(super) struct HeldAnswers {
    queue: Mutex<VecDeque<Answer>>,
    /// How long the queue is, for those who only want to know that it is empty.
    len: AtomicUsize,
    emptied: Condvar,
}

#[derive(Debug)]
struct Answer {
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
        let answer = Answer { to: to.clone(), datagram, fds, is_ignore, deadline: Deadline::after(KEPT) };
        let mut queue = self.lock();
        let alike = || queue.iter().filter(|answer| answer.is_ignore == is_ignore);
        let of_one = alike().filter(|answer| answer.to == *to).count();
        if !is_room(alike().count(), of_one) {
            return Err(ReplyError::TooManyWaiting);
        }
        if queue.is_empty() {
            let port = Arc::clone(port);
            let thread = thread::Builder::new().name("mp_held_replies".into());
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
        let (mut watched, mut before, mut told) = (Vec::new(), 0, false);
        loop {
            let kept_from = port.kept_from();
            let stuck = {
                let mut queue = self.lock();
                let full = send_each(port, &mut queue, kept_from);
                self.len.store(queue.len(), SeqCst);
                if queue.is_empty() {
                    self.emptied.notify_all();
                    return;
                }
                watch(&mut watched, full);
                queue.len() >= std::mem::replace(&mut before, queue.len())
            };
            // Told of room, but found none: it is this socket that has sent too
            // much which is not read, of which `poll` would tell nothing new.
            let watched = if told && stuck { &[] } else { &*watched };
            told = wait_for_room(watched);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
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
        let mut copies = Self { fds: Fds::discarded_by(discard), counted: 0 };
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

/// Sends those for which there is room, each requester's in order, and drops
/// those that cannot be delivered any more. Tells whose queues are full.
fn send_each(
    port: &ReplyPort,
    queue: &mut VecDeque<Answer>,
    mut kept_from: HashSet<Address>,
) -> Vec<Address> {
    let mut full: Vec<Address> = Vec::new();
    let has_room = kept_from.is_empty();
    queue.retain(|answer| {
        let is_kept_from = kept_from.contains(&answer.to);
        if (is_kept_from || full.contains(&answer.to)) && !answer.deadline.is_over() {
            return true;
        }
        if is_kept_from {
            port.counters.answers_lost.add();
            return false;
        }
        let fds: SmallVec<[BorrowedFd<'_>; MAX_FDS]> = answer.fds.fds.iter().collect();
        match port.send_whoever_reads(&answer.to, &answer.datagram, &fds) {
            Ok(()) => {
                if !has_room {
                    kept_from.insert(answer.to.clone());
                }
                false
            }
            Err(Errno::AGAIN) if !answer.deadline.is_over() => {
                full.push(answer.to.clone());
                true
            }
            Err(errno) => {
                tracing::debug!(to = %answer.to, %errno, "an answer could not be delivered");
                port.counters.answers_lost.add();
                false
            }
        }
    });
    full
}

/// A requester whose queue is full, and a socket connected to it: of that,
/// `poll` tells when there is room. `None` if it cannot be had, as of a peer that
/// takes datagrams only of the socket it asked.
type Watched = (Address, Option<Socket>);

/// Watches these, and no others.
fn watch(watched: &mut Vec<Watched>, full: Vec<Address>) {
    watched.retain(|(to, _)| full.contains(to));
    for to in full {
        if !watched.iter().any(|(known, _)| *known == to) {
            let socket = Socket::new().ok().filter(|socket| socket.connect(&to).is_ok());
            watched.push((to, socket));
        }
    }
}

/// Waits until one of the queues may have room. Not for long: of some `poll`
/// tells nothing, and others are put aside in the meantime. Tells whether it was
/// told of room.
fn wait_for_room(watched: &[Watched]) -> bool {
    let sockets = watched.iter().filter_map(|(_, socket)| socket.as_ref());
    let mut polled: Vec<_> = sockets.map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
    // Interrupted or not: what there is to send is tried next.
    poll(&mut polled, Some(&LOOK)).is_ok_and(|ready| ready > 0)
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
