//! Looks into groups without joining them: which there are, and who is in each.
//!
//! Nothing is sent, bound, locked or removed, and no member notices. What is told may be over a
//! moment later.

mod survey;

use std::{
    ffi::{OsStr, OsString},
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

pub use super::location::{Base, BaseRule};
pub(crate) use survey::elsewhere;
pub use survey::{Survey, groups, survey};

use crate::{
    group::{Found, Group as Groups, GroupError, Location, MemberName, Reserved, probe, process::holds},
    sys::Address,
    wire::Layout,
};

/// A group, as its runtime directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its runtime directory.
    pub dir: PathBuf,
    /// The DPDK that made the directory, or made its `config` last. `None` if that was none, or one
    /// before 20.02, which does not tell.
    pub dpdk: Option<DpdkVersion>,
    /// How its datagrams are laid out; `None` if its `config` file cannot be understood, so that
    /// nobody can tell.
    pub layout: Option<Layout>,
    /// Who has joined, the primary first, then by socket name.
    pub members: Vec<Member>,
}

/// One socket of a group on which messages are received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// What it is in the group.
    pub role: Role,
    /// Its process: a DPDK primary's by its lock on `config`; else, while it lives, the one that
    /// the socket's name or the primary's word tells, if that process is seen to hold the socket.
    /// `None` if nobody is: it may be in another pid namespace, or another user's. Of a stale one
    /// it is the pid in the name.
    pub pid: Option<u32>,
    /// The user who owns the socket's file.
    pub uid: u32,
    /// Where it is bound.
    pub socket: PathBuf,
    /// Whether a process holds the socket. If not, the file is stale.
    pub alive: bool,
}

/// What a member is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Bound at `mp_socket`.
    Primary,
    /// Bound at `mp_socket_*`.
    Secondary,
}

/// A version of DPDK, as a `config` file tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DpdkVersion {
    /// The year, less 2000.
    pub year: u8,
    /// The month.
    pub month: u8,
    /// The number of the stable release; 0 for the first.
    pub minor: u8,
    /// 99 for a release; less for a release candidate, whose number it is.
    pub release: u8,
}

impl Group {
    /// Looks into the group with this `--file-prefix`, where DPDK's rules put it.
    ///
    /// # Errors
    ///
    /// [`GroupError`]; [`GroupError::is_absent`] if there is no such group.
    pub fn with_file_prefix(file_prefix: impl Into<OsString>) -> Result<Self, GroupError> {
        Self::locate(&Location::Prefix(file_prefix.into()))
    }

    /// Looks into the group of this runtime directory.
    ///
    /// # Errors
    ///
    /// [`GroupError`]; [`GroupError::is_absent`] if there is no such directory.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Result<Self, GroupError> {
        Self::locate(&Location::Dir(dir.into()))
    }

    /// The last part of the directory: what DPDK calls the `--file-prefix`.
    #[must_use]
    pub fn file_prefix(&self) -> &OsStr {
        self.dir.file_name().unwrap_or_default()
    }

    /// The process that is bound at `mp_socket`, or has left its file there.
    #[must_use]
    pub fn primary(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.role == Role::Primary)
    }

    fn locate(location: &Location) -> Result<Self, GroupError> {
        let group = Groups::locate(location)?;
        let directory = group.look()?;
        let dpdk = directory.dpdk_version().ok().flatten().and_then(DpdkVersion::of_word);
        let layout = directory.layout().ok();

        let secondaries = directory.sockets().map_err(|error| group.explain(error))?;
        let mut secondaries: Vec<_> =
            secondaries.iter().filter(|name| Reserved::of(name) == Some(Reserved::Secondary)).collect();
        secondaries.sort();
        let secondaries = secondaries.into_iter().filter_map(|name| {
            let pid = MemberName::parse(name).map(|name| name.pid);
            Member::at(Role::Secondary, &group.address(name).ok()?, None, pid)
        });
        // The kernel says 0 for a process of another pid namespace.
        let locks = directory.dpdk_primary().ok().flatten().filter(|pid| *pid != 0);
        let primary = Member::at(Role::Primary, group.primary(), locks, directory.read_owner());
        let members = primary.into_iter().chain(secondaries).collect();
        Ok(Self { dir: group.dir().to_owned(), dpdk, layout, members })
    }
}

