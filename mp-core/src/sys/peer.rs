//! The sender of what came in: its credentials, and where it is bound.

use super::{Address, Credentials, address::Source};

/// Who sent a datagram.
///
/// Implements the `peer` argument of `rte_mp_t`, with the identity that DPDK does not have: the
/// kernel's word on the sender's process, user and group.
#[doc(alias = "rte_mp_t")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub(super) source: Source,
    pub(super) credentials: Credentials,
}

impl Peer {
    /// Nobody yet.
    pub(super) const NOBODY: Self =
        Self { source: Source::NOWHERE, credentials: Credentials { pid: 0, uid: 0, gid: 0 } };

    /// The socket it sent from; `None` if that has no path, so that nothing can be sent back.
    ///
    /// A C process sends everything from its `mp_socket` file. Here a primary's messages and all
    /// replies come from it too; requests, and a secondary's messages, come from a socket of their
    /// own: [`Primary::member_of`](crate::Primary::member_of) tells whose they are.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.source.address()
    }

    /// Pid, uid and gid, as the kernel attests them.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials
    }

    /// Its process; 0 if that is in a pid namespace not seen from here.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.credentials.pid
    }

    /// Its user.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.credentials.uid
    }

    /// Its group.
    #[must_use]
    pub fn gid(&self) -> u32 {
        self.credentials.gid
    }
}
