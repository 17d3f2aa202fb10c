//! This process's limit of open descriptors, and how many of them are for us to take. It opens
//! none: who keeps descriptors in numbers that peers decide asks here how many.

use rustix::process::{Resource, getrlimit};

/// The part of the limit that one use may take, so that the program keeps the rest.
const SHARE: u64 = 4;

/// How many descriptors one use may keep whose number peers decide: a quarter of the soft limit
/// (`RLIMIT_NOFILE`), as it is now.
pub(crate) fn fd_share() -> usize {
    share_of(getrlimit(Resource::Nofile).current)
}

fn share_of(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| usize::try_from(limit / SHARE).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_of_the_limit_are_the_programs() {
        assert_eq!(share_of(Some(256)), 64);
        assert_eq!(share_of(Some(3)), 0);
        assert_eq!(share_of(None), usize::MAX);
        assert_eq!(Some(fd_share() as u64), getrlimit(Resource::Nofile).current.map(|limit| limit / 4));
    }
}
