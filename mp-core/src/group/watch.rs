use std::{
    collections::{BTreeMap, VecDeque},
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::{
    group::{Found, Group, GroupError, Member, Roster, probe, remove_dead_member},
    sys::Deadline,
};

/// Tells who joins a primary's group and who leaves it.
///
/// First it tells of everybody who is there already. It asks nobody: it watches
/// the runtime directory (`inotify(7)`) and the members' processes
/// (`pidfd_open(2)`), so that a killed member is told of too; its socket file is
/// removed then. While nothing happens it takes no time.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Change, Primary, Secondary};
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let mut watch = primary.watch()?;
/// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
/// let joined = watch.next(Duration::from_secs(1))?;
/// assert!(matches!(joined, Some(Change::Joined(member)) if member.address() == secondary.address()));
/// drop(secondary);
/// assert!(matches!(watch.next(Duration::from_secs(1))?, Some(Change::Left(_))));
/// assert_eq!(watch.next(Duration::ZERO)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    group: Group,
    roster: Roster,
    directory: OwnedFd,
    known: Known,
    /// The processes of known members, where they can be watched.
    processes: BTreeMap<OsString, OwnedFd>,
    untold: VecDeque<Change>,
}

/// A change in who is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It has joined, or was there when the watch began.
    Joined(Member),
    /// It has left, or its process has died.
    Left(Member),
}

impl Watch {
    pub(crate) fn new(group: Group, roster: Roster) -> Result<Self, GroupError> {
        let directory = watch_directory(&group)?;
        let (known, processes, untold) = Default::default();
        let mut this = Self { group, roster, directory, known, processes, untold };
        this.look()?;
        Ok(this)
    }

    /// The next change; `None` if there is none within `timeout`.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be looked at any more.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Change>, GroupError> {
        let deadline = Deadline::after(timeout);
        loop {
            if let Some(change) = self.untold.pop_front() {
                return Ok(Some(change));
            }
            let in_time = self.wait(deadline)?;
            self.look()?;
            if self.untold.is_empty() && !in_time {
                return Ok(None);
            }
        }
    }

    /// Waits until something may have changed; `false` if the deadline has passed.
    fn wait(&mut self, deadline: Deadline) -> Result<bool, GroupError> {
        let left = deadline.left();
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let watched = std::iter::once(&self.directory).chain(self.processes.values());
        let mut polled: Vec<_> = watched.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(self.error(source)),
        }
        let dead = polled.iter().skip(1);
        let dead: Vec<_> =
            dead.zip(self.processes.keys()).filter(|(fd, _)| !fd.revents().is_empty()).collect();
        let dead: Vec<OsString> = dead.into_iter().map(|(_, name)| name.clone()).collect();
        for name in dead {
            self.processes.remove(&name);
            self.bury(&name);
        }
        self.drain()?;
        Ok(!deadline.is_over())
    }

    /// Compares who is there with who was.
    fn look(&mut self) -> Result<(), GroupError> {
        let mut members = self.roster.members(&self.group)?;
        // Of those whose processes are not watched, some may be sockets that
        // nobody holds any more.
        members.retain(|member| {
            let name = member.address().file_name();
            self.processes.contains_key(name) || !self.bury(name)
        });
        let changes = self.known.update(members);
        for change in &changes {
            match change {
                Change::Joined(member) => {
                    if let Some(process) = process_of(member) {
                        self.processes.insert(member.address().file_name().to_owned(), process);
                    }
                }
                Change::Left(member) => {
                    self.processes.remove(member.address().file_name());
                }
            }
        }
        self.untold.extend(changes);
        Ok(())
    }

    /// Removes the socket of a member whose process has ended, unless another
    /// holds it: the pid may be one of another namespace. Tells whether it was dead.
    fn bury(&self, name: &OsStr) -> bool {
        let address = self.group.address(name);
        let seems_dead = address.is_ok_and(|address| matches!(probe(&address), Ok(Found::Dead)));
        // One that is just being bound seems dead, too: under the lock it is not.
        seems_dead && remove_dead_member(&self.group, &self.roster.directory, name)
    }

    /// Reads what has been told: only that there was something counts.
    fn drain(&self) -> Result<(), GroupError> {
        loop {
            match rustix::io::read(&self.directory, &mut [0; 4096]) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(source) => return Err(self.error(source)),
            }
        }
    }

    fn error(&self, source: Errno) -> GroupError {
        let path = self.group.dir().to_owned();
        GroupError::Io { what: "watch the runtime directory", path, source: source.into() }
    }
}

fn watch_directory(group: &Group) -> Result<OwnedFd, GroupError> {
    use inotify::{CreateFlags, WatchFlags};
    let watch = || -> Result<OwnedFd, Errno> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ONLYDIR;
        inotify::add_watch(&fd, group.dir(), flags)?;
        Ok(fd)
    };
    watch().map_err(|source| GroupError::Io {
        what: "watch the runtime directory",
        path: group.dir().to_owned(),
        source: source.into(),
    })
}

/// The member's process, to be told of its end. A member of another pid
/// namespace has none here that is its own; [`Watch::bury`] minds that.
fn process_of(member: &Member) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(member.pid()?).ok()?)?;
    pidfd_open(pid, PidfdFlags::NONBLOCK).ok()
}

/// Who was there when it was last looked.
#[derive(Debug, Default)]
struct Known(BTreeMap<OsString, Member>);

impl Known {
    fn update(&mut self, now: Vec<Member>) -> Vec<Change> {
        let now = now.into_iter().map(|member| (member.address().file_name().to_owned(), member)).collect();
        let before = std::mem::replace(&mut self.0, now);
        let left = before.iter().filter(|(name, _)| !self.0.contains_key(*name));
        let joined = self.0.iter().filter(|(name, _)| !before.contains_key(*name));
        left.map(|(_, member)| Change::Left(member.clone()))
            .chain(joined.map(|(_, member)| Change::Joined(member.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sys::Address;

    fn member(name: &str) -> Member {
        Member::new(Address::new(&Path::new("/tmp").join(name)).expect("short"))
    }

    #[test]
    fn only_changes_are_told() {
        let mut known = Known::default();
        let (a, b) = (member("mp_socket_1_a"), member("mp_socket_2_b"));
        assert_eq!(known.update(vec![a.clone()]), [Change::Joined(a.clone())]);
        assert_eq!(known.update(vec![a.clone()]), []);
        assert_eq!(known.update(vec![b.clone()]), [Change::Left(a), Change::Joined(b.clone())]);
        assert_eq!(known.update(vec![]), [Change::Left(b)]);
    }
}
