//! Who joins a group and who leaves it, as it happens.
//!
//! It waits for what the kernel tells: of the runtime directory (`inotify(7)`) and of the members'
//! [`Processes`]; [`Pace`] says when to look at what it tells nothing of. Who is dead `liveness`
//! tells, and who is listed the [`Roster`].

mod pace;
mod processes;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
    io::Errno,
};

use self::{pace::Pace, processes::Processes};
use crate::{
    group::{
        Group, GroupError, Member, Roster,
        stale::{Burial, bury},
    },
    sys::Deadline,
};

/// Tells who joins a primary's group and who leaves it.
///
/// First it tells of everybody who is there already. It asks nobody: it watches the runtime
/// directory (`inotify(7)`) and the members' processes (`pidfd_open(2)`), so that a killed member
/// is told of too; its socket file is removed then. While nothing happens it takes no time.
///
/// Of a process in another pid namespace the kernel tells nothing, and one descriptor a member is
/// spent only up to a quarter of this process's limit of open files (`RLIMIT_NOFILE`; a warning is
/// traced where that is not enough). Members of either kind are looked at twice a second, and less
/// often if they are thousands.
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
    processes: Processes,
    /// Members of which it is not certain whether they are dead: they are looked at next.
    suspects: BTreeSet<OsString>,
    pace: Pace,
    untold: VecDeque<Change>,
}

/// A change in who is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It has joined, or was there when the watch began.
    Joined(Member),
    /// It has left, or its process has died.
    Left(Member),
}

impl Watch {
    pub(crate) fn new(group: Group, roster: Roster) -> Result<Self, GroupError> {
        let directory = watch_directory(&group)?;
        let (known, processes, suspects, untold) = Default::default();
        let pace = Pace::new();
        let mut this = Self { group, roster, directory, known, processes, suspects, pace, untold };
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
        let now = Instant::now();
        let wait = self.pace.wait(now).unwrap_or(Duration::MAX).min(deadline.left_at(now));
        let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let directory = PollFd::new(&self.directory, PollFlags::IN);
        let mut polled: Vec<_> = std::iter::once(directory).chain(self.processes.poll_fds()).collect();
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(source) => return Err(self.error(source)),
        }
        let ended: Vec<_> = polled.iter().skip(1).map(|process| !process.revents().is_empty()).collect();
        for name in self.processes.take_ended(&ended) {
            if self.bury(&name) == Burial::Undecided {
                self.suspects.insert(name);
            }
        }
        self.drain()?;
        Ok(!deadline.is_over())
    }

    /// Compares who is there with who was.
    fn look(&mut self) -> Result<(), GroupError> {
        let now = Instant::now();
        let mut members = match self.roster.members(&self.group) {
            // The program has used up its descriptors: until it closes some, nobody is seen.
            Err(error) if is_shortage(&error) => {
                self.pace.looked(now, true, self.unwatched());
                return Ok(());
            }
            members => members?,
        };
        let (is_round, is_retry) = (self.pace.is_round(now), self.pace.is_retry(now));
        self.suspects.retain(|name| members.iter().any(|member| member.address().file_name() == name));
        members.retain(|member| self.is_there(member.address().file_name(), is_round, is_retry));
        if is_round {
            // Others may have left since there was no descriptor to spare for these.
            let unwatched = members.iter().filter(|member| !self.processes.has(member.address().file_name()));
            unwatched.cloned().collect::<Vec<_>>().iter().for_each(|member| self.processes.watch(member));
        }
        let changes = self.known.update(members);
        for change in &changes {
            match change {
                Change::Joined(member) => self.processes.watch(member),
                Change::Left(member) => self.processes.unwatch(member.address().file_name()),
            }
        }
        self.untold.extend(changes);
        self.pace.looked(now, !self.suspects.is_empty(), self.unwatched());
        Ok(())
    }

    /// Whether one that is listed counts as a member. One that may be dead, or not be bound yet,
    /// stays what it was until that is certain.
    fn is_there(&mut self, name: &OsStr, is_round: bool, is_retry: bool) -> bool {
        let is_known = self.known.has(name);
        let is_looked_at = match self.suspects.contains(name) {
            true => is_retry,
            false => !is_known || is_round && !self.processes.has(name),
        };
        if !is_looked_at {
            return is_known;
        }
        match self.bury(name) {
            Burial::Undecided => {
                self.suspects.insert(name.to_owned());
                is_known
            }
            decided => {
                self.suspects.remove(name);
                decided == Burial::Alive
            }
        }
    }

    /// How many known members are not watched: their ends are not told.
    fn unwatched(&self) -> usize {
        self.known.0.len().saturating_sub(self.processes.len())
    }

    fn bury(&self, name: &OsStr) -> Burial {
        bury(&self.group, &self.roster.directory, name)
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

/// Whether the system is short of something, and may not be in a moment.
fn is_shortage(error: &GroupError) -> bool {
    let GroupError::Io { source, .. } = error else { return false };
    let errno = Errno::from_io_error(source);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS))
}

fn watch_directory(group: &Group) -> Result<OwnedFd, GroupError> {
    use inotify::{CreateFlags, WatchFlags};
    let watch = || -> Result<OwnedFd, Errno> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ONLYDIR;
        // A socket is there a moment before it is opened to the group, which is when it joins.
        flags.set(WatchFlags::ATTRIB, group.is_shared());
        inotify::add_watch(&fd, group.dir(), flags)?;
        Ok(fd)
    };
    watch().map_err(|source| GroupError::Io {
        what: "watch the runtime directory",
        path: group.dir().to_owned(),
        source: source.into(),
    })
}

/// Who was there when it was last looked.
#[derive(Debug, Default)]
struct Known(BTreeMap<OsString, Member>);

impl Known {
    fn has(&self, name: &OsStr) -> bool {
        self.0.contains_key(name)
    }

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
