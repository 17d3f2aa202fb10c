//! The verbs, as methods of every role, of its handle and of what `to` returns. What they do,
//! [`Target`] knows.

use std::{path::Path, time::Duration};

use crate::{
    ask::{
        AllPeers, Asking, OnePeer, Replies, RepliesFuture, Reply, ReplyFuture, RequestError, SendError, Sent,
        Target, Within,
    },
    group::{GroupError, Member, Watch},
    receive::Statistics,
    role::{Client, Primary, PrimaryHandle, Secondary, SecondaryHandle},
    sys::Peer,
    wire::{Message, MessageRef},
};

/// What has the verbs.
pub trait Asks {
    /// Whom it asks if nobody is named.
    type Target<'a>: Target
    where
        Self: 'a;

    /// Whom it asks if nobody is named.
    fn target(&self) -> Self::Target<'_>;
}

macro_rules! asks {
    ($target:ident: $($asks:ty),*; |$this:ident| $of:expr) => {$(
        impl Asks for $asks {
            type Target<'a> = $target<'a> where Self: 'a;

            fn target(&self) -> $target<'_> {
                let $this = self;
                $of
            }
        }
    )*};
}

asks! { OnePeer: Client, Secondary, SecondaryHandle; |this| OnePeer::new(this.0.one(), None) }
asks! { OnePeer: OnePeer<'_>; |this| *this }
asks! { AllPeers: Primary, PrimaryHandle; |this| AllPeers::new(this.0.get()) }

__each! {
    [Client, Secondary, SecondaryHandle, OnePeer<'_>] {
        type Told = ();
        type Yield = Reply;
        type YieldFuture = ReplyFuture;
    }
    [Primary, PrimaryHandle] {
        type Told = Sent;
        type Yield = Replies;
        type YieldFuture = RepliesFuture;
    };
{
    /// Sends a one-way message: to the member that `to` named, else to the primary. A primary sends
    /// it to every secondary, first to those that have room.
    ///
    /// Where a queue is full it waits for room as long as
    /// [`Builder::send_timeout`](crate::Builder::send_timeout) says, or as [`within`](Self::within)
    /// does. The datagram's layout is that of the DPDK version which the group's `config` file
    /// tells; without one, 332 bytes. May be called from inside a handler.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then. That one secondary of several is gone, or had no
    /// room, is its outcome, not an error.
    ///
    /// Implements `rte_mp_sendmsg`.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<'m>(&self, message: impl Into<MessageRef<'m>>) -> Result<Told, SendError> {
        self.target().send(&message.into(), None)
    }

    /// Asks, and waits for the reply, at most `timeout`: asks the member that `to` named, else the
    /// primary. A primary asks every secondary at once, and waits for all their replies.
    ///
    /// Any number of requests may be under way, from any threads, also under one name; a late reply
    /// never answers another. May be called from inside a handler.
    ///
    /// It blocks its thread. In a task of a runtime it keeps other tasks from running, until its
    /// deadline if the answer is up to one of them: ask there with
    /// [`request_async`](Self::request_async). It is never a deadlock, since every wait here has a
    /// deadline.
    ///
    /// Where several are asked, they are the members when the request's turn comes, which is at
    /// once unless many asynchronous ones are under way. What has come by the deadline is kept,
    /// whatever became of the others; each one's outcome is told.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; if nobody is there, at once. That a primary has no secondaries is none.
    ///
    /// Implements `rte_mp_request_sync`.
    #[doc(alias = "rte_mp_request_sync")]
    pub fn request<'m>(
        &self,
        message: impl Into<MessageRef<'m>>,
        timeout: Duration,
    ) -> Result<Yield, RequestError> {
        self.target().request(&message.into(), timeout)
    }

    /// Asks as [`request`](Self::request) does; the reply, or why there is none, comes to the
    /// future.
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
    pub fn request_async<'m>(&self, message: impl Into<MessageRef<'m>>, timeout: Duration) -> YieldFuture {
        self.target().request_async(&message.into(), timeout)
    }

    /// Asks as [`request`](Self::request) does; the reply, or why there is none, comes to
    /// `callback`.
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
        F: FnOnce(Message, Result<Yield, RequestError>) + Send + 'static,
    {
        self.target().request_then(&message.into(), timeout, callback);
    }
} }

