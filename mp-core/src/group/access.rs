//! Whose a group's directory may be, and to whom its sockets are open: to one user, or to those of
//! a system group, by choice.
//!
//! In a directory that is shared with a group the sticky bit keeps members from each other's
//! sockets; only the directory's owner and root can remove those of others.

use std::{os::fd::AsRawFd, path::Path};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat, chmod, chownat, fstat, open},
    io::Errno,
    process::{Gid, getegid, geteuid, getgroups},
};

use super::GroupError;
use crate::sys::{Address, FileUser};

/// To whom a group's directory and sockets are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// To this user.
    #[default]
    Private,
    /// To the members of this system group.
    SharedWith(u32),
    /// To this other user, beside whose processes this one is, as root.
    Beside(u32),
}

/// The directory's permission bits where it is shared: sticky, and closed to others.
pub(super) const SHARED: u32 = 0o1770;

/// What of a file's mode is permission.
const PERMISSION: u32 = 0o7777;
const SET_GROUP_ID: u32 = 0o2000;

impl Access {
    /// As whom files are made and found.
    pub(crate) fn file_user(self) -> FileUser {
        match self {
            Self::Private | Self::SharedWith(_) => FileUser::default(),
            Self::Beside(uid) => FileUser::with_uid(uid),
        }
    }

    pub(crate) fn shared_with(self) -> Option<u32> {
        match self {
            Self::SharedWith(gid) => Some(gid),
            Self::Private | Self::Beside(_) => None,
        }
    }

    /// Whether this process can do what that takes.
    pub(super) fn check_possible(self) -> Result<(), GroupError> {
        let uid = geteuid();
        match self {
            Self::SharedWith(gid) if !uid.is_root() && !is_in_group(gid) => {
                Err(GroupError::NotInGroup { gid, uid: uid.as_raw() })
            }
            Self::Beside(owner) if self.file_user().act(|| Ok(())).is_err() => {
                Err(GroupError::NotRoot { owner, uid: uid.as_raw() })
            }
            _ => Ok(()),
        }
    }

    /// Whether a directory may be the group's runtime directory, if `uid` asks.
    pub(super) fn check_directory(self, path: &Path, stat: &Stat, uid: u32) -> Result<(), GroupError> {
        let (mode, owner, gid) = (stat.st_mode & PERMISSION, stat.st_uid, stat.st_gid);
        let wanted_owner = match self {
            Self::Private => uid,
            Self::Beside(owner) => owner,
            // Set-group-ID does no harm: C processes' sockets get the group by it.
            Self::SharedWith(wanted) if mode & !SET_GROUP_ID == SHARED && gid == wanted => return Ok(()),
            Self::SharedWith(wanted) => {
                return Err(GroupError::NotShared { path: path.to_owned(), mode, gid, wanted });
            }
        };
        if owner != wanted_owner {
            return Err(GroupError::Owner { path: path.to_owned(), owner, uid: wanted_owner });
        }
        if mode & 0o077 != 0 {
            return Err(GroupError::Open { path: path.to_owned(), mode, gid });
        }
        Ok(())
    }

    /// Whether it may be the one above, which may be root's, and be read, but not changed, by
    /// others. Whoever owns the directory `below` could put another in its place there, too.
    pub(super) fn check_parent(
        self,
        path: &Path,
        stat: &Stat,
        uid: u32,
        below: u32,
    ) -> Result<(), GroupError> {
        let (mode, owner, gid) = (stat.st_mode & PERMISSION, stat.st_uid, stat.st_gid);
        if ![0, uid, below].contains(&owner) {
            return Err(GroupError::Owner { path: path.to_owned(), owner, uid });
        }
        if mode & 0o022 != 0 {
            return Err(GroupError::Open { path: path.to_owned(), mode, gid });
        }
        Ok(())
    }
}

/// Why a directory could not be opened, if that is because it is shared with a group that this process
/// is not in.
pub(super) fn outside(path: &Path, stat: &Stat, source: Errno) -> Option<GroupError> {
    let (owner, gid, uid) = (stat.st_uid, stat.st_gid, geteuid().as_raw());
    let is_shared = stat.st_mode & PERMISSION & !SET_GROUP_ID == SHARED;
    (is_shared && owner != uid && !is_in_group(gid)).then(|| GroupError::Outside {
        path: path.to_owned(),
        owner,
        gid,
        uid,
        source: source.into(),
    })
}

