use std::sync::Arc;

use crate::sys::Hub;

/// A group within this process, for unit tests of code that uses the roles: no
/// file, no socket, no permission is needed, and groups do not meet.
///
/// Everything else is as between processes: the same encoding, the same threads,
/// the same deadlines and outcomes. A mailbox takes 1024 datagrams where a
/// socket takes 11, and every sender is this process. Descriptors are duplicated
/// as the kernel does.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mp_core::{InProcess, Message, Name, Primary, Secondary};
///
/// let group = InProcess::new();
/// let ping = Name::from_static("ping");
/// let primary = Primary::builder("any")
///     .in_process(&group)
///     .serve(ping, |_, _, responder| responder.reply(b"pong", &[]).expect("it waits"))
///     .start()?;
/// let secondary = Secondary::builder("any").in_process(&group).start()?;
///
/// let reply = secondary.request(&Message::new(ping), Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, b"pong");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Takes the place of DPDK's `--in-memory` and `--no-shconf`, with which its IPC
/// is turned off (`ENOTSUP`).
#[derive(Debug, Clone)]
pub struct InProcess(pub(crate) Arc<Hub>);

impl InProcess {
    /// A new group without members.
    #[must_use]
    pub fn new() -> Self {
        Self(Hub::new())
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}
