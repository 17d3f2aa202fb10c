//! The verbs over types, as methods of every role, of its handle and of what `to` returns.
//!
//! They do what the core's of the same names do, and tell here only what types add: values are
//! encoded on the way out ([`EncodeError`](crate::EncodeError)), and what comes back is decoded.

use std::{path::Path, time::Duration};

use mp_core::{__each as each, __typed::Asks, AllPeers, GroupError, Member, Peer, Sent, Statistics, Watch};

use super::{Client, Primary, PrimaryHandle, Secondary, SecondaryHandle};
use crate::{
    ask::{self, OnePeer, Replies, RepliesFuture, ResponseFuture, WithPeer, Within},
    error::{RequestError, SendError},
    message::{DecodeOwned, Message, Request},
};

each! {
    [Client, Secondary, SecondaryHandle, OnePeer<'_>] {
        type Told = ();
        type Yield<R> = R;
        type YieldFuture<R> = ResponseFuture<R>;
    }
    [Primary, PrimaryHandle] {
        type Told = Sent;
        type Yield<R> = Replies<R>;
        type YieldFuture<R> = RepliesFuture<R>;
    };
{
    /// Sends a one-way message: to the member that `to` named, else to the primary. A primary sends
    /// it to every secondary. See [`mp_core::Client::send`].
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then. That one secondary of several is gone, or had no
    /// room, is its outcome, not an error.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<M: Message>(&self, value: &M) -> Result<Told, SendError> {
        ask::send(self.core.target(), value, None)
    }

    /// Asks, and waits for the response, at most `timeout`: asks the member that `to` named, else
    /// the primary. A primary asks every secondary at once, and waits for all their responses. See
    /// [`mp_core::Client::request`].
    ///
    /// It blocks its thread: in a task of a runtime, ask with [`request_async`](Self::request_async).
    ///
    /// # Errors
    ///
    /// [`RequestError`]; if nobody is there, at once. That a primary has no secondaries is none.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<Yield<Q::Response>, RequestError>
    where
        Q: Request<Response: DecodeOwned>,
    {
        ask::request::<_, _, Q::Response>(self.core.target(), value, timeout)
    }

    /// Asks now, as [`request`](Self::request) does; the response, or why there is none, comes to
    /// the future: see [`mp_core::Client::request_async`].
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> YieldFuture<Q::Response>
    where
        Q: Request<Response: DecodeOwned>,
    {
        ask::request_async::<_, _, Q::Response>(self.core.target(), value, timeout)
    }

    /// Asks now, as [`request`](Self::request) does; the request and its response, or why there is
    /// none, come to `callback`, once and whatever happens: see [`mp_core::Client::request_then`]
    /// for where it is called. It must not block.
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
    where
        Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
        F: FnOnce(&Q, Result<Yield<Q::Response>, RequestError>) + Send + 'static,
    {
        ask::request_then::<_, _, Q::Response, _>(self.core.target(), value, timeout, callback);
    }
} }

each! { [Primary, PrimaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<AllPeers<'_>> {
        Within::new(self.core.target(), timeout)
    }
} }

each! { [Client, Secondary, SecondaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<mp_core::OnePeer<'_>> {
        Within::new(self.core.target(), timeout)
    }
} }

each! { [Client, Secondary, SecondaryHandle] {
    /// As [`OnePeer::with_peer`]: whoever talks to one primary after the other can tell them apart.
    pub fn with_peer(&self) -> WithPeer<'_> {
        WithPeer::new(self.core.target())
    }
} }

impl<'a> OnePeer<'a> {
    /// Asks by the same verbs, and tells who answered, as the kernel attests it.
    pub fn with_peer(&self) -> WithPeer<'a> {
        WithPeer::new(self.core)
    }

    /// Sends with this deadline instead of [`Builder::send_timeout`](crate::Builder::send_timeout).
    /// Zero waits for nobody.
    pub fn within(&self, timeout: Duration) -> Within<mp_core::OnePeer<'a>> {
        Within::new(self.core, timeout)
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

    /// The secondary that sent this, also where several are in one process; `None` if it was the primary,
    /// a client, or one that has left: see [`mp_core::Client::member_of`].
    #[must_use]
    pub fn member_of(&self, peer: &Peer) -> Option<Member> {
        self.core.member_of(peer)
    }

    /// Watches who joins as a secondary and who leaves, and what becomes of the primary, from now on.
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