impl Member {
    /// `None` if nothing is there any more. The pid is certain, or only said to be its.
    fn at(role: Role, address: &Address, certain: Option<u32>, said: Option<u32>) -> Option<Self> {
        let socket = address.path().to_owned();
        let uid = fs::symlink_metadata(&socket).ok()?.uid();
        // A socket that cannot be reached (EACCES) is not proven dead.
        let alive = match probe(address) {
            Ok(Found::Live) | Err(_) => true,
            Ok(Found::Dead) => false,
            Ok(Found::Nothing) => return None,
        };
        let pid = certain.or_else(|| said.filter(|pid| !alive || holds(*pid, &socket)));
        Some(Self { role, pid, uid, socket, alive })
    }
}

impl DpdkVersion {
    /// `None` for the word of a DPDK before 20.02, which is something else.
    pub(crate) fn of_word(word: u32) -> Option<Self> {
        let [year, month, minor, release] = word.to_be_bytes();
        (year >= 20).then_some(Self { year, month, minor, release })
    }
}

/// As `rte_version()` has it: `22.11.11`, `26.07.0-rc2`.
impl fmt::Display for DpdkVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, minor, release } = self;
        write!(f, "{year:02}.{month:02}.{minor}")?;
        if *release < 99 { write!(f, "-rc{release}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::group::private_dir;
    use crate::role::{Primary, Secondary};

    #[test]
    fn a_group_without_dpdk_tells_its_members() {
        let dir = private_dir();
        let primary = Primary::builder("g").runtime_dir(dir.path()).start().unwrap();
        let secondary = Secondary::builder("g").runtime_dir(dir.path()).start().unwrap();
        drop(UnixDatagram::bind(dir.path().join("mp_socket_4000000_f")).unwrap());

        let group = Group::in_dir(dir.path()).unwrap();
        assert_eq!((group.dpdk, group.layout), (None, Some(Layout::Bytes332)));
        let [first, second, third] = &group.members[..] else { panic!("{:?}", group.members) };
        assert_eq!((first.role, first.pid, first.alive), (Role::Primary, Some(std::process::id()), true));
        assert_eq!(first.socket, primary.address().path());
        assert_eq!(first.uid, crate::sys::Credentials::own().uid);
        let stale = if second.alive { third } else { second };
        let alive = if second.alive { second } else { third };
        assert_eq!(
            (alive.pid, alive.socket.as_path()),
            (Some(std::process::id()), secondary.address().path())
        );
        assert_eq!((stale.pid, stale.alive), (Some(4_000_000), false));
        assert!(stale.socket.exists(), "looking removes nothing");
    }

    #[test]
    fn what_is_not_there_is_absent() {
        let dir = private_dir();
        assert!(Group::in_dir(dir.path().join("none")).unwrap_err().is_absent());
        assert_eq!(Group::in_dir(dir.path()).unwrap().members, []);
    }

    #[test]
    fn the_version_tells_the_layout() {
        let dir = private_dir();
        let written = |word: u32| {
            let config = [19_820_526_u32.to_ne_bytes(), word.to_ne_bytes()].concat();
            fs::write(dir.path().join("config"), config).unwrap();
            let group = Group::in_dir(dir.path()).unwrap();
            (group.dpdk.map(|version| version.to_string()), group.layout)
        };
        assert_eq!(written(0x160b_0b63), (Some("22.11.11".into()), Some(Layout::Bytes332)));
        assert_eq!(written(0x1a07_0002), (Some("26.07.0-rc2".into()), Some(Layout::Bytes340)));
        assert_eq!(written(4), (None, Some(Layout::Bytes332)));
        fs::write(dir.path().join("config"), "nothing of DPDK's").unwrap();
        assert_eq!(Group::in_dir(dir.path()).unwrap().layout, None);
    }
}
