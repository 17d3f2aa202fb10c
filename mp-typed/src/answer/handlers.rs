//! The three ways to handle what comes, each as an action of the core.

use std::pin::Pin;

use mp_core::{Arrival, Peer, Reason, Rejection, Why};

use super::{
    Answer, Responder,
    decoding::{Decoded, Unfit, Warned, decode},
};
use crate::{
    error::Definition,
    message::{DecodeOwned, Message, Request},
};

/// A request with its sender and what answers it.
type Read<Q> = (Q, Peer, Responder<<Q as Request>::Response>);

/// A handler of messages as an action of the core.
pub(crate) fn on<M, F>(handler: F) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
    F: Fn(M, &Peer) + Send + Sync + 'static,
{
    let message = message();
    move |arrival| {
        let (message, peer) = message(arrival)?;
        handler(message, &peer);
        Ok(())
    }
}

/// Makes a value of a message.
pub(crate) fn message<M>() -> impl Fn(Arrival) -> Result<(M, Peer), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Message(message, peer) => {
            let name = message.name;
            let decoded = decode(message, M::FINGERPRINT, M::accepts);
            let ours = Definition::of_message::<M>;
            Ok((decoded.map_err(|unfit| warned.reject(&name, &unfit, &ours))?.value, peer))
        }
        Arrival::Request(_, _, responder) => {
            responder.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    }
}

/// A handler that returns its response, as an action of the core.
pub(crate) fn serve<Q, A, K, F>(
    handler: F,
) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    A: Answer<Q::Response, K>,
    F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
{
    serve_later(move |request: Q, peer, responder: Responder<Q::Response>| {
        responder.settle(handler(request, peer), Q::NAME);
    })
}

/// A handler that answers through its responder, as an action of the core.
pub(crate) fn serve_later<Q, F>(
    handler: F,
) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
{
    let request = request();
    move |arrival| {
        let (request, peer, responder) = request(arrival)?;
        handler(request, &peer, responder);
        Ok(())
    }
}

/// A handler of messages that is a future, as an action of the core.
pub(crate) fn on_async<M, F, T>(handler: F) -> impl Fn(Arrival) -> Handled + Send + Sync + 'static
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
pub(crate) fn serve_async<Q, A, K, F, T>(handler: F) -> impl Fn(Arrival) -> Handled + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    A: Answer<Q::Response, K>,
    F: Fn(Q, Peer) -> T + Send + Sync + 'static,
    T: Future<Output = A> + Send + 'static,
{
    let request = request::<Q>();
    move |arrival| match request(arrival) {
        Ok((request, peer, responder)) => {
            let handled = handler(request, peer);
            Box::pin(async move {
                responder.settle(handled.await, Q::NAME);
                Ok(())
            })
        }
        Err(rejection) => Box::pin(async move { Err(rejection) }),
    }
}

/// What becomes of an arrival, in the end.
type Handled = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Makes a value of a request, or answers that none can be made.
pub(crate) fn request<Q>() -> impl Fn(Arrival) -> Result<Read<Q>, Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Request(message, peer, responder) => match decode(message, Q::FINGERPRINT, Q::accepts) {
            Ok(Decoded { value, answer }) => Ok((value, peer, Responder::new(responder, answer))),
            Err(unfit) => {
                let ours = Definition::of_request::<Q>;
                let rejection = warned.reject(responder.name(), &unfit, &ours);
                responder.ignore(match unfit {
                    Unfit::Undecodable(error) => Why::new(Reason::Undecodable, error),
                    Unfit::OtherDefinition { .. } => Why::new(Reason::OtherDefinition, ours()),
                });
                Err(rejection)
            }
        },
        Arrival::Message(..) => Err(Rejection::NoAction),
    }
}
