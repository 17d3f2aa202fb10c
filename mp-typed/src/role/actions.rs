//! Handlers of messages and requests, registered before a role starts or while it runs.

use mp_core::{HandlerPool, Peer, RegisterError, Registration, Task};

use super::{Builder, Joins};
use crate::{
    answer::{
        Answer, Messages, Requests, Responder, message, on, on_async, request, serve, serve_async,
        serve_later,
    },
    message::{DecodeOwned, Message, Request},
    schema::{describe_message, describe_request},
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
    ($($(#[$about:meta])* $verb:ident[$($type:ident),*] for $named:ident by $describe:ident where { $($bounds:tt)* })*) => {
        impl<R: Joins> Builder<R> {$(
            $(#[$about])*
            #[must_use]
            pub fn $verb<$($type),*>(self, handler: F) -> Self where $($bounds)* {
                self.core(|core| core.described(const { name($named::NAME) }, $describe::<$named>, $verb(handler)))
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
                self.0.described(const { name($named::NAME) }, $describe::<$named>, $verb(handler))
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
    on[M, F] for M by describe_message where {
        M: Message + DecodeOwned + 'static,
        F: Fn(M, &Peer) + Send + Sync + 'static,
    }

    /// Answers each request of type `Q` with what `handler` returns: the request's response, or a
    /// `Result` of it.
    ///
    /// Where the response is a `Result` itself (`response = Result<Ring, OpenError>`), its error is
    /// an answer like any other. Any other error, a panic, or a request that cannot be decoded
    /// tells the requester to ignore this process, and why.
    serve[Q, A, K, F] for Q by describe_request where {
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    }

    /// Lets `handler` answer each request of type `Q` when and where it likes, through the
    /// [`Responder`].
    serve_later[Q, F] for Q by describe_request where {
        Q: Request + DecodeOwned + 'static,
        F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
    }
}

/// Each way to handle what comes by a task of its own, at the builder and while the role runs.
macro_rules! registers_tasks {
    ($($(#[$about:meta])* $verb:ident[$($type:ident),*] for $named:ident by $describe:ident where { $($bounds:tt)* })*) => {
        impl<R: Joins> Builder<R> {$(
            $(#[$about])*
            #[must_use]
            pub fn $verb<$($type),*>(self, handler: F) -> Self where $($bounds)* {
                self.core(|core| {
                    let core = core.action_async(const { name($named::NAME) }, $verb(handler));
                    core.described_last($describe::<$named>)
                })
            }
        )*}

        impl Actions {$(
            $(#[$about])*
            ///
            /// # Errors
            ///
            /// [`RegisterError`] if the name is taken, is DPDK's own, or nothing spawns tasks.
            pub fn $verb<$($type),*>(&self, handler: F) -> Result<Registration, RegisterError>
            where $($bounds)* {
                let registration = self.0.action_async(const { name($named::NAME) }, $verb(handler))?;
                self.0.describe(registration.name(), $describe::<$named>);
                Ok(registration)
            }
        )*}
    };
}

registers_tasks! {
    /// Handles each message of type `M` by a task of its own, which what
    /// [`spawn_with`](Builder::spawn_with) says runs. Tasks keep no order; where that matters, read
    /// the messages: [`messages`](Builder::messages).
    on_async[M, F, T] for M by describe_message where {
        M: Message + DecodeOwned + 'static,
        F: Fn(M, Peer) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    }

    /// Answers each request of type `Q` by a task of its own, which what
    /// [`spawn_with`](Builder::spawn_with) says runs, with what the future that `handler` returns comes
    /// to: the request's response, or a `Result` of it, as with [`serve`](Builder::serve).
    ///
    /// Tasks run beside each other and beside other handlers, so many at once as
    /// [`mp_core::Builder::tasks_under_way`] says. One that panics or is dropped unfinished answers
    /// *ignore*. Stopping the role does not wait for tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::{thread, time::Duration};
    /// use mp_typed::{Client, Primary, Request, Response};
    ///
    /// #[derive(Request)]
    /// #[message(name = "double", response = Doubled)]
    /// struct Double(u32);
    ///
    /// #[derive(Response)]
    /// struct Doubled(u64);
    ///
    /// let primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .spawn_with(|task| thread::spawn(|| pollster::block_on(task)))
    ///     .serve_async(|double: Double, _peer| async move { Doubled(u64::from(double.0) * 2) })
    ///     .start()?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// assert_eq!(client.request(&Double(21), Duration::from_secs(5))?.0, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    serve_async[Q, A, K, F, T] for Q by describe_request where {
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, Peer) -> T + Send + Sync + 'static,
        T: Future<Output = A> + Send + 'static,
    }
}

impl<R: Joins> Builder<R> {
    /// Says what runs handlers that are futures. On tokio it is one line: see
    /// [`mp_core::Builder::spawn_with`].
    #[must_use]
    pub fn spawn_with<T>(self, spawn: impl Fn(Task) -> T + Send + Sync + 'static) -> Self {
        self.core(|core| core.spawn_with(spawn))
    }

    /// As [`serve`](Self::serve), on the threads of a pool, so that handlers run beside each other: see
    /// [`HandlerPool`].
    #[must_use]
    pub fn serve_on<Q, A, K, F>(self, pool: &HandlerPool, handler: F) -> Self
    where
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    {
        self.core(|core| {
            let core = core.action_on(pool, const { name(Q::NAME) }, serve(handler));
            core.described_last(describe_request::<Q>)
        })
    }
}

impl Actions {
    /// As [`serve`](Self::serve), on the threads of a pool, so that handlers run beside each other: see
    /// [`HandlerPool`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn serve_on<Q, A, K, F>(&self, pool: &HandlerPool, handler: F) -> Result<Registration, RegisterError>
    where
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    {
        let registration = self.0.action_on(pool, const { name(Q::NAME) }, serve(handler))?;
        self.0.describe(registration.name(), describe_request::<Q>);
        Ok(registration)
    }

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
        let name = const { name(M::NAME) };
        let messages = self.0.incoming(name, bound, false, None, message())?;
        self.0.describe(&name, describe_message::<M>);
        Ok(messages)
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
        let name = const { name(Q::NAME) };
        let requests = self.0.incoming(name, bound, true, None, request())?;
        self.0.describe(&name, describe_request::<Q>);
        Ok(requests)
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
        let actions = self.core.actions_to_be(name)?;
        let messages = actions.incoming(name, bound, false, None, message())?;
        actions.describe(&name, describe_message::<M>);
        Ok(messages)
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
        let actions = self.core.actions_to_be(name)?;
        let requests = actions.incoming(name, bound, true, None, request())?;
        actions.describe(&name, describe_request::<Q>);
        Ok(requests)
    }
}
