//! The members' processes, to be told of their end (`pidfd_open(2)`): of as many as this process
//! may spend descriptors on. It does not know what an end means: `Watch` looks.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
};

use rustix::event::{PollFd, PollFlags};

use crate::{
    group::{Member, liveness::process},
    sys::fd_share,
};

/// The processes that are watched, by their members' file names.
#[derive(Debug, Default)]
pub(super) struct Processes {
    watched: BTreeMap<OsString, OwnedFd>,
    /// It has been told that there are more than may be watched.
    warned: bool,
}

impl Processes {
    /// Whether the kernel tells of this member's end.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.watched.contains_key(name)
    }

    pub(super) fn len(&self) -> usize {
        self.watched.len()
    }

    /// Watches the member's process, unless that cannot be: there are enough, or it is not one of
    /// this pid namespace. (A number that belongs to another process here does no harm: when that
    /// ends, `Watch` finds the member alive.)
    pub(super) fn watch(&mut self, member: &Member) {
        let share = fd_share();
        if self.watched.len() >= share {
            return self.warn(share);
        }
        if let Some(process) = member.pid().and_then(|pid| process(pid).ok()) {
            self.watched.insert(member.address().file_name().to_owned(), process);
        }
    }

    pub(super) fn unwatch(&mut self, name: &OsStr) {
        self.watched.remove(name);
    }

    /// To be waited for, in the order in which [`take_ended`](Self::take_ended) expects them.
    pub(super) fn poll_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.watched.values().map(|process| PollFd::new(process, PollFlags::IN))
    }

    /// The names of those whose processes have ended. They are not watched any more.
    pub(super) fn take_ended(&mut self, ended: &[bool]) -> Vec<OsString> {
        let names = self.watched.keys().zip(ended).filter(|(_, ended)| **ended);
        let names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.unwatch(name));
        names
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
