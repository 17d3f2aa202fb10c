use std::{
    ffi::OsString,
    ops::Deref,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    answer::{Actions, ReplyPort},
    ask::{self, Replies, RepliesFuture, Reply, ReplyFuture, RequestError, Requester, SendError, Sent},
    group::{GroupError, Member, Roster, Watch},
    receive::Statistics,
    role::{
        Builder, StartError,
        builder::{Joins, Role, sealed},
        client,
        membership::Membership,
    },
    sys::Address,
    wire::{Message, MessageRef},
};

/// The primary of a group: it sends to every secondary, and they to it.
///
/// There is one in a group; a second one is refused. Taking the place of a C
/// primary whose C secondaries live on, mind that some of their callers (of
/// `mp_pdump`, for one) read a first reply without looking whether there is
/// one, and this primary answers *ignore* for what it has no action for.
///
/// It asks and sends through its [`PrimaryHandle`]. Dropping it leaves the group.
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
    handle: PrimaryHandle,
    membership: Membership,
}

/// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers
/// and threads. Once the primary is gone its calls fail with `Stopped`.
#[derive(Debug, Clone)]
pub struct PrimaryHandle(Arc<OnceLock<Inner>>);

#[derive(Debug)]
#[doc(hidden)]
pub struct Inner {
    requester: Arc<Requester>,
    roster: Arc<Roster>,
    port: Arc<ReplyPort>,
    send_timeout: Duration,
}

impl Role for Primary {}

impl Joins for Primary {}

impl sealed::Role for Primary {
    type Inner = Inner;
}

impl Primary {
    /// Sets up the primary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }

    /// Registers and unregisters actions while it runs.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        self.membership.actions()
    }

    /// Its asking side, to be moved elsewhere.
    #[must_use]
    pub fn handle(&self) -> PrimaryHandle {
        self.handle.clone()
    }

    /// Where it is bound: `mp_socket`.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.membership.port().bound.address
    }

    /// What has been sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.membership.statistics()
    }

    /// Leaves the group. Requests that wait are answered *ignore*, and so are
    /// those that still come; what has begun is finished: waits until running
    /// handlers have ended, but not longer than `timeout`, and not for
    /// the one that calls this. Tells whether all have.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.membership.leave(timeout)
    }
}