__each! { [Primary, PrimaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<AllPeers<'_>> {
        Within::new(self.target(), timeout)
    }
} }

__each! { [Client, Secondary, SecondaryHandle] {
    /// As [`OnePeer::within`].
    pub fn within(&self, timeout: Duration) -> Within<OnePeer<'_>> {
        Within::new(self.target(), timeout)
    }
} }

impl<'a> OnePeer<'a> {
    /// Sends with this deadline instead of [`Builder::send_timeout`](crate::Builder::send_timeout).
    /// Zero waits for nobody.
    pub fn within(&self, timeout: Duration) -> Within<OnePeer<'a>> {
        Within::new(*self, timeout)
    }
}

__each! { [Client, Secondary, SecondaryHandle, Primary, PrimaryHandle] {
    /// One member, to send to and to ask by the same verbs. Any process of a group may: DPDK's wire
    /// allows it, only its functions do not.
    #[must_use]
    pub fn to<'a>(&'a self, member: &'a Member) -> OnePeer<'a> {
        OnePeer::new(self.0.one(), Some(member))
    }

    /// The secondaries that have joined and not left, this one among them if it is one, and the
    /// dead, too, until something is sent to them.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be listed; [`is_absent`](GroupError::is_absent) if
    /// there is none yet.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        let asking = self.0.one()?;
        asking.roster()?.members(asking.group())
    }

    /// The secondary that sent this, a message, request or reply, from whichever of its sockets, also where
    /// several are in one process. `None` if it was none: the primary, a [`Client`](crate::Client), or one that
    /// has left meanwhile.
    ///
    /// Its socket's name tells it, and the kernel that it is that process's (which a process of a pid
    /// namespace that cannot be seen from here is believed).
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::sync::mpsc;
    /// use mp_core::{Message, Name, Primary, Secondary};
    ///
    /// let (hello, welcome) = (Name::new("hello")?, Name::new("welcome")?);
    /// let builder = Primary::builder("example").runtime_dir(dir.path());
    /// let handle = builder.handle();
    /// let primary = builder
    ///     .on(hello, move |_, peer| {
    ///         if let Some(member) = handle.member_of(peer) {
    ///             let _ = handle.to(&member).send(&Message::new(welcome));
    ///         }
    ///     })
    ///     .start()?;
    ///
    /// let (told, welcomed) = mpsc::channel();
    /// let join = |number| {
    ///     let told = told.clone();
    ///     let on_welcome = move |_, _: &mp_core::Peer| told.send(number).expect("it waits");
    ///     Secondary::builder("example").runtime_dir(dir.path()).on(welcome, on_welcome).start()
    /// };
    /// let (_one, two) = (join(1)?, join(2)?);
    /// two.send(&Message::new(hello))?;
    /// assert_eq!(welcomed.recv()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn member_of(&self, peer: &Peer) -> Option<Member> {
        self.0.one().ok()?.group().member_of(peer.address()?, peer.pid())
    }

    /// Watches who joins as a secondary and who leaves, and what becomes of the primary, from now on.
    ///
    /// # Errors
    ///
    /// [`GroupError`] if the directory cannot be watched.
    pub fn watch(&self) -> Result<Watch, GroupError> {
        let asking = self.0.one()?;
        Watch::new(asking.group().clone(), asking.roster()?, asking.requester.place_of_primary())
    }

    /// The group's runtime directory; `None` before the role has started.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<&Path> {
        self.0.one().ok().map(|asking| asking.group().dir())
    }

    /// What the role has sent, received and rejected so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.0.one().map(Asking::statistics).unwrap_or_default()
    }
} }
