//! The verbs, as methods of every role, of its handle and of what `to` returns.
//!
//! They are told once, in a macro, so that a user need import no trait for them. What they do is
//! [`Target`]'s.

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

/// `send`, `request`, `request_async`, `request_then` and `within`, to one peer or to all.
macro_rules! verbs {
    (one $asks:ty, $whom:literal) => {
        verbs! {
            $asks, OnePeer, (), Reply, ReplyFuture, $whom, "its reply",
            "",
            "[`SendError`]; nothing has been sent then.",
            "",
            "[`RequestError`]; if nobody is there, at once."
        }
    };
    (all $asks:ty) => {
        verbs! {
            $asks, AllPeers, Sent, Replies, RepliesFuture, "every secondary at once", "all replies",
            "Those that have room get it first. That one is gone, or had no room, is its outcome, not an \
error.",
            "[`SendError`] if nothing could be sent to anybody.",
            "What has come by then is kept, whatever became of the others; each one's outcome is told. \
Those are asked who are members when the request's turn comes, which is at once unless \
many asynchronous ones are under way.",
            "[`RequestError`] if nobody could be asked. That there are no secondaries is none."
        }
    };
    (
        $asks:ty, $target:ident, $sent:ty, $answer:ty, $future:ty, $whom:literal, $what:literal,
        $sends:literal, $unsent:literal, $asking:literal, $unasked:literal
    ) => {
        impl $asks {
            #[doc = concat!("Sends a one-way message to ", $whom, ".")]
            ///
            /// Where a queue is full it waits for room as long as
            /// [`Builder::send_timeout`](crate::Builder::send_timeout) says, or as
            /// [`within`](Self::within) does.
            #[doc = $sends]
            /// The datagram's layout is that of the DPDK version which the group's `config` file
            /// tells; without one, 332 bytes. May be called from inside a handler.
            ///
            /// # Errors
            ///
            #[doc = $unsent]
            ///
            /// Implements `rte_mp_sendmsg`.
            #[doc(alias = "rte_mp_sendmsg")]
            pub fn send<'m>(&self, message: impl Into<MessageRef<'m>>) -> Result<$sent, SendError> {
                self.target().send(&message.into(), None)
            }

            #[doc = concat!("Asks ", $whom, " and waits for ", $what, ", at most `timeout`.")]
            ///
            #[doc = $asking]
            /// Any number of requests may be under way, from any threads, also under one name; a
            /// late reply never answers another. May be called from inside a handler.
            ///
            /// # Errors
            ///
            #[doc = $unasked]
            ///
            /// Implements `rte_mp_request_sync`.
            #[doc(alias = "rte_mp_request_sync")]
            pub fn request<'m>(
                &self,
                message: impl Into<MessageRef<'m>>,
                timeout: Duration,
            ) -> Result<$answer, RequestError> {
                self.target().request(&message.into(), timeout)
            }

            #[doc = concat!("Asks ", $whom, "; ", $what, ", or why there is none, comes to the future.")]
            ///
            /// The request is made now, not when the future is polled, and never blocks; `timeout`
            /// counts from now, and covers waiting for its turn and for room in a queue, too. The
            /// message's descriptors are copied, and the copies closed as soon as they are sent.
            /// Dropping the future cancels.
            #[doc = $asking]
            ///
            /// Any executor will do, and no executor is needed. Thousands may be under way: see
            /// [`Builder::requests_under_way`](crate::Builder::requests_under_way). One thread,
            /// started by the first, serves all of this role. May be called from inside a handler.
            ///
            /// # Errors
            ///
            /// Through the future:
            #[doc = $unasked]
            /// `Stopped` if the role is stopped, or it and its last handle dropped, before.
            ///
            /// Implements `rte_mp_request_async`.
            #[doc(alias = "rte_mp_request_async")]
            pub fn request_async<'m>(
                &self,
                message: impl Into<MessageRef<'m>>,
                timeout: Duration,
            ) -> $future {
                self.target().request_async(&message.into(), timeout)
            }

            #[doc = concat!("Asks ", $whom, "; ", $what, ", or why there is none, comes to `callback`.")]
            ///
            /// It is called exactly once, whatever happens, also if there is nobody to ask, with the
            /// request as it was made, but without its descriptors. Everything else is as with
            /// [`request_async`](Self::request_async), except that it cannot be cancelled.
            ///
            /// It is called on the role's one thread for asynchronous requests, so it must not
            /// block: the others wait for it. Only if that thread cannot take the request on (the
            /// role does not run, too many requests are under way, or the system is short of
            /// descriptors or threads) is it called on the calling thread, before this returns. A
            /// panic in it is caught and counted, on either.
            ///
            /// # Errors
            ///
            /// Through the callback:
            #[doc = $unasked]
            ///
            /// Implements `rte_mp_request_async`, with its `rte_mp_async_reply_t`.
            #[doc(alias = "rte_mp_request_async")]
            #[doc(alias = "rte_mp_async_reply_t")]
            pub fn request_then<'m, F>(
                &self,
                message: impl Into<MessageRef<'m>>,
                timeout: Duration,
                callback: F,
            ) where
                F: FnOnce(Message, Result<$answer, RequestError>) + Send + 'static,
            {
                self.target().request_then(&message.into(), timeout, callback);
            }

            /// Sends with this deadline instead of
            /// [`Builder::send_timeout`](crate::Builder::send_timeout). Zero waits for nobody.
            pub fn within(&self, timeout: Duration) -> Within<$target<'_>> {
                Within { target: self.target(), timeout }
            }
        }
    };
}

