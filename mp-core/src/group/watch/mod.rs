//! Who joins a group and who leaves it, as it happens.
//!
//! It waits for what the kernel tells ([`Signals`]): of the runtime directory and of the members'
//! [`Processes`]; [`Pace`] says when to look at what it tells nothing of. Who is dead `liveness`
//! tells, who is listed the [`Roster`], and what becomes of the primary, `primary` here.

mod change;
mod pace;
mod primary;
mod processes;
mod signals;
mod stream;
mod waking;

use std::{
    collections::{BTreeSet, VecDeque},
    ffi::{OsStr, OsString},
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use rustix::io::Errno;

pub use self::{change::Change, stream::Changes};
use self::{
    change::Known,
    pace::Pace,
    primary::PrimaryLife,
    processes::Processes,
    signals::{Signals, Told},
    waking::Waking,
};
use crate::{
    group::{
        Group, GroupError, Place, Roster, SocketName,
        process::Sockets,
        stale::{Burial, bury},
    },
    sys::{Deadline, Socket},
};

/// Tells who joins a group and who leaves it, and what becomes of its primary.
///
/// First it tells of everybody who is there already. It asks nobody: it watches the runtime
/// directory (`inotify(7)`) and the members' processes (`pidfd_open(2)`), so that a killed member
/// is told of too; its socket file is removed then. While nothing happens it takes no time.
///
/// There are four ways to wait for a change: as a `Stream` and by [`next`](Self::next) in a task of any
/// runtime, by [`next_within`](Self::next_within) with a deadline, in a `for` loop that blocks, or with the
/// descriptor that it is ([`AsFd`]) in an event loop of one's own: that is readable while there is something to be
/// told, which `next_within(Duration::ZERO)` then does.
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
/// let joined = watch.next_within(Duration::from_secs(1))?;
/// assert!(matches!(joined, Some(Change::Joined(member)) if member.address() == secondary.address()));
/// drop(secondary);
/// assert!(matches!(watch.next_within(Duration::from_secs(1))?, Some(Change::Left(_))));
/// assert_eq!(watch.next_within(Duration::ZERO)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What a secondary or a client has of its primary is void when that is gone, or another:
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::collections::HashMap;
/// use mp_core::{Change, Primary, Secondary};
///
/// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
/// let mut watch = secondary.watch()?;
/// let mut rings = HashMap::from([(0, "mapped from the last primary")]);
/// # std::thread::spawn({ let dir = dir.path().to_owned(); move || {
/// #     for _ in 0..2 { drop(Primary::builder("example").runtime_dir(&dir).start()); }
/// # } });
/// for change in &mut watch {
///     let change = change?;
///     println!("{change}");
///     if change.ends_primary() {
///         rings.clear();
///         break;
///     }
/// }
/// assert!(rings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    group: Group,
    roster: Roster,
    signals: Signals,
    known: Known,
    primary: PrimaryLife,
    processes: Processes,
    /// Those of which it is not certain whether they are dead: they are looked at next.
    suspects: BTreeSet<OsString>,
    /// Whose process has ended, or was found dead, but whose end has not been told.
    ended: BTreeSet<OsString>,
    /// Who has left in order, but has not been told of.
    said_goodbye: BTreeSet<OsString>,
    is_removed: bool,
    pace: Pace,
    untold: VecDeque<Change>,
    /// Wakes the task that waits, if one ever has.
    waking: Option<Waking>,
    has_failed: bool,
}

impl Watch {
    /// `own` is the place of the primary that watches, if one does.
    pub(crate) fn new(group: Group, roster: Roster, own: Option<&Place>) -> Result<Self, GroupError> {
        let signals = Signals::new(group.dir(), group.is_shared()).map_err(|source| error(&group, source))?;
        let (known, processes, suspects, ended, said_goodbye, untold) = Default::default();
        let (primary, pace) = (own.map(PrimaryLife::own).unwrap_or_default(), Pace::new());
        let (is_removed, waking, has_failed) = (false, None, false);
        let mut this = Self {
            group,
            roster,
            signals,
            known,
            primary,
            processes,
            suspects,
            ended,
            said_goodbye,
            is_removed,
            pace,
            untold,
            waking,
            has_failed,
        };
        this.look()?;
        this.set_timer()?;
        Ok(this)
    }

