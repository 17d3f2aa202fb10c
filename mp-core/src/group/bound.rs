//! A socket with its file: whose it is, and when that file goes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::io::Errno;

use super::{Access, Identity, SocketName, UserChange, access, identity, starter::Starter};
use crate::sys::{Address, ForkGuard, Socket};

/// A socket with its file, which goes when this does.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: Socket,
    pub(crate) address: Address,
    access: Access,
    starter: Starter,
    identity: Option<Identity>,
    /// A fork's copy must not remove the file.
    bound_in: ForkGuard,
    abandoned: AtomicBool,
}

impl Bound {
    /// One that has just been bound there.
    pub(super) fn new(socket: Socket, address: Address, access: Access, starter: Starter) -> Self {
        let (identity, bound_in, abandoned) = (identity(&address), ForkGuard::here(), AtomicBool::new(false));
        Self { socket, address, access, starter, identity, bound_in, abandoned }
    }

    /// Whether this process has become another user, which may be why it was refused something.
    pub(crate) fn user_change(&self) -> Option<UserChange> {
        self.starter.change()
    }

    /// Whether it was bound by this process, not by one that this is a fork of.
    pub(crate) fn is_ours(&self) -> bool {
        self.bound_in.is_here()
    }

    pub(crate) fn place(&self) -> Place {
        Place { address: self.address.clone(), identity: self.identity }
    }

    /// Whether the file is still the one that was bound.
    pub(crate) fn is_in_place(&self) -> bool {
        self.identity.is_some() && identity(&self.address) == self.identity
    }

    /// Leaves the file behind for others to remove, with nothing listening there: from now on
    /// whoever sends to it is refused, as after the death of its process. What is in the queue can
    /// still be read, and answered from the same address.
    ///
    /// Shutting the socket down would give its senders EPIPE, and closing it would lose what they
    /// have sent; so a dead socket's file takes the place of this one's.
    pub(super) fn abandon(&self, dead: Address) {
        self.abandoned.store(true, Relaxed);
        if !self.is_ours() || !self.is_in_place() {
            return;
        }
        let replaced = Socket::new().and_then(|socket| {
            let socket = socket.used_as(self.access.file_user());
            bind(&socket, &dead, self.access)?;
            drop(socket);
            rustix::fs::rename(dead.path(), self.address.path())
        });
        if let Err(errno) = replaced {
            tracing::debug!(address = %self.address, %errno, "its socket stays until its last user is gone");
            let _ = rustix::fs::unlink(dead.path());
        }
    }

    /// Removes the file in two steps, so that whoever watches the directory sees that its owner left in
    /// order: a dead one's file others remove in one.
    pub(super) fn take_leave(&self) {
        if self.is_ours()
            && !self.abandoned.load(Relaxed)
            && self.is_in_place()
            && let Some(left) = SocketName::left(self.address.file_name())
        {
            let left = self.address.path().with_file_name(left);
            if rustix::fs::rename(self.address.path(), &left).is_ok() {
                let _ = rustix::fs::unlink(&left);
            }
        }
        self.unlink();
    }

    /// Removes the file, if it is still ours. No datagram can be sent to the socket from then on.
    pub(crate) fn unlink(&self) {
        // Another primary's socket has the same name; no other name is used twice.
        let is_our_file = || self.address.file_name() != SocketName::PRIMARY || self.is_in_place();
        if self.is_ours() && !self.abandoned.load(Relaxed) && is_our_file() {
            // Gone already is as good.
            let _ = rustix::fs::unlink(self.address.path());
        }
    }

    /// Called when it should be gone.
    pub(super) fn warn_if_left_behind(&self) {
        let is_left = || match rustix::fs::lstat(self.address.path()) {
            Ok(_) => self.is_in_place(),
            Err(errno) => errno == Errno::ACCESS,
        };
        if self.is_ours() && !self.abandoned.load(Relaxed) && is_left() {
            let change = self.user_change();
            tracing::warn!(
                address = %self.address, ?change,
                "its socket file stays behind: this user may not remove it; the user who made it, the \
                 directory's owner or root does when one of them joins next"
            );
        }
    }
}

/// Binds it, and opens it to whom the group is open to.
pub(super) fn bind(socket: &Socket, address: &Address, access: Access) -> Result<(), Errno> {
    socket.bind(address)?;
    match access.shared_with() {
        Some(gid) => access::open_to_group(address, gid).inspect_err(|_| {
            let _ = rustix::fs::unlink(address.path());
        }),
        None => Ok(()),
    }
}

/// Where a socket was bound, without the socket: tells whether another has taken its place.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    address: Address,
    identity: Option<Identity>,
}

impl Place {
    /// Which file is there.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Whether there is a file, and it is another.
    pub(super) fn is_taken(&self) -> bool {
        identity(&self.address).is_some_and(|now| Some(now) != self.identity)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.unlink();
        if self.is_ours() {
            self.socket.discard_unread();
        }
    }
}
