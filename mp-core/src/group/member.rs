//! A member of a group, as the directory lists it: where it is bound, and what its name tells. Whether
//! it lives, `liveness` tells.

use std::fmt;

use super::MemberName;
use crate::sys::Address;

/// A process that has joined the group as a secondary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    address: Address,
}

impl Member {
    pub(crate) fn new(address: Address) -> Self {
        Self { address }
    }

    /// Where it is bound: `mp_socket_<pid>_<hex>` in the runtime directory.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its process, as its socket's name tells it; `None` if that has not DPDK's form.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        MemberName::parse(self.address.file_name()).map(|name| name.pid)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.file_name().display().fmt(f)
    }
}
