//! The verbs, as methods of every role, of its handle and of what `to` returns.
//!
//! What they do is [`Target`]'s; what they say of one peer holds for all, except what is said
//! there.

use std::{path::Path, time::Duration};

use crate::{
    ask::{Replies, RepliesFuture, Reply, ReplyFuture, RequestError, SendError, Sent},
    group::{GroupError, Member, Watch},
    receive::Statistics,
    role::{
        AllPeers, Asks, Client, OnePeer, Primary, PrimaryHandle, Secondary, SecondaryHandle, Target, Within,
    },
    wire::{Message, MessageRef},
};

each! { [Client, Secondary, SecondaryHandle, OnePeer<'_>] {
    /// Sends a one-way message to the peer: the primary, or the member that `to` named.
    ///
    /// Where a queue is full it waits for room as long as
    /// [`Builder::send_timeout`](crate::Builder::send_timeout) says, or as [`within`](Self::within)
    /// does. The datagram's layout is that of the DPDK version which the group's `config` file
    /// tells; without one, 332 bytes. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    ///
    /// Implements `rte_mp_sendmsg`.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<'m>(&self, message: impl Into<MessageRef<'m>>) -> Result<(), SendError> {
        self.target().send(&message.into(), None)
    }

    /// Asks the peer and waits for its reply, at most `timeout`.
    ///
    /// Any number of requests may be under way, from any threads, also under one name; a late reply
    /// never answers another. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; if nobody is there, at once.
    ///
    /// Implements `rte_mp_request_sync`.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<'m>(
        &self,
        message: impl Into<MessageRef<'m>>,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        self.target().request(&message.into(), timeout)
    }

    /// Asks the peer; its reply, or why there is none, comes to the future.
    ///
    /// The request is made now, not when the future is polled, and never blocks; `timeout` counts
    /// from now, and covers waiting for its turn and for room in a queue, too. The message's
    /// descriptors are copied, and the copies closed as soon as they are sent. Dropping the future
    /// cancels.
    ///
    /// Any executor will do, and no executor is needed. Thousands may be under way: see
    /// [`Builder::requests_under_way`](crate::Builder::requests_under_way). One thread, started by
    /// the first, serves all of this role. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// Through the future: [`RequestError`]; if nobody is there, at once; `Stopped` if the role is
    /// stopped, or it and its last handle dropped, before.
    ///
    /// Implements `rte_mp_request_async`.
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<'m>(&self, message: impl Into<MessageRef<'m>>, timeout: Duration) -> ReplyFuture {
        self.target().request_async(&message.into(), timeout)
    }

    /// Asks the peer; its reply, or why there is none, comes to `callback`.
    ///
    /// It is called exactly once, whatever happens, also if there is nobody to ask, with the
    /// request as it was made, but without its descriptors. Everything else, errors too, is as with
    /// [`request_async`](Self::request_async), except that it cannot be cancelled.
    ///
    /// It is called on the role's one thread for asynchronous requests, so it must not block: the
    /// others wait for it. Only if that thread cannot take the request on (the role does not run,
    /// too many requests are under way, or the system is short of descriptors or threads) is it
    /// called on the calling thread, before this returns. A panic in it is caught and counted, on
    /// either.
    ///
    /// Implements `rte_mp_request_async`, with its `rte_mp_async_reply_t`.
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<'m, F>(&self, message: impl Into<MessageRef<'m>>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Reply, RequestError>) + Send + 'static,
    {
        self.target().request_then(&message.into(), timeout, callback);
    }
} }

each! { [Primary, PrimaryHandle] {
    /// Sends a one-way message to every secondary, as [`OnePeer::send`] does to one.
    ///
    /// Those that have room get it first. That one is gone, or had no room, is its outcome, not an
    /// error.
    ///
    /// # Errors
    ///
    /// [`SendError`] if nothing could be sent to anybody.
    ///
    /// Implements `rte_mp_sendmsg`.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<'m>(&self, message: impl Into<MessageRef<'m>>) -> Result<Sent, SendError> {
        self.target().send(&message.into(), None)
    }

    /// Asks every secondary at once, as [`OnePeer::request`] does one, and waits for all replies,
    /// at most `timeout`.
    ///
    /// What has come by then is kept, whatever became of the others; each one's outcome is told.
    /// Those are asked who are members when the request's turn comes, which is at once unless many
    /// asynchronous ones are under way.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if nobody could be asked. That there are no secondaries is none.
    ///
    /// Implements `rte_mp_request_sync`.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<'m>(
        &self,
        message: impl Into<MessageRef<'m>>,
        timeout: Duration,
    ) -> Result<Replies, RequestError> {
        self.target().request(&message.into(), timeout)
    }

    /// Asks every secondary as [`request`](Self::request) does; all replies, or why there are none,
    /// come to the future, as with [`OnePeer::request_async`].
    ///
    /// Implements `rte_mp_request_async`.
    #[doc(alias = "rte_mp_request_async")]
    pub fn request_async<'m>(&self, message: impl Into<MessageRef<'m>>, timeout: Duration) -> RepliesFuture {
        self.target().request_async(&message.into(), timeout)
    }

    /// Asks every secondary as [`request`](Self::request) does; all replies, or why there are none,
    /// come to `callback`, as with [`OnePeer::request_then`].
    ///
    /// Implements `rte_mp_request_async`, with its `rte_mp_async_reply_t`.
    #[doc(alias = "rte_mp_request_async")]
    #[doc(alias = "rte_mp_async_reply_t")]
    pub fn request_then<'m, F>(&self, message: impl Into<MessageRef<'m>>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Replies, RequestError>) + Send + 'static,
    {
        self.target().request_then(&message.into(), timeout, callback);
    }

    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<AllPeers<'_>> {
        Within { target: self.target(), timeout }
    }
} }

each! { [Client, Secondary, SecondaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<OnePeer<'_>> {
        Within { target: self.target(), timeout }
    }
} }

impl<'a> OnePeer<'a> {
    /// Sends with this deadline instead of [`Builder::send_timeout`](crate::Builder::send_timeout).
    /// Zero waits for nobody.
    pub fn within(&self, timeout: Duration) -> Within<OnePeer<'a>> {
        Within { target: *self, timeout }
    }
}

each! { [Client, Secondary, SecondaryHandle, Primary, PrimaryHandle] {
    /// One member, to send to and to ask by the same verbs. Any process of a group may: DPDK's wire
    /// allows it, only its functions do not.
    #[must_use]
    pub fn to<'a>(&'a self, member: &'a Member) -> OnePeer<'a> {
        OnePeer { asking: self.0.one(), member: Some(member) }
    }

    /// The secondaries that have joined and not left, this one among them if it is one, and the
    /// dead, too, until something is sent to them.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be listed; [`is_absent`](GroupError::is_absent) if
    /// there is none yet.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.0.one()?.members()
    }

    /// Watches who joins as a secondary and who leaves, from now on.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be watched.
    pub fn watch(&self) -> Result<Watch, GroupError> {
        self.0.one()?.watch()
    }

    /// The group's runtime directory; `None` before the role has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.0.one().ok().map(|asking| asking.group().dir())
    }

    /// What the role has sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.one().map(|asking| asking.statistics()).unwrap_or_default()
    }
} }
