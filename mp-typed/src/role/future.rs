use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Replies, RequestError};
use crate::{DecodeOwned, EncodeError};

/// The response of one peer, to come.
///
/// It is of no particular executor, and needs none to make progress: the request
/// goes out when it is made. Dropping this cancels the request.
///
/// # Panics
///
/// Polling it again after it was ready panics.
#[must_use = "dropping it cancels the request"]
pub struct ResponseFuture<R>(Asked<mp_core::ReplyFuture>, PhantomData<fn() -> R>);

/// The responses of all secondaries, to come: as [`ResponseFuture`].
///
/// # Panics
///
/// Polling it again after it was ready panics.
#[must_use = "dropping it cancels the request"]
pub struct RepliesFuture<R>(Asked<mp_core::RepliesFuture>, PhantomData<fn() -> R>);

/// A request that has been made, or could not be encoded.
enum Asked<F> {
    Made(F),
    NotMade(Option<EncodeError>),
}

impl<R> ResponseFuture<R> {
    pub(super) fn new(asked: Result<mp_core::ReplyFuture, EncodeError>) -> Self {
        Self(asked.into(), PhantomData)
    }
}

impl<R> RepliesFuture<R> {
    pub(super) fn new(asked: Result<mp_core::RepliesFuture, EncodeError>) -> Self {
        Self(asked.into(), PhantomData)
    }
}

impl<R: DecodeOwned> Future for ResponseFuture<R> {
    type Output = Result<R, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context).map(|reply| {
            let mp_core::Reply { message, .. } = reply?;
            Ok(crate::decode(&message.param, message.fds)?)
        })
    }
}

impl<R: DecodeOwned> Future for RepliesFuture<R> {
    type Output = Result<Replies<R>, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context).map(|replies| Ok(Replies::decode(replies?)))
    }
}

impl<F, T> Asked<F>
where
    F: Future<Output = Result<T, mp_core::RequestError>> + Unpin,
{
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<T, RequestError>> {
        match self {
            Self::Made(core) => Pin::new(core).poll(context).map_err(RequestError::Core),
            Self::NotMade(error) => {
                let error = error.take().expect("a future is not polled again after it was ready");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<F> From<Result<F, EncodeError>> for Asked<F> {
    fn from(asked: Result<F, EncodeError>) -> Self {
        match asked {
            Ok(core) => Self::Made(core),
            Err(error) => Self::NotMade(Some(error)),
        }
    }
}

impl<R> fmt::Debug for ResponseFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for RepliesFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RepliesFuture").finish_non_exhaustive()
    }
}
