//! Which member a datagram came from.
//!
//! A process in C sends everything from the socket that it is bound at. A role of this crate asks, and a
//! secondary sends, on sockets of their own, whose names tell which role's they are ([`Family`]); the
//! kernel tells the sender's process. Who sent it at all, and whether that may be, `receive` knows.
//!
//! [`Family`]: super::Family

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Group, Member, MemberName, SocketName, identity};
use crate::sys::Address;

impl Group {
    /// The secondary to which the socket at `from` belongs, of the process `pid`, as the kernel attests
    /// it; `None` if it is nobody's who is a member now.
    pub(crate) fn member_of(&self, from: &Address, pid: u32) -> Option<Member> {
        let member = SocketName::of_member(from.file_name())?;
        let at = self.address(&member).ok()?;
        let is_here = from.path().parent().is_some_and(|dir| is_same(dir, self.dir()));
        let is_its_own = MemberName::parse(member.as_ref()).is_none_or(|name| is_process(pid, name.pid));
        (is_here && is_its_own && identity(&at).is_some()).then(|| Member::new(at))
    }
}

/// One directory, however it is spelled.
fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    one == other || inode(one).is_some_and(|one| inode(other) == Some(one))
}

/// Whether the process that is `here` to us calls itself `itself`, which is another number in another pid
/// namespace. One that cannot be seen from here is believed.
fn is_process(here: u32, itself: u32) -> bool {
    if here == itself || here == 0 {
        return true;
    }
    let status = PathBuf::from(format!("/proc/{here}/status"));
    fs::read_to_string(status).is_ok_and(|status| calls_itself(&status, itself))
}

/// Whether a process's `/proc/<pid>/status` tells this as its number in its own namespace, which is the last.
fn calls_itself(status: &str, pid: u32) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.and_then(|numbers| numbers.split_whitespace().last()?.parse().ok()) == Some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_another_namespace_is_known_by_its_number_there() {
        assert!(calls_itself("Name:\tx\nNSpid:\t512\t7\nNSsid:\t1\n", 7));
        assert!(!calls_itself("Name:\tx\nNSpid:\t512\t7\nNSsid:\t1\n", 512));
        assert!(!calls_itself("Name:\tx\n", 512));
        let own = std::process::id();
        assert!(is_process(own, own) && is_process(0, 7) && !is_process(own, own + 1));
    }
}
