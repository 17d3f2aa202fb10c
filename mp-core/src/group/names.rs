use std::{
    ffi::OsStr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

/// The names that sockets have in a runtime directory.
pub(crate) struct SocketName;

impl SocketName {
    pub(crate) const PRIMARY: &'static str = "mp_socket";
    /// As long as the longest name made here.
    pub(super) const LONGEST: &'static str = "mp_socket_4194304_ffffffffffffffff";

    /// `mp_socket_<pid>_<hex>`, DPDK's form, so that primaries find it. Unique in the group: DPDK
    /// uses the time stamp counter, we the clock and a count.
    pub(super) fn secondary() -> String {
        format!("mp_socket_{}_{:x}", std::process::id(), unique())
    }

    /// Outside `mp_socket*`, so that no primary ever sends to it unasked.
    pub(super) fn reply() -> String {
        format!("mp_reply_{}_{:x}", std::process::id(), unique())
    }
}

pub(super) fn unique() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    nanos.wrapping_add(COUNT.fetch_add(1, Relaxed))
}

/// What a file name in a runtime directory is reserved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// A secondary's socket.
    Secondary,
    /// A socket for replies of this crate.
    Reply,
}

impl Reserved {
    pub(crate) fn of(name: &OsStr) -> Option<Self> {
        let name = name.as_encoded_bytes();
        if name.starts_with(b"mp_socket_") {
            Some(Self::Secondary)
        } else if name.starts_with(b"mp_reply_") {
            Some(Self::Reply)
        } else {
            None
        }
    }
}

/// What the name of a secondary's or a reply socket tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberName {
    /// The process that made it, as that process counts.
    pub(crate) pid: u32,
}

impl MemberName {
    /// `None` if the name is not of the form `<kind>_<pid>_<hex>`.
    pub(crate) fn parse(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        let rest = name.strip_prefix("mp_socket_").or_else(|| name.strip_prefix("mp_reply_"))?;
        let (pid, tsc) = rest.split_once('_')?;
        u64::from_str_radix(tsc, 16).ok()?;
        Some(Self { pid: pid.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_have_dpdks_form_and_differ() {
        let (a, b) = (SocketName::secondary(), SocketName::secondary());
        assert_ne!(a, b);
        assert_eq!(MemberName::parse(OsStr::new(&a)), Some(MemberName { pid: std::process::id() }));
        assert_eq!(Reserved::of(OsStr::new(&a)), Some(Reserved::Secondary));
        assert!(a.len() <= SocketName::LONGEST.len());
    }

    #[test]
    fn reply_sockets_are_not_members() {
        let reply = SocketName::reply();
        assert!(!reply.starts_with(SocketName::PRIMARY));
        assert_eq!(Reserved::of(OsStr::new(&reply)), Some(Reserved::Reply));
    }

    #[test]
    fn foreign_names_tell_no_pid() {
        for name in ["mp_socket", "mp_socket_x_1", "mp_socket_7", "mp_socket_7_zz", "config"] {
            assert_eq!(MemberName::parse(OsStr::new(name)), None, "{name}");
        }
    }
}