fn is_in_group(gid: u32) -> bool {
    getegid().as_raw() == gid
        || getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

/// Opens a socket that this process has bound to the members of a group.
///
/// The directory's owner can put another file in its place at any moment: what is changed is what
/// was looked at, and that is a socket of this user's which is nowhere else.
pub(super) fn open_to_group(address: &Address, gid: u32) -> Result<(), Errno> {
    let file = open(address.path(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let stat = fstat(&file)?;
    let is_socket = FileType::from_raw_mode(stat.st_mode) == FileType::Socket;
    if !is_socket || stat.st_uid != geteuid().as_raw() || stat.st_nlink != 1 {
        return Err(Errno::STALE);
    }
    if stat.st_gid != gid {
        chownat(&file, c"", None, Some(Gid::from_raw(gid)), AtFlags::EMPTY_PATH)?;
    }
    // The group first: no other gets in meanwhile. A descriptor that is for the path only can be
    // changed no other way.
    chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), Mode::from_raw_mode(0o660))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::{
            fs::{MetadataExt, symlink},
            net::UnixDatagram,
        },
    };

    use super::*;

    #[test]
    fn only_the_socket_that_was_bound_is_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let address = |name: &str| Address::new(&path(name)).expect("a short path");
        let gid = getegid().as_raw();
        let _socket = UnixDatagram::bind(path("socket")).expect("a free path");
        fs::set_permissions(path("socket"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("ours");
        symlink(path("socket"), path("link")).expect("a free path");
        fs::write(path("file"), "").expect("a free path");
        for other in ["link", "file"] {
            assert!(open_to_group(&address(other), gid).is_err(), "{other}");
        }
        // A second name of a socket that is somewhere else.
        fs::hard_link(path("socket"), path("second")).expect("a free path");
        assert_eq!(open_to_group(&address("second"), gid), Err(Errno::STALE));
        let mode = || fs::metadata(path("socket")).expect("it is there").mode() & PERMISSION;
        assert_eq!(mode(), 0o600, "nothing has been opened");
        fs::remove_file(path("second")).expect("it is there");
        assert_eq!(open_to_group(&address("socket"), gid), Ok(()));
        assert_eq!(mode(), 0o660);
    }

    #[test]
    fn whose_the_directories_may_be() {
        const OWN: u32 = 7;
        let stat = |owner: u32, gid: u32, mode: u32| {
            let mut stat = rustix::fs::stat("/").expect("it is there");
            (stat.st_uid, stat.st_gid, stat.st_mode) = (owner, gid, mode);
            stat
        };
        let path = Path::new("/run/dpdk/rte");
        let ok = |access: Access, owner, gid, mode| {
            access.check_directory(path, &stat(owner, gid, mode), OWN).is_ok()
        };
        for (access, owner, gid, mode, expected) in [
            (Access::Private, OWN, 1, 0o40700, true),
            (Access::Private, 8, 1, 0o40700, false),
            (Access::Private, OWN, 1, 0o41770, false),
            (Access::Beside(8), 8, 1, 0o40700, true),
            (Access::Beside(8), OWN, 1, 0o40700, false),
            (Access::Beside(8), 8, 1, 0o40770, false),
            (Access::SharedWith(1), 8, 1, 0o41770, true),
            (Access::SharedWith(1), 8, 1, 0o43770, true),
            (Access::SharedWith(1), 8, 2, 0o41770, false),
            (Access::SharedWith(1), OWN, 1, 0o40770, false),
            (Access::SharedWith(1), OWN, 1, 0o41777, false),
        ] {
            assert_eq!(ok(access, owner, gid, mode), expected, "{access:?} {owner} {gid} {mode:o}");
        }
        let ok = |owner, mode| Access::Private.check_parent(path, &stat(owner, 1, mode), OWN, 8).is_ok();
        assert!(ok(0, 0o40755) && ok(OWN, 0o40755) && ok(8, 0o40711));
        assert!(!ok(9, 0o40755) && !ok(OWN, 0o40775) && !ok(0, 0o41777));
    }
}
