//! All groups of this host: where they may be, and those that may not be looked into.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use super::Group;
use crate::group::{GroupError, Reserved, SocketName};

/// What a look at the whole host finds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Survey {
    /// The groups that this user may look into, sorted by directory.
    pub groups: Vec<Group>,
    /// Why each of the others cannot be looked into, sorted by directory.
    pub unreadable: Vec<(PathBuf, GroupError)>,
}

/// The groups of this host that this user may look into, sorted by directory; see [`survey`] for
/// the others.
#[must_use]
pub fn groups() -> Vec<Group> {
    survey().groups
}

/// The groups of this host.
///
/// Those are: what is below the directories that DPDK may choose for this or another user or
/// service, alive or not; and, wherever it is, every directory that the kernel knows a bound
/// `mp_socket` in.
#[must_use]
pub fn survey() -> Survey {
    let candidates = bases().into_iter().flat_map(|base| entries(&base.join("dpdk")));
    // One directory may have several names.
    let (mut seen, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    let mut survey = Survey::default();
    for dir in candidates.chain(bound_directories()) {
        let is_new = match fs::metadata(&dir) {
            Ok(metadata) => metadata.is_dir() && seen.insert((metadata.dev(), metadata.ino())),
            // It is below a directory that may not be entered.
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied && unseen.insert(dir.clone()),
        };
        if is_new {
            survey.look_into(dir);
        }
    }
    survey.groups.sort_by(|a, b| a.dir.cmp(&b.dir));
    survey.unreadable.sort_by(|(a, _), (b, _)| a.cmp(b));
    survey
}

/// Other runtime directories of the same file-prefix, which have a live primary or may not be looked
/// into; not more than who was looking for one can make use of.
pub(crate) fn elsewhere(dir: &Path) -> Vec<PathBuf> {
    const AT_MOST: usize = 4;
    let Survey { groups, unreadable } = survey();
    let alive = |group: &Group| group.primary().is_some_and(|primary| primary.alive);
    let alive = groups.into_iter().filter(alive).map(|group| group.dir);
    let found = alive.chain(unreadable.into_iter().map(|(dir, _)| dir));
    let here = fs::canonicalize(dir).ok();
    let is_another = |found: &PathBuf| {
        let is_here = found == dir || here.is_some() && fs::canonicalize(found).ok() == here;
        found.file_name() == dir.file_name() && !is_here
    };
    found.filter(is_another).take(AT_MOST).collect()
}

impl Survey {
    fn look_into(&mut self, dir: PathBuf) {
        match Group::in_dir(&dir) {
            Ok(group) if group.members.is_empty() && !group.dir.join("config").exists() => {}
            Ok(group) => self.groups.push(group),
            Err(error) if error.is_absent() => {}
            Err(error) => self.unreadable.push((dir, error)),
        }
    }
}

/// Where a `dpdk` directory may be: this process's own choice first, since one directory may have
/// several names.
fn bases() -> Vec<PathBuf> {
    let own = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].into_iter().filter_map(env::var_os);
    let own = own.filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let usual = ["/var/run", "/tmp"].map(PathBuf::from);
    // Those of other users, and of services that systemd made one for.
    let others = ["/run/user", "/run"].into_iter().flat_map(|dir| entries(Path::new(dir)));
    own.chain(usual).chain(others).collect()
}

/// What is in a directory; nothing if that may not be read.
fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The directories in which somebody is bound to a name that members have.
fn bound_directories() -> Vec<PathBuf> {
    let sockets = fs::read("/proc/net/unix").unwrap_or_default();
    sockets.split(|byte| *byte == b'\n').filter_map(directory_of_member).collect()
}

/// The directory of the socket in a line of `/proc/net/unix`, if that may be a member's.
fn directory_of_member(line: &[u8]) -> Option<PathBuf> {
    // The path comes last, and no field before it has a slash.
    let path = Path::new(OsStr::from_bytes(&line[line.iter().position(|byte| *byte == b'/')?..]));
    let name = path.file_name()?;
    let member = name == SocketName::PRIMARY || Reserved::of(name) == Some(Reserved::Secondary);
    member.then(|| path.parent().map(Path::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Primary;

    #[test]
    fn a_group_is_found_wherever_it_is() {
        let dir = crate::group::private_dir();
        let _primary = Primary::builder("g").runtime_dir(dir.path()).start().unwrap();
        assert!(groups().iter().any(|group| group.dir == dir.path()));
    }

    #[test]
    fn lines_of_the_kernel_tell_members_only() {
        let line = |path: &str| format!("0000000000000000: 00000002 00000000 00000000 0002 01  4711 {path}");
        let of = |path: &str| directory_of_member(line(path).as_bytes());
        assert_eq!(of("/run/a b/mp_socket"), Some("/run/a b".into()));
        assert_eq!(of("/x/mp_socket_7_f"), Some("/x".into()));
        for other in ["", "@/x/mp_reply_7_f", "/x/mp_reply_7_f", "/x/mp_socketeer", "/run/log"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
