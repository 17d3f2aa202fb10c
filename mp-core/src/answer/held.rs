//! Answers to requesters whose queues are full.
//!
//! A requester that does not read must hold up neither the receiving thread nor
//! the answers to others. Its answers are put aside here, and a thread of its
//! own, which lives only while there are any, sends them when there is room.

use std::{
    collections::VecDeque,
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
    sys::{Address, Deadline, Socket, discard},
    wire::{Datagram, Fds, MAX_FDS, MessageError},
};

/// How long an answer is kept for a requester that does not read.
const KEPT: Duration = Duration::from_secs(5);

/// How many answers are kept at most, and so how many copies of their descriptors.
const BOUND: usize = 256;

/// How many of them are for one requester, lest it takes the room of all.
const BOUND_OF_ONE: usize = 64;

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
    fds: Fds,
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
        let fds = copies(fds)?;
        let answer = Answer { to: to.clone(), datagram, fds, deadline: Deadline::after(KEPT) };
        let mut queue = self.lock();
        let of_one = queue.iter().filter(|answer| answer.to == *to).count();
        if queue.len() >= BOUND || of_one >= BOUND_OF_ONE {
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
            let stuck = {
                let mut queue = self.lock();
                let full = send_each(port, &mut queue);
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

/// Copies, the last of which may be closed here: what a peer sent may have been lent for its answer.
fn copies(fds: &[BorrowedFd<'_>]) -> Result<Fds, ReplyError> {
    let mut copies = Fds::discarded_by(discard);
    for fd in fds {
        copies.push(fd.try_clone_to_owned()?).map_err(MessageError::from)?;
    }
    Ok(copies)
}

/// Sends those for which there is room, each requester's in order, and drops
/// those that cannot be delivered any more. Tells whose queues are full.
fn send_each(port: &ReplyPort, queue: &mut VecDeque<Answer>) -> Vec<Address> {
    let mut full: Vec<Address> = Vec::new();
    queue.retain(|answer| {
        if full.contains(&answer.to) && !answer.deadline.is_over() {
            return true;
        }
        let fds: SmallVec<[BorrowedFd<'_>; MAX_FDS]> = answer.fds.iter().collect();
        match port.bound.socket.send(Some(&answer.to), answer.datagram.as_bytes(), &fds) {
            Ok(()) => false,
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
