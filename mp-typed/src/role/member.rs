//! The roles that join: primary and secondary, and their handles.

use std::{ffi::OsString, time::Duration};

use mp_core::{Address, StartError};

use super::{Actions, Builder, Joins, Role};

/// A role that joins, its handle, and how its builder makes them.
macro_rules! member {
    (
        $(#[$about:meta])* $role:ident,
        $(#[$about_handle:meta])* $handle:ident,
        $builder:literal, $start:literal, $bound_at:literal
    ) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $role {
            pub(super) core: mp_core::$role,
            actions: Actions,
        }

        $(#[$about_handle])*
        #[derive(Debug, Clone)]
        pub struct $handle {
            pub(super) core: mp_core::$handle,
        }

        impl Role for $role {
            type Core = mp_core::$role;
        }

        impl Joins for $role {}

        impl $role {
            #[doc = concat!("Sets up ", $builder, " of the group with this `--file-prefix`.")]
            #[must_use]
            pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
                Builder::new(mp_core::$role::builder(file_prefix))
            }

            /// Registers and unregisters actions while it runs.
            #[must_use]
            pub fn actions(&self) -> &Actions {
                &self.actions
            }

            /// Its asking side, to be moved elsewhere.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle { core: self.core.handle() }
            }

            #[doc = concat!("Where it is bound: ", $bound_at, ".")]
            #[must_use]
            pub fn address(&self) -> &Address {
                self.core.address()
            }

            /// Leaves the group, within `timeout` for all of it: for handlers and callbacks that run
            /// to end, for the directory lock, and for answers held back. Tells whether all handlers
            /// and callbacks have ended. While another thread is stopping it, waits for that and
            /// tells the same.
            pub fn stop(&self, timeout: Duration) -> bool {
                self.core.stop(timeout)
            }
        }

        impl Builder<$role> {
            /// The asking side of the role to be, for use inside its handlers. Until the start its
            /// calls fail with `NotStarted`; if the start fails, with `Stopped`.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle { core: self.core.handle() }
            }

            #[doc = $start]
            ///
            /// # Errors
            ///
            /// [`StartError`]; the group has not been joined then, and the handles made before are
            /// `Stopped`.
            pub fn start(self) -> Result<$role, StartError> {
                let core = self.core.start()?;
                Ok($role { actions: Actions(core.actions().clone()), core })
            }
        }
    };
}

member! {
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
    Primary,
    /// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers
    /// and threads.
    PrimaryHandle,
    "the primary", "Becomes the group's primary, making its directory if need be.", "`mp_socket`"
}

member! {
    /// Joins a group as a secondary: a primary sends to it, and it to the primary.
    ///
    /// What it has no action for it answers *ignore*, so that a DPDK primary is never held up.
    /// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one second does.
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
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Secondary,
    /// The asking side of a [`Secondary`]: cheap to clone, to be moved into handlers
    /// and threads.
    SecondaryHandle,
    "a secondary", "Joins the group. There need not be a primary yet.", "`mp_socket_<pid>_<hex>`"
}