/// What a role and its handle have beside the verbs.
macro_rules! looks {
    ($($role:ty),*) => {$(
        impl $role {
            /// One member, to send to and to ask by the same verbs. Any process of a group may: DPDK's
            /// wire allows it, only its functions do not.
            #[must_use]
            pub fn to<'a>(&'a self, member: &'a Member) -> OnePeer<'a> {
                OnePeer { asking: self.asking(), member: Some(member) }
            }

            /// The secondaries that have joined and not left, this one among them if it is one, and
            /// the dead, too, until something is sent to them.
            ///
            /// # Errors
            ///
            /// [`GroupError`] if the directory cannot be listed;
            /// [`is_absent`](GroupError::is_absent) if there is none yet.
            pub fn members(&self) -> Result<Vec<Member>, GroupError> {
                self.asking()?.members()
            }

            /// Watches who joins as a secondary and who leaves, from now on.
            ///
            /// # Errors
            ///
            /// [`GroupError`] if the directory cannot be watched.
            pub fn watch(&self) -> Result<Watch, GroupError> {
                self.asking()?.watch()
            }

            /// The group's runtime directory; `None` before the role has started.
            #[must_use]
            pub fn runtime_dir(&self) -> Option<&Path> {
                self.asking().ok().map(|asking| asking.group().dir())
            }

            /// What the role has sent, received and rejected so far.
            #[must_use]
            pub fn statistics(&self) -> Statistics {
                self.asking().map(|asking| asking.statistics()).unwrap_or_default()
            }
        }
    )*};
}

verbs! { one Client, "the primary" }
verbs! { one Secondary, "the primary" }
verbs! { one SecondaryHandle, "the primary" }
verbs! { one OnePeer<'_>, "that peer" }
verbs! { all Primary }
verbs! { all PrimaryHandle }
looks! { Client, Secondary, SecondaryHandle, Primary, PrimaryHandle }

/// By these alone the types above differ.
macro_rules! asks {
    ($($asks:ty, $target:ident: |$this:ident| $of:expr;)*) => {$(
        impl Asks for $asks {
            type Target<'a> = $target<'a> where Self: 'a;

            fn target(&self) -> $target<'_> {
                let $this = self;
                $of
            }
        }
    )*};
}

asks! {
    Client, OnePeer: |this| OnePeer { asking: this.asking(), member: None };
    Secondary, OnePeer: |this| OnePeer { asking: this.asking(), member: None };
    SecondaryHandle, OnePeer: |this| OnePeer { asking: this.asking(), member: None };
    OnePeer<'_>, OnePeer: |this| *this;
    Primary, AllPeers: |this| AllPeers { asking: this.asking_all() };
    PrimaryHandle, AllPeers: |this| AllPeers { asking: this.asking_all() };
}
