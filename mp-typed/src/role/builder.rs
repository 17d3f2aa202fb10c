use std::{fmt, path::PathBuf, time::Duration};

use mp_core::{InProcess, Peer, Trust};

use super::{Answer, Responder, actions, name};
use crate::{DecodeOwned, Message, Request};

/// Sets up a [`Primary`](crate::Primary), [`Secondary`](crate::Secondary) or
/// [`Client`](crate::Client). Every setting has a safe default.
pub struct Builder<R: Role> {
    pub(super) core: mp_core::Builder<R::Core>,
}

/// A way to take part in a group. Implemented by this crate's three roles.
pub trait Role {
    /// The same role without types.
    type Core: mp_core::Role;
}

/// A role that joins the group, and so has actions.
pub trait Joins: Role<Core: mp_core::Joins> {}

impl<R: Role> Builder<R> {
    pub(super) fn new(core: mp_core::Builder<R::Core>) -> Self {
        Self { core }
    }

    /// Uses this runtime directory instead of `<base>/dpdk/<file-prefix>/`.
    ///
    /// Default: DPDK's. The base is `$RUNTIME_DIRECTORY` if set, else `/var/run`
    /// for root, else `$XDG_RUNTIME_DIR`, else `/tmp`.
    #[must_use]
    pub fn runtime_dir(self, dir: impl Into<PathBuf>) -> Self {
        self.core(|core| core.runtime_dir(dir))
    }

    /// Uses a group within this process, for unit
    /// tests of code that uses the roles.
    #[must_use]
    pub fn in_process(self, group: &InProcess) -> Self {
        self.core(|core| core.in_process(group))
    }

    /// Listens to those whom this policy allows. Default: [`Trust::same_user`].
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        self.core(|core| core.trust(trust))
    }

    /// How long a one-way message waits for room in a full queue. Default: 100 ms.
    #[must_use]
    pub fn send_timeout(self, timeout: Duration) -> Self {
        self.core(|core| core.send_timeout(timeout))
    }

    /// Sets up the core's builder directly: for actions without types, and every
    /// setting that is not repeated here.
    #[must_use]
    pub fn core(self, set: impl FnOnce(mp_core::Builder<R::Core>) -> mp_core::Builder<R::Core>) -> Self {
        Self { core: set(self.core) }
    }
}

impl<R: Joins> Builder<R> {
    /// Calls `handler` for each message of type `M`.
    ///
    /// Handlers run one at a time, in the order in which datagrams came; one
    /// that waits for a reply of its own lets others run meanwhile. A panic in
    /// one is caught and counted. What cannot be decoded is counted as
    /// [`Rejection::Undecodable`](crate::Rejection::Undecodable).
    #[must_use]
    pub fn on<M, F>(self, handler: F) -> Self
    where
        M: Message + DecodeOwned + 'static,
        F: Fn(M, &Peer) + Send + Sync + 'static,
    {
        self.core(|core| core.action(const { name(M::NAME) }, actions::on(handler)))
    }

    /// Answers each request of type `Q` with what `handler` returns: the
    /// request's response, or a `Result` of it.
    ///
    /// Where the response is a `Result` itself (`response = Result<Ring, OpenError>`), its error is
    /// an answer like any other. Any other error, a panic, or a request that cannot be decoded
    /// tells the requester to ignore this process, and why.
    #[must_use]
    pub fn serve<Q, A, K, F>(self, handler: F) -> Self
    where
        Q: Request + DecodeOwned + 'static,
        A: Answer<Q::Response, K>,
        F: Fn(Q, &Peer) -> A + Send + Sync + 'static,
    {
        self.core(|core| core.action(const { name(Q::NAME) }, actions::serve(handler)))
    }

    /// Lets `handler` answer each request of type `Q` when and where it likes,
    /// through the [`Responder`].
    #[must_use]
    pub fn serve_later<Q, F>(self, handler: F) -> Self
    where
        Q: Request + DecodeOwned + 'static,
        F: Fn(Q, &Peer, Responder<Q::Response>) + Send + Sync + 'static,
    {
        self.core(|core| core.action(const { name(Q::NAME) }, actions::serve_later(handler)))
    }

    /// How many datagrams may wait while a handler is running. Default: 256.
    #[must_use]
    pub fn backlog(self, datagrams: usize) -> Self {
        self.core(|core| core.backlog(datagrams))
    }

    /// Allows actions under names of DPDK's own, in a group with DPDK in it.
    #[must_use]
    pub fn allow_dpdk_actions(self) -> Self {
        self.core(mp_core::Builder::allow_dpdk_actions)
    }
}

impl<R: Role> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}
