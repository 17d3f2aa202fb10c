use std::{ffi::OsString, sync::Arc, time::Duration};

use mp_core::{StartError, Statistics};

use super::{Builder, RequestError, ResponseFuture, Role, SendError, encode, message, name};
use crate::{DecodeOwned, Message, Request};

/// Sends messages and requests to the primary of a group without joining it.
///
/// No primary ever sends to it or waits for it. Cheap to clone.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mp_typed::{Client, Request};
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// let client = Client::builder("no-such-app").start()?;
/// let error = client.request(&Ping, Duration::from_secs(1)).unwrap_err();
/// assert!(error.to_string().starts_with("there is no primary in "));
/// # Ok::<(), mp_typed::StartError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    core: mp_core::Client,
}

impl Role for Client {
    type Core = mp_core::Client;
}

impl Client {
    /// Sets up a client of the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(mp_core::Client::builder(file_prefix))
    }

    pub(super) fn new(core: mp_core::Client) -> Self {
        Self { core }
    }

    /// Sends a one-way message to the primary. If its queue is full, waits as
    /// long as [`Builder::send_timeout`] says.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    ///
    /// Implements `rte_mp_sendmsg`.
    pub fn send<M: Message>(&self, value: &M) -> Result<(), SendError> {
        let encoded = encode(value)?;
        Ok(self.core.send(message(&const { name(M::NAME) }, &encoded))?)
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    pub fn send_within<M: Message>(&self, value: &M, timeout: Duration) -> Result<(), SendError> {
        let encoded = encode(value)?;
        Ok(self.core.send_within(message(&const { name(M::NAME) }, &encoded), timeout)?)
    }

    /// Asks the primary and waits for its response, at most `timeout`.
    ///
    /// Any number of requests may be under way, from any threads. May be called
    /// from inside a handler.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; without a primary at once.
    ///
    /// Implements `rte_mp_request_sync`.
    pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<Q::Response, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        let encoded = encode(value)?;
        response(self.core.request(message(&const { name(Q::NAME) }, &encoded), timeout))
    }

    /// Asks the primary; the response is to come.
    ///
    /// The request goes out at once, whether the future is polled or not. It has
    /// its own copies of the descriptors.
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
    /// use mp_typed::{Client, Peer, Primary, Request};
    ///
    /// #[derive(Request)]
    /// #[message(name = "ping", response = ())]
    /// struct Ping;
    ///
    /// let _primary = Primary::builder("example").runtime_dir(dir.path()).serve(|_: Ping, _: &Peer| ()).start()?;
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// pollster::block_on(async {
    ///     let first = client.request_async(&Ping, Duration::from_secs(1));
    ///     let second = client.request_async(&Ping, Duration::from_secs(1));
    ///     first.await.and(second.await)
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> ResponseFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        ResponseFuture::new(
            encode(value)
                .map(|encoded| self.core.request_async(message(&const { name(Q::NAME) }, &encoded), timeout)),
        )
    }

    /// Asks the primary; the request and its response, or why there is none,
    /// come to `callback`, once.
    ///
    /// The callback runs on the one thread for asynchronous requests, so it
    /// should be quick; a panic in it is caught and counted.
    ///
    /// # Errors
    ///
    /// Through the callback: [`RequestError`].
    ///
    /// Implements `rte_mp_request_async`.
    pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Q::Response, RequestError>) + Send + 'static,
    {
        let value = Arc::new(value);
        let request = Arc::clone(&value);
        match encode(&*value) {
            Ok(encoded) => {
                let message = message(&const { name(Q::NAME) }, &encoded);
                self.core.request_then(message, timeout, move |_, reply| callback(&request, response(reply)));
            }
            Err(error) => callback(&request, Err(error.into())),
        }
    }

    /// What has been sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.core.statistics()
    }

    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::Client {
        &self.core
    }
}

/// The response in a reply of the core.
pub(super) fn response<R: DecodeOwned>(
    reply: Result<mp_core::Reply, mp_core::RequestError>,
) -> Result<R, RequestError> {
    let mp_core::Reply { message, .. } = reply?;
    Ok(crate::decode(&message.param, message.fds)?)
}

impl Builder<Client> {
    /// Makes the client. There need not be a primary yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the file-prefix or the directory's path cannot be used.
    pub fn start(self) -> Result<Client, StartError> {
        self.core.start().map(Client::new)
    }
}
