//! Where a primary finds its secondaries, and in which layout it may send to them: both kept as
//! long as the directory has not changed. Whether they live it does not know; `liveness` tells, and
//! `stale` removes them.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Member;
use crate::{
    group::{Directory, Group, GroupError, Place, Reserved, Stamp},
    wire::Layout,
};

/// Where a primary finds its secondaries: in the directory, which is listed anew when it has
/// changed.
///
/// Another may have taken the primary's place by then: a DPDK primary that starts removes
/// `mp_socket` and binds its own. So before a primary sends anything, to one member or to all, what
/// has changed is looked at, and the layout read anew.
#[derive(Debug)]
pub struct Roster {
    pub(crate) directory: Directory,
    /// The primary's own place.
    place: Option<Place>,
    state: Mutex<State>,
}

/// What holds as long as the directory does not change.
#[derive(Debug, Default)]
struct State {
    listed: Option<(Stamp, Vec<Member>)>,
    checked: Option<(Stamp, Layout)>,
}

/// Why a primary cannot send to its secondaries.
#[derive(Debug)]
pub(crate) enum NotPrimary {
    /// Another process has taken its place.
    Superseded {
        /// The runtime directory.
        dir: PathBuf,
    },
    /// The directory cannot be used.
    Group(GroupError),
}

impl NotPrimary {
    fn explained(self, group: &Group) -> Self {
        match self {
            Self::Group(error) => Self::Group(group.explain(error)),
            superseded @ Self::Superseded { .. } => superseded,
        }
    }
}

impl From<GroupError> for NotPrimary {
    fn from(error: GroupError) -> Self {
        Self::Group(error)
    }
}

impl Roster {
    /// One that only lists.
    pub(crate) fn new(directory: Directory) -> Self {
        Self { directory, place: None, state: Mutex::default() }
    }

    /// That of the primary that is bound at this place.
    pub(crate) fn of_primary(directory: Directory, place: Place) -> Self {
        Self { directory, place: Some(place), state: Mutex::default() }
    }

    /// The primary's own place, if it is a primary's.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The layout in which to send now, and to whom.
    pub(crate) fn current(&self, group: &Group) -> Result<(Layout, Vec<Member>), NotPrimary> {
        let stamp = self.directory.stamp();
        Ok((self.layout_at(stamp, group)?, self.members_at(stamp, group)?))
    }

    /// The layout in which to send now.
    pub(crate) fn layout(&self, group: &Group) -> Result<Layout, NotPrimary> {
        self.layout_at(self.directory.stamp(), group)
    }

    /// The members, by file name.
    pub(crate) fn members(&self, group: &Group) -> Result<Vec<Member>, GroupError> {
        self.members_at(self.directory.stamp(), group)
    }

    /// `stamp` was read before: what changes meanwhile changes it again.
    fn layout_at(&self, stamp: Option<Stamp>, group: &Group) -> Result<Layout, NotPrimary> {
        let checked = self.lock().checked;
        match checked {
            Some((of_check, layout)) if Some(of_check) == stamp => Ok(layout),
            _ => {
                let layout = self.check(group).map_err(|not| not.explained(group))?;
                self.lock().checked = stamp.map(|stamp| (stamp, layout));
                Ok(layout)
            }
        }
    }

    fn members_at(&self, stamp: Option<Stamp>, group: &Group) -> Result<Vec<Member>, GroupError> {
        match &self.lock().listed {
            Some((of_list, members)) if Some(*of_list) == stamp => {
                return Ok(group.without_dead(members.clone()));
            }
            _ => {}
        }
        let members = self.list(group).map_err(|error| group.explain(error))?;
        let (count, mut open) = (members.len(), members);
        open.retain(|member| !group.is_opening(member.address()));
        // Who is opened to the group next changes nothing in the directory.
        let stamp = stamp.filter(|_| open.len() == count);
        self.lock().listed = stamp.map(|stamp| (stamp, open.clone()));
        Ok(group.without_dead(open))
    }

    /// Whether the primary still has its place; the layout to send in.
    ///
    /// That it has no file any more takes no place from it: it may have been removed by mistake.
    fn check(&self, group: &Group) -> Result<Layout, NotPrimary> {
        let is_taken = self.place.as_ref().is_some_and(Place::is_taken);
        // This primary would not have started beside that lock: who holds it came later, and takes
        // the socket next.
        if is_taken || self.directory.dpdk_primary()?.is_some() {
            return Err(NotPrimary::Superseded { dir: group.dir().to_owned() });
        }
        Ok(self.directory.layout()?)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::{fs, os::unix::net::UnixDatagram};

    use super::*;
    use crate::group::Location;

    #[test]
    fn who_joins_or_leaves_is_seen_by_the_next_call() {
        let dir = crate::group::private_dir();
        let group = Group::locate(&Location::Dir(dir.path().to_owned())).expect("a short path");
        let roster = Roster::new(group.make().expect("a directory"));
        let count = || roster.members(&group).expect("a directory").len();
        for round in 0..500 {
            let path = dir.path().join(format!("mp_socket_1_{round:x}"));
            let _socket = UnixDatagram::bind(&path).expect("a free path");
            assert_eq!(count(), 1, "round {round}");
            if round % 100 == 0 {
                // From here on the list is kept, until the next change.
                while roster.directory.stamp().is_none() {}
                assert_eq!((count(), count()), (1, 1), "round {round}");
                assert!(roster.lock().listed.is_some());
            }
            fs::remove_file(&path).expect("the file");
            assert_eq!(count(), 0, "round {round}");
        }
    }

    fn config(dir: &std::path::Path, version: u32) {
        let bytes = [19_820_526_u32.to_ne_bytes(), version.to_ne_bytes()].concat();
        fs::write(dir.join("config"), bytes).expect("the directory is ours");
    }

    #[test]
    fn a_config_that_appears_or_another_in_its_place_ends_the_old_layout() {
        let dir = crate::group::private_dir();
        let group = Group::locate(&Location::Dir(dir.path().to_owned())).expect("a short path");
        let (directory, bound) = group.bind_primary().expect("it is free");
        let roster = Roster::of_primary(directory, bound.place());
        let layout = || roster.current(&group).map(|(layout, _)| layout);
        assert!(matches!(layout(), Ok(Layout::Bytes332)));
        while roster.directory.stamp().is_none() {}
        assert!(matches!(layout(), Ok(Layout::Bytes332)));
        config(dir.path(), 25 << 24 | 11 << 16 | 99);
        assert!(matches!(layout(), Ok(Layout::Bytes340)));
        fs::remove_file(dir.path().join("mp_socket")).expect("it is there");
        assert!(matches!(layout(), Ok(Layout::Bytes340)), "nobody has taken its place");
        let _other = UnixDatagram::bind(dir.path().join("mp_socket")).expect("it is free");
        assert!(matches!(layout(), Err(NotPrimary::Superseded { .. })));
        fs::remove_file(dir.path().join("mp_socket")).expect("it is there");
        fs::write(dir.path().join("config"), "nothing of DPDK's").expect("the directory is ours");
        assert!(matches!(layout(), Err(NotPrimary::Group(GroupError::NotDpdkConfig { .. }))));
    }
}
