//! Room for answers in this process's own send buffer, kept for those who read.
//!
//! The kernel charges an answer to this socket until it is read, and answers must leave from this
//! very socket. So a few hundred requesters that read nothing, with eleven answers each, could use
//! up the buffer, and nobody else would be answered. From half of it on, whoever has something
//! unread gets no more until it is read; its answers wait in [`HeldAnswers`](super::held). Below
//! half, the kernel is asked only how much is unread in all, about once in a hundred answers.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::sys::{Address, Socket, UnreadDiag};

/// More than the kernel charges for an answer.
const CHARGE: usize = 2048;

/// How many requesters are remembered: more are begun with anew.
const REMEMBERED: usize = 4096;

/// What there is room for.
#[derive(Debug)]
pub(super) struct Room {
    /// From so much unread on, only those are answered who read.
    keep_from: usize,
    /// How many answers can be sent before as much may be unread; none while it is.
    before_look: AtomicUsize,
    requesters: Mutex<Requesters>,
}

/// Those that have been answered while room was short.
#[derive(Debug, Default)]
struct Requesters {
    diag: Option<UnreadDiag>,
    /// By which number the kernel knows them; `None` as long as it has not been asked.
    inodes: HashMap<Address, Option<u32>>,
    asked: Option<Instant>,
    /// How long the kernel took to tell of all.
    took: Duration,
}

impl Room {
    pub(super) fn of(socket: &Socket) -> Self {
        let (keep_from, before_look) = (socket.send_buffer() / 2, AtomicUsize::new(0));
        Self { keep_from, before_look, requesters: Mutex::default() }
    }

    /// Whether an answer to `to` is to wait, so that others find room.
    pub(super) fn is_kept_from(&self, to: &Address, socket: &Socket) -> bool {
        self.is_short(socket) && self.lock().has_unread(to)
    }

    /// The requesters whose answers are to wait, since they have something unread and room is short.
    pub(super) fn kept_from(&self, socket: &Socket) -> HashSet<Address> {
        let mut kept_from = HashSet::new();
        if self.is_short(socket)
            && let Some(diag) = self.lock().diag()
        {
            diag.all(|told| kept_from.extend(told.has_unread.then_some(told.address)));
        }
        kept_from
    }

    /// What was sent found no room, whoever's it was.
    pub(super) fn look_again(&self) {
        self.before_look.store(0, Relaxed);
    }

    fn is_short(&self, socket: &Socket) -> bool {
        let take_one = |left: usize| left.checked_sub(1);
        if self.before_look.fetch_update(Relaxed, Relaxed, take_one).is_ok() {
            return false;
        }
        let Ok(unread) = socket.unread() else { return false };
        let before_look = answers_until(self.keep_from, unread);
        self.before_look.store(before_look, Relaxed);
        if before_look > 0 {
            *self.lock() = Requesters::default();
        }
        before_look == 0
    }

