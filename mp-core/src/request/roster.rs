use super::Member;
use crate::{
    Layout,
    group::{Directory, Group, GroupError, Reserved},
};

/// Where a primary finds its secondaries: in the directory, at every call.
#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) directory: Directory,
    pub(crate) layout: Layout,
}

impl Roster {
    pub(crate) fn members(&self, group: &Group) -> Result<Vec<Member>, GroupError> {
        let names = self.directory.sockets()?;
        let members = names.iter().filter(|name| Reserved::of(name) == Some(Reserved::Secondary));
        // Nobody can be bound to a path that is too long to be an address.
        Ok(members.filter_map(|name| group.address(name).ok()).map(Member::new).collect())
    }
}
