//! The life of a group's primary, as its socket file and its process show it.

use std::ffi::OsStr;

use super::{Change, Watch};
use crate::{
    group::{
        Found, Identity, Place, SocketName, identity, probe,
        process::{Sockets, holds},
    },
    sys::Deadline,
};
use std::time::Duration;

/// What is known of the primary.
#[derive(Debug, Default)]
pub(super) struct PrimaryLife {
    /// The one that has been told.
    seen: Option<Seen>,
    /// It is the role that watches: its end is told by its role, and it never dies before.
    is_own: bool,
    /// A file that was found dead, and so is dead for good: no process can bind a file that is there.
    dead: Option<Identity>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    identity: Option<Identity>,
    pid: Option<u32>,
}

/// What is at the primary's place.
enum State {
    Alive,
    Dead,
    /// It seems dead, but may be binding its socket, and somebody holds the lock.
    Undecided,
}

const NAME: &str = SocketName::PRIMARY;

impl PrimaryLife {
    /// That of a primary which watches.
    pub(super) fn own(place: &Place) -> Self {
        let seen = Some(Seen { identity: place.identity(), pid: Some(std::process::id()) });
        Self { seen, is_own: true, dead: None }
    }

    /// Whether there is one, of which nobody but the kernel can tell the end.
    pub(super) fn is_to_be_watched(&self) -> bool {
        self.seen.is_some() && !self.is_own
    }
}

impl Watch {
    /// Compares who is the primary with who was.
    pub(super) fn look_at_primary(&mut self, is_round: bool, is_retry: bool) {
        let name = OsStr::new(NAME);
        let now = identity(self.group.primary());
        let seen = self.primary.seen;
        let is_the_same = seen.is_some_and(|seen| seen.identity == now);
        let is_looked_at = match self.suspects.contains(name) {
            true => is_retry,
            false if is_the_same => {
                self.ended.contains(name) || is_round && !self.primary.is_own && !self.processes.has(name)
            }
            false => now.is_some() && now != self.primary.dead,
        };
        match (seen, now) {
            (Some(seen), None) => self.primary_is_gone(seen.pid),
            (_, None) => _ = self.suspects.remove(name),
            (_, Some(_)) if is_looked_at => match self.state_of_primary() {
                State::Undecided => _ = self.suspects.insert(name.to_owned()),
                State::Alive => {
                    self.suspects.remove(name);
                    if !is_the_same {
                        self.primary_is_up(now);
                    }
                }
                State::Dead => {
                    self.suspects.remove(name);
                    self.primary.dead = now;
                    if let Some(seen) = seen {
                        self.ended.insert(name.to_owned());
                        self.primary_is_gone(seen.pid);
                    }
                }
            },
            _ => {}
        }
    }

    fn primary_is_up(&mut self, identity: Option<Identity>) {
        let name = OsStr::new(NAME);
        self.processes.unwatch(name, &self.signals);
        self.forget(name);
        let (pid, before) = (self.pid_of_primary(), self.primary.seen.is_some());
        if let Some(pid) = pid {
            let sockets = Sockets::of_this_process();
            let socket = self.group.primary().clone();
            self.processes.watch(&socket, pid, &self.signals, &sockets);
        }
        self.primary = PrimaryLife { seen: Some(Seen { identity, pid }), ..PrimaryLife::default() };
        let change = if before { Change::AnotherPrimary { pid } } else { Change::PrimaryUp { pid } };
        self.untold.push_back(change);
    }

    fn primary_is_gone(&mut self, pid: Option<u32>) {
        let name = OsStr::new(NAME);
        let died = self.has_died(name);
        self.processes.unwatch(name, &self.signals);
        (self.primary.seen, self.primary.is_own) = (None, false);
        self.untold.push_back(Change::PrimaryGone { pid, died });
    }

    /// Where in doubt, it is alive.
    fn state_of_primary(&self) -> State {
        let seems_dead = || matches!(probe(self.group.primary()), Ok(Found::Dead | Found::Nothing));
        if !seems_dead() {
            return State::Alive;
        }
        // A primary binds under the lock, and its file is there a moment before its socket.
        match self.roster.directory.lock(Deadline::after(Duration::ZERO)) {
            Ok(_lock) if seems_dead() => State::Dead,
            Ok(_lock) => State::Alive,
            Err(_) => State::Undecided,
        }
    }

    /// Its process, if that is certain: the one that holds DPDK's lock, or that is seen to hold the socket.
    fn pid_of_primary(&self) -> Option<u32> {
        let directory = &self.roster.directory;
        let locks = directory.dpdk_primary().ok().flatten().filter(|pid| *pid != 0);
        let said = || directory.read_owner().filter(|pid| holds(*pid, self.group.primary().path()));
        locks.or_else(said)
    }
}
