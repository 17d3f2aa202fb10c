//! Responses to come.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{RequestError, target::Decodes};
use crate::EncodeError;

/// The response of one peer, to come.
///
/// It is of no particular executor, and needs none to make progress: the request
/// goes out when it is made. Dropping this cancels the request.
///
/// # Panics
///
/// Polling it again after it was ready panics.
pub type ResponseFuture<R> = Asked<mp_core::ReplyFuture, R>;

/// The responses of all secondaries, to come: as [`ResponseFuture`].
pub type RepliesFuture<R> = Asked<mp_core::RepliesFuture, R>;

/// A request that has been made, or could not be encoded: see [`ResponseFuture`].
#[must_use = "dropping it cancels the request"]
pub struct Asked<F, R> {
    made: Made<F>,
    response: PhantomData<fn() -> R>,
}

enum Made<F> {
    Core(F),
    Not(Option<EncodeError>),
}

impl<F, R> Asked<F, R> {
    pub(super) fn new(asked: Result<F, EncodeError>) -> Self {
        let made = asked.map_or_else(|error| Made::Not(Some(error)), Made::Core);
        Self { made, response: PhantomData }
    }
}

impl<F, A, R> Future for Asked<F, R>
where
    F: Future<Output = Result<A, mp_core::RequestError>> + Unpin,
    A: Decodes<R>,
{
    type Output = Result<A::Response, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.made {
            Made::Core(core) => Pin::new(core).poll(context).map(|answer| Ok(answer?.decode()?)),
            Made::Not(error) => {
                let error = error.take().expect("a future is not polled again after it was ready");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<F, R> fmt::Debug for Asked<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}
