//! Groups for unit tests, within one process: what a user holds of a private directory.

use std::sync::Arc;

use super::PrivateDirectory;

/// A group within this process, for unit tests of code that uses the roles: nothing need be there,
/// and groups do not meet.
///
/// It is a runtime directory of its own: private (mode 0700), below [`std::env::temp_dir`], made
/// when the first role starts and removed, with all that is in it, when the last role and handle of
/// the group are gone. Everything is as between processes: the same sockets, limits, deadlines and
/// outcomes. Only the file-prefix is not used, and there is no DPDK in it.
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
///     .serve(ping, |request| request.reply(b"pong", &[]).expect("it waits"))
///     .start()?;
/// let secondary = Secondary::builder("any").in_process(&group).start()?;
///
/// let reply = secondary.request(&Message::new(ping), Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, b"pong");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Takes the place of DPDK's `--in-memory` and `--no-shconf`, with which its IPC is turned off
/// (`ENOTSUP`).
#[doc(alias = "--in-memory")]
#[doc(alias = "--no-shconf")]
#[derive(Debug, Clone)]
#[doc(alias = "rte_mp_disable")]
pub struct InProcess(pub(crate) Arc<PrivateDirectory>);

impl InProcess {
    /// A new group without members.
    #[must_use]
    pub fn new() -> Self {
        Self(PrivateDirectory::new())
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}
