//! The core's builder, with handlers of typed messages.

use std::{fmt, path::PathBuf, time::Duration};

use mp_core::{InProcess, StartError, ThreadRole, Trust};

use super::{Client, Secondary};

/// Sets up a [`Primary`](crate::Primary), [`Secondary`](crate::Secondary) or
/// [`Client`](crate::Client). Every setting has a safe default.
pub struct Builder<R: Role> {
    pub(super) core: mp_core::Builder<R::Core>,
}

/// A way to take part in a group. Implemented by this crate's three roles.
pub trait Role {
    /// The same role without types.
    type Core: mp_core::Role;

    /// The role over types.
    #[doc(hidden)]
    fn typed(core: Self::Core) -> Self;
}

/// A role that joins the group, and so has actions.
pub trait Joins: Role<Core: mp_core::Joins> {}

impl<R: Role> Builder<R> {
    /// Sets up the core's builder directly: for actions without types, and every setting that is
    /// not repeated here.
    #[must_use]
    pub fn core(self, set: impl FnOnce(mp_core::Builder<R::Core>) -> mp_core::Builder<R::Core>) -> Self {
        Self { core: set(self.core) }
    }

    /// Starts the role: see [`mp_core::Builder::start`].
    ///
    /// # Errors
    ///
    /// [`StartError`]; the group has not been joined then, and the handles made before are
    /// `Stopped`.
    pub fn start(self) -> Result<R, StartError> {
        self.core.start().map(R::typed)
    }
}

/// Settings that are the core's.
macro_rules! settings {
    ($($role:ident: $(#[doc = $about:literal] $set:ident($($value:ident: $type:ty)?);)*)*) => {$(
        impl<R: $role> Builder<R> {$(
            #[doc = $about]
            #[doc = concat!(" See [`mp_core::Builder::", stringify!($set), "`].")]
            #[must_use]
            pub fn $set(self $(, $value: $type)?) -> Self {
                self.core(|core| core.$set($($value)?))
            }
        )*}
    )*};
}

settings! {
    Role:
    /// Uses this runtime directory instead of `<base>/dpdk/<file-prefix>/`.
    runtime_dir(dir: impl Into<PathBuf>);
    /// Uses a group within this process, for unit tests of code that uses the roles.
    in_process(group: &InProcess);
    /// Shares the group with the members of this system group, of whatever user.
    share_with_group(gid: u32);
    /// Takes part, as root, in a group of another user's processes.
    beside_user(uid: u32);
    /// Listens to those whom this policy allows. Default: [`Trust::same_user`].
    trust(trust: Trust);
    /// Calls this on each thread of the role, as the first thing there.
    on_thread_start(start: impl Fn(ThreadRole) + Send + Sync + 'static);
    /// How long a one-way message waits for room in a full queue. Default: 100 ms.
    send_timeout(timeout: Duration);

    Joins:
    /// How many datagrams may wait while a handler is running. Default: 256.
    backlog(datagrams: usize);
    /// Starts no thread to receive and handle: the user's own does, by `poll_fd` and `dispatch`.
    without_threads();
    /// Allows actions under names of DPDK's own, in a group with DPDK in it.
    allow_dpdk_actions();
}

mp_core::__each! { [Builder<Client>, Builder<Secondary>] {
    /// Waits at the start until a live primary is there, and fails if none is within this time: see
    /// [`mp_core::Builder::wait_for_primary`].
    #[must_use]
    pub fn wait_for_primary(self, timeout: Duration) -> Self {
        self.core(|core| core.wait_for_primary(timeout))
    }

    /// Fails at the start, at once, if no live primary is there: see
    /// [`mp_core::Builder::require_primary`].
    #[must_use]
    pub fn require_primary(self) -> Self {
        self.core(|core| core.require_primary())
    }
} }

impl<R: Role> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
