//! The members' processes, to be told of their end (`pidfd_open(2)`): of as many as this process
//! may spend descriptors on. It does not know what an end means: `Watch` looks.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::signals::Signals;
use crate::{
    group::{liveness::process, process::Sockets},
    sys::{Address, fd_share},
};

/// A process, with the number under which the kernel tells of its end, and whether it is known to
/// hold the member's socket.
#[derive(Debug)]
struct Watched {
    number: u64,
    process: OwnedFd,
    is_its: bool,
}

/// The processes that are watched, by their members' file names.
#[derive(Debug, Default)]
pub(super) struct Processes {
    watched: BTreeMap<OsString, Watched>,
    /// By the numbers under which the kernel tells of their ends.
    names: BTreeMap<u64, OsString>,
    next: u64,
    /// It has been told that there are more than may be watched.
    warned: bool,
}

impl Processes {
    /// Whether the kernel tells of this member's end, for certain.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.watched.get(name).is_some_and(|watched| watched.is_its)
    }

    /// How many it tells of so.
    pub(super) fn len(&self) -> usize {
        self.watched.values().filter(|watched| watched.is_its).count()
    }

    /// Watches the process of whoever is bound at `socket`, unless that cannot be: there are enough,
    /// or it is not one of this pid namespace. A number that may belong to another process here, as
    /// that of a member in a container does, is watched as well, but nothing is certain by it.
    pub(super) fn watch(&mut self, socket: &Address, pid: u32, signals: &Signals, sockets: &Sockets) {
        let name = socket.file_name();
        if self.watched.contains_key(name) {
            return;
        }
        let share = fd_share();
        if self.watched.len() >= share {
            return self.warn(share);
        }
        if let Ok(process) = process(pid)
            && signals.add(&process, self.next).is_ok()
        {
            let is_its = sockets.has_held(pid, socket.path());
            self.names.insert(self.next, name.to_owned());
            self.watched.insert(name.to_owned(), Watched { number: self.next, process, is_its });
            self.next += 1;
        }
    }

    pub(super) fn unwatch(&mut self, name: &OsStr, signals: &Signals) {
        if let Some(Watched { number, process, .. }) = self.watched.remove(name) {
            signals.remove(&process);
            self.names.remove(&number);
        }
    }

    /// Whether the process of one that is watched has ended.
    pub(super) fn has_ended(&self, name: &OsStr) -> bool {
        self.watched.get(name).filter(|watched| watched.is_its).is_some_and(|watched| {
            let mut polled = [PollFd::new(&watched.process, PollFlags::IN)];
            poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(1)
        })
    }

    /// The one whose process has this number and has ended, and whether that is certain: it is not
    /// watched any more.
    pub(super) fn take_ended(&mut self, number: u64, signals: &Signals) -> Option<(OsString, bool)> {
        let name = self.names.get(&number)?.clone();
        let is_its = self.has(&name);
        self.unwatch(&name, signals);
        Some((name, is_its))
    }

    fn warn(&mut self, share: usize) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                watched = share,
                "more members than a quarter of this process's limit of open files: that others die is \
                 told later, by looking for them now and then; raise the limit (RLIMIT_NOFILE, `ulimit -n`)"
            );
        }
    }
}
