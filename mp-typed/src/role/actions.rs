use std::sync::{Mutex, PoisonError};

use mp_core::{Arrival, Message as Raw, Name, Peer, Reason, RegisterError, Registration, Rejection, Why};

use super::{Answer, Responder, name};
use crate::{DecodeError, DecodeOwned, Message, Request, error::DecodeErrorKind};

/// Registers and unregisters actions while a role runs. Cheap to clone.
///
/// Implements `rte_mp_action_register` and `rte_mp_action_unregister`.
#[doc(alias = "rte_mp_action_register")]
#[doc(alias = "rte_mp_action_unregister")]
#[derive(Debug, Clone)]
pub struct Actions(pub(super) mp_core::Actions);

impl Actions {
    /// Calls `handler` for each message of type `M`.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn on<M, F>(&self, handler: F) -> Result<Registration, RegisterError>
    where
        M: Message + DecodeOwned + 'static,
        F: Fn(M, &Peer) + Send + Sync + 'static,
    {
        self.0.action(const { name(M::NAME) }, on(handler))
    }

    /// Answers each request of type `Q` with what `handler` returns.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn serve<Q, A, K, F>(&self, handler: F) -> Result<Registration, RegisterError>
    where
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    {
        self.0.action(const { name(Q::NAME) }, serve(handler))
    }

    /// Lets `handler` answer each request of type `Q` when and where it likes.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn serve_later<Q, F>(&self, handler: F) -> Result<Registration, RegisterError>
    where
        Q: Request + DecodeOwned + 'static,
        F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
    {
        self.0.action(const { name(Q::NAME) }, serve_later(handler))
    }

    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::Actions {
        &self.0
    }
}

/// A handler of messages as an action of the core.
pub(super) fn on<M, F>(handler: F) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
    F: Fn(M, &Peer) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Message(message, peer) => {
            let name = message.name;
            handler(decode(message).map_err(|error| warned.undecodable(&name, &error))?, &peer);
            Ok(())
        }
        Arrival::Request(_, _, responder) => {
            responder.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    }
}

/// A handler that returns its response, as an action of the core.
pub(super) fn serve<Q, A, K, F>(
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
pub(super) fn serve_later<Q, F>(
    handler: F,
) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Request(message, peer, responder) => match decode(message) {
            Ok(request) => {
                handler(request, &peer, Responder::new(responder));
                Ok(())
            }
            Err(error) => {
                let rejection = warned.undecodable(responder.name(), &error);
                responder.ignore(Why::new(Reason::Undecodable, &error));
                Err(rejection)
            }
        },
        Arrival::Message(..) => Err(Rejection::NoAction),
    }
}

fn decode<T: DecodeOwned>(message: Raw) -> Result<T, DecodeError> {
    crate::decode(&message.param, message.fds)
}

/// The ways in which arrivals of one action could not be decoded, each warned of once: the
/// first tells somebody that the peer has another definition, a thousand more tell no more.
#[derive(Default)]
struct Warned(Mutex<Vec<DecodeErrorKind>>);

impl Warned {
    fn undecodable(&self, name: &Name, error: &DecodeError) -> Rejection {
        if self.is_first(error.kind()) {
            tracing::warn!(%error, %name, "could not decode; more of this kind are told at debug level");
        } else {
            tracing::debug!(%error, %name, "could not decode");
        }
        Rejection::Undecodable
    }

    /// There are no more kinds than the type has fields and fields have faults.
    fn is_first(&self, kind: DecodeErrorKind) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !warned.contains(&kind);
        if is_first {
            warned.push(kind);
        }
        is_first
    }
}
