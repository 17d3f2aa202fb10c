//! The primary: it joins, and asks all secondaries.

use std::{ffi::OsString, sync::Arc, time::Duration};

use crate::{
    answer::{Actions, ReplyPort},
    group::Roster,
    role::{
        Builder, StartError,
        asking::{Asking, AskingAll, NotRunning, Shared},
        builder::{Joins, Role, Setup, sealed},
        membership::Membership,
    },
    sys::Address,
};

/// The primary of a group: it sends to every secondary, and they to it.
///
/// There is one in a group; a second one is refused. Taking the place of a C
/// primary whose C secondaries live on, mind that some of their callers (of
/// `mp_pdump`, for one) read a first reply without looking whether there is
/// one, and this primary answers *ignore* for what it has no action for.
///
/// A C secondary that starts anew cannot join it: `rte_eal_init` of a secondary needs the `config`
/// file and the memory of a DPDK primary. Those that outlive their C primary go on as members.
///
/// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one
/// second does: so long it may take if a handler or a callback goes on.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Message, Name, Outcome, Primary, Secondary};
///
/// let ping = Name::new("ping")?;
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let secondary = Secondary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(ping, |_request, _peer, responder| {
///         let _ = responder.reply(b"pong", &[]);
///     })
///     .start()?;
///
/// let replies = primary.request(&Message::new(ping), Duration::from_secs(1))?;
/// assert_eq!((replies.sent(), replies.received()), (1, 1));
/// assert_eq!(replies.outcomes[0].1, Outcome::Replied);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Primary {
    // Left first: handlers may ask until then.
    membership: Membership,
    handle: PrimaryHandle,
}

/// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers and threads.
///
/// Before the primary is started its calls fail with `NotStarted`, and with `Stopped` once that is
/// gone or if it could not be started.
#[derive(Debug, Clone)]
pub struct PrimaryHandle(Shared<AskingAll>);

impl Role for Primary {}

impl Joins for Primary {}

impl sealed::Role for Primary {
    type Asking = AskingAll;
}

impl Primary {
    /// Sets up the primary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    pub(super) fn asking(&self) -> Result<&Asking, NotRunning> {
        self.handle.asking()
    }

    pub(super) fn asking_all(&self) -> Result<&AskingAll, NotRunning> {
        self.handle.asking_all()
    }
}

impl PrimaryHandle {
    pub(super) fn asking(&self) -> Result<&Asking, NotRunning> {
        self.asking_all().map(|all| &all.one)
    }

    pub(super) fn asking_all(&self) -> Result<&AskingAll, NotRunning> {
        self.0.get()
    }
}

super::membership::member! { Primary, PrimaryHandle, "`mp_socket`" }

impl Builder<Primary> {
    /// Becomes the group's primary, making its directory if need be.
    ///
    /// # Errors
    ///
    /// [`StartError`], also if the group has a live primary. The handles made before
    /// are `Stopped` then.
    pub fn start(self) -> Result<Primary, StartError> {
        let Self { mut setup, handle, .. } = self;
        let membership = join(&mut setup, &handle).inspect_err(|_| handle.start_failed())?;
        Ok(Primary { membership, handle: PrimaryHandle(handle) })
    }
}

fn join(setup: &mut Setup, handle: &Shared<AskingAll>) -> Result<Membership, StartError> {
    let group = setup.group()?;
    let policy = setup.policy();
    let actions = setup.actions(group.make()?.has_dpdk())?;
    let (directory, bound) = group.bind_primary()?;
    let port = ReplyPort::new(bound, Arc::clone(&policy.counters));
    let one = Asking::new(group, policy, setup);
    let requester = Arc::clone(&one.requester);
    let roster = Arc::new(Roster::of_primary(directory, port.bound.place()));
    let all = AskingAll { one, roster, port: Arc::clone(&port) };
    Membership::start(&requester, port, actions, setup.backlog, || handle.started(all))
}
