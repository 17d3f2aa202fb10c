//! Whom a role listens to, by the credentials that the kernel attests. The rest of what receiving needs
//! to know of a role is in `inbox` (`ReceivePolicy`).

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::sys::Credentials;

/// Which senders are listened to, judged by their kernel-attested credentials.
///
/// The default is [`same_user`](Self::same_user). Datagrams of others are rejected, counted as
/// [`Rejection::Untrusted`](crate::Rejection::Untrusted), and their descriptors closed.
///
/// # Examples
///
/// ```
/// use mp_core::{Credentials, Trust};
///
/// let with_operators = Trust::when(|sender| sender.gid == 1000 || sender.uid == 0);
/// assert!(with_operators.allows(&Credentials { pid: 7, uid: 5, gid: 1000 }));
/// assert!(Trust::same_user().allows(&Credentials::own()));
/// ```
#[derive(Clone)]
pub struct Trust(Kind);

/// The default is judged without calling what a user wrote, which might panic.
#[derive(Clone)]
enum Kind {
    SameUser { uid: u32 },
    When(Arc<dyn Fn(&Credentials) -> bool + Send + Sync>),
}

impl Trust {
    /// This process's effective user, and root.
    #[must_use]
    pub fn same_user() -> Self {
        Self(Kind::SameUser { uid: Credentials::own().uid })
    }

    /// Whoever the file system lets send: the default where a group's directory is shared with
    /// other users, whose datagrams come only from those whom its mode lets in.
    #[must_use]
    pub fn whoever_can_send() -> Self {
        Self::when(|_| true)
    }

    /// Whoever `allows` says yes to. It is called for every datagram, on the thread that received
    /// it, so it should be quick; a panic in it counts as no.
    #[must_use]
    pub fn when(allows: impl Fn(&Credentials) -> bool + Send + Sync + 'static) -> Self {
        Self(Kind::When(Arc::new(allows)))
    }

    /// What the policy says of one sender.
    #[must_use]
    pub fn allows(&self, sender: &Credentials) -> bool {
        match &self.0 {
            Kind::SameUser { uid } => sender.uid == *uid || sender.uid == 0,
            Kind::When(allows) => catch_unwind(AssertUnwindSafe(|| allows(sender))).unwrap_or(false),
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::same_user()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::SameUser { uid } => write!(f, "Trust(user {uid} and root)"),
            Kind::When(_) => f.write_str("Trust(..)"),
        }
    }
}
