use std::{ffi::OsString, ops::Deref, sync::Arc, time::Duration};

use crate::{
    answer::{Actions, ReplyPort},
    role::{
        Builder, Client, StartError,
        builder::{Joins, Role, sealed},
        client,
        membership::Membership,
    },
    sys::Address,
};

/// Joins a group as a secondary: a primary sends to it, and it to the primary.
///
/// Joining obliges it to answer: what it has no action for it answers *ignore*,
/// at once, so that a DPDK primary which asks all its secondaries (to grow its
/// heap, or to plug in a device) is not held up. A process that is stopped
/// cannot do so; one that only asks should be a [`Client`].
///
/// It asks and sends as a [`Client`] does. Dropping it leaves the group.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Message, Name, Primary, Secondary};
///
/// let sum = Name::new("sum")?;
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(sum, |request, _peer, responder| {
///         let total = request.param.iter().sum::<u8>();
///         let _ = responder.reply(&[total], &[]);
///     })
///     .start()?;
///
/// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
/// let reply = secondary.request(&Message::new(sum).with_param([1, 2, 3])?, Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, [6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Secondary {
    client: Client,
    membership: Membership,
}

impl Role for Secondary {}

impl Joins for Secondary {}

impl sealed::Role for Secondary {
    type Inner = client::Inner;
}

impl Secondary {
    /// Sets up a secondary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    /// Registers and unregisters actions while it runs.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        self.membership.actions()
    }

    /// Where it is bound: `mp_socket_<pid>_<hex>`.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.membership.port().bound.address
    }

    /// Leaves the group. Requests that wait are answered *ignore*, and so are
    /// those that still come; what has begun is finished: waits until running
    /// handlers have ended, but not longer than `timeout`, and not for
    /// the one that calls this. Tells whether all have.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.membership.leave(timeout)
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
    /// Until the start its calls fail with `Stopped`.
    #[must_use]
    pub fn handle(&self) -> Client {
        Client::of(&self.handle)
    }

    /// Joins the group. There need not be a primary yet.
    ///
    /// # Errors
    ///
    /// [`StartError`]; the group has not been joined then.
    pub fn start(mut self) -> Result<Secondary, StartError> {
        let group = self.setup.group()?;
        let policy = self.setup.policy();
        let actions = self.setup.actions(group.make()?.has_dpdk())?;
        let requester = client::requester(&group, &policy, &self.setup);
        let client = client::fill(&self.handle, requester.clone(), self.setup.send_timeout);
        let port = ReplyPort::new(group.bind_secondary()?, Arc::clone(&policy.counters));
        let membership = Membership::start(group, requester, port, actions, &self.setup)?;
        Ok(Secondary { client, membership })
    }
}
