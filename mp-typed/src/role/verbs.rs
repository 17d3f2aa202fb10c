//! The verbs over types, as methods of every role, of its handle and of what `to` returns.
//!
//! They do what the core's of the same names do, and tell here only what types add: values are
//! encoded on the way out ([`EncodeError`](crate::EncodeError)), and what comes back is decoded.

use std::{path::Path, time::Duration};

use mp_core::{__typed::Asks, AllPeers, GroupError, Member, Sent, Statistics, Watch};

use super::{
    Client, OnePeer, Primary, PrimaryHandle, Replies, RepliesFuture, RequestError, ResponseFuture, Secondary,
    SecondaryHandle, SendError, Within, target,
};
use crate::{DecodeOwned, Message, Request};

each! { [Client, Secondary, SecondaryHandle, OnePeer<'_>] {
    /// Sends a one-way message to the peer: see [`mp_core::OnePeer::send`].
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<M: Message>(&self, value: &M) -> Result<(), SendError> {
        target::send(self.core.target(), value, None)
    }

    /// Asks the peer and waits for its response, at most `timeout`: see
    /// [`mp_core::OnePeer::request`].
    ///
    /// # Errors
    ///
    /// [`RequestError`]; if nobody is there, at once.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<Q::Response, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        target::request(self.core.target(), value, timeout)
    }

    /// Asks the peer now; its response, or why there is none, comes to the future: see
    /// [`mp_core::OnePeer::request_async`].
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> ResponseFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        target::request_async(self.core.target(), value, timeout)
    }

    /// Asks the peer; the request and its response, or why there is none, come to `callback`, once
    /// and whatever happens: see [`mp_core::OnePeer::request_then`] for where it is called. It must
    /// not block.
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Q::Response, RequestError>) + Send + 'static,
    {
        target::request_then(self.core.target(), value, timeout, callback);
    }
} }

each! { [Primary, PrimaryHandle] {
    /// Sends a one-way message to every secondary: see [`mp_core::Primary::send`].
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody; what became of each is the outcome.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<M: Message>(&self, value: &M) -> Result<Sent, SendError> {
        target::send(self.core.target(), value, None)
    }

    /// Asks every secondary at once and waits for all responses, at most `timeout`: see
    /// [`mp_core::Primary::request`].
    ///
    /// # Errors
    ///
    /// [`RequestError`] if nobody could be asked. That there are no secondaries is none.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<Replies<Q::Response>, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        target::request(self.core.target(), value, timeout)
    }

    /// Asks every secondary now; all responses, or why there are none, come to the future: see
    /// [`mp_core::Primary::request_async`].
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> RepliesFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        target::request_async(self.core.target(), value, timeout)
    }

    /// Asks every secondary; the request and all responses, or why there are none, come to
    /// `callback`: see [`OnePeer::request_then`].
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Replies<Q::Response>, RequestError>) + Send + 'static,
    {
        target::request_then(self.core.target(), value, timeout, callback);
    }

    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<AllPeers<'_>> {
        Within { target: self.core.target(), timeout }
    }
} }

each! { [Client, Secondary, SecondaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<mp_core::OnePeer<'_>> {
        Within { target: self.core.target(), timeout }
    }
} }

impl<'a> OnePeer<'a> {
    /// Sends with this deadline instead of [`Builder::send_timeout`](crate::Builder::send_timeout).
    /// Zero waits for nobody.
    pub fn within(&self, timeout: Duration) -> Within<mp_core::OnePeer<'a>> {
        Within { target: self.core, timeout }
    }
}

each! { [Client, Secondary, SecondaryHandle, Primary, PrimaryHandle] {
    /// One member, to send to and to ask by the same verbs. Any process of a group may.
    #[must_use]
    pub fn to<'a>(&'a self, member: &'a Member) -> OnePeer<'a> {
        OnePeer { core: self.core.to(member) }
    }

    /// The secondaries that have joined and not left: see [`mp_core::Client::members`].
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be listed; [`is_absent`](GroupError::is_absent) if
    /// there is none yet.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.core.members()
    }

    /// Watches who joins as a secondary and who leaves, from now on.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be watched.
    pub fn watch(&self) -> Result<Watch, GroupError> {
        self.core.watch()
    }

    /// The group's runtime directory; `None` before the role has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.core.runtime_dir()
    }

    /// What the role has sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.core.statistics()
    }
} }
