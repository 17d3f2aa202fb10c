use std::{ffi::OsString, ops::Deref, sync::Arc, time::Duration};

use mp_core::{GroupError, Member, Sent, StartError, Statistics, Watch};

use super::{
    Actions, Builder, Joins, Replies, RepliesFuture, RequestError, ResponseFuture, Role, SendError,
    client::response, encode, message, name,
};
use crate::{DecodeOwned, Message, Request};

/// The primary of a group: it sends to every secondary, and they to it.
///
/// It asks and sends through its [`PrimaryHandle`]. Dropping it leaves the group.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::sync::mpsc;
/// use mp_typed::{Message, Peer, Primary, Secondary};
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let (seen, ports) = mpsc::channel();
/// let secondary = Secondary::builder("example")
///     .runtime_dir(dir.path())
///     .on(move |state: LinkState, _: &Peer| seen.send(state.port).unwrap())
///     .start()?;
///
/// let sent = primary.send(&LinkState { port: 7, up: true })?;
/// assert_eq!(sent.sent(), 1);
/// assert_eq!(ports.recv()?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Primary {
    handle: PrimaryHandle,
    actions: Actions,
    core: mp_core::Primary,
}

/// The asking side of a [`Primary`]: cheap to clone, to be moved into handlers
/// and threads.
#[derive(Debug, Clone)]
pub struct PrimaryHandle {
    core: mp_core::PrimaryHandle,
}

impl Role for Primary {
    type Core = mp_core::Primary;
}

impl Joins for Primary {}

impl Primary {
    /// Sets up the primary of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(mp_core::Primary::builder(file_prefix))
    }

    /// Registers and unregisters actions while it runs.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Its asking side, to be moved elsewhere.
    #[must_use]
    pub fn handle(&self) -> PrimaryHandle {
        self.handle.clone()
    }

    /// What has been sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.core.statistics()
    }

    /// Leaves the group; waits until running handlers have ended, but not longer
    /// than `timeout`. Tells whether all have.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.core.stop(timeout)
    }

    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::Primary {
        &self.core
    }
}

impl PrimaryHandle {
    /// Sends a one-way message to every secondary. Those whose queues are full
    /// are waited for as long as [`Builder::send_timeout`] says; the others have
    /// it before that. That a secondary is gone is an outcome, not an error.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody.
    ///
    /// Implements `rte_mp_sendmsg`.
    pub fn send<M: Message>(&self, value: &M) -> Result<Sent, SendError> {
        let encoded = encode(value)?;
        Ok(self.core.send(message(&const { name(M::NAME) }, &encoded))?)
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody.
    pub fn send_within<M: Message>(&self, value: &M, timeout: Duration) -> Result<Sent, SendError> {
        let encoded = encode(value)?;
        Ok(self.core.send_within(message(&const { name(M::NAME) }, &encoded), timeout)?)
    }

    /// Sends a one-way message to one secondary.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    pub fn send_to<M: Message>(&self, member: &Member, value: &M) -> Result<(), SendError> {
        let encoded = encode(value)?;
        Ok(self.core.send_to(member, message(&const { name(M::NAME) }, &encoded))?)
    }

    /// Asks every secondary at once and waits for all responses, at most
    /// `timeout` in all. What has come by then is kept, whatever became of the others.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if nobody could be asked. That there are no secondaries is none.
    ///
    /// Implements `rte_mp_request_sync`.
    pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<Replies<Q::Response>, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        let encoded = encode(value)?;
        let replies = self.core.request(message(&const { name(Q::NAME) }, &encoded), timeout)?;
        Ok(Replies::decode(replies))
    }

    /// Asks one secondary and waits for its response, at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`RequestError`]
    pub fn request_to<Q>(
        &self,
        member: &Member,
        value: &Q,
        timeout: Duration,
    ) -> Result<Q::Response, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        let encoded = encode(value)?;
        response(self.core.request_to(member, message(&const { name(Q::NAME) }, &encoded), timeout))
    }

    /// Asks every secondary at once; the responses are to come.
    ///
    /// The request goes out at once, whether the future is polled or not. It has
    /// its own copies of the descriptors.
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`] if nobody could be asked.
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> RepliesFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        RepliesFuture::new(
            encode(value)
                .map(|encoded| self.core.request_async(message(&const { name(Q::NAME) }, &encoded), timeout)),
        )
    }

    /// Asks one secondary; its response is to come.
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`].
    pub fn request_to_async<Q>(
        &self,
        member: &Member,
        value: &Q,
        timeout: Duration,
    ) -> ResponseFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        ResponseFuture::new(encode(value).map(|encoded| {
            self.core.request_to_async(member, message(&const { name(Q::NAME) }, &encoded), timeout)
        }))
    }

    /// Asks every secondary at once; the request and its responses come to
    /// `callback`, once, also when there are no secondaries.
    ///
    /// The callback runs on the one thread for asynchronous requests, so it
    /// should be quick; a panic in it is caught and counted.
    ///
    /// # Errors
    ///
    /// Through the callback: [`RequestError`] if nobody could be asked.
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Replies<Q::Response>, RequestError>) + Send + 'static,
    {
        let value = Arc::new(value);
        let request = Arc::clone(&value);
        match encode(&*value) {
            Ok(encoded) => {
                let message = message(&const { name(Q::NAME) }, &encoded);
                self.core.request_then(message, timeout, move |_, replies| {
                    callback(&request, replies.map(Replies::decode).map_err(RequestError::Core));
                });
            }
            Err(error) => callback(&request, Err(error.into())),
        }
    }

    /// The secondaries that have joined and not left.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be listed.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.core.members()
    }

    /// Watches who joins and who leaves, from now on.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be watched.
    pub fn watch(&self) -> Result<Watch, GroupError> {
        self.core.watch()
    }

    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::PrimaryHandle {
        &self.core
    }
}

impl Deref for Primary {
    type Target = PrimaryHandle;

    fn deref(&self) -> &PrimaryHandle {
        &self.handle
    }
}

impl Builder<Primary> {
    /// The asking side of the primary to be, for use inside its handlers.
    #[must_use]
    pub fn handle(&self) -> PrimaryHandle {
        PrimaryHandle { core: self.core.handle() }
    }

    /// Becomes the group's primary, making its directory if need be.
    ///
    /// # Errors
    ///
    /// [`StartError`], also if the group has a live primary.
    pub fn start(self) -> Result<Primary, StartError> {
        let handle = self.handle();
        let core = self.core.start()?;
        Ok(Primary { handle, actions: Actions(core.actions().clone()), core })
    }
}