impl PrimaryHandle {
    /// Sends a one-way message to every secondary. Those whose queues are full
    /// are waited for as long as [`Builder::send_timeout`] says; the others have
    /// it before that.
    ///
    /// That a secondary is gone is an outcome, not an error.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody.
    ///
    /// Implements `rte_mp_sendmsg`.
    pub fn send<'a>(&self, message: impl Into<MessageRef<'a>>) -> Result<Sent, SendError> {
        let timeout = self.0.get().map_or(Duration::ZERO, |inner| inner.send_timeout);
        self.send_within(message, timeout)
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody.
    pub fn send_within<'a>(
        &self,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> Result<Sent, SendError> {
        let inner = self.0.get().ok_or(SendError::Stopped)?;
        let members = inner.members()?;
        inner.requester.send_all(
            &inner.port.bound.socket,
            inner.roster.layout,
            members,
            &message.into(),
            timeout,
        )
    }

    /// Asks every secondary at once and waits for all replies, at most `timeout`
    /// in all. What has come by then is kept, whatever became of the others.
    ///
    /// May be called from any threads at once, and from inside a handler.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if nobody could be asked. That there are no secondaries is none.
    ///
    /// Implements `rte_mp_request_sync`.
    pub fn request<'a>(
        &self,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        let inner = self.0.get().ok_or(RequestError::Stopped)?;
        let members = inner.members()?;
        inner.requester.ask_all(inner.roster.layout, members, &message.into(), timeout)
    }

    /// Sends a one-way message to one secondary.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    pub fn send_to<'a>(&self, member: &Member, message: impl Into<MessageRef<'a>>) -> Result<(), SendError> {
        let inner = self.0.get().ok_or(SendError::Stopped)?;
        inner.requester.send_to(member.address(), &message.into(), inner.send_timeout)
    }

    /// Asks one secondary and waits for its reply, at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub fn request_to<'a>(
        &self,
        member: &Member,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        let inner = self.0.get().ok_or(RequestError::Stopped)?;
        inner.requester.ask(member.address(), &message.into(), timeout)
    }

    /// Asks every secondary at once; all replies come to the future, with each
    /// peer's outcome.
    ///
    /// The request is made now, not when the future is polled, and never blocks;
    /// `timeout` counts from now. Those are asked who are members when the
    /// request's turn comes, which is at once unless many are under way. The
    /// message's descriptors are copied, and the copies closed as soon as they
    /// are sent. Dropping the future cancels.
    ///
    /// Any executor will do, and no executor is needed. Thousands may be under
    /// way: see [`Builder::requests_under_way`]. One thread, started by the first,
    /// serves all of this primary. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`] if nobody could be asked, and
    /// `Stopped` if the primary stops before. That there are no secondaries is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Message, Name, Outcome, Primary, Secondary};
    ///
    /// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// let secondary = Secondary::builder("example").runtime_dir(dir.path()).start()?;
    ///
    /// let unheard_of = Message::new(Name::new("unheard_of")?);
    /// let replies = pollster::block_on(primary.request_async(&unheard_of, Duration::from_secs(1)))?;
    /// assert_eq!(replies.outcomes[0].1, Outcome::Ignored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_async<'a>(&self, message: impl Into<MessageRef<'a>>, timeout: Duration) -> RepliesFuture {
        match self.0.get() {
            Some(inner) => inner.requester.ask_all_async(&inner.roster, &message.into(), timeout),
            None => RepliesFuture::stopped(),
        }
    }

    /// Asks every secondary at once; all replies come to `callback`, with each
    /// peer's outcome.
    ///
    /// It is called exactly once, whatever happens, also if there are no
    /// secondaries, with the request as it was made, but without its descriptors.
    /// Everything else is as with [`request_async`](Self::request_async), except
    /// that it cannot be cancelled.
    ///
    /// The callback runs on the primary's one thread for asynchronous requests,
    /// so it must not block: the others wait for it. A panic in it is caught and
    /// counted. Only a request that is not taken on at all (the primary has
    /// stopped, too many are under way, or the system is short of descriptors or
    /// threads) has its callback called on the calling thread, before this returns.
    ///
    /// # Errors
    ///
    /// Through the callback: [`RequestError`] if nobody could be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::{sync::mpsc, time::Duration};
    /// use mp_core::{Message, Name, Primary};
    ///
    /// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// let (sender, outcome) = mpsc::channel();
    /// let ping = Message::new(Name::new("ping")?);
    /// primary.request_then(&ping, Duration::from_secs(1), move |_request, result| {
    ///     let _ = sender.send(result.map(|replies| replies.sent()));
    /// });
    /// assert_eq!(outcome.recv()??, 0); // nobody there
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`, with its `rte_mp_async_reply_t`.
    pub fn request_then<'a, F>(&self, message: impl Into<MessageRef<'a>>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Replies, RequestError>) + Send + 'static,
    {
        let message = message.into();
        match self.0.get() {
            Some(inner) => inner.requester.ask_all_then(&inner.roster, &message, timeout, callback),
            None => ask::refuse(&message, callback),
        }
    }

    /// Asks one secondary; its reply, or why there is none, comes to the future.
    /// Everything else is as with [`Client::request_async`](crate::Client::request_async).
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Message, Name, Primary, Secondary};
    ///
    /// let who = Name::new("who")?;
    /// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// let secondary = Secondary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .serve(who, |_request, _peer, responder| {
    ///         let _ = responder.reply(b"me", &[]);
    ///     })
    ///     .start()?;
    ///
    /// let member = primary.members()?.remove(0);
    /// let reply = primary.request_to_async(&member, &Message::new(who), Duration::from_secs(1));
    /// assert_eq!(&*pollster::block_on(reply)?.message.param, b"me");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`, which cannot ask one.
    pub fn request_to_async<'a>(
        &self,
        member: &Member,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
    ) -> ReplyFuture {
        match self.0.get() {
            Some(inner) => inner.requester.ask_async(member.address(), &message.into(), timeout),
            None => ReplyFuture::stopped(),
        }
    }

    /// Asks one secondary; its reply, or why there is none, comes to `callback`.
    /// Everything else is as with [`Client::request_then`](crate::Client::request_then).
    ///
    /// # Errors
    ///
    /// Through the callback: [`RequestError`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::{sync::mpsc, time::Duration};
    /// use mp_core::{Message, Name, Primary, Secondary};
    ///
    /// let who = Name::new("who")?;
    /// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// let secondary = Secondary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .serve(who, |_request, _peer, responder| {
    ///         let _ = responder.reply(b"me", &[]);
    ///     })
    ///     .start()?;
    ///
    /// let member = primary.members()?.remove(0);
    /// let (sender, outcome) = mpsc::channel();
    /// primary.request_to_then(&member, &Message::new(who), Duration::from_secs(1), move |_, result| {
    ///     let _ = sender.send(result);
    /// });
    /// assert_eq!(&*outcome.recv()??.message.param, b"me");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`, which cannot ask one.
    pub fn request_to_then<'a, F>(
        &self,
        member: &Member,
        message: impl Into<MessageRef<'a>>,
        timeout: Duration,
        callback: F,
    ) where
        F: FnOnce(Message, Result<Reply, RequestError>) + Send + 'static,
    {
        let message = message.into();
        match self.0.get() {
            Some(inner) => inner.requester.ask_then(member.address(), &message, timeout, callback),
            None => ask::refuse(&message, callback),
        }
    }

    /// The secondaries that have joined and not left, the dead among them too
    /// until something is sent to them.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be listed. Before the start and
    /// after the stop there are none.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.0.get().map_or(Ok(Vec::new()), Inner::members)
    }

    /// Watches who joins and who leaves, from now on.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be watched, or the primary does
    /// not run.
    pub fn watch(&self) -> Result<Watch, GroupError> {
        match self.0.get() {
            Some(inner) => inner.watch(),
            None => Err(GroupError::NotStarted),
        }
    }

    /// The group's runtime directory; `None` before the primary has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.0.get().map(|inner| inner.requester.group().dir())
    }
}

