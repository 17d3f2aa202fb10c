//! What handles messages and requests of a type, as actions of the core.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use mp_core::{Arrival, Message as Raw, Name, Peer, Reason, RegisterError, Registration, Rejection, Why};

use super::{Answer, Builder, Joins, Responder, name};
use crate::{
    DecodeError, DecodeOwned, Definition, Message, Request,
    error::DecodeErrorKind,
    message::{Accepted, ConvertAnswer},
};

/// Registers and unregisters actions while a role runs. Cheap to clone.
///
/// Implements `rte_mp_action_register` and `rte_mp_action_unregister`.
#[doc(alias = "rte_mp_action_register")]
#[doc(alias = "rte_mp_action_unregister")]
#[derive(Debug, Clone)]
pub struct Actions(pub(super) mp_core::Actions);

impl Actions {
    /// The same without types.
    #[must_use]
    pub fn core(&self) -> &mp_core::Actions {
        &self.0
    }
}

/// Each way to handle what comes, at the builder and while the role runs.
macro_rules! registers {
    ($($(#[$about:meta])* $verb:ident[$($type:ident),*] for $named:ident where { $($bounds:tt)* })*) => {
        impl<R: Joins> Builder<R> {$(
            $(#[$about])*
            #[must_use]
            pub fn $verb<$($type),*>(self, handler: F) -> Self where $($bounds)* {
                self.core(|core| core.action(const { name($named::NAME) }, $verb(handler)))
            }
        )*}

        impl Actions {$(
            $(#[$about])*
            ///
            /// # Errors
            ///
            /// [`RegisterError`] if the name is taken, or is DPDK's own.
            pub fn $verb<$($type),*>(&self, handler: F) -> Result<Registration, RegisterError>
            where $($bounds)* {
                self.0.action(const { name($named::NAME) }, $verb(handler))
            }
        )*}
    };
}

registers! {
    /// Calls `handler` for each message of type `M`.
    ///
    /// Handlers run one at a time, in the order in which datagrams came; one that waits for a reply
    /// of its own lets others run meanwhile. A panic in one is caught and counted. What cannot be
    /// decoded is counted as [`Rejection::Undecodable`](crate::Rejection::Undecodable).
    on[M, F] for M where {
        M: Message + DecodeOwned + 'static,
        F: Fn(M, &Peer) + Send + Sync + 'static,
    }

    /// Answers each request of type `Q` with what `handler` returns: the request's response, or a
    /// `Result` of it.
    ///
    /// Where the response is a `Result` itself (`response = Result<Ring, OpenError>`), its error is
    /// an answer like any other. Any other error, a panic, or a request that cannot be decoded
    /// tells the requester to ignore this process, and why.
    serve[Q, A, K, F] for Q where {
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    }

    /// Lets `handler` answer each request of type `Q` when and where it likes, through the
    /// [`Responder`].
    serve_later[Q, F] for Q where {
        Q: Request + DecodeOwned + 'static,
        F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
    }
}

/// A handler of messages as an action of the core.
fn on<M, F>(handler: F) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    M: Message + DecodeOwned + 'static,
    F: Fn(M, &Peer) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Message(message, peer) => {
            let name = message.name;
            let decoded = decode(message, M::FINGERPRINT, M::accepts);
            let ours = Definition::of_message::<M>;
            handler(decoded.map_err(|unfit| warned.reject(&name, &unfit, &ours))?.value, &peer);
            Ok(())
        }
        Arrival::Request(_, _, responder) => {
            responder.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    }
}

/// A handler that returns its response, as an action of the core.
fn serve<Q, A, K, F>(handler: F) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
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
fn serve_later<Q, F>(handler: F) -> impl Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static
where
    Q: Request + DecodeOwned + 'static,
    F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
{
    let warned = Warned::default();
    move |arrival| match arrival {
        Arrival::Request(message, peer, responder) => match decode(message, Q::FINGERPRINT, Q::accepts) {
            Ok(Decoded { value, answer }) => {
                handler(value, &peer, Responder::new(responder, answer));
                Ok(())
            }
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

/// What came, and how to answer it if its sender has an earlier definition.
struct Decoded<T> {
    value: T,
    answer: Option<ConvertAnswer>,
}

/// Why what came is no value.
enum Unfit {
    Undecodable(DecodeError),
    OtherDefinition { theirs: u64 },
}

impl From<DecodeError> for Unfit {
    fn from(error: DecodeError) -> Self {
        Self::Undecodable(error)
    }
}

/// `ours` is the fingerprint of `T`. Who tells none, as a peer in C, is believed to have the same.
fn decode<T: DecodeOwned>(
    message: Raw,
    ours: u64,
    accepts: fn(u64) -> Option<Accepted<T>>,
) -> Result<Decoded<T>, Unfit> {
    let theirs = message.fingerprint();
    if theirs == ours || theirs == 0 || ours == 0 {
        return Ok(Decoded { value: crate::decode(&message.param, message.fds)?, answer: None });
    }
    let Some(Accepted { decode, answer }) = accepts(theirs) else {
        return Err(Unfit::OtherDefinition { theirs });
    };
    Ok(Decoded { value: decode(&message.param, message.fds)?, answer })
}

/// The ways in which arrivals of one action could not be decoded, each warned of once: the first
/// tells somebody that the peer has another definition, a thousand more tell no more.
#[derive(Default)]
struct Warned {
    undecodable: Mutex<Vec<DecodeErrorKind>>,
    definition: AtomicBool,
}

impl Warned {
    fn reject(&self, name: &Name, unfit: &Unfit, ours: &dyn Fn() -> Definition) -> Rejection {
        match unfit {
            Unfit::Undecodable(error) => self.undecodable(name, error),
            Unfit::OtherDefinition { theirs } => {
                self.other_definition(name, *theirs, ours);
                Rejection::OtherDefinition
            }
        }
    }

    fn other_definition(&self, name: &Name, theirs: u64, ours: &dyn Fn() -> Definition) {
        let theirs = format_args!("{theirs:016x}");
        if self.definition.swap(true, Relaxed) {
            tracing::debug!(%name, %theirs, "its sender has another definition");
        } else {
            tracing::warn!(
                %name, %theirs, ours = %ours(),
                "its sender has another definition; more of this kind are told at debug level"
            );
        }
    }

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
        let mut warned = self.undecodable.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !warned.contains(&kind);
        if is_first {
            warned.push(kind);
        }
        is_first
    }
}
