//! Whom a role asks: one peer, or all. Here each verb is told once for either; as methods of the
//! roles, of their handles and of what `to` returns, the roles have them, and `mp-typed` has them
//! over types. It knows whom to ask and how long; how, [`Requester`] knows.

use std::{sync::Arc, time::Duration};

use super::{
    Asked, Ending, Replies, Reply, RequestError, Requester, SendError, Sent, To, call_back_failed, guarded,
};
use crate::{
    group::{Bound, Group, GroupError, Member, Roster},
    receive::{ReceivePolicy, Statistics},
    sys::{Address, Deadline},
    wire::{Message, MessageRef, Name},
};

/// How long dropping a role may take.
pub(crate) const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// The asking side of a role.
#[derive(Debug)]
pub struct Asking {
    pub(crate) requester: Arc<Requester>,
    send_timeout: Duration,
}

/// The asking side of a primary, which also asks all secondaries.
#[derive(Debug)]
pub struct AskingAll {
    one: Asking,
    roster: Arc<Roster>,
    /// Its messages leave from `mp_socket`.
    bound: Arc<Bound>,
}

/// Why a role or a handle cannot ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunning {
    NotStarted,
    StartFailed,
}

/// One peer, or all: what the verbs do there.
pub trait Target: Copy + sealed::Target {
    /// What is told of a message that was sent.
    type Sent;
    /// What comes back from a request.
    type Yield: 'static;

    /// By whom a request is made, and to whom.
    #[expect(clippy::type_complexity, reason = "no alias can name what an `impl Trait` is")]
    fn asked(&self) -> Result<(&Arc<Requester>, impl FnOnce(Ending<Self::Yield>) -> To), NotRunning>;

    /// Sends a message; `within` takes the place of the role's own deadline.
    fn send(self, message: &MessageRef<'_>, within: Option<Duration>) -> Result<Self::Sent, SendError>;

    /// Asks, and waits for the answer.
    fn request(self, message: &MessageRef<'_>, timeout: Duration) -> Result<Self::Yield, RequestError>;

    /// Asks; the answer comes to a future.
    fn request_async(self, message: &MessageRef<'_>, timeout: Duration) -> Asked<Self::Yield> {
        match self.asked() {
            Ok((requester, to)) => requester.ask_async(to, message, timeout),
            Err(why) => Asked::failed(why.into()),
        }
    }

    /// Asks; the answer comes to `callback`.
    fn request_then<F>(self, message: &MessageRef<'_>, timeout: Duration, callback: F)
    where
        F: FnOnce(Message, Result<Self::Yield, RequestError>) + Send + 'static,
    {
        match self.asked() {
            Ok((requester, to)) => requester.ask_then(to, message, timeout, callback),
            Err(why) => call_back_failed(message, callback, why.into()),
        }
    }

    /// Asks nobody: calls `callback` as that of a request of this name would be.
    fn call_back(self, name: &Name, callback: impl FnOnce() + Send + 'static) {
        match self.asked() {
            Ok((requester, _)) => requester.call_back(name, callback),
            Err(_) => guarded(name, None, callback),
        }
    }
}

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
///         .serve(who, move |request| {
///             let _ = request.reply(answer, &[]);
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
    asking: Result<&'a Asking, NotRunning>,
    /// `None` for the primary.
    member: Option<&'a Member>,
}

/// All secondaries, to send to and to ask: those of a [`Primary`](crate::Primary).
#[derive(Debug, Clone, Copy)]
pub struct AllPeers<'a>(Result<&'a AskingAll, NotRunning>);

/// Sends with a deadline of its own: what `within` returns. [`OnePeer`] shows it.
#[derive(Debug, Clone, Copy)]
#[must_use = "it sends nothing until told what"]
pub struct Within<T> {
    target: T,
    timeout: Duration,
}

impl<T: Target> Within<T> {
    pub(crate) fn new(target: T, timeout: Duration) -> Self {
        Self { target, timeout }
    }

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
    /// `None` is the primary.
    pub(crate) fn new(asking: Result<&'a Asking, NotRunning>, member: Option<&'a Member>) -> Self {
        Self { asking, member }
    }

    fn address(self, asking: &'a Asking) -> &'a Address {
        self.member.map_or_else(|| asking.group().primary(), Member::address)
    }
}

impl<'a> AllPeers<'a> {
    pub(crate) fn new(asking: Result<&'a AskingAll, NotRunning>) -> Self {
        Self(asking)
    }
}

impl Target for OnePeer<'_> {
    type Sent = ();
    type Yield = Reply;

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
    type Yield = Replies;

    fn asked(&self) -> Result<(&Arc<Requester>, impl FnOnce(Ending<Replies>) -> To), NotRunning> {
        let AskingAll { one, roster, .. } = self.0?;
        Ok((&one.requester, |ending| To::All(Arc::clone(roster), Some(ending))))
    }

    fn send(self, message: &MessageRef<'_>, within: Option<Duration>) -> Result<Sent, SendError> {
        let AskingAll { one, roster, bound } = self.0?;
        let timeout = within.unwrap_or(one.send_timeout);
        one.requester.send_all(&bound.socket, roster, message, timeout)
    }

    fn request(self, message: &MessageRef<'_>, timeout: Duration) -> Result<Replies, RequestError> {
        let AskingAll { one, roster, .. } = self.0?;
        one.requester.ask_all(roster, message, timeout)
    }
}

impl Asking {
    /// `under_way` is how many asynchronous requests may be.
    pub(crate) fn new(group: Group, policy: ReceivePolicy, under_way: usize, send_timeout: Duration) -> Self {
        Self { requester: Requester::new(group, policy, under_way), send_timeout }
    }

    pub(crate) fn group(&self) -> &Group {
        self.requester.group()
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.requester.policy().counters.snapshot()
    }

    /// The members' list, as it is or comes to be.
    pub(crate) fn roster(&self) -> Result<Roster, GroupError> {
        Ok(Roster::new(self.group().open()?))
    }
}

impl AskingAll {
    pub(crate) fn new(one: Asking, roster: Roster, bound: Arc<Bound>) -> Self {
        let roster = Arc::new(roster);
        one.requester.is_of_primary(Arc::clone(&roster));
        Self { one, roster, bound }
    }
}

impl AsRef<Asking> for Asking {
    fn as_ref(&self) -> &Asking {
        self
    }
}

impl AsRef<Asking> for AskingAll {
    fn as_ref(&self) -> &Asking {
        &self.one
    }
}

/// The role's thread for asynchronous requests, if it has one, ends with it. It is waited for,
/// since a process that ends before would leave its reply sockets; not again if the role has been
/// stopped.
impl Drop for Asking {
    fn drop(&mut self) {
        if self.requester.stop() && !self.requester.wait_until_ended(Deadline::after(DROP_TIMEOUT)) {
            tracing::warn!("a callback is still running; its thread goes on until it ends");
        }
    }
}

impl From<NotRunning> for RequestError {
    fn from(why: NotRunning) -> Self {
        match why {
            NotRunning::NotStarted => Self::NotStarted,
            NotRunning::StartFailed => Self::Stopped,
        }
    }
}

impl From<NotRunning> for SendError {
    fn from(why: NotRunning) -> Self {
        match why {
            NotRunning::NotStarted => Self::NotStarted,
            NotRunning::StartFailed => Self::Stopped,
        }
    }
}

impl From<NotRunning> for GroupError {
    fn from(_: NotRunning) -> Self {
        Self::NotStarted
    }
}

mod sealed {
    /// There are no others.
    pub trait Target {}

    impl Target for super::OnePeer<'_> {}

    impl Target for super::AllPeers<'_> {}
}
