//! The verbs, as methods of every role, of its handle and of what `to` returns.
//!
//! They are told once, in a macro, so that a user need import no trait for them. What they do is
//! [`target`]'s.

use std::{path::Path, time::Duration};

use mp_core::{__typed::Asks, AllPeers, GroupError, Member, Sent, Statistics, Watch};

use super::{
    Client, OnePeer, Primary, PrimaryHandle, Replies, RepliesFuture, RequestError, ResponseFuture, Secondary,
    SecondaryHandle, SendError, Within, target,
};
use crate::{DecodeOwned, Message, Request};

/// `send`, `request`, `request_async`, `request_then` and `within`, to one peer or to all.
macro_rules! verbs {
    (one $asks:ty, $whom:literal) => {
        verbs! {
            $asks, mp_core::OnePeer<'_>, (), [Q::Response], ResponseFuture, $whom, "its response",
            "[`SendError`]; nothing has been sent then.",
            "",
            "[`RequestError`]; if nobody is there, at once."
        }
    };
    (all $asks:ty) => {
        verbs! {
            $asks, AllPeers<'_>, Sent, [Replies<Q::Response>], RepliesFuture,
            "every secondary at once", "all responses",
            "[`SendError`] if nothing could be sent to anybody. That one is gone, or had no room, is its \
outcome.",
            "What has come by then is kept, whatever became of the others; each one's outcome is told.",
            "[`RequestError`] if nobody could be asked. That there are no secondaries is none."
        }
    };
    (
        $asks:ty, $target:ty, $sent:ty, [$response:ty], $future:ident, $whom:literal, $what:literal,
        $unsent:literal, $asking:literal, $unasked:literal
    ) => {
        impl $asks {
            #[doc = concat!("Sends a one-way message to ", $whom, ".")]
            ///
            /// Where a queue is full it waits for room as long as
            /// [`Builder::send_timeout`](crate::Builder::send_timeout) says, or as
            /// [`within`](Self::within) does. May be called from inside a handler.
            ///
            /// # Errors
            ///
            #[doc = $unsent]
            ///
            /// Implements `rte_mp_sendmsg`.
            #[doc(alias = "rte_mp_sendmsg")]
            pub fn send<M: Message>(&self, value: &M) -> Result<$sent, SendError> {
                target::send(self.core.target(), value, None)
            }

            #[doc = concat!("Asks ", $whom, " and waits for ", $what, ", at most `timeout`.")]
            ///
            #[doc = $asking]
            /// Any number of requests may be under way, from any threads. May be called from inside
            /// a handler.
            ///
            /// # Errors
            ///
            #[doc = $unasked]
            ///
            /// Implements `rte_mp_request_sync`.
            #[doc(alias = "rte_mp_request_sync")]
            pub fn request<Q>(&self, value: &Q, timeout: Duration) -> Result<$response, RequestError>
            where
                Q: Request<Response: DecodeOwned>,
            {
                target::request(self.core.target(), value, timeout)
            }

            #[doc = concat!("Asks ", $whom, "; ", $what, ", or why there is none, comes to the future.")]
            ///
            /// The request goes out at once, whether the future is polled or not, with its own copies
            /// of the descriptors; `timeout` counts from now. Dropping the future cancels.
            #[doc = $asking]
            ///
            /// # Errors
            ///
            /// Through the future:
            #[doc = $unasked]
            ///
            /// Implements `rte_mp_request_async`.
            #[doc(alias = "rte_mp_request_async")]
            pub fn request_async<Q>(&self, value: &Q, timeout: Duration) -> $future<Q::Response>
            where
                Q: Request<Response: DecodeOwned>,
            {
                target::request_async(self.core.target(), value, timeout)
            }

            #[doc = concat!("Asks ", $whom, "; the request and ", $what, ", or why there is none, come to")]
            /// `callback`, once, also if there is nobody to ask.
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
            pub fn request_then<Q, F>(&self, value: Q, timeout: Duration, callback: F)
            where
                Q: Request<Response: DecodeOwned> + Send + Sync + 'static,
                F: FnOnce(&Q, Result<$response, RequestError>) + Send + 'static,
            {
                target::request_then(self.core.target(), value, timeout, callback);
            }

            /// Sends with this deadline instead of
            /// [`Builder::send_timeout`](crate::Builder::send_timeout). Zero waits for nobody.
            pub fn within(&self, timeout: Duration) -> Within<$target> {
                Within { target: self.core.target(), timeout }
            }
        }
    };
}

/// What a role and its handle have beside the verbs.
macro_rules! looks {
    ($($role:ident),*) => {$(
        impl $role {
            /// One member, to send to and to ask by the same verbs. Any process of a group may.
            #[must_use]
            pub fn to<'a>(&'a self, member: &'a Member) -> OnePeer<'a> {
                OnePeer { core: self.core.to(member) }
            }

            /// The secondaries that have joined and not left, this one among them if it is one, and
            /// the dead, too, until something is sent to them.
            ///
            /// # Errors
            ///
            /// [`GroupError`] if the directory cannot be listed;
            /// [`is_absent`](GroupError::is_absent) if there is none yet.
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

            /// The same without types.
            #[must_use]
            pub fn core(&self) -> &mp_core::$role {
                &self.core
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
