//! The names that sockets have in a runtime directory, and what they tell.

use std::{
    ffi::OsStr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

/// The names that sockets have in a runtime directory.
pub(crate) struct SocketName;

impl SocketName {
    pub(crate) const PRIMARY: &'static str = "mp_socket";
    /// As long as the longest name made where there is room.
    pub(super) const LONGEST: &'static str = "mp_socket_4194304_ffffffffffffffff";

    /// The name of the secondary whose socket has this name: its own, or one for replies.
    pub(super) fn of_member(name: &OsStr) -> Option<String> {
        let name = name.to_str()?;
        match Reserved::of(name.as_ref())? {
            Reserved::Secondary => Some(name.to_owned()),
            Reserved::Reply => {
                let (pid, number) = name.strip_prefix("mp_reply_")?.split_once('_')?;
                let number = u64::from_str_radix(number, 16).ok()?;
                Some(format!("mp_socket_{pid}_{:x}", number & !WITHIN_FAMILY))
            }
            Reserved::Left => None,
        }
    }

    /// What a member that leaves in order calls its socket's file before it removes it, so that whoever
    /// watches can tell that from a death.
    pub(super) fn left(name: &OsStr) -> Option<String> {
        Some(format!("mp_left{}", name.to_str()?.strip_prefix(Self::PRIMARY)?))
    }

    /// The opposite of [`left`](Self::left).
    pub(super) fn before_leaving(left: &OsStr) -> Option<String> {
        Some(format!("{}{}", Self::PRIMARY, left.to_str()?.strip_prefix("mp_left")?))
    }
}

/// The names of one role's sockets. They have a number in common, so that whoever gets a datagram from one
/// of them knows the member, however many are in one process.
#[derive(Debug)]
pub(crate) struct Family {
    /// In the upper bits; those below are the member's 0, and count its other sockets.
    number: u64,
    count: AtomicU64,
}

/// The bits of a name's number that tell one socket of a role from another.
const WITHIN_FAMILY: u64 = (1 << WITHIN_BITS) - 1;
const WITHIN_BITS: u32 = 24;

impl Family {
    /// Unique on this host: DPDK uses the time stamp counter, we the clock. No two of a process are the
    /// same, and a process that comes to have its number later finds the clock further on.
    pub(super) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let now = nanos >> WITHIN_BITS;
        let last = LAST.update(Relaxed, Relaxed, |last| now.max(last + 1));
        Self { number: now.max(last + 1) << WITHIN_BITS, count: AtomicU64::new(0) }
    }

    /// `mp_socket_<pid>_<hex>`, DPDK's form, so that primaries find it.
    ///
    /// In `room` bytes: where there is not enough, with the digits of its number that change; `None`
    /// if too few of them fit.
    pub(super) fn secondary(&self, room: usize) -> Option<String> {
        let full = self.full_secondary();
        if full.len() <= room {
            return Some(full);
        }
        let start = format!("mp_socket_{}_", std::process::id());
        let number = format!("{:x}", self.number >> WITHIN_BITS);
        let digits = room.checked_sub(start.len())?.min(number.len());
        (digits >= DIGITS).then(|| start + &number[number.len() - digits..])
    }

    fn full_secondary(&self) -> String {
        format!("mp_socket_{}_{:x}", std::process::id(), self.number)
    }

    /// Outside `mp_socket*`, so that no primary ever sends to it unasked.
    ///
    /// Where a secondary's name has to be short, this is as short as a primary's, which fits
    /// wherever there is a primary, and tells no member.
    pub(super) fn reply(&self, room: usize) -> String {
        // After sixteen million the first of them are long gone.
        let count = self.count.fetch_add(1, Relaxed) % WITHIN_FAMILY + 1;
        if self.full_secondary().len() > room {
            return short_reply(self.number ^ count);
        }
        format!("mp_reply_{}_{:x}", std::process::id(), self.number | count)
    }
}

/// How many digits of a number tell one name of a process from the next, at least.
const DIGITS: usize = 4;

const SHORT_REPLY: &str = "mpr";
const SHORT_DIGITS: usize = 6;

/// As long as a primary's name: `mpr` and six digits of base 36.
fn short_reply(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    let digit = |place| char::from_digit((mixed / 36_u64.pow(place) % 36) as u32, 36).unwrap_or('0');
    SHORT_REPLY.chars().chain((0..SHORT_DIGITS as u32).map(digit)).collect()
}

