//! Sockets within one process, without any file or socket of the system.
//!
//! A [`Hub`] stands in for the runtime directory and the kernel: mailboxes are
//! bound to paths that exist only here, and what is sent to one lies in it until
//! it is received. An eventfd stands in for a socket's readability, so that the
//! layers above can poll a mailbox as they poll a socket.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::{OsStr, OsString},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, eventfd},
    io::Errno,
};

use super::{Address, Credentials, Received, Wait};
use crate::wire::Fds;

/// How many datagrams a mailbox holds: more than any test leaves unread, and yet
/// an end to what a loop can pile up.
const ROOM: usize = 1024;

/// How long a send to a full mailbox waits before it says so: there is nothing
/// to poll for, and whoever tries again should not do so in a hot loop.
const PAUSE: Duration = Duration::from_millis(1);

/// A group within this process: its directory and its kernel in one.
#[derive(Debug)]
pub(crate) struct Hub {
    dir: PathBuf,
    bound: Mutex<BTreeMap<OsString, (u64, Weak<Mailbox>)>>,
    ids: AtomicU64,
}

/// What is bound to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenant {
    Live,
    Dead,
    Nobody,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        static HUBS: AtomicU64 = AtomicU64::new(0);
        let dir = format!("/in-process/{}", HUBS.fetch_add(1, Relaxed)).into();
        Arc::new(Self { dir, bound: Mutex::default(), ids: AtomicU64::new(1) })
    }

    /// Where its sockets seem to be.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The names of all that is bound here, or was when its owner died.
    pub(crate) fn names(&self) -> Vec<OsString> {
        self.lock().keys().cloned().collect()
    }

    pub(crate) fn unlink(&self, name: &OsStr) {
        self.lock().remove(name);
    }

    /// What tells one tenant of an address from the next.
    pub(crate) fn id(&self, address: &Address) -> Option<u64> {
        self.lock().get(address.file_name()).map(|(id, _)| *id)
    }

    pub(crate) fn tenant(&self, address: &Address) -> Tenant {
        match self.find(address) {
            Ok(_) => Tenant::Live,
            Err(Errno::CONNREFUSED) => Tenant::Dead,
            Err(_) => Tenant::Nobody,
        }
    }

    fn bind(&self, address: &Address, mailbox: &Arc<Mailbox>) -> Result<(), Errno> {
        let mut bound = self.lock();
        if bound.contains_key(address.file_name()) {
            return Err(Errno::ADDRINUSE);
        }
        let id = self.ids.fetch_add(1, Relaxed);
        bound.insert(address.file_name().to_owned(), (id, Arc::downgrade(mailbox)));
        Ok(())
    }

    /// The errors are those of `sendmsg` to a path.
    fn find(&self, address: &Address) -> Result<Arc<Mailbox>, Errno> {
        let bound = self.lock();
        let (_, mailbox) = bound.get(address.file_name()).ok_or(Errno::NOENT)?;
        mailbox.upgrade().ok_or(Errno::CONNREFUSED)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<OsString, (u64, Weak<Mailbox>)>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a conversation in a [`Hub`].
#[derive(Debug)]
pub(crate) struct MemorySocket {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
    name: Mutex<Option<Address>>,
    peer: Mutex<Option<(Address, Weak<Mailbox>)>>,
}

#[derive(Debug)]
struct Mailbox {
    letters: Mutex<Letters>,
    changed: Condvar,
    /// Readable while there is something to receive.
    readable: OwnedFd,
}

#[derive(Debug, Default)]
struct Letters {
    queue: VecDeque<Letter>,
    shut: bool,
}

#[derive(Debug)]
struct Letter {
    bytes: Box<[u8]>,
    fds: Fds,
    from: Option<Address>,
}

impl MemorySocket {
    pub(super) fn new(hub: &Arc<Hub>) -> Result<Self, Errno> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE;
        let readable = eventfd(0, flags)?;
        let mailbox = Mailbox { letters: Mutex::default(), changed: Condvar::new(), readable };
        Ok(Self {
            hub: Arc::clone(hub),
            mailbox: Arc::new(mailbox),
            name: Mutex::default(),
            peer: Mutex::default(),
        })
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(super) fn bind(&self, address: &Address) -> Result<(), Errno> {
        self.hub.bind(address, &self.mailbox)?;
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.clone());
        Ok(())
    }

    pub(super) fn connect(&self, peer: &Address) -> Result<(), Errno> {
        let mailbox = Arc::downgrade(&self.hub.find(peer)?);
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = Some((peer.clone(), mailbox));
        Ok(())
    }

    pub(super) fn send(
        &self,
        to: Option<&Address>,
        bytes: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        let to = match to {
            Some(to) => self.hub.find(to)?,
            None => {
                let peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
                let (_, mailbox) = peer.as_ref().ok_or(Errno::NOTCONN)?;
                mailbox.upgrade().ok_or(Errno::CONNREFUSED)?
            }
        };
        let mut owned = Fds::new();
        for fd in fds {
            owned.append(std::iter::once(rustix::io::fcntl_dupfd_cloexec(fd, 0)?));
        }
        let from = self.name.lock().unwrap_or_else(PoisonError::into_inner).clone();
        to.put(Letter { bytes: bytes.into(), fds: owned, from })
    }

    pub(super) fn receive(&self, buffer: &mut [u8], wait: Wait) -> Result<Received, Errno> {
        let peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        loop {
            let Some(letter) = self.mailbox.take(wait)? else {
                return Ok(Received {
                    len: 0,
                    fds: Fds::new(),
                    fds_lost: false,
                    from: None,
                    credentials: None,
                });
            };
            // The kernel lets only the peer send to a connected socket.
            if let Some((peer, _)) = &peer
                && letter.from.as_ref() != Some(peer)
            {
                continue;
            }
            let len = letter.bytes.len().min(buffer.len());
            buffer[..len].copy_from_slice(&letter.bytes[..len]);
            let credentials = Some(Credentials::own());
            return Ok(Received { len, fds: letter.fds, fds_lost: false, from: letter.from, credentials });
        }
    }

    pub(super) fn shut_down(&self) {
        self.mailbox.lock().shut = true;
        self.mailbox.changed.notify_all();
    }
}

