//! Where a primary finds its secondaries: the list of them, kept as long as the directory has
//! not changed. Whether they live it does not know; `liveness` tells, and `stale` removes them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Member;
use crate::{
    group::{Directory, Group, GroupError, Reserved, Stamp},
    wire::Layout,
};

/// The secondaries in a group's directory, which is listed anew when it has changed.
#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) directory: Directory,
    pub(crate) layout: Layout,
    listed: Mutex<Option<(Stamp, Vec<Member>)>>,
}

impl Roster {
    pub(crate) fn new(directory: Directory, layout: Layout) -> Self {
        Self { directory, layout, listed: Mutex::default() }
    }

    /// The members, by file name.
    pub(crate) fn members(&self, group: &Group) -> Result<Vec<Member>, GroupError> {
        // Read before listing: what changes meanwhile changes it again.
        let stamp = self.directory.stamp();
        match &*self.lock() {
            Some((of_list, members)) if Some(*of_list) == stamp => return Ok(members.clone()),
            _ => {}
        }
        let members = self.list(group)?;
        *self.lock() = stamp.map(|stamp| (stamp, members.clone()));
        Ok(members)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Stamp, Vec<Member>)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, group: &Group) -> Result<Vec<Member>, GroupError> {
        let names = self.directory.sockets()?;
        let members = names.iter().filter(|name| Reserved::of(name) == Some(Reserved::Secondary));
        // Nobody can be bound to a path that is too long to be an address.
        let members = members.filter_map(|name| group.address(name).ok()).map(Member::new);
        let mut members: Vec<_> = members.collect();
        members.sort_unstable_by(|a, b| a.address().file_name().cmp(b.address().file_name()));
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixDatagram};

    use super::*;
    use crate::group::Location;

    #[test]
    fn who_joins_or_leaves_is_seen_by_the_next_call() {
        let private = fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().permissions(private).tempdir().expect("a directory");
        let group = Group::locate(&Location::Dir(dir.path().to_owned())).expect("a short path");
        let roster = Roster::new(group.make().expect("a directory"), Layout::Bytes332);
        let count = || roster.members(&group).expect("a directory").len();
        for round in 0..500 {
            let path = dir.path().join(format!("mp_socket_1_{round:x}"));
            let _socket = UnixDatagram::bind(&path).expect("a free path");
            assert_eq!(count(), 1, "round {round}");
            if round % 100 == 0 {
                // From here on the list is kept, until the next change.
                while roster.directory.stamp().is_none() {}
                assert_eq!((count(), count()), (1, 1), "round {round}");
                assert!(roster.lock().is_some());
            }
            fs::remove_file(&path).expect("the file");
            assert_eq!(count(), 0, "round {round}");
        }
    }
}
