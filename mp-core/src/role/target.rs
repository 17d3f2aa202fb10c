//! Whom a role asks: one peer, or all. Here each verb is told once for either.
//!
//! The roles, their handles and what `to` returns have the verbs as methods of their own
//! ([`verbs`](super::verbs)), and `mp-typed` has them over types; all come here.

use std::{sync::Arc, time::Duration};

use crate::{
    ask::{self, Asked, Ending, Replies, Reply, RequestError, Requester, SendError, Sent, To},
    group::Member,
    role::{
        Client, Primary, PrimaryHandle, Secondary, SecondaryHandle,
        asking::{Asking, AskingAll, NotRunning},
    },
    sys::Address,
    wire::{Message, MessageRef, Name},
};

/// One peer, or all: what the verbs do there.
pub trait Target: Copy + sealed::Target {
    /// What is told of a message that was sent.
    type Sent;
    /// What comes back from a request.
    type Answer: 'static;

    /// By whom a request is made, and to whom.
    #[expect(clippy::type_complexity, reason = "no alias can name what an `impl Trait` is")]
    fn asked(&self) -> Result<(&Arc<Requester>, impl FnOnce(Ending<Self::Answer>) -> To), NotRunning>;

    /// Sends a message; `within` takes the place of the role's own deadline.
    fn send(self, message: &MessageRef<'_>, within: Option<Duration>) -> Result<Self::Sent, SendError>;

    /// Asks, and waits for the answer.
    fn request(self, message: &MessageRef<'_>, timeout: Duration) -> Result<Self::Answer, RequestError>;

    /// Asks; the answer comes to a future.
    fn request_async(self, message: &MessageRef<'_>, timeout: Duration) -> Asked<Self::Answer> {
        match self.asked() {
            Ok((requester, to)) => requester.ask_async(to, message, timeout),
            Err(why) => Asked::failed(why.into()),
        }
    }

    /// Asks; the answer comes to `callback`.
    fn request_then<F>(self, message: &MessageRef<'_>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Self::Answer, RequestError>) + Send + 'static,
    {
        match self.asked() {
            Ok((requester, to)) => requester.ask_then(to, message, timeout, callback),
            Err(why) => ask::call_back_failed(message, callback, why.into()),
        }
    }

    /// Asks nobody: calls `callback` as that of a request of this name would be.
    fn call_back(self, name: &Name, callback: impl FnOnce() + Send + 'static) {
        match self.asked() {
            Ok((requester, _)) => requester.call_back(name, callback),
            Err(_) => ask::guarded(name, None, callback),
        }
    }
}

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

asks! { OnePeer: Client, Secondary, SecondaryHandle; |this| OnePeer { asking: this.0.one(), member: None } }
asks! { OnePeer: OnePeer<'_>; |this| *this }
asks! { AllPeers: Primary, PrimaryHandle; |this| AllPeers { asking: this.0.get() } }

/// One peer, to send to and to ask: a member, as `to` returns it.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Message, Name, Primary, Secondary};
///
/// let who = Name::new("who")?;
/// let join = |answer: &'static [u8]| {
///     Secondary::builder("example")
///         .runtime_dir(dir.path())
///         .serve(who, move |_request, _peer, responder| {
///             let _ = responder.reply(answer, &[]);
///         })
///         .start()
/// };
/// let (here, there) = (join(b"here")?, join(b"there")?);
///
/// // Any process may ask any member, also without a primary.
/// let members = here.members()?;
/// let other = members.iter().find(|member| member.address() == there.address()).expect("it has joined");
/// let reply = here.to(other).request(&Message::new(who), Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, b"there");
/// // Whose queue is full misses it.
/// here.to(other).within(Duration::ZERO).send(&Message::new(who))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OnePeer<'a> {
    pub(super) asking: Result<&'a Asking, NotRunning>,
    /// `None` for the primary.
    pub(super) member: Option<&'a Member>,
}

/// All secondaries, to send to and to ask: those of a [`Primary`](crate::Primary).
#[derive(Debug, Clone, Copy)]
pub struct AllPeers<'a> {
    pub(super) asking: Result<&'a AskingAll, NotRunning>,
}

/// Sends with a deadline of its own: what `within` returns. [`OnePeer`] shows it.
#[derive(Debug, Clone, Copy)]
#[must_use = "it sends nothing until told what"]
pub struct Within<T> {
    pub(super) target: T,
    pub(super) timeout: Duration,
}

impl<T: Target> Within<T> {
    /// Sends a one-way message, and waits for room in full queues no longer than this says.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing has been sent then.
    ///
    /// Implements `rte_mp_sendmsg`, with a deadline.
    #[doc(alias = "rte_mp_sendmsg")]
    pub fn send<'m>(self, message: impl Into<MessageRef<'m>>) -> Result<T::Sent, SendError> {
        self.target.send(&message.into(), Some(self.timeout))
    }
}

impl<'a> OnePeer<'a> {
    fn address(self, asking: &'a Asking) -> &'a Address {
        self.member.map_or_else(|| asking.group().primary(), Member::address)
    }
}

impl Target for OnePeer<'_> {
    type Sent = ();
    type Answer = Reply;

    fn asked(&self) -> Result<(&Arc<Requester>, impl FnOnce(Ending<Reply>) -> To), NotRunning> {
        let asking = self.asking?;
        Ok((&asking.requester, |ending| To::One(self.address(asking).clone(), Some(ending))))
    }

    fn send(self, message: &MessageRef<'_>, within: Option<Duration>) -> Result<(), SendError> {
        let asking = self.asking?;
        let timeout = within.unwrap_or(asking.send_timeout);
        asking.requester.send_to(self.address(asking), message, timeout)
    }

    fn request(self, message: &MessageRef<'_>, timeout: Duration) -> Result<Reply, RequestError> {
        let asking = self.asking?;
        asking.requester.ask(self.address(asking), message, timeout)
    }
}

impl Target for AllPeers<'_> {
    type Sent = Sent;
    type Answer = Replies;

    fn asked(&self) -> Result<(&Arc<Requester>, impl FnOnce(Ending<Replies>) -> To), NotRunning> {
        let AskingAll { one, roster, .. } = self.asking?;
        Ok((&one.requester, |ending| To::All(Arc::clone(roster), Some(ending))))
    }

    fn send(self, message: &MessageRef<'_>, within: Option<Duration>) -> Result<Sent, SendError> {
        let AskingAll { one, roster, port } = self.asking?;
        let timeout = within.unwrap_or(one.send_timeout);
        one.requester.send_all(&port.bound.socket, roster, message, timeout)
    }

    fn request(self, message: &MessageRef<'_>, timeout: Duration) -> Result<Replies, RequestError> {
        let AskingAll { one, roster, .. } = self.asking?;
        one.requester.ask_all(roster, message, timeout)
    }
}

mod sealed {
    /// There are no others.
    pub trait Target {}

    impl Target for super::OnePeer<'_> {}

    impl Target for super::AllPeers<'_> {}
}
