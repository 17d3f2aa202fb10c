//! The directory where the processes of a group meet.
//!
//! It knows DPDK's rules for finding it, who may own it, its lock, the names that sockets have in
//! it, which of them are dead, and which datagram layout the group speaks. It binds and connects
//! sockets but neither sends nor receives; `role`, `answer` and `ask` call it.

mod access;
mod bound;
mod config;
mod directory;
mod error;
mod in_process;
pub(crate) mod inspect;
mod liveness;
mod location;
mod member;
mod names;
mod private;
mod process;
mod roster;
mod sender;
mod spelling;
mod stale;
mod starter;
mod undelivered;
mod watch;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Once, OnceLock, PoisonError},
    time::Duration,
};

use rustix::io::Errno;

pub(crate) use access::Access;
pub(crate) use bound::{Bound, Place};
use directory::Lock;
pub(crate) use directory::{Directory, STARTING_PAUSE, Stamp};
pub(crate) use error::below;
pub use error::{BindError, GroupError, Holder};
pub use in_process::InProcess;
pub(crate) use liveness::{Found, Identity, PeerIdentity, identity, probe};
pub(crate) use location::Base;
pub(crate) use location::Location;
use location::Resolved;
pub use member::Member;
pub(crate) use names::{Family, MemberName, Reserved, SocketName};
pub(crate) use private::PrivateDirectory;
pub(crate) use roster::{NotPrimary, Roster};
pub(crate) use spelling::Spellings;
use stale::is_young_and_closed;
use starter::Starter;
pub(crate) use starter::UserChange;
pub(crate) use undelivered::Undelivered;
pub use watch::{Change, Changes, Watch};

use crate::sys::{Address, Deadline, MAX_PATH, PathTooLong, Socket};

/// How long joining may wait for the directory lock, which a C primary holds for the whole of a
/// sync request of its own.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// A group: where its directory is. Nothing of it is open.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    dir: PathBuf,
    /// What DPDK's rules chose, and with it the `dpdk` directory above this one, which is checked
    /// and made like it; `None` for a directory that the user named.
    base: Option<Base>,
    primary: Address,
    /// Which directories this role found absent, and made.
    made: Arc<Mutex<Vec<PathBuf>>>,
    /// How this role's sockets are called.
    family: Arc<Family>,
    /// How a secondary's socket was bound, and whether it has been told that this does not do.
    joined_as: Arc<OnceLock<(PathBuf, Once)>>,
    access: Access,
    starter: Starter,
    /// Names of members that are dead, but whose sockets this user may not remove.
    dead: Arc<OnceLock<Mutex<BTreeSet<OsString>>>>,
    /// Kept until the last user of a group within this process is gone.
    _private: Option<Arc<PrivateDirectory>>,
}

impl Group {
    pub(crate) fn locate(location: &Location) -> Result<Self, GroupError> {
        let Resolved { base, dir } = location.resolve()?;
        let private = location.private();
        // Where a primary's socket fits, a client's do.
        let primary = Address::new(&dir.join(SocketName::PRIMARY));
        let primary = primary.map_err(|error| GroupError::from(error).below(base.as_ref()))?;
        let (made, family) = (Arc::default(), Arc::new(Family::new()));
        let (joined_as, dead, access) = Default::default();
        let starter = Starter::here();
        Ok(Self { dir, base, primary, made, family, joined_as, access, starter, dead, _private: private })
    }

    /// Whether a secondary's socket fits, whose name is longer than the primary's.
    pub(crate) fn check_fits_secondary(&self) -> Result<(), GroupError> {
        self.secondary_in(&self.dir).map(drop)
    }

    /// The same, which is open to these. So far nothing of it has been looked at.
    pub(crate) fn open_to(self, access: Access) -> Result<Self, GroupError> {
        access.check_possible()?;
        Ok(Self { access, ..self })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn primary(&self) -> &Address {
        &self.primary
    }

    pub(crate) fn address(&self, name: impl AsRef<Path>) -> Result<Address, PathTooLong> {
        Address::new(&self.dir.join(name))
    }

    /// Opens the directory, made if need be, and checks that it is private.
    pub(crate) fn make(&self) -> Result<Directory, GroupError> {
        let above = self.base.as_ref().map(Base::parent);
        let absent: Vec<_> =
            above.into_iter().chain([self.dir.clone()]).filter(|dir| !dir.exists()).collect();
        let directory = self.checked(Directory::make_parent, Directory::make)?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).extend(absent);
        Ok(directory)
    }