impl AsFd for MemorySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.mailbox.readable.as_fd()
    }
}

impl Mailbox {
    fn put(&self, letter: Letter) -> Result<(), Errno> {
        let mut letters = self.lock();
        if letters.queue.len() >= ROOM {
            let pause =
                self.changed.wait_timeout_while(letters, PAUSE, |letters| letters.queue.len() >= ROOM);
            letters = pause.unwrap_or_else(PoisonError::into_inner).0;
        }
        if letters.shut {
            return Err(Errno::PIPE);
        }
        if letters.queue.len() >= ROOM {
            return Err(Errno::AGAIN);
        }
        letters.queue.push_back(letter);
        rustix::io::write(&self.readable, &1_u64.to_ne_bytes())?;
        self.changed.notify_all();
        Ok(())
    }

    /// `None` when it is shut and empty.
    fn take(&self, wait: Wait) -> Result<Option<Letter>, Errno> {
        let until = match wait {
            Wait::No => Some(Instant::now()),
            Wait::AtMost(time) => Instant::now().checked_add(time),
            Wait::Forever => None,
        };
        let mut letters = self.lock();
        loop {
            if let Some(letter) = letters.queue.pop_front() {
                rustix::io::read(&self.readable, &mut [0; 8])?;
                self.changed.notify_all();
                return Ok(Some(letter));
            }
            if letters.shut {
                return Ok(None);
            }
            letters = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Err(Errno::AGAIN),
                Some(left) => {
                    self.changed.wait_timeout(letters, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(letters).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
