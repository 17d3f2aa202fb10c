use std::{
    ffi::OsString,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    Builder, MessageRef, Reply, RequestError, SendError, StartError, Statistics,
    builder::{Role, sealed},
    group::Group,
    inbox::Gate,
    request::Desk,
};

/// Sends messages and requests to the primary of a group without joining it.
///
/// It binds nothing that a primary looks for, so no primary ever sends to it or
/// waits for it. It has no thread. Cheap to clone; clones share everything.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mp_core::{Client, Message, Name, RequestError};
///
/// let client = Client::builder("no-such-app").start()?;
/// let ping = Message::new(Name::new("ping")?);
/// let error = client.request(&ping, Duration::from_secs(1)).unwrap_err();
/// assert!(matches!(error, RequestError::NoPrimary { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client(Arc<OnceLock<Inner>>);

#[derive(Debug)]
#[doc(hidden)]
pub struct Inner {
    desk: Arc<Desk>,
    send_timeout: Duration,
}

impl Role for Client {}

impl sealed::Role for Client {
    type Inner = Inner;
}

impl Client {
    /// Sets up a client of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    pub(crate) fn of(handle: &Arc<OnceLock<Inner>>) -> Self {
        Self(Arc::clone(handle))
    }

    /// Sends a one-way message to the primary. If its queue is full, waits as
    /// long as [`Builder::send_timeout`] says.
    ///
    /// The layout of the datagram is that of the DPDK version which the group's
    /// `config` file tells; without one, 332 bytes.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    ///
    /// Implements `rte_mp_sendmsg`.
    pub fn send<'a>(&self, message: impl Into<MessageRef<'a>>) -> Result<(), SendError> {
        let timeout = self.0.get().map_or(Duration::ZERO, |inner| inner.send_timeout);
        self.send_within(message, timeout)
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    pub fn send_within<'a>(
        &self,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        let desk = &self.0.get().ok_or(SendError::Stopped)?.desk;
        desk.send_to(desk.group().primary(), &message.into(), timeout)
    }

    /// Asks the primary and waits for its reply, at most `timeout`.
    ///
    /// Any number of requests may be under way, from any threads, also with one
    /// name; a late reply never answers another. May be called from inside a
    /// handler.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; without a primary at once.
    ///
    /// Implements `rte_mp_request_sync`.
    pub fn request<'a>(
        &self,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        let desk = &self.0.get().ok_or(RequestError::Stopped)?.desk;
        desk.ask(desk.group().primary(), &message.into(), timeout)
    }

    /// The group's runtime directory; `None` before the role has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.0.get().map(|inner| inner.desk.group().dir())
    }

    /// What has been sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.get().map(|inner| inner.desk.gate().counters.snapshot()).unwrap_or_default()
    }
}

impl Builder<Client> {
    /// Makes the client. There need not be a primary, nor a directory, yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the file-prefix or the directory's path cannot be used.
    pub fn start(self) -> Result<Client, StartError> {
        let group = self.setup.group()?;
        group.sweep_replies();
        let desk = Desk::new(group, self.setup.gate());
        Ok(fill(&self.handle, desk, self.setup.send_timeout))
    }
}

/// Gives the handles made so far, and the one returned, their desk.
pub(crate) fn fill(handle: &Arc<OnceLock<Inner>>, desk: Arc<Desk>, send_timeout: Duration) -> Client {
    // Only the builder fills it, and it is used up by that.
    let _ = handle.set(Inner { desk, send_timeout });
    Client::of(handle)
}

pub(crate) fn desk(group: &Group, gate: &Gate) -> Arc<Desk> {
    Desk::new(group.clone(), gate.clone())
}
