//! What handlers get: a datagram that lies where the kernel put it, lent for as long as the handler
//! runs, and the one answer that a request has. What is kept beyond that is copied, or deferred.

use std::{
    fmt,
    os::fd::BorrowedFd,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{ReplyError, Responder, responder::Asked, responder::ReplyPort};
use crate::{
    receive::{Arrived, Counters, Inbox},
    sys::{Address, Peer},
    wire::{Fds, Kind, Message, Name, Reason, Why},
};

/// Something a peer sent.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// One-way.
    Message(Received<'a>),
    /// Wants an answer.
    Request(Request<'a>),
}

impl<'a> Arrival<'a> {
    /// `None` of what nobody could handle: an answer, or a request from nowhere.
    pub(super) fn of(arrived: Arrived<'a>, port: &'a Arc<ReplyPort>) -> Option<Self> {
        match (arrived.header.kind, arrived.peer.address()) {
            (Kind::Message, _) => Some(Self::Message(Received(arrived))),
            (Kind::Request, Some(to)) => {
                Some(Self::Request(Request { received: Received(arrived), to, port, answered: false }))
            }
            (Kind::Request, None) | (Kind::Reply | Kind::Ignore, _) => None,
        }
    }

    /// Who sent it.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        match self {
            Self::Message(message) => message.peer(),
            Self::Request(request) => request.peer(),
        }
    }

    /// Which action it is for.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            Self::Message(message) => message.name(),
            Self::Request(request) => request.name(),
        }
    }
}

/// A message that came, lent while its handler runs. Descriptors that nobody takes are closed then.
pub struct Received<'a>(Arrived<'a>);

impl<'a> Received<'a> {
    /// Which action it is for.
    #[must_use]
    pub fn name(&self) -> &'a Name {
        &self.0.header.name
    }

    /// The payload, at most 256 bytes.
    #[must_use]
    pub fn param(&self) -> &'a [u8] {
        self.0.param()
    }

    /// The descriptors that came with it, owned; none are left.
    #[must_use]
    pub fn take_fds(&mut self) -> Fds {
        self.0.take_fds()
    }

    /// Who sent it, as the kernel attests it.
    #[must_use]
    pub fn peer(&self) -> &'a Peer {
        self.0.peer
    }

    /// The fingerprint of the definition that its sender has; 0 if that is not known.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.0.fingerprint()
    }

    /// A copy to keep, with the descriptors.
    #[must_use]
    pub fn take_message(&mut self) -> Message {
        self.0.take_message()
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Received");
        all.field("name", self.name()).field("param", &self.param()).field("peer", self.peer());
        all.finish_non_exhaustive()
    }
}

/// A request that came, lent while its handler runs, and its one answer.
///
/// It is answered by [`reply`](Self::reply), declined by [`ignore`](Self::ignore), or answered
/// later through what [`defer`](Self::defer) makes of it. Dropped without any of these, it tells
/// the requester to *ignore* this process, so that nobody waits for a timeout: a handler that
/// panics or forgets to answer does no harm.
///
/// Nothing is copied or allocated for it. Descriptors that nobody takes are closed when the handler
/// returns.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_core::{Client, Message, Name, Primary, Request};
///
/// let echo = Name::new("echo")?;
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(echo, |mut request: Request<'_>| {
///         let (param, fds) = (request.param(), request.take_fds());
///         let lent: Vec<_> = fds.iter().collect();
///         let _ = request.reply(param, &lent);
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let reply = client.request(&Message::new(echo).with_param(b"hi")?, Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, b"hi");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements the arguments of `rte_mp_t`, and `rte_mp_reply`.
#[doc(alias = "rte_mp_t")]
#[doc(alias = "rte_mp_reply")]
#[must_use = "dropping it tells the requester to ignore this process"]
pub struct Request<'a> {
    received: Received<'a>,
    to: &'a Address,
    port: &'a Arc<ReplyPort>,
    answered: bool,
}

