//! Whether a peer is there: who is at an address, and whether its process runs.
//!
//! A bound datagram socket exists exactly as long as a process keeps it, so connecting to its path,
//! which sends nothing, tells for certain. It removes nothing: `stale` does.

use std::os::fd::OwnedFd;

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{AtFlags, CWD, StatxFlags, statx},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, test_kill_process},
};

use super::{Directory, Group, GroupError, MemberName};
use crate::sys::{Address, Socket};

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A socket that a process holds.
    Live,
    /// A file that nothing listens on any more.
    Dead,
    /// No file.
    Nothing,
}

/// Tells one socket file from another that took its place: file systems use inode numbers again at
/// once, so the time of birth belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    inode: u64,
    born: (i64, u32),
}

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
        let identity = identity(at);
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

    /// Whether its socket file is still the one that was there.
    pub(crate) fn is_in_place(&self, at: &Address) -> bool {
        self.identity.is_some() && identity(at) == self.identity
    }

    /// Whether it can still answer. In doubt, yes.
    ///
    /// A peer that leaves in order removes its file first, and then answers what it has accepted: so
    /// if the file is gone, it can answer as long as its process runs.
    pub(crate) fn can_answer(&self, at: &Address) -> bool {
        let replaced = self.identity.is_some() && identity(at) != self.identity;
        match probe(at) {
            Ok(Found::Live) if !replaced => true,
            Ok(Found::Dead) if !replaced => false,
            Ok(_) => self.pid.is_some_and(is_running),
            Err(_) => true,
        }
    }
}

/// Looks at an address without sending anything to it.
pub(crate) fn probe(address: &Address) -> Result<Found, GroupError> {
    let io = |source: Errno| GroupError::Io {
        what: "probe a socket",
        path: address.path().to_owned(),
        source: source.into(),
    };
    match Socket::new().map_err(io)?.connect(address) {
        // It may be connected to another, or be another kind of socket: still somebody's.
        Ok(()) | Err(Errno::PERM | Errno::PROTOTYPE | Errno::AGAIN) => Ok(Found::Live),
        Err(Errno::CONNREFUSED) => Ok(Found::Dead),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(source) => Err(io(source)),
    }
}

/// Which socket file is at an address; `None` if there is none.
pub(crate) fn identity(address: &Address) -> Option<Identity> {
    let flags = StatxFlags::INO | StatxFlags::BTIME;
    let stat = statx(CWD, address.path(), AtFlags::empty(), flags).ok()?;
    Some(Identity { inode: stat.stx_ino, born: (stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec) })
}

fn pid_of_member(at: &Address) -> Option<u32> {
    MemberName::parse(at.file_name()).map(|name| name.pid)
}

/// Whether a process runs that we can see: not one that has ended and that nobody has waited for.
pub(super) fn is_running(pid: u32) -> bool {
    match process(pid) {
        Ok(process) => {
            let mut polled = [PollFd::new(&process, PollFlags::IN)];
            poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
        }
        Err(Errno::SRCH) => false,
        Err(_) => number_of(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH)),
    }
}

/// The process with this number here, which becomes readable when it ends; `ESRCH` if there is
/// none.
pub(super) fn process(pid: u32) -> Result<OwnedFd, Errno> {
    pidfd_open(number_of(pid).ok_or(Errno::SRCH)?, PidfdFlags::NONBLOCK)
}

fn number_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
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
