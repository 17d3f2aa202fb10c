use std::{ffi::OsString, ops::Deref, time::Duration};

use mp_core::StartError;

use super::{Actions, Builder, Client, Joins, Role};

/// Joins a group as a secondary: a primary sends to it, and it to the primary.
///
/// It asks and sends as a [`Client`] does. Dropping it leaves the group. What it
/// has no action for it answers *ignore*, so that a DPDK primary is never held up.
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
#[derive(Debug)]
pub struct Secondary {
    client: Client,
    actions: Actions,
    core: mp_core::Secondary,
}

impl Role for Secondary {
    type Core = mp_core::Secondary;
}

impl Joins for Secondary {}

impl Secondary {
    /// Sets up a secondary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(mp_core::Secondary::builder(file_prefix))
    }

    /// Registers and unregisters actions while it runs.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Leaves the group; waits until running handlers have ended, but not longer
    /// than `timeout`. Tells whether all have.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.core.stop(timeout)
    }

    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::Secondary {
        &self.core
    }
}

impl Deref for Secondary {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Builder<Secondary> {
    /// The asking side of the secondary to be, for use inside its handlers.
    #[must_use]
    pub fn handle(&self) -> Client {
        Client::new(self.core.handle())
    }

    /// Joins the group. There need not be a primary yet.
    ///
    /// # Errors
    ///
    /// [`StartError`]; the group has not been joined then.
    pub fn start(self) -> Result<Secondary, StartError> {
        let client = self.handle();
        let core = self.core.start()?;
        Ok(Secondary { client, actions: Actions(core.actions().clone()), core })
    }
}
