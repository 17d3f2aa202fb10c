//! Responses to come.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::Decodes;
use crate::error::{EncodeError, RequestError};

/// The response of one peer, to come.
///
/// It is of no particular executor, and needs none to make progress: the request goes out when it
/// is made. Dropping this cancels the request.
///
/// # Panics
///
/// Polling it again after it was ready panics.
pub type ResponseFuture<R> = Asked<mp_core::Reply, R>;

/// The responses of all secondaries, to come: as [`ResponseFuture`].
pub type RepliesFuture<R> = Asked<mp_core::Replies, R>;

/// A request that has been made, or could not be encoded: see [`ResponseFuture`].
#[must_use = "dropping it cancels the request"]
pub struct Asked<A, R> {
    made: Result<mp_core::Asked<A>, Option<EncodeError>>,
    /// What the core's error is of this request.
    error: fn(mp_core::RequestError) -> RequestError,
    response: PhantomData<fn() -> R>,
}

impl<A, R> Asked<A, R> {
    pub(super) fn new(
        made: Result<mp_core::Asked<A>, EncodeError>,
        error: fn(mp_core::RequestError) -> RequestError,
    ) -> Self {
        Self { made: made.map_err(Some), error, response: PhantomData }
    }
}

impl<A: Decodes<R>, R> Future for Asked<A, R> {
    type Output = Result<A::Response, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let error_of = self.error;
        match &mut self.made {
            Ok(made) => Pin::new(made).poll(context).map(|answer| Ok(answer.map_err(error_of)?.decode()?)),
            Err(error) => {
                let error = error.take().expect("a future is not polled again after it was ready");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<A, R> fmt::Debug for Asked<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}
