//! The secondary: it joins, and asks the primary.

use std::{ffi::OsString, sync::Arc, time::Duration};

use crate::{
    answer::{Actions, ReplyPort},
    role::{
        Builder, StartError,
        asking::{Asking, NotRunning, Shared},
        builder::{Joins, Role, Setup, sealed},
        membership::Membership,
    },
    sys::Address,
};

/// Joins a group as a secondary: a primary sends to it, and it to the primary.
///
/// Joining obliges it to answer: what it has no action for it answers *ignore*,
/// at once, so that a DPDK primary which asks all its secondaries (to grow its
/// heap, or to plug in a device) is not held up. A process that is stopped
/// cannot do so; one that only asks should be a [`Client`](crate::Client).
///
/// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one
/// second does: so long it may take if a handler or a callback goes on.
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
    // Left first: handlers may ask until then.
    membership: Membership,
    handle: SecondaryHandle,
}

/// The asking side of a [`Secondary`]: cheap to clone, to be moved into handlers and threads.
///
/// Before the secondary is started its calls fail with `NotStarted`, and with `Stopped` once that
/// is gone or if it could not be started.
#[derive(Debug, Clone)]
pub struct SecondaryHandle(Shared<Asking>);

impl Role for Secondary {}

impl Joins for Secondary {}

impl sealed::Role for Secondary {
    type Asking = Asking;
}

impl Secondary {
    /// Sets up a secondary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    pub(super) fn asking(&self) -> Result<&Asking, NotRunning> {
        self.handle.asking()
    }
}

impl SecondaryHandle {
    pub(super) fn asking(&self) -> Result<&Asking, NotRunning> {
        self.0.get()
    }
}

super::membership::member! { Secondary, SecondaryHandle, "`mp_socket_<pid>_<hex>`" }

impl Builder<Secondary> {
    /// Joins the group. There need not be a primary yet.
    ///
    /// # Errors
    ///
    /// [`StartError`]; the group has not been joined then, and the handles made
    /// before are `Stopped`.
    pub fn start(self) -> Result<Secondary, StartError> {
        let Self { mut setup, handle, .. } = self;
        let membership = join(&mut setup, &handle).inspect_err(|_| handle.start_failed())?;
        Ok(Secondary { membership, handle: SecondaryHandle(handle) })
    }
}

fn join(setup: &mut Setup, handle: &Shared<Asking>) -> Result<Membership, StartError> {
    let group = setup.group()?;
    let policy = setup.policy();
    let actions = setup.actions(group.make()?.has_dpdk())?;
    let port = ReplyPort::new(group.bind_secondary()?, Arc::clone(&policy.counters));
    let asking = Asking::new(group, policy, setup);
    Membership::start(&asking.requester.clone(), port, actions, setup.backlog, || handle.started(asking))
}
