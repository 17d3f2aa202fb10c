//! Handlers of messages and requests, registered before a role starts or while it runs.

use mp_core::{Peer, RegisterError, Registration};

use super::{Builder, Joins};
use crate::{
    answer::{Answer, Messages, Requests, Responder, message, on, request, serve, serve_later},
    message::{DecodeOwned, Message, Request},
    transcode::name,
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

impl Actions {
    /// The messages of type `M` that come from now on, each with its sender, to be read: as a stream
    /// or by a blocking iterator, see [`Incoming`](mp_core::Incoming). At most `bound` wait to be
    /// read; one more is dropped, and counted.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn messages<M>(&self, bound: usize) -> Result<Messages<M>, RegisterError>
    where
        M: Message + DecodeOwned + 'static,
    {
        self.0.incoming(const { name(M::NAME) }, bound, false, None, message())
    }

    /// The requests of type `Q` that come from now on, each with its sender and with the
    /// [`Responder`] that answers it, to be read: as a stream or by a blocking iterator, see
    /// [`Incoming`](mp_core::Incoming). At most `bound` wait to be read; one more is answered
    /// *ignore*, since this process is overloaded.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn requests<Q>(&self, bound: usize) -> Result<Requests<Q>, RegisterError>
    where
        Q: Request + DecodeOwned + 'static,
    {
        self.0.incoming(const { name(Q::NAME) }, bound, true, None, request())
    }
}

impl<R: Joins> Builder<R> {
    /// The messages of type `M`, to be read, from the first that comes on: see
    /// [`Actions::messages`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken.
    pub fn messages<M>(&self, bound: usize) -> Result<Messages<M>, RegisterError>
    where
        M: Message + DecodeOwned + 'static,
    {
        let name = const { name(M::NAME) };
        self.core.actions_to_be(name)?.incoming(name, bound, false, None, message())
    }

    /// The requests of type `Q`, to be read and answered, from the first that comes on: see
    /// [`Actions::requests`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken.
    pub fn requests<Q>(&self, bound: usize) -> Result<Requests<Q>, RegisterError>
    where
        Q: Request + DecodeOwned + 'static,
    {
        let name = const { name(Q::NAME) };
        self.core.actions_to_be(name)?.incoming(name, bound, true, None, request())
    }
}
