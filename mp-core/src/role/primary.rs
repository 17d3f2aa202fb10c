//! The primary: it joins, and asks all secondaries.

use std::sync::Arc;

use crate::{
    ask::AskingAll,
    group::Roster,
    role::{Builder, StartError, builder::sealed, membership::Joined, shared::Shared},
};

/// The primary of a group: it sends to every secondary, and they to it.
///
/// There is one in a group; a second one is refused. Taking the place of a C primary whose C
/// secondaries live on, mind that some of their callers (of `mp_pdump`, for one) read a first reply
/// without looking whether there is one, and this primary answers *ignore* for what it has no
/// action for.
///
/// A C secondary that starts anew cannot join it: `rte_eal_init` of a secondary needs the `config`
/// file and the memory of a DPDK primary. Those that outlive their C primary go on as members.
///
/// Dropping it leaves the group, as [`stop`](Self::stop) with a timeout of one second does: so long
/// it may take if a handler or a callback goes on.
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
///     .serve(ping, |request| {
///         let _ = request.reply(b"pong", &[]);
///     })
///     .start()?;
///
/// let replies = primary.request(&Message::new(ping), Duration::from_secs(1))?;
/// assert_eq!((replies.sent(), replies.received()), (1, 1));
/// assert_eq!(replies.outcomes[0].1, Outcome::Replied);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Primary(pub(super) Joined<AskingAll>);

/// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers and threads.
///
/// Before the primary is started its calls fail with `NotStarted`, and with `Stopped` once that is
/// gone or if it could not be started.
#[derive(Debug, Clone)]
pub struct PrimaryHandle(pub(super) Shared<AskingAll>);

impl sealed::Role for Primary {
    type Asking = AskingAll;

    fn start(builder: Builder<Self>) -> Result<Self, StartError> {
        let joined = Joined::start(builder, |group, one| {
            let (directory, bound) = group.bind_primary()?;
            let (roster, bound) = (Roster::of_primary(directory, bound.place()), Arc::new(bound));
            Ok((Arc::clone(&bound), AskingAll::new(one, roster, bound)))
        });
        joined.map(Self)
    }
}
