use std::{
    ffi::OsString,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    ask::{self, Reply, ReplyFuture, RequestError, Requester, SendError},
    group::Group,
    receive::{ReceivePolicy, Statistics},
    role::{
        Builder, StartError,
        builder::{Role, Setup, sealed},
        membership::DROP_TIMEOUT,
    },
    sys::Deadline,
    wire::{Message, MessageRef},
};

/// Sends messages and requests to the primary of a group without joining it.
///
/// It binds nothing that a primary looks for, so no primary ever sends to it or
/// waits for it. It has no thread until its first asynchronous request. Cheap to
/// clone; clones share everything. Dropping the last one ends the asynchronous
/// requests under way with [`Stopped`](RequestError::Stopped), and waits for a
/// callback that is running, but not longer than a second, and not inside it.
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
    requester: Arc<Requester>,
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
        let requester = &self.0.get().ok_or(SendError::Stopped)?.requester;
        requester.send_to(requester.group().primary(), &message.into(), timeout)
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
        let requester = &self.0.get().ok_or(RequestError::Stopped)?.requester;
        requester.ask(requester.group().primary(), &message.into(), timeout)
    }

    /// Asks the primary; its reply, or why there is none, comes to the future.
    ///
    /// The request is made now, not when the future is polled, and never blocks;
    /// `timeout` counts from now, and covers waiting for its turn and for room in
    /// the primary's queue too. The message's descriptors are copied, and the
    /// copies closed as soon as they are sent. Dropping the future cancels.
    ///
    /// Any executor will do, and no executor is needed. Thousands may be under
    /// way: see [`Builder::requests_under_way`]. One thread, started by the first,
    /// serves all of this role. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`]; without a primary at once, and
    /// `Stopped` if the role stops, or the last clone of it is dropped, before.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Client, Message, Name, Primary};
    ///
    /// let echo = Name::new("echo")?;
    /// let primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .serve(echo, |request, _peer, responder| {
    ///         let _ = responder.reply(&request.param, &[]);
    ///     })
    ///     .start()?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// let first = client.request_async(&Message::new(echo).with_param(b"1")?, Duration::from_secs(1));
    /// let second = client.request_async(&Message::new(echo).with_param(b"2")?, Duration::from_secs(1));
    /// pollster::block_on(async {
    ///     assert_eq!(&*second.await?.message.param, b"2");
    ///     assert_eq!(&*first.await?.message.param, b"1");
    ///     Ok::<(), mp_core::RequestError>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_async<'a>(&self, message: impl Into<MessageRef<'a>>, timeout: Duration) -> ReplyFuture {
        match self.0.get() {
            Some(Inner { requester, .. }) => {
                requester.ask_async(requester.group().primary(), &message.into(), timeout)
            }
            None => ReplyFuture::stopped(),
        }
    }

    /// Asks the primary; its reply, or why there is none, comes to `callback`.
    ///
    /// It is called exactly once, whatever happens, with the request as it was
    /// made, but without its descriptors. Everything else is as with
    /// [`request_async`](Self::request_async), except that it cannot be cancelled.
    ///
    /// The callback runs on the role's one thread for asynchronous requests, so
    /// it must not block: the others wait for it. A panic in it is caught and
    /// counted. Only a request that is not taken on at all (the role has stopped,
    /// too many are under way, or the system is short of descriptors or threads)
    /// has its callback called on the calling thread, before this returns.
    ///
    /// # Errors
    ///
    /// Through the callback: [`RequestError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// use mp_core::{Client, Message, Name, RequestError};
    ///
    /// let client = Client::builder("no-such-app").start()?;
    /// let (sender, outcome) = mpsc::channel();
    /// let ping = Message::new(Name::new("ping")?);
    /// client.request_then(&ping, Duration::from_secs(1), move |request, result| {
    ///     let _ = sender.send((request.name, result));
    /// });
    /// let (name, result) = outcome.recv()?;
    /// assert_eq!(name, ping.name);
    /// assert!(matches!(result, Err(RequestError::NoPrimary { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`, with its `rte_mp_async_reply_t`.
    pub fn request_then<'a, F>(&self, message: impl Into<MessageRef<'a>>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Reply, RequestError>) + Send + 'static,
    {
        let message = message.into();
        match self.0.get() {
            Some(Inner { requester, .. }) => {
                requester.ask_then(requester.group().primary(), &message, timeout, callback)
            }
            None => ask::refuse(&message, callback),
        }
    }

    /// The group's runtime directory; `None` before the role has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.0.get().map(|inner| inner.requester.group().dir())
    }

    /// What has been sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.get().map(|inner| inner.requester.policy().counters.snapshot()).unwrap_or_default()
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
        let requester = requester(&group, &self.setup.policy(), &self.setup);
        Ok(fill(&self.handle, requester, self.setup.send_timeout))
    }
}

/// Gives the handles made so far, and the one returned, their requester.
pub(crate) fn fill(
    handle: &Arc<OnceLock<Inner>>,
    requester: Arc<Requester>,
    send_timeout: Duration,
) -> Client {
    // Only the builder fills it, and it is used up by that.
    let _ = handle.set(Inner { requester, send_timeout });
    Client::of(handle)
}

pub(crate) fn requester(group: &Group, policy: &ReceivePolicy, setup: &Setup) -> Arc<Requester> {
    Requester::new(group.clone(), policy.clone(), setup.under_way)
}

/// The role's thread for asynchronous requests, if it has one, ends with it. It
/// is waited for, since a process that ends before would leave its reply sockets.
impl Drop for Inner {
    fn drop(&mut self) {
        self.requester.stop();
        if !self.requester.wait_until_ended(Deadline::after(DROP_TIMEOUT)) {
            tracing::warn!("a callback is still running; its thread goes on until it ends");
        }
    }
}