impl<'a> Request<'a> {
    /// Whether anybody still waits for the answer, as far as can be known: see
    /// [`Responder::is_wanted`].
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.port.is_wanted_at(self.to)
    }

    /// Which action it is for, and so the name of its answer.
    #[must_use]
    pub fn name(&self) -> &'a Name {
        self.received.name()
    }

    /// The payload, at most 256 bytes.
    #[must_use]
    pub fn param(&self) -> &'a [u8] {
        self.received.param()
    }

    /// The descriptors that came with it, owned; none are left.
    #[must_use]
    pub fn take_fds(&mut self) -> Fds {
        self.received.take_fds()
    }

    /// Who asks, as the kernel attests it.
    #[must_use]
    pub fn peer(&self) -> &'a Peer {
        self.received.peer()
    }

    /// The fingerprint of the definition that the requester has; 0 if that is not known.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.received.fingerprint()
    }

    /// A copy to keep, with the descriptors; the answer is still to be given.
    #[must_use]
    pub fn take_message(&mut self) -> Message {
        self.received.take_message()
    }

    /// Sends the reply, under the request's name.
    ///
    /// `Ok` says that it is in the requester's queue or, if that is full, that it will be sent as
    /// soon as there is room, for a while; this call does not wait. The descriptors are only lent.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the requester is told to ignore this process then, and why, if it can be
    /// reached.
    #[doc(alias = "rte_mp_reply")]
    pub fn reply(mut self, param: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), ReplyError> {
        self.answered = true;
        self.port.reply(&self.asked(), param, fds)
    }

    /// Declines: tells the requester to ignore this process, and why, as [`Responder::ignore`].
    pub fn ignore(mut self, why: impl Into<Why>) {
        self.answered = true;
        self.port.send_ignore(&self.asked(), &why.into());
    }

    /// The answer alone, to be given later, from any thread. What else of the request is needed
    /// then is to be taken before.
    pub fn defer(mut self) -> Responder {
        self.answered = true;
        Responder::of(&self.asked(), Arc::clone(self.port))
    }

    fn asked(&self) -> Asked<'a> {
        let header = self.received.0.header;
        Asked { to: self.to, layout: header.layout, name: &header.name, tag: header.tag }
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.port.send_ignore(&self.asked(), &unanswered());
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.received).finish()
    }
}

/// Something a peer sent, with what it lies in: for somebody else than the handlers, later. Dropped,
/// it is not answered: then a request tells its requester to *ignore* this process.
#[derive(Debug)]
pub(crate) struct SetAside {
    inbox: Inbox,
    port: Arc<ReplyPort>,
    /// It is somebody's now, and so is its answer.
    given_out: bool,
}

impl SetAside {
    pub(super) fn of(inbox: Inbox, port: &Arc<ReplyPort>) -> Box<Self> {
        Box::new(Self { inbox, port: Arc::clone(port), given_out: false })
    }

    /// `None` of nothing.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.inbox.header().map(|header| header.kind)
    }

    /// Itself, unless it is a request that has waited since then and whose requester has given up
    /// meanwhile: that is counted, and not answered.
    pub(super) fn still_wanted(
        mut self: Box<Self>,
        since: Instant,
        counters: &Counters,
    ) -> Option<Box<Self>> {
        if since.elapsed() < NO_WAIT || is_wanted(&self.inbox, &self.port) {
            return Some(self);
        }
        self.given_out = true;
        given_up(&mut self.inbox, counters);
        None
    }

    /// What came, for whoever reads it: whose its answer is from now on.
    pub(super) fn give_out(&mut self) -> Option<Arrival<'_>> {
        self.given_out = true;
        Arrival::of(self.inbox.arrived()?, &self.port)
    }
}

impl Drop for SetAside {
    fn drop(&mut self) {
        if !self.given_out {
            drop(self.give_out());
        }
    }
}

/// What is handled within this time has not waited: nobody looks whether it is still wanted.
const NO_WAIT: Duration = Duration::from_millis(1);

/// Whether there is still somebody to answer, if it is to be answered.
pub(super) fn is_wanted(inbox: &Inbox, port: &ReplyPort) -> bool {
    match (inbox.header(), inbox.peer().address()) {
        (Some(header), Some(to)) if header.kind == Kind::Request => port.is_wanted_at(to),
        _ => true,
    }
}

/// Its requester has given up: there is nobody to answer.
pub(super) fn given_up(inbox: &mut Inbox, counters: &Counters) {
    counters.requests_given_up.add();
    if let Some(header) = inbox.header() {
        tracing::debug!(name = %header.name, "its requester has given up while it waited");
    }
    inbox.close_fds();
}

/// Why a request has had no answer when its handler lets go of it.
pub(super) fn unanswered() -> Why {
    let how = if thread::panicking() { "it panicked" } else { "it ended without an answer" };
    Why::new(Reason::HandlerFailed, how)
}