    fn lock(&self) -> MutexGuard<'_, Requesters> {
        self.requesters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requesters {
    /// Where the kernel does not tell, everybody is taken to read.
    fn diag(&mut self) -> Option<&mut UnreadDiag> {
        if self.diag.is_none() {
            self.diag = UnreadDiag::new();
        }
        self.diag.as_mut()
    }

    /// A requester that is answered for the first time is taken to read; whether the others do, the
    /// kernel tells.
    fn has_unread(&mut self, to: &Address) -> bool {
        if self.inodes.len() > REMEMBERED {
            self.inodes.clear();
        }
        let Some(inode) = self.inodes.get(to).copied() else {
            self.inodes.insert(to.clone(), None);
            return false;
        };
        let Some(inode) = inode.or_else(|| self.ask_for(to)) else {
            return self.inodes.contains_key(to);
        };
        match self.diag().and_then(|diag| diag.one(inode)) {
            Some(told) if told.address == *to => told.has_unread,
            // It is gone, or another has its number. If it lives, this is its first answer.
            _ => {
                self.inodes.insert(to.clone(), None);
                false
            }
        }
    }

    /// Asks for the numbers of all, but no more than half of the time. Forgets who is gone.
    fn ask_for(&mut self, to: &Address) -> Option<u32> {
        if self.asked.is_some_and(|asked| asked.elapsed() < self.took) {
            return None;
        }
        let (start, mut found) = (Instant::now(), HashMap::new());
        let before = std::mem::take(&mut self.inodes);
        if let Some(diag) = self.diag() {
            diag.all(|told| {
                if before.contains_key(&told.address) {
                    found.insert(told.address, Some(told.inode));
                }
            });
        }
        self.inodes = found;
        (self.asked, self.took) = (Some(Instant::now()), start.elapsed());
        self.inodes.get(to).copied().flatten()
    }
}

/// How many answers can be sent until `keep_from` may be unread.
fn answers_until(keep_from: usize, unread: usize) -> usize {
    keep_from.saturating_sub(unread) / CHARGE
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::{io::Errno, net::sockopt};

    use super::*;
    use crate::{
        sys::{Frame, Receipt, Wait},
        wire::MAX_DATAGRAM,
    };

    /// Sockets of requesters that do not read unless they are told to.
    fn bound(dir: &Path, name: &str, count: usize) -> Vec<(Address, Socket)> {
        let bind = |i| {
            let address = Address::new(&dir.join(format!("{name}_{i}"))).expect("it fits");
            let socket = Socket::to_bind().expect("a socket");
            socket.bind(&address).expect("the path is free");
            (address, socket)
        };
        (0..count).map(bind).collect()
    }

    /// An answer, if there is room for one to this requester.
    fn answer(room: &Room, from: &Socket, to: &Address) -> Result<(), Errno> {
        if room.is_kept_from(to, from) {
            return Err(Errno::AGAIN);
        }
        from.send(Some(to), &[1; MAX_DATAGRAM], &[])
    }

    #[test]
    fn those_that_read_nothing_leave_room_for_those_who_read() {
        if UnreadDiag::new().is_none() {
            return println!("this kernel does not tell who has something unread");
        }
        let dir = tempfile::tempdir().expect("a directory");
        let own = bound(dir.path(), "own", 1).remove(0).1;
        // The system's default, 212,992 bytes when the kernel has doubled it.
        sockopt::set_socket_send_buffer_size(&own, 106_496).expect("it may be less");
        let room = Room::of(&own);
        let mute = bound(dir.path(), "mute", 34);
        for _ in 0..12 {
            for (to, _) in &mute {
                let _ = answer(&room, &own, to);
            }
        }
        let unread = own.unread().expect("a socket");
        assert!(unread + CHARGE > room.keep_from, "{unread} bytes are too few to show anything");
        let honest = bound(dir.path(), "honest", 20);
        for _ in 0..50 {
            for (to, socket) in &honest {
                answer(&room, &own, to).expect("it has read all that came");
                let mut frame = Frame::new();
                assert_eq!(socket.receive(&mut frame, Wait::No), Ok(Receipt::Datagram));
                assert_eq!(frame.bytes().len(), MAX_DATAGRAM);
            }
        }
        // What is sent to all at once finds room, too.
        for (to, _) in &honest {
            assert_eq!(own.send(Some(to), &[1; MAX_DATAGRAM], &[]), Ok(()));
        }
        // And when the mute have gone, or read, nothing is kept from anybody.
        drop(mute);
        assert!(!room.is_kept_from(&honest[0].0, &own));
    }

    #[test]
    fn the_more_is_unread_the_sooner_it_looks_again() {
        assert_eq!(answers_until(100 * CHARGE, 0), 100);
        assert_eq!(answers_until(100 * CHARGE, 99 * CHARGE), 1);
        assert_eq!(answers_until(100 * CHARGE, 99 * CHARGE + 1), 0);
        assert_eq!(answers_until(100 * CHARGE, 200 * CHARGE), 0);
    }
}
