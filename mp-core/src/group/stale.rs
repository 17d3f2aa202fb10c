//! Sockets whose process died: telling them from live ones, and removing them.
//!
//! The names of secondaries and reply sockets are never used twice, so what was found dead stays
//! dead; only `mp_socket` needs the directory lock between the look and the removal. But a file is
//! there a moment before its socket can be connected to, and looks dead: members bind under the
//! lock, so it is taken to look at them; reply sockets do not, so a young one is let be.

use std::{
    ffi::OsStr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::lstat;

use super::{Directory, Found, Group, GroupError, Member, MemberName, Reserved, liveness::is_running, probe};
use crate::sys::{Address, Deadline};

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
    /// It is dead, but this user may not remove its file: another did bind it, in a directory that
    /// is shared with a group.
    Anothers,
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
        Ok(_lock) => {
            let burial = remove_if_dead(group, directory, name);
            if burial == Burial::Anothers {
                group.leave_out(name);
            }
            burial
        }
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

    /// A name is never used twice: the member stays dead, and is left out of all lists.
    fn leave_out(&self, name: &OsStr) {
        let dead = self.dead.get_or_init(Mutex::default);
        if dead.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
            tracing::debug!(
                ?name,
                "dead, but another user's: its socket stays until that user, the directory's owner or root removes it"
            );
        }
    }

    /// Leaves out those that are dead, of the members that are listed.
    pub(super) fn without_dead(&self, mut members: Vec<Member>) -> Vec<Member> {
        if let Some(dead) = self.dead.get() {
            let mut dead = dead.lock().unwrap_or_else(PoisonError::into_inner);
            dead.retain(|name| members.iter().any(|member| member.address().file_name() == name));
            members.retain(|member| !dead.contains(member.address().file_name()));
        }
        members
    }
}

fn remove_if_dead(group: &Group, directory: &Directory, name: &OsStr) -> Burial {
    if Reserved::of(name) == Some(Reserved::Reply) && !is_settled(directory, name) {
        return Burial::Alive;
    }
    let found = group.address(name).ok().and_then(|address| probe(&address).ok());
    if found != Some(Found::Dead) {
        return Burial::Alive;
    }
    match directory.unlink(name) {
        Ok(()) => {
            tracing::debug!(?name, "removed a dead process's socket");
            Burial::Buried
        }
        Err(GroupError::Anothers { .. }) => Burial::Anothers,
        Err(_) => Burial::Alive,
    }
}

/// Whether a socket in a directory that is shared with a group was bound a moment ago, and has not
/// been opened to the group yet.
pub(super) fn is_young_and_closed(at: &Address) -> bool {
    let Ok(file) = lstat(at.path()) else { return false };
    let made = Duration::new(file.st_mtime.try_into().unwrap_or(0), file.st_mtime_nsec as u32);
    // So ours are bound; those of C processes, which stay closed, are not.
    file.st_mode & 0o777 == 0o600 && age(made).is_some_and(|age| age <= SETTLED)
}

fn is_settled(directory: &Directory, name: &OsStr) -> bool {
    directory.made_at(name).ok().and_then(age).is_some_and(|age| age > SETTLED)
}

fn age(made: Duration) -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(made)
}
