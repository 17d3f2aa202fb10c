//! Sockets whose process died: telling them from live ones, and removing them.
//!
//! The names of secondaries and reply sockets are never used twice, so what was found dead stays
//! dead; only `mp_socket` needs the directory lock between the look and the removal. But a file is
//! there a moment before its socket can be connected to, and looks dead: members bind under the
//! lock, so it is taken to look at them; reply sockets do not, so a young one is let be.

use std::{
    ffi::OsStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Directory, Found, Group, Member, MemberName, Reserved, liveness::is_running, probe};
use crate::sys::Deadline;

/// Removes the dead sockets among those whose names `which` picks.
pub(super) fn sweep(group: &Group, directory: &Directory, which: impl Fn(&OsStr) -> bool) {
    let Ok(names) = directory.sockets() else { return };
    for name in names.iter().filter(|name| which(name)) {
        // Asking for the process is cheaper than a probe, but no proof: it may be of another pid
        // namespace.
        let seems_alive = MemberName::parse(name).is_some_and(|name| is_running(name.pid));
        if !seems_alive {
            remove_if_dead(group, directory, name);
        }
    }
}

/// How old the file of a reply socket is before it can be taken for dead.
const SETTLED: Duration = Duration::from_secs(1);

/// What has become of a member that may be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Burial {
    /// A process holds its socket, or in doubt may.
    Alive,
    /// It was dead; its file is removed.
    Buried,
    /// It seems dead, but somebody holds the directory lock, without which that is not certain.
    Undecided,
}

/// Removes a secondary's socket if nobody holds it any more.
pub(super) fn bury(group: &Group, directory: &Directory, name: &OsStr) -> Burial {
    let seems_dead = || group.address(name).is_ok_and(|at| matches!(probe(&at), Ok(Found::Dead)));
    if !seems_dead() {
        return Burial::Alive;
    }
    // It is not waited for: a C primary holds the lock for the whole of a request.
    match directory.lock(Deadline::after(Duration::ZERO)) {
        Ok(_lock) if remove_if_dead(group, directory, name) => Burial::Buried,
        Ok(_lock) => Burial::Alive,
        Err(_) => Burial::Undecided,
    }
}

impl Group {
    /// Removes the sockets of those members that are dead, as far as the directory lock is free:
    /// the others are found by the next who looks.
    pub(crate) fn bury<'a>(&self, members: impl IntoIterator<Item = &'a Member>) {
        let mut members = members.into_iter().peekable();
        if members.peek().is_some()
            && let Ok(directory) = self.open()
        {
            for member in members {
                bury(self, &directory, member.address().file_name());
            }
        }
    }
}

fn remove_if_dead(group: &Group, directory: &Directory, name: &OsStr) -> bool {
    if Reserved::of(name) == Some(Reserved::Reply) && !is_settled(directory, name) {
        return false;
    }
    let found = group.address(name).ok().and_then(|address| probe(&address).ok());
    let removed = found == Some(Found::Dead) && directory.unlink(name).is_ok();
    if removed {
        tracing::debug!(?name, "removed a dead process's socket");
    }
    removed
}

fn is_settled(directory: &Directory, name: &OsStr) -> bool {
    let age = |made: Duration| SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(made);
    directory.made_at(name).ok().and_then(age).is_some_and(|age| age > SETTLED)
}