    /// The same, locked, so that nobody removes it meanwhile.
    fn make_and_lock(&self) -> Result<(Directory, Lock), BindError> {
        loop {
            let directory = self.make()?;
            let lock = directory.lock(Deadline::after(LOCK_TIMEOUT))?;
            if !directory.is_removed() {
                return Ok((directory, lock));
            }
        }
    }

    /// Removes the directories that this role made, if they are empty: nobody has come.
    pub(crate) fn clean_up(&self, deadline: Deadline) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        if made.is_empty() {
            return;
        }
        // Whoever joins has the lock, and looks whether the directory is still there once it has.
        let directory = self.open().ok();
        let lock = directory.as_ref().map(|directory| directory.lock(deadline));
        if !matches!(lock, Some(Err(_))) {
            made.iter().rev().for_each(|dir| _ = rustix::fs::rmdir(dir));
        }
    }

    /// Where DPDK's rules put it, if they did.
    pub(crate) fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// Whether there is a primary that answers: not one that is still starting.
    pub(crate) fn has_live_primary(&self) -> Result<bool, GroupError> {
        let layout = self.open().and_then(|directory| directory.layout());
        match layout {
            Ok(_) => match probe(&self.primary) {
                Ok(found) => Ok(found == Found::Live),
                Err(error) => Err(self.explain(error)),
            },
            Err(error) if error.is_absent() || error.is_starting() => Ok(false),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Opens the directory and checks that it is private. [`GroupError::is_absent`] if there is
    /// none.
    pub(crate) fn open(&self) -> Result<Directory, GroupError> {
        self.checked(Directory::open_parent, Directory::open)
    }

    fn checked(
        &self,
        open_parent: impl Fn(&Path, Access) -> Result<Directory, GroupError>,
        open: impl Fn(&Path, Access) -> Result<Directory, GroupError>,
    ) -> Result<Directory, GroupError> {
        let checked = || {
            let parent = self.base.as_ref().map(|base| open_parent(&base.parent(), self.access));
            let parent = parent.transpose()?;
            let directory = open(&self.dir, self.access)?;
            parent.map_or(Ok(()), |parent| directory.check_below(&parent))?;
            directory.check()?;
            Ok(directory)
        };
        checked().map_err(|error: GroupError| self.explain(error))
    }

    /// Opens the directory as it is, for those who only look.
    fn look(&self) -> Result<Directory, GroupError> {
        Directory::open(&self.dir, Access::Private).map_err(|error| error.below(self.base.as_ref()))
    }

    /// Binds the primary's socket, taking over a dead primary's.
    pub(crate) fn bind_primary(&self) -> Result<(Directory, Bound), BindError> {
        self.become_primary().map_err(|error| error.below(self.base.as_ref()))
    }

    fn become_primary(&self) -> Result<(Directory, Bound), BindError> {
        let (directory, lock) = self.make_and_lock()?;
        if let Some(pid) = directory.dpdk_primary()? {
            return Err(self.has_primary(Holder::Dpdk { pid }));
        }
        match probe(&self.primary)? {
            Found::Live => {
                return Err(self.has_primary(Holder::Other { pid: directory.read_owner() }));
            }
            Found::Dead => directory.unlink(SocketName::PRIMARY)?,
            Found::Nothing => {}
        }
        stale::sweep(self, &directory, |name| Reserved::of(name).is_some());
        // Nobody can send in a group whose layout is unknown.
        directory.layout()?;
        // Who sees the socket come looks here who has it.
        directory.write_owner();
        let bound = self.bind(self.primary.clone()).inspect_err(|_| directory.remove_owner())?;
        drop(lock);
        Ok((directory, bound))
    }

    fn has_primary(&self, holder: Holder) -> BindError {
        BindError::PrimaryExists { dir: self.dir.clone(), holder, base: self.base.clone() }
    }

    /// Binds a secondary's socket, which is joining: C primaries send to it from now on.
    pub(crate) fn bind_secondary(&self) -> Result<Bound, BindError> {
        self.join().map_err(|error| error.below(self.base.as_ref()))
    }

    fn join(&self) -> Result<Bound, BindError> {
        let (directory, lock) = self.make_and_lock()?;
        if probe(&self.primary).is_ok_and(|found| found != Found::Live) {
            tracing::warn!(
                dir = %self.dir.display(),
                "there is no primary here yet: nobody answers until one comes; check the file-prefix"
            );
        }
        let dir = self.spelled_by_primary()?;
        if self.is_shared() {
            // What died of this user's nobody else may be allowed to remove.
            stale::sweep(self, &directory, |name| Reserved::of(name).is_some());
        }
        let bound = self.bind(self.secondary_in(&dir)?)?;
        let _ = self.joined_as.set((dir, Once::new()));
        drop(lock);
        Ok(bound)
    }

    /// Binds a socket that nobody broadcasts to, for replies to come to.
    pub(crate) fn bind_reply(&self) -> Result<Bound, GroupError> {
        self.open()?;
        // A short name may be in use.
        for _ in 0..SHORT_NAME_TRIES {
            match self.bind(self.reply_in(&self.dir)?) {
                Err(error) if error.errno() == Some(Errno::ADDRINUSE.raw_os_error()) => {}
                bound => return bound,
            }
        }
        self.bind(self.reply_in(&self.dir)?)
    }

    /// The same for a socket that is connected to the one peer which replies to it, and where that
    /// peer finds it. Bound last, it can receive from nobody else.
    pub(crate) fn bind_connected_reply(&self, connected: Socket, to: &Address) -> Result<Bound, GroupError> {
        let dir = self.spelled_by(to, &connected)?;
        if *to == self.primary {
            self.check_joined_as(&dir);
        }
        let mut address = self.reply_in(&dir)?;
        let mut tries = SHORT_NAME_TRIES;
        loop {
            // A short name may be in use.
            match self.try_bind(&connected, &address) {
                Err(Errno::ADDRINUSE) if tries > 0 => (tries, address) = (tries - 1, self.reply_in(&dir)?),
                Err(source) => return Err(self.bind_error(&address, source)),
                Ok(()) => return Ok(self.bound(connected, address)),
            }
        }
    }

    /// Removes a member's socket file, so that nobody sends to it any more.
    ///
    /// A DPDK primary holds the directory lock while it works through its list of members, and
    /// fails its whole request if a file on it is gone. One whose socket is closed it forgives, and
    /// removes. So a secondary that does not get the lock by `deadline` leaves its file behind. A
    /// primary that calls without a pause leaves it free for moments only.
    pub(crate) fn leave(&self, bound: &Bound, deadline: Deadline) {
        let directory = self.open().ok();
        let lock = directory.as_ref().map(|directory| directory.lock(deadline));
        if bound.address == self.primary {
            if bound.is_in_place() {
                directory.iter().for_each(Directory::remove_owner);
            }
        } else if matches!(lock, Some(Err(_)))
            && let Ok(dead) = self.reply_in(&self.dir)
        {
            return bound.abandon(dead);
        }
        bound.take_leave();
        bound.warn_if_left_behind();
    }

    /// Removes the reply sockets that died with their process.
    pub(crate) fn sweep_replies(&self) {
        if let Ok(directory) = self.open() {
            stale::sweep(self, &directory, |name| {
                matches!(Reserved::of(name), Some(Reserved::Reply | Reserved::Left))
            });
        }
    }

    fn bind(&self, address: Address) -> Result<Bound, GroupError> {
        let socket = Socket::to_bind().map_err(|source| self.bind_error(&address, source))?;
        let socket = socket.used_as(self.access.file_user());
        match self.try_bind(&socket, &address) {
            Ok(()) => Ok(self.bound(socket, address)),
            Err(source) => Err(self.bind_error(&address, source)),
        }
    }

    /// Where this role is bound in the directory, however that is spelled, if it is a secondary.
    fn secondary_in(&self, dir: &Path) -> Result<Address, GroupError> {
        let name = self.family.secondary(room_for_name(dir));
        self.fits(&dir.join(name.unwrap_or_else(|| SocketName::LONGEST.to_owned())))
    }

    /// The same of its next reply socket.
    fn reply_in(&self, dir: &Path) -> Result<Address, GroupError> {
        self.fits(&dir.join(self.family.reply(room_for_name(dir))))
    }

    fn fits(&self, path: &Path) -> Result<Address, GroupError> {
        Address::new(path).map_err(|error| self.explain(error.into()))
    }

    fn try_bind(&self, socket: &Socket, address: &Address) -> Result<(), Errno> {
        bound::bind(socket, address, self.access)
    }

    fn bound(&self, socket: Socket, address: Address) -> Bound {
        Bound::new(socket, address, self.access, self.starter.clone())
    }

    fn bind_error(&self, address: &Address, source: Errno) -> GroupError {
        let path = address.path().to_owned();
        self.explain(GroupError::Io { what: "bind a socket", path, source: source.into() })
    }

    /// The same error, with where the base directory came from: whatever this group's callers are told goes
    /// through here. Another, if this process has become another user, and that is why.
    pub(crate) fn explain(&self, error: GroupError) -> GroupError {
        self.starter.explain(error).below(self.base.as_ref())
    }

    /// Whether this process has become another user, which may be why it was refused something.
    pub(crate) fn user_change(&self) -> Option<UserChange> {
        self.starter.change()
    }

    /// A socket that is connected to a peer of the group, to be bound for its replies.
    pub(crate) fn connect(&self, to: &Address) -> Result<Socket, Errno> {
        Socket::connected(to, self.access.file_user())
    }

    /// Whether processes of several users may be in it.
    fn is_shared(&self) -> bool {
        self.access.shared_with().is_some()
    }

    /// Whether a socket has been bound so recently that it is not open to the group yet.
    pub(crate) fn is_opening(&self, at: &Address) -> bool {
        self.is_shared() && is_young_and_closed(at)
    }
}

/// How often another name is tried where names are so short that one may be in use.
const SHORT_NAME_TRIES: usize = 16;

fn room_for_name(dir: &Path) -> usize {
    MAX_PATH.saturating_sub(dir.as_os_str().len() + 1)
}

/// A directory that a group can be in.
#[cfg(test)]
pub(crate) fn private_dir() -> tempfile::TempDir {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir().expect("a temporary directory")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{inspect::BaseRule, *};

    /// One that DPDK's rules put below this base directory.
    fn below_a_base(dir: &Path) -> Group {
        let base = Base { dir: dir.to_owned(), rule: BaseRule::RuntimeDirectory };
        let group = Group::locate(&Location::Dir(base.parent().join("x"))).expect("a short path");
        Group { base: Some(base), ..group }
    }

    fn assert_told(what: &str, error: impl std::fmt::Display) {
        let error = error.to_string();
        assert!(
            error.contains(what) && error.contains("since $RUNTIME_DIRECTORY says so"),
            "{what}: {error}"
        );
    }

    #[test]
    fn every_step_in_the_directory_fails_with_where_the_base_directory_came_from() {
        let top = private_dir();
        let group = below_a_base(top.path());
        let (directory, bound) = group.bind_primary().expect("it is free");
        assert_told("already has a primary", group.bind_primary().expect_err("it is taken"));
        assert_told("bind a socket", group.bind(bound.address.clone()).expect_err("it is taken"));
        let elsewhere = Path::new("/").join("p".repeat(MAX_PATH));
        assert_told("107", group.secondary_in(&elsewhere).expect_err("it is too long"));

        let config = group.dir().join("config");
        fs::write(&config, "nothing of DPDK's").expect("the directory is ours");
        assert_told("magic number", group.has_live_primary().expect_err("the layout is unknown"));
        let roster = Roster::of_primary(directory, bound.place());
        let NotPrimary::Group(error) = roster.layout(&group).expect_err("the layout is unknown") else {
            panic!("nobody has taken its place");
        };
        assert_told("magic number", error);
        fs::remove_file(config).expect("it is there");

        drop(bound);
        symlink(SocketName::PRIMARY, group.primary().path()).expect("it is free");
        assert_told("probe a socket", group.has_live_primary().expect_err("it is a loop"));
        assert_told("probe a socket", group.bind_primary().expect_err("it is a loop"));

        let listing = Roster::new(group.open().expect("it is there"));
        let mut watch = Watch::new(group.clone(), listing, None).expect("it can be watched");
        fs::remove_dir_all(group.dir()).expect("it is ours");
        let mut told = || loop {
            match watch.next_within(Duration::from_secs(5)) {
                Ok(Some(_)) => {}
                ended => return ended,
            }
        };
        assert_told("watch the runtime directory", told().expect_err("it is gone"));
        assert_told("open the runtime directory", group.bind_reply().expect_err("it is gone"));
    }
}