fn is_short_reply(name: &[u8]) -> bool {
    name.strip_prefix(SHORT_REPLY.as_bytes()).is_some_and(|digits| {
        digits.len() == SHORT_DIGITS
            && digits.iter().all(|digit| digit.is_ascii_digit() || digit.is_ascii_lowercase())
    })
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
    /// What is left, for a moment, of a member that leaves in order.
    Left,
}

impl Reserved {
    pub(crate) fn of(name: &OsStr) -> Option<Self> {
        let name = name.as_encoded_bytes();
        if name.starts_with(b"mp_socket_") {
            Some(Self::Secondary)
        } else if name.starts_with(b"mp_reply_") || is_short_reply(name) {
            Some(Self::Reply)
        } else if name.starts_with(b"mp_left") {
            Some(Self::Left)
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
        let secondary = || Family::new().secondary(107).expect("there is room");
        let (a, b) = (secondary(), secondary());
        assert_ne!(a, b);
        assert_eq!(MemberName::parse(OsStr::new(&a)), Some(MemberName { pid: std::process::id() }));
        assert_eq!(Reserved::of(OsStr::new(&a)), Some(Reserved::Secondary));
        assert!(a.len() <= SocketName::LONGEST.len());
    }

    #[test]
    fn reply_sockets_are_not_members() {
        let reply = Family::new().reply(107);
        assert!(!reply.starts_with(SocketName::PRIMARY));
        assert_eq!(Reserved::of(OsStr::new(&reply)), Some(Reserved::Reply));
    }

    #[test]
    fn every_socket_of_a_role_tells_the_member_and_no_other() {
        let families: Vec<_> = (0..100).map(|_| Family::new()).collect();
        for family in &families {
            let member = family.secondary(107).expect("there is room");
            for socket in [member.clone(), family.reply(107), family.reply(107)] {
                assert_eq!(SocketName::of_member(OsStr::new(&socket)), Some(member.clone()));
            }
            assert_ne!(family.reply(107), family.reply(107));
        }
        let members: std::collections::BTreeSet<_> = families.iter().map(Family::full_secondary).collect();
        assert_eq!(members.len(), families.len());
        for nobody in ["mp_socket", "mp_reply_x", "mp_reply_1_zz", "mp_left_1_2", "config"] {
            assert_eq!(SocketName::of_member(OsStr::new(nobody)), None, "{nobody}");
        }
    }

    #[test]
    fn who_leaves_is_known_by_the_name_it_leaves_under() {
        for name in ["mp_socket", "mp_socket_7_1f"] {
            let left = SocketName::left(OsStr::new(name)).expect("a member's");
            assert_eq!(Reserved::of(OsStr::new(&left)), Some(Reserved::Left));
            assert_eq!(SocketName::before_leaving(OsStr::new(&left)).as_deref(), Some(name));
        }
        assert_eq!(SocketName::left(OsStr::new("mp_reply_7_1f")), None);
    }

    #[test]
    fn names_are_as_short_as_they_must_be() {
        let (family, pid) = (Family::new(), std::process::id().to_string().len());
        let full = family.full_secondary().len();
        for room in 0..=full {
            let name = family.secondary(room);
            assert_eq!(name.is_some(), room >= 11 + pid + DIGITS, "{room}");
            assert!(
                name.is_none_or(|name| {
                    name.len() <= room && MemberName::parse(OsStr::new(&name)).is_some()
                })
            );
        }
        for room in SocketName::PRIMARY.len()..=full {
            let name = family.reply(room);
            assert!(name.len() <= room, "{name}");
            assert_eq!(Reserved::of(OsStr::new(&name)), Some(Reserved::Reply), "{name}");
        }
        let short: std::collections::BTreeSet<_> = (0..1000).map(|_| family.reply(9)).collect();
        assert!(short.len() > 990, "{} differ", short.len());
    }

    #[test]
    fn foreign_names_tell_no_pid() {
        for name in ["mp_socket", "mp_socket_x_1", "mp_socket_7", "mp_socket_7_zz", "config"] {
            assert_eq!(MemberName::parse(OsStr::new(name)), None, "{name}");
        }
    }
}
