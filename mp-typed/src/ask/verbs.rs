//! The verbs over one peer or all, as functions; the roles have them as methods.

use std::{sync::Arc, time::Duration};

use mp_core::__typed::Target;

use super::{Asked, Replies, Reply, ResponseFuture};
use crate::{
    error::{DecodeError, Definition, RequestError, SendError},
    message::{DecodeOwned, Message, Request},
    transcode::{encode, message, name},
};

/// What comes back from one peer, or from all, as values.
pub trait Decodes<R> {
    /// The response, or all of them.
    type Response;

    /// Decodes what came back.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is no value of the type.
    fn decode(self) -> Result<Self::Response, DecodeError>;
}

impl<R: DecodeOwned> Decodes<R> for mp_core::Reply {
    type Response = R;

    fn decode(self) -> Result<R, DecodeError> {
        crate::transcode::decode(&self.message.param, self.message.fds)
    }
}

/// With whom it came from.
impl<R: DecodeOwned> Decodes<Reply<R>> for mp_core::Reply {
    type Response = Reply<R>;

    fn decode(self) -> Result<Reply<R>, DecodeError> {
        let response = crate::transcode::decode(&self.message.param, self.message.fds)?;
        Ok(Reply { response, peer: self.peer })
    }
}

impl<R: DecodeOwned> Decodes<R> for mp_core::Replies {
    type Response = Replies<R>;

    fn decode(self) -> Result<Replies<R>, DecodeError> {
        Ok(Replies::decode(self))
    }
}

/// What a request to a target of type `T` yields, decoded as `R`.
type Response<T, R> = <<T as Target>::Yield as Decodes<R>>::Response;

pub(crate) fn send<T, M>(target: T, value: &M, within: Option<Duration>) -> Result<T::Sent, SendError>
where
    T: Target,
    M: Message,
{
    let encoded = encode(value)?;
    let name = const { name(M::NAME) };
    Ok(target.send(&message(&name, &encoded).with_fingerprint(M::FINGERPRINT), within)?)
}

pub(crate) fn request<T, Q, R>(
    target: T,
    value: &Q,
    timeout: Duration,
) -> Result<Response<T, R>, RequestError>
where
    T: Target<Yield: Decodes<R>>,
    Q: Request,
{
    let encoded = encode(value)?;
    let name = const { name(Q::NAME) };
    let message = message(&name, &encoded).with_fingerprint(Q::FINGERPRINT);
    Ok(target.request(&message, timeout).map_err(error_of::<Q>)?.decode()?)
}

/// What the core's error is of a request of type `Q`.
fn error_of<Q: Request>(error: mp_core::RequestError) -> RequestError {
    RequestError::of(error, Definition::of_request::<Q>)
}

pub(crate) fn request_async<T, Q, R>(target: T, value: &Q, timeout: Duration) -> Asked<T::Yield, R>
where
    T: Target,
    Q: Request,
{
    let name = const { name(Q::NAME) };
    let made = encode(value).map(|encoded| {
        target.request_async(&message(&name, &encoded).with_fingerprint(Q::FINGERPRINT), timeout)
    });
    Asked::new(made, error_of::<Q>)
}

pub(crate) fn request_then<T, Q, R, F>(target: T, value: Q, timeout: Duration, callback: F)
where
    T: Target<Yield: Decodes<R>>,
    Q: Request + Send + Sync + 'static,
    F: FnOnce(&Q, Result<Response<T, R>, RequestError>) + Send + 'static,
{
    let value = Arc::new(value);
    let request = Arc::clone(&value);
    let name = const { name(Q::NAME) };
    match encode(&*value) {
        Ok(encoded) => {
            let message = message(&name, &encoded).with_fingerprint(Q::FINGERPRINT);
            target.request_then(&message, timeout, move |_, answer| {
                let response = answer.map_err(error_of::<Q>).and_then(|answer| Ok(answer.decode()?));
                callback(&request, response);
            });
        }
        Err(error) => target.call_back(&name, move || callback(&request, Err(error.into()))),
    }
}

/// One peer, to send to and to ask: a member, as `to` returns it. [`Secondary`](crate::Secondary)
/// shows it.
#[derive(Debug, Clone, Copy)]
pub struct OnePeer<'a> {
    pub(crate) core: mp_core::OnePeer<'a>,
}

/// One peer, to ask by the same verbs; with the response comes who sent it. What `with_peer` returns.
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
/// let reply = client.with_peer().request(&Ping, Duration::from_secs(1))?;
/// assert_eq!(reply.peer.pid(), std::process::id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "it asks nothing until told what"]
pub struct WithPeer<'a> {
    core: mp_core::OnePeer<'a>,
}

impl<'a> WithPeer<'a> {
    pub(crate) fn new(core: mp_core::OnePeer<'a>) -> Self {
        Self { core }
    }

    /// Asks, and waits for the response and its sender.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; if nobody is there, at once.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<Q>(self, value: &Q, timeout: Duration) -> Result<Reply<Q::Response>, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        request::<_, _, Reply<Q::Response>>(self.core, value, timeout)
    }

    /// Asks now; the response and its sender come to the future.
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<Q>(self, value: &Q, timeout: Duration) -> ResponseFuture<Reply<Q::Response>>
    where
        Q: Request<Response: DecodeOwned>,
    {
        request_async::<_, _, Reply<Q::Response>>(self.core, value, timeout)
    }

    /// Asks now; the response and its sender come to `callback`.
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<Q, F>(self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Reply<Q::Response>, RequestError>) + Send + 'static,
    {
        request_then::<_, _, Reply<Q::Response>, _>(self.core, value, timeout, callback);
    }
}

/// Sends with a deadline of its own: what `within` returns.
#[derive(Debug, Clone, Copy)]
#[must_use = "it sends nothing until told what"]
pub struct Within<T> {
    target: T,
    timeout: Duration,
}

impl<T: Target> Within<T> {
    pub(crate) fn new(target: T, timeout: Duration) -> Self {
        Self { target, timeout }
    }

    /// Sends a one-way message, and waits for room in full queues no longer than this says.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<M: Message>(self, value: &M) -> Result<T::Sent, SendError> {
        send(self.target, value, Some(self.timeout))
    }
}
