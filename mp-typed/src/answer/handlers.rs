//! The three ways to handle what comes, each as an action of the core.

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
        match handler(request, peer).into_response() {
            Ok(response) => {
                if let Err(error) = responder.reply(&response) {
                    tracing::warn!(%error, name = Q::NAME, "a response was not delivered");
                }
            }
            Err(why) => responder.ignore(why),
        }
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
