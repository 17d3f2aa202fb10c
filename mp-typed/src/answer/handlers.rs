//! The three ways to handle what comes, each as an action of the core.

use std::{pin::Pin, sync::Arc};

use mp_core::{Arrival, Peer, Reason, Rejection, Why};

use super::{
    Answer, Responder,
    decoding::{Decoded, Unfit, Warned, decode},
    responder::reply,
    unanswered::Unanswered,
};
use crate::{
    error::Definition,
    message::{DecodeOwned, Message, Request},
};

/// A request with its sender and what answers it.
type Read<Q> = (Q, Peer, Responder<<Q as Request>::Response>);

/// A handler of messages as an action of the core.
pub(crate) fn on<M, F>(handler: F) -> impl Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
    F: Fn(M, &Peer) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| {
        let (message, peer) = decoded_message::<M>(arrival, &warned)?;
        handler(message, peer);
        Ok(())
    }
}

/// Makes a value of a message.
pub(crate) fn message<M>() -> impl Fn(Arrival<'_>) -> Result<(M, Peer), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
{
    let warned = Warned::default();
    move |arrival| decoded_message(arrival, &warned).map(|(message, peer)| (message, peer.clone()))
}

/// A handler that returns its response, as an action of the core.
pub(crate) fn serve<Q, A, K, F>(
    handler: F,
) -> impl Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    A: Answer<Q::Response, K>,
    F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
{
    let (warned, unanswered) = (Warned::default(), Unanswered::default());
    move |arrival| {
        let (request, Decoded { value, answer }) = decoded::<Q>(arrival, &warned)?;
        match handler(value, request.peer()).into_response() {
            Ok(response) => {
                if let Err(error) = reply(request, answer, &response) {
                    unanswered.undelivered(Q::NAME, &error);
                }
            }
            Err(why) => {
                unanswered.failed(Q::NAME, &why);
                request.ignore(why);
            }
        }
        Ok(())
    }
}

/// A handler that answers through its responder, as an action of the core.
pub(crate) fn serve_later<Q, F>(
    handler: F,
) -> impl Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| {
        let (request, Decoded { value, answer }) = decoded::<Q>(arrival, &warned)?;
        let peer = request.peer();
        handler(value, peer, Responder::new(request.defer(), answer));
        Ok(())
    }
}

/// A handler of messages that is a future, as an action of the core.
pub(crate) fn on_async<M, F, T>(handler: F) -> impl Fn(Arrival<'_>) -> Handled + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
    F: Fn(M, Peer) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let message = message();
    move |arrival| match message(arrival) {
        Ok((message, peer)) => {
            let handled = handler(message, peer);
            Box::pin(async move {
                handled.await;
                Ok(())
            })
        }
        Err(rejection) => Box::pin(async move { Err(rejection) }),
    }
}

/// A handler of requests that is a future of its response, as an action of the core.
pub(crate) fn serve_async<Q, A, K, F, T>(
    handler: F,
) -> impl Fn(Arrival<'_>) -> Handled + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    A: Answer<Q::Response, K>,
    F: Fn(Q, Peer) -> T + Send + Sync + 'static,
    T: Future<Output = A> + Send + 'static,
{
    let (request, unanswered) = (request::<Q>(), Arc::new(Unanswered::default()));
    move |arrival| match request(arrival) {
        Ok((request, peer, responder)) => {
            let (handled, unanswered) = (handler(request, peer), Arc::clone(&unanswered));
            Box::pin(async move {
                responder.settle(handled.await, Q::NAME, &unanswered);
                Ok(())
            })
        }
        Err(rejection) => Box::pin(async move { Err(rejection) }),
    }
}

/// What becomes of an arrival, in the end.
type Handled = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Makes a value of a request, or answers that none can be made.
pub(crate) fn request<Q>() -> impl Fn(Arrival<'_>) -> Result<Read<Q>, Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
{
    let warned = Warned::default();
    move |arrival| {
        let (request, Decoded { value, answer }) = decoded::<Q>(arrival, &warned)?;
        let peer = request.peer().clone();
        Ok((value, peer, Responder::new(request.defer(), answer)))
    }
}

/// A message as a value, with its sender.
fn decoded_message<'a, M: Message + DecodeOwned>(
    arrival: Arrival<'a>,
    warned: &Warned,
) -> Result<(M, &'a Peer), Rejection> {
    match arrival {
        Arrival::Message(mut message) => {
            let (name, theirs) = (message.name(), message.fingerprint());
            let decoded = decode(message.param(), message.take_fds(), theirs, M::FINGERPRINT, M::accepts);
            let ours = Definition::of_message::<M>;
            Ok((decoded.map_err(|unfit| warned.reject(name, &unfit, &ours))?.value, message.peer()))
        }
        Arrival::Request(request) => {
            request.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    }
}

/// A request with what it decodes to. What is none is told to its sender.
fn decoded<'a, Q: Request + DecodeOwned>(
    arrival: Arrival<'a>,
    warned: &Warned,
) -> Result<(mp_core::Request<'a>, Decoded<Q>), Rejection> {
    let Arrival::Request(mut request) = arrival else { return Err(Rejection::NoAction) };
    let theirs = request.fingerprint();
    match decode(request.param(), request.take_fds(), theirs, Q::FINGERPRINT, Q::accepts) {
        Ok(decoded) => Ok((request, decoded)),
        Err(unfit) => {
            let ours = Definition::of_request::<Q>;
            let rejection = warned.reject(request.name(), &unfit, &ours);
            request.ignore(match unfit {
                Unfit::Undecodable(error) => Why::new(Reason::Undecodable, error),
                Unfit::OtherDefinition { .. } => Why::new(Reason::OtherDefinition, ours()),
            });
            Err(rejection)
        }
    }
}
