//! The secondary: it joins, and asks the primary.

use std::sync::Arc;

use crate::{
    ask::Asking,
    role::{Builder, StartError, builder::sealed, membership::Joined, shared::Shared},
};

/// Joins a group as a secondary: a primary sends to it, and it to the primary.
///
/// Joining obliges it to answer: what it has no action for it answers *ignore*, at once, so that a
/// DPDK primary which asks all its secondaries (to grow its heap, or to plug in a device) is not
/// held up. A process that is stopped cannot do so; one that only asks should be a
/// [`Client`](crate::Client).
///
/// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one second does: so long
/// it may take if a handler or a callback goes on.
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
///     .serve(sum, |request| {
///         let total = request.param().iter().sum::<u8>();
///         let _ = request.reply(&[total], &[]);
///     })
///     .start()?;
///
/// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
/// let reply = secondary.request(&Message::new(sum).with_param([1, 2, 3])?, Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, [6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Secondary(pub(super) Joined<Asking>);

/// The asking side of a [`Secondary`]: cheap to clone, to be moved into handlers and threads.
///
/// Before the secondary is started its calls fail with `NotStarted`, and with `Stopped` once that
/// is gone or if it could not be started.
#[derive(Debug, Clone)]
pub struct SecondaryHandle(pub(super) Shared<Asking>);

impl sealed::Role for Secondary {
    type Asking = Asking;

    fn start(builder: Builder<Self>) -> Result<Self, StartError> {
        builder.setup.check_fits_secondary().inspect_err(|_| builder.handle.start_failed())?;
        Joined::start(builder, |group, asking| Ok((Arc::new(group.bind_secondary()?), asking))).map(Self)
    }
}