impl Deref for Primary {
    type Target = PrimaryHandle;

    fn deref(&self) -> &PrimaryHandle {
        &self.handle
    }
}

impl Inner {
    fn watch(&self) -> Result<Watch, GroupError> {
        let group = self.requester.group().clone();
        let roster = Roster::new(group.open()?, self.roster.layout);
        Watch::new(group, roster)
    }

    fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.roster.members(self.requester.group())
    }
}

impl Builder<Primary> {
    /// The asking side of the primary to be, for use inside its handlers. Until
    /// the start its calls fail with `Stopped`.
    #[must_use]
    pub fn handle(&self) -> PrimaryHandle {
        PrimaryHandle(Arc::clone(&self.handle))
    }

    /// Becomes the group's primary, making its directory if need be.
    ///
    /// # Errors
    ///
    /// [`StartError`], also if the group has a live primary.
    pub fn start(mut self) -> Result<Primary, StartError> {
        let group = self.setup.group()?;
        let policy = self.setup.policy();
        let actions = self.setup.actions(group.make()?.has_dpdk())?;
        let (directory, bound, layout) = group.bind_primary()?;
        let requester = client::requester(&group, &policy, &self.setup);
        let port = ReplyPort::new(bound, Arc::clone(&policy.counters));
        let roster = Arc::new(Roster::new(directory, layout));
        let send_timeout = self.setup.send_timeout;
        let inner = Inner { requester: requester.clone(), roster, port: port.clone(), send_timeout };
        // Only the builder fills it, and it is used up by that.
        let _ = self.handle.set(inner);
        let membership = Membership::start(group, requester, port, actions, &self.setup)?;
        Ok(Primary { handle: PrimaryHandle(self.handle), membership })
    }
}
