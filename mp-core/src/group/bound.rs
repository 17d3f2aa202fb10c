//! A socket with its file: whose it is, and when that file goes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::io::Errno;

use super::{Identity, identity};
use crate::sys::{Address, ForkGuard, Socket};

/// A socket with its file, which goes when this does.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: Socket,
    pub(crate) address: Address,
    identity: Option<Identity>,
    /// A fork's copy must not remove the file.
    bound_in: ForkGuard,
    abandoned: AtomicBool,
}

impl Bound {
    pub(super) fn new(address: Address) -> Result<Self, Errno> {
        let socket = Socket::new()?;
        socket.bind(&address)?;
        let identity = identity(&address);
        Ok(Self { socket, address, identity, bound_in: ForkGuard::here(), abandoned: AtomicBool::new(false) })
    }

    /// Whether it was bound by this process, not by one that this is a fork of.
    pub(crate) fn is_ours(&self) -> bool {
        self.bound_in.is_here()
    }

    /// Whether the file is still the one that was bound.
    pub(crate) fn is_in_place(&self) -> bool {
        self.identity.is_some() && identity(&self.address) == self.identity
    }

    /// Leaves the file behind, for others to remove once the socket is closed.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Relaxed);
    }

    /// Removes the file, if it is still ours. No datagram can be sent to the
    /// socket from then on.
    pub(crate) fn unlink(&self) {
        if self.is_ours() && !self.abandoned.load(Relaxed) && self.is_in_place() {
            // Gone already is as good.
            let _ = rustix::fs::unlink(self.address.path());
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.unlink();
    }
}