    /// Waits for the next change, but not longer than this; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be looked at any more; [`is_absent`](GroupError::is_absent) if it
    /// has been removed.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Change>, GroupError> {
        let told = self.next_by(Deadline::after(timeout));
        self.has_failed = told.is_err();
        told
    }

    fn next_by(&mut self, deadline: Deadline) -> Result<Option<Change>, GroupError> {
        loop {
            if let Some(change) = self.untold.pop_front() {
                self.set_timer()?;
                return Ok(Some(change));
            }
            let in_time = self.wait(deadline)?;
            self.look()?;
            self.set_timer()?;
            if self.untold.is_empty() && !in_time {
                return Ok(None);
            }
        }
    }

    /// Waits until something may have changed; `false` if the deadline has passed.
    fn wait(&mut self, deadline: Deadline) -> Result<bool, GroupError> {
        let numbers = self.signals.wait(deadline.left()).map_err(|source| self.error(source))?;
        for number in numbers {
            let Some((name, is_its)) = self.processes.take_ended(number, &self.signals) else { continue };
            if is_its {
                self.ended.insert(name.clone());
            }
            if name != OsStr::new(SocketName::PRIMARY) && self.bury(&name) == Burial::Undecided {
                self.suspects.insert(name);
            }
        }
        Ok(!deadline.is_over())
    }

    /// The descriptor is readable, or becomes so, when there is something to tell or to look at.
    fn set_timer(&self) -> Result<(), GroupError> {
        let wait = if self.untold.is_empty() { self.pace.wait(Instant::now()) } else { Some(Duration::ZERO) };
        self.signals.wake_after(wait).map_err(|source| self.error(source))
    }

    /// Compares who is there with who was.
    fn look(&mut self) -> Result<(), GroupError> {
        let now = Instant::now();
        // What is told from here on makes for another look.
        self.hear()?;
        let listed = self.roster.members(&self.group);
        // A member that said goodbye before the list was made is not on it, and its end was told.
        self.hear()?;
        let mut members = match listed {
            // The program has used up its descriptors: until it closes some, nobody is seen.
            Err(error) if is_shortage(&error) => {
                self.pace.looked(now, true, self.unwatched());
                return Ok(());
            }
            // The kernel says so only once nobody has it open, as this watch does.
            _ if self.is_removed || self.roster.directory.is_removed() => {
                return Err(self.error(Errno::NOENT));
            }
            members => members?,
        };
        let (is_round, is_retry) = (self.pace.is_round(now), self.pace.is_retry(now));
        let sockets = Sockets::of_this_process();
        self.look_at_primary(is_round, is_retry);
        let primary = OsStr::new(SocketName::PRIMARY);
        self.suspects.retain(|name| {
            name == primary || members.iter().any(|member| member.address().file_name() == name)
        });
        members.retain(|member| self.is_there(member.address().file_name(), is_round, is_retry));
        if is_round {
            // Others may have left since there was no descriptor to spare for these.
            for member in &members {
                let name = member.address().file_name();
                if let (false, Some(pid)) = (self.processes.has(name), member.pid()) {
                    self.processes.watch(member.address(), pid, &self.signals, &sockets);
                }
            }
        }
        let (left, joined) = self.known.update(members);
        for member in left {
            let name = member.address().file_name();
            let died = self.has_died(name);
            self.processes.unwatch(name, &self.signals);
            self.untold.push_back(if died { Change::Died(member) } else { Change::Left(member) });
        }
        for member in joined {
            let name = member.address().file_name();
            self.forget(name);
            if let Some(pid) = member.pid() {
                self.processes.watch(member.address(), pid, &self.signals, &sockets);
            }
            self.untold.push_back(Change::Joined(member));
        }
        self.pace.looked(now, !self.suspects.is_empty(), self.unwatched());
        Ok(())
    }

    /// Takes what has been told of the directory: only who said goodbye counts, all else is looked at.
    fn hear(&mut self) -> Result<(), GroupError> {
        for told in self.signals.told().map_err(|source| self.error(source))? {
            match told {
                Told::Removed => self.is_removed = true,
                Told::Named(name) => {
                    if let Some(name) = SocketName::before_leaving(&name).map(OsString::from)
                        && (self.known.has(&name) || name == OsStr::new(SocketName::PRIMARY))
                    {
                        self.said_goodbye.insert(name);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether one whose file is gone, or dead, has died, and not left: it said no goodbye, and its process
    /// has ended. Where that cannot be seen, only a process in C may leave without a word.
    fn has_died(&mut self, name: &OsStr) -> bool {
        let has_ended = self.ended.contains(name) || self.processes.has_ended(name);
        let said_goodbye = self.said_goodbye.contains(name);
        let is_unseen = !self.processes.has(name) && name != OsStr::new(SocketName::PRIMARY);
        self.forget(name);
        !said_goodbye && (has_ended || is_unseen && !self.roster.directory.has_dpdk())
    }

    /// Forgets what was told of the last one of this name.
    fn forget(&mut self, name: &OsStr) {
        self.ended.remove(name);
        self.said_goodbye.remove(name);
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
        let known = self.known.len() + usize::from(self.primary.is_to_be_watched());
        known.saturating_sub(self.processes.len())
    }

    fn bury(&mut self, name: &OsStr) -> Burial {
        let burial = bury(&self.group, &self.roster.directory, name);
        if matches!(burial, Burial::Buried | Burial::Anothers) && self.known.has(name) {
            self.ended.insert(name.to_owned());
        }
        burial
    }

    fn error(&self, source: Errno) -> GroupError {
        error(&self.group, source)
    }
}

/// Readable while there is a change to be told, or something to look at; then
/// [`next_within`](Watch::next_within) with a timeout of zero tells it, or finds that there is none.
impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}

fn error(group: &Group, source: Errno) -> GroupError {
    let (what, path) = (why_not_watched(source), group.dir().to_owned());
    group.explain(GroupError::Io { what, path, source: source.into() })
}

/// What was tried, with which limit is in the way. `EMFILE` may be this process's or its user's.
fn why_not_watched(errno: Errno) -> &'static str {
    match errno {
        Errno::NOSPC => {
            "watch the runtime directory: this user's watches are used up, raise fs.inotify.max_user_watches"
        }
        Errno::MFILE if Socket::new().is_ok() => {
            "watch the runtime directory: this user's inotify instances are used up, raise fs.inotify.max_user_instances"
        }
        _ => "watch the runtime directory",
    }
}

/// Whether the system is short of something, and may not be in a moment.
fn is_shortage(error: &GroupError) -> bool {
    let errno = error.errno().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS))
}
