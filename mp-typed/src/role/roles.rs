//! The three roles and their handles: each is the core's, and adds nothing but types.

use std::{ffi::OsString, io, os::fd::BorrowedFd, time::Duration};

use mp_core::{Address, RegisterError};

use super::{Actions, Builder, Joins, Role};
use crate::{
    answer::{Messages, Requests},
    message::{DecodeOwned, Message, Request},
};

/// Sends messages and requests to the primary of a group without joining it.
///
/// No primary ever sends to it or waits for it. Cheap to clone.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_typed::{Client, Peer, Primary, Request};
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let error = client.request(&Ping, Duration::from_secs(1)).unwrap_err();
/// assert!(error.to_string().starts_with("there is no primary in "));
///
/// let _primary = Primary::builder("example").runtime_dir(dir.path()).serve(|_: Ping, _: &Peer| ()).start()?;
/// pollster::block_on(async {
///     let first = client.request_async(&Ping, Duration::from_secs(1));
///     let second = client.request_async(&Ping, Duration::from_secs(1));
///     first.await.and(second.await)
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) core: mp_core::Client,
}

/// The primary of a group: it sends to every secondary, and they to it.
///
/// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one second does.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::sync::mpsc;
/// use mp_typed::{Message, Peer, Primary, Secondary};
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let (seen, ports) = mpsc::channel();
/// let secondary = Secondary::builder("example")
///     .runtime_dir(dir.path())
///     .on(move |state: LinkState, _: &Peer| seen.send(state.port).unwrap())
///     .start()?;
///
/// let sent = primary.send(&LinkState { port: 7, up: true })?;
/// assert_eq!(sent.sent(), 1);
/// assert_eq!(ports.recv()?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Primary {
    pub(super) core: mp_core::Primary,
    actions: Actions,
}

/// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers and threads. See
/// [`mp_core::PrimaryHandle`].
#[derive(Debug, Clone)]
pub struct PrimaryHandle {
    pub(super) core: mp_core::PrimaryHandle,
}

/// Joins a group as a secondary: a primary sends to it, and it to the primary.
///
/// What it has no action for it answers *ignore*, so that a DPDK primary is never held up. Dropping
/// it leaves the group, as [`stop`](Self::stop) with a timeout of one second does.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_typed::{Peer, Primary, Request, Response, Secondary};
///
/// #[derive(Request)]
/// #[message(name = "ping", response = Pong)]
/// struct Ping;
///
/// #[derive(Response)]
/// struct Pong {
///     pid: u32,
/// }
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let secondary = Secondary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(|_: Ping, _: &Peer| Pong { pid: std::process::id() })
///     .start()?;
///
/// let pongs = primary.request(&Ping, Duration::from_secs(1))?;
/// assert_eq!((pongs.sent(), pongs.received()), (1, 1));
/// assert_eq!(pongs.replies[0].response.pid, pongs.replies[0].peer.pid());
/// for member in primary.members()? {
///     let pong = primary.to(&member).request(&Ping, Duration::from_secs(1))?;
///     assert_eq!(Some(pong.pid), member.pid());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Secondary {
    pub(super) core: mp_core::Secondary,
    actions: Actions,
}

/// The asking side of a [`Secondary`]: cheap to clone, to be moved into handlers and threads. See
/// [`mp_core::SecondaryHandle`].
#[derive(Debug, Clone)]
pub struct SecondaryHandle {
    pub(super) core: mp_core::SecondaryHandle,
}

/// Over the core's role of the same name; `core` is it.
macro_rules! roles {
    ($($role:ident = |$core:ident| $typed:expr;)*) => {$(
        impl Role for $role {
            type Core = mp_core::$role;

            fn typed($core: mp_core::$role) -> Self {
                $typed
            }
        }

        impl $role {
            /// Sets it up, in the group with this `--file-prefix`.
            #[must_use]
            pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
                Builder { core: mp_core::$role::builder(file_prefix) }
            }
        }
    )*};
}

/// What those have that join.
macro_rules! joins {
    ($($role:ident, $handle:ident;)*) => {$(
        impl Joins for $role {}

        impl $role {
            /// Registers and unregisters actions while it runs.
            #[must_use]
            pub fn actions(&self) -> &Actions {
                &self.actions
            }

            /// The messages of type `M` that come from now on, to be read: see
            /// [`Actions::messages`].
            ///
            /// # Errors
            ///
            /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
            pub fn messages<M>(&self, bound: usize) -> Result<Messages<M>, RegisterError>
            where
                M: Message + DecodeOwned + 'static,
            {
                self.actions.messages(bound)
            }

            /// The requests of type `Q` that come from now on, to be read and answered: see
            /// [`Actions::requests`].
            ///
            /// # Errors
            ///
            /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
            pub fn requests<Q>(&self, bound: usize) -> Result<Requests<Q>, RegisterError>
            where
                Q: Request + DecodeOwned + 'static,
            {
                self.actions.requests(bound)
            }

            /// Its asking side, to be moved elsewhere.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle { core: self.core.handle() }
            }

            #[doc = concat!("Becomes readable when there is something for [`dispatch`](Self::dispatch): see [`mp_core::", stringify!($role), "::poll_fd`].")]
            ///
            /// # Panics
            ///
            /// If it has threads.
            #[must_use]
            pub fn poll_fd(&self) -> BorrowedFd<'_> {
                self.core.poll_fd()
            }

            #[doc = concat!("Receives and handles on this thread: see [`mp_core::", stringify!($role), "::dispatch`].")]
            ///
            /// # Errors
            ///
            /// `Unsupported` if it has threads.
            pub fn dispatch(&self) -> io::Result<usize> {
                self.core.dispatch()
            }

            /// Where it is bound: a primary at `mp_socket`, a secondary at `mp_socket_<pid>_<hex>`.
            #[must_use]
            pub fn address(&self) -> &Address {
                self.core.address()
            }

            #[doc = concat!("Leaves the group: see [`mp_core::", stringify!($role), "::stop`].")]
            pub fn stop(&self, timeout: Duration) -> bool {
                self.core.stop(timeout)
            }
        }

        impl Builder<$role> {
            /// The asking side of the role to be, for use inside its handlers.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle { core: self.core.handle() }
            }
        }
    )*};
}

/// What all have.
macro_rules! cores {
    ($($role:ident),*) => {$(
        impl $role {
            /// The same without types.
            #[must_use]
            pub fn core(&self) -> &mp_core::$role {
                &self.core
            }
        }
    )*};
}

roles! {
    Client = |core| Self { core };
    Primary = |core| Self { actions: Actions(core.actions().clone()), core };
    Secondary = |core| Self { actions: Actions(core.actions().clone()), core };
}

joins! { Primary, PrimaryHandle; Secondary, SecondaryHandle; }
cores! { Client, Primary, PrimaryHandle, Secondary, SecondaryHandle }
