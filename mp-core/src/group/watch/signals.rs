//! What wakes a watch, behind one descriptor (`epoll(7)`): changes of the directory (`inotify(7)`), the ends
//! of processes, and a timer. It reads what was told and does not know what it means.

use std::{
    ffi::{OsStr, OsString},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    time::Duration,
};

use rustix::{
    event::{
        PollFd, PollFlags, Timespec,
        epoll::{self, EventData, EventFlags},
        poll,
    },
    fs::inotify::{self, ReadFlags, WatchFlags},
    io::Errno,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime},
};

use crate::sys::timespec;

/// Not the number of any process.
const NO_PROCESS: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Signals {
    epoll: OwnedFd,
    directory: OwnedFd,
    timer: OwnedFd,
}

/// What the kernel tells of a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A file has come to have this name.
    Named(OsString),
    /// The directory itself is gone.
    Removed,
}

impl Signals {
    /// Of a directory that is shared with a group also changes of mode: a socket is there a moment before it is
    /// opened to the group, which is when it joins.
    pub(super) fn new(dir: &Path, is_shared: bool) -> Result<Self, Errno> {
        let directory = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let mut flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::DELETE_SELF;
        flags.set(WatchFlags::ATTRIB, is_shared);
        inotify::add_watch(&directory, dir, flags | WatchFlags::ONLYDIR)?;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for fd in [&directory, &timer] {
            epoll::add(&epoll, fd, EventData::new_u64(NO_PROCESS), EventFlags::IN)?;
        }
        Ok(Self { epoll, directory, timer })
    }

    /// Tells of this process's end from now on, by this number.
    pub(super) fn add(&self, process: &OwnedFd, number: u64) -> Result<(), Errno> {
        epoll::add(&self.epoll, process, EventData::new_u64(number), EventFlags::IN)
    }

    /// To be called before it is closed: a fork that has a copy would keep it in otherwise.
    pub(super) fn remove(&self, process: &OwnedFd) {
        let _ = epoll::delete(&self.epoll, process);
    }

    /// Wakes after this time, once; `None` for never.
    pub(super) fn wake_after(&self, time: Option<Duration>) -> Result<(), Errno> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would be never.
        let value = time.map_or(zero, |time| timespec(time.max(Duration::from_nanos(1))));
        let once = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).map(drop)
    }

    /// Waits until something has been told, or so long; tells the numbers of the processes that have ended.
    pub(super) fn wait(&self, timeout: Duration) -> Result<Vec<u64>, Errno> {
        let mut polled = [PollFd::new(&self.epoll, PollFlags::IN)];
        match poll(&mut polled, Some(&timespec(timeout))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let mut ended = Vec::new();
        let mut events = Vec::with_capacity(64);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&at_once)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        ended.extend(events.iter().map(|event| event.data.u64()).filter(|number| *number != NO_PROCESS));
        Ok(ended)
    }

    /// Takes what has been told of the directory so far.
    pub(super) fn told(&self) -> Result<Vec<Told>, Errno> {
        let mut told = Vec::new();
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.directory, &mut room);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(told),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            if event.events().intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED) {
                told.push(Told::Removed);
            } else if event.events().intersects(ReadFlags::MOVED_TO | ReadFlags::CREATE)
                && let Some(name) = event.file_name()
            {
                told.push(Told::Named(OsStr::from_bytes(name.to_bytes()).to_owned()));
            }
        }
    }
}

/// Readable when there is something to be told.
impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
