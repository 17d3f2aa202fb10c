use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, test_kill_process},
};

use super::{Directory, Found, Group, Identity, MemberName, Place};
use crate::sys::Address;

/// Who was at an address when it was asked something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerIdentity {
    /// `None` of a member: the names of those are never used again.
    identity: Option<Identity>,
    pid: Option<u32>,
}

impl PeerIdentity {
    /// Of whoever is at the address now.
    pub(crate) fn new(group: &Group, directory: &Directory, at: &Address) -> Self {
        let identity = group.place().identity(at);
        let pid = if at == group.primary() {
            directory.read_owner().or_else(|| directory.dpdk_primary().ok().flatten())
        } else {
            pid_of_member(at)
        };
        Self { identity, pid }
    }

    /// Of a secondary.
    pub(crate) fn of_member(at: &Address) -> Self {
        Self { identity: None, pid: pid_of_member(at) }
    }

    /// Whether it can still answer. In doubt, yes.
    ///
    /// Who has left in order has removed its file, yet answers what it has
    /// accepted: then it counts whether its process runs.
    pub(crate) fn can_answer(&self, place: &Place, at: &Address) -> bool {
        let replaced = self.identity.is_some() && place.identity(at) != self.identity;
        match place.probe(at) {
            Ok(Found::Live) if !replaced => true,
            Ok(Found::Dead) if !replaced => false,
            Ok(_) => matches!(place, Place::Files) && self.pid.is_some_and(is_running),
            Err(_) => true,
        }
    }
}

fn pid_of_member(at: &Address) -> Option<u32> {
    MemberName::parse(at.file_name()).map(|name| name.pid)
}

/// Whether a process runs that we can see: not one that has ended and that
/// nobody has waited for.
pub(super) fn is_running(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => {
            let mut polled = [PollFd::new(&process, PollFlags::IN)];
            poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
        }
        Err(Errno::SRCH) => false,
        Err(_) => test_kill_process(pid) != Err(Errno::SRCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_nobody_has_waited_for_does_not_run() {
        assert!(is_running(std::process::id()));
        let mut child = std::process::Command::new("true").spawn().expect("it is everywhere");
        let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("it is ours");
        poll(&mut [PollFd::new(&process, PollFlags::IN)], None).expect("it ends");
        assert!(!is_running(child.id()));
        child.wait().expect("it is ours");
        assert!(!is_running(child.id()));
        assert!(!is_running(0) && !is_running(u32::MAX));
    }
}
