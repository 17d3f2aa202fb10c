//! Answers to requesters whose queues are full.
//!
//! A requester that does not read must not hold up the receiving thread. It is
//! given a moment; then its answer is put aside here, and a thread of its own,
//! which lives only while there is something to do, sends it when there is room.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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
    Address,
    deadline::Deadline,
    sys::Socket,
    wire::{Datagram, MAX_FDS},
};

/// How long the receiving thread waits for room in a requester's queue. Requesters
/// that read make room far sooner.
pub(super) const PATIENCE: Duration = Duration::from_millis(5);

/// How long an answer is kept for a requester that does not read.
const KEPT: Duration = Duration::from_secs(5);

/// How many answers are kept at most, and so how many copies of their descriptors.
const BOUND: usize = 256;

/// The answers put aside.
#[derive(Debug, Default)]
pub(super) struct Late {
    queue: Mutex<VecDeque<Answer>>,
    /// How many are put aside, those being sent included.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Answer {
    to: Address,
    datagram: Datagram,
    fds: SmallVec<[OwnedFd; MAX_FDS]>,
    deadline: Deadline,
}

impl Late {
    /// Whether answers to this requester wait: a newer one must not overtake them.
    pub(super) fn has(&self, to: &Address) -> bool {
        // What the thread has taken out counts as waiting for anybody.
        let count = self.count.load(SeqCst);
        count > 0 && {
            let queue = self.lock();
            queue.len() < count || queue.iter().any(|answer| answer.to == *to)
        }
    }

    pub(super) fn push(
        &self,
        port: &Arc<ReplyPort>,
        to: &Address,
        datagram: Datagram,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        let fds = fds.iter().map(BorrowedFd::try_clone_to_owned).collect::<Result<_, _>>()?;
        let answer = Answer { to: to.clone(), datagram, fds, deadline: Deadline::after(KEPT) };
        let mut queue = self.lock();
        if self.count.load(SeqCst) >= BOUND {
            return Err(ReplyError::TooManyWaiting);
        }
        if self.count.fetch_add(1, SeqCst) == 0 {
            let port = Arc::clone(port);
            let thread = thread::Builder::new().name("mp_late_replies".into());
            if let Err(error) = thread.spawn(move || port.late().run(&port)) {
                self.count.fetch_sub(1, SeqCst);
                return Err(error.into());
            }
        }
        queue.push_back(answer);
        Ok(())
    }

    /// Sends what is put aside, until nothing is.
    fn run(&self, port: &ReplyPort) {
        let mut waiting = VecDeque::new();
        loop {
            {
                let mut queue = self.lock();
                waiting.append(&mut queue);
                if waiting.is_empty() {
                    return;
                }
            }
            let before = waiting.len();
            send_each(port, &mut waiting);
            {
                // Under the lock, so that `push` starts a thread exactly when this one ends.
                let queue = self.lock();
                let left = self.count.fetch_sub(before - waiting.len(), SeqCst) - (before - waiting.len());
                if left == 0 {
                    drop(queue);
                    return;
                }
            }
            if !waiting.is_empty() {
                wait_for_room(port, &waiting);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends those for which there is room, each requester's in order, and drops
/// those that cannot be delivered any more.
fn send_each(port: &ReplyPort, waiting: &mut VecDeque<Answer>) {
    let mut full: Vec<Address> = Vec::new();
    waiting.retain(|answer| {
        if full.contains(&answer.to) {
            return true;
        }
        let fds: SmallVec<[BorrowedFd<'_>; MAX_FDS]> = answer.fds.iter().map(AsFd::as_fd).collect();
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
}

/// Waits until one of the queues may have room. A socket connected to the peer
/// tells; a peer that takes datagrams only of the socket it asked is looked at
/// again soon, and so are those that are put aside in the meantime.
fn wait_for_room(port: &ReplyPort, waiting: &VecDeque<Answer>) {
    let mut helpers: Vec<(Address, Socket)> = Vec::new();
    for answer in waiting {
        if !helpers.iter().any(|(to, _)| *to == answer.to)
            && let Ok(socket) = port.bound.socket.another()
            && socket.connect(&answer.to).is_ok()
        {
            helpers.push((answer.to.clone(), socket));
        }
    }
    let mut polled: Vec<_> = helpers.iter().map(|(_, socket)| PollFd::new(socket, PollFlags::OUT)).collect();
    let timeout = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    // Interrupted or not: what there is to send is tried next.
    let _ = poll(&mut polled, Some(&timeout));
}
