//! The verbs over one peer or all, as functions; the roles have them as methods.

use std::{sync::Arc, time::Duration};

use mp_core::__typed::Target;

use super::{Asked, Replies};
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

impl<R: DecodeOwned> Decodes<R> for mp_core::Replies {
    type Response = Replies<R>;

    fn decode(self) -> Result<Replies<R>, DecodeError> {
        Ok(Replies::decode(self))
    }
}

/// What a request of type `Q` to a target of type `T` yields.
type Response<T, Q> = <<T as Target>::Yield as Decodes<<Q as Request>::Response>>::Response;

pub(crate) fn send<T, M>(target: T, value: &M, within: Option<Duration>) -> Result<T::Sent, SendError>
where
    T: Target,
    M: Message,
{
    let encoded = encode(value)?;
    let name = const { name(M::NAME) };
    Ok(target.send(&message(&name, &encoded).with_fingerprint(M::FINGERPRINT), within)?)
}

pub(crate) fn request<T, Q>(target: T, value: &Q, timeout: Duration) -> Result<Response<T, Q>, RequestError>
where
    T: Target<Yield: Decodes<Q::Response>>,
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

pub(crate) fn request_async<T, Q>(target: T, value: &Q, timeout: Duration) -> Asked<T::Yield, Q::Response>
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

pub(crate) fn request_then<T, Q, F>(target: T, value: Q, timeout: Duration, callback: F)
where
    T: Target<Yield: Decodes<Q::Response>>,
    Q: Request + Send + Sync + 'static,
    F: FnOnce(&Q, Result<Response<T, Q>, RequestError>) + Send + 'static,
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
