//! What a watch tells, and who was there when it last looked.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
};

use crate::group::Member;

/// A change in who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It has joined as a secondary, or was there when the watch began.
    Joined(Member),
    /// It has left in order; its process may go on.
    Left(Member),
    /// Its process has ended without leaving. (A process in C that ends as soon as it has left cannot be told
    /// from that.)
    Died(Member),
    /// There is a primary, where there was none; or it was there when the watch began. A primary that
    /// watches is not told of itself.
    PrimaryUp {
        /// Its process, if that is certain: `None` where it is in another pid namespace, or another user's.
        pid: Option<u32>,
    },
    /// There is no primary any more.
    PrimaryGone {
        /// Which process it was.
        pid: Option<u32>,
        /// Whether it died, or else left in order.
        died: bool,
    },
    /// Another primary has taken the place of the last, with nothing seen in between.
    AnotherPrimary {
        /// Its process, as with [`PrimaryUp`](Self::PrimaryUp).
        pid: Option<u32>,
    },
}

impl Change {
    /// Whether the primary that there was is none any more: what was had from it, descriptors, shared
    /// memory, numbers, means nothing to the next one.
    #[must_use]
    pub fn ends_primary(&self) -> bool {
        matches!(self, Self::PrimaryGone { .. } | Self::AnotherPrimary { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = |pid: &Option<u32>| pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        match self {
            Self::Joined(member) => write!(f, "{member} has joined"),
            Self::Left(member) => write!(f, "{member} has left"),
            Self::Died(member) => write!(f, "{member} has died"),
            Self::PrimaryUp { pid } => write!(f, "the primary{} is up", process(pid)),
            Self::PrimaryGone { pid, died: true } => write!(f, "the primary{} has died", process(pid)),
            Self::PrimaryGone { pid, died: false } => write!(f, "the primary{} has left", process(pid)),
            Self::AnotherPrimary { pid } => write!(f, "another primary{} has taken over", process(pid)),
        }
    }
}

/// Who was there when it was last looked.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<OsString, Member>);

impl Known {
    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Who is there no more, and who is new.
    pub(super) fn update(&mut self, now: Vec<Member>) -> (Vec<Member>, Vec<Member>) {
        let now = now.into_iter().map(|member| (member.address().file_name().to_owned(), member)).collect();
        let before = std::mem::replace(&mut self.0, now);
        let gone = before.iter().filter(|(name, _)| !self.0.contains_key(*name));
        let new = self.0.iter().filter(|(name, _)| !before.contains_key(*name));
        (gone.map(|(_, member)| member.clone()).collect(), new.map(|(_, member)| member.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sys::Address;

    fn member(name: &str) -> Member {
        Member::new(Address::new(&Path::new("/tmp").join(name)).expect("short"))
    }

    #[test]
    fn only_changes_are_told() {
        let mut known = Known::default();
        let (a, b) = (member("mp_socket_1_a"), member("mp_socket_2_b"));
        assert_eq!(known.update(vec![a.clone()]), (vec![], vec![a.clone()]));
        assert_eq!(known.update(vec![a.clone()]), (vec![], vec![]));
        assert_eq!(known.update(vec![b.clone()]), (vec![a], vec![b.clone()]));
        assert_eq!(known.update(vec![]), (vec![b], vec![]));
    }
}
