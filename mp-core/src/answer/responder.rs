//! The one answer to a request, and the socket that it leaves from. Which answers have to wait, and
//! when those are sent, `held` and `delivery` know.

use std::{collections::HashSet, io, os::fd::BorrowedFd, sync::Arc, thread, time::Duration};

use rustix::io::Errno;

use super::{arrival::unanswered, delivery::PutAside, held::HeldAnswers, room::Room};
use crate::{
    group::{Bound, Found, Undelivered, UserChange, probe},
    look::Look,
    receive::{Counters, ReceivePolicy},
    sys::{Address, Deadline, Threads, Timer},
    wire::{Datagram, Kind, Layout, MessageError, Name, Reason, Tag, Why, check_size},
};

/// How long to wait, as the role stops, before trying again to send what had no room.
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

/// The one answer to a request. It may be kept, sent to another thread, and used after the handler
/// returned, also after the role was stopped.
///
/// Dropped unanswered, it tells the requester to *ignore* this process, so that nobody waits for a
/// timeout: so a handler that panics or forgets to answer does no harm.
///
/// # Examples
///
/// Answering later, from another thread:
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::{thread, time::Duration};
/// use mp_core::{Client, Message, Name, Primary};
///
/// let echo = Name::new("echo")?;
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(echo, |mut request| {
///         let (message, responder) = (request.take_message(), request.defer());
///         thread::spawn(move || responder.reply(&message.param, &[]));
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let reply = client.request(&Message::new(echo).with_param(b"hi")?, Duration::from_secs(1))?;
/// assert_eq!(&*reply.message.param, b"hi");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements `rte_mp_reply`.
#[doc(alias = "rte_mp_reply")]
#[derive(Debug)]
pub struct Responder {
    to: Address,
    layout: Layout,
    name: Name,
    /// The request's, which its answer carries back.
    tag: Option<Tag>,
    port: Arc<ReplyPort>,
    answered: bool,
}

/// What an answer has to know of its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) to: &'a Address,
    pub(super) layout: Layout,
    pub(super) name: &'a Name,
    /// The request's, which its answer carries back.
    pub(super) tag: Option<Tag>,
}

impl Responder {
    pub(super) fn of(asked: &Asked<'_>, port: Arc<ReplyPort>) -> Self {
        let Asked { to, layout, name, tag } = *asked;
        Self { to: to.clone(), layout, name: *name, tag, port, answered: false }
    }

    fn asked(&self) -> Asked<'_> {
        let Self { to, layout, name, tag, .. } = self;
        Asked { to, layout: *layout, name, tag: *tag }
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
    pub fn reply(mut self, param: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), ReplyError> {
        self.answered = true;
        self.port.reply(&self.asked(), param, fds)
    }

    /// Declines: tells the requester to ignore this process, and why. A text does for words of
    /// one's own; a [`Why`] has a [`Reason`] besides.
    ///
    /// A requester in C does not see why, and counts one peer less.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Client, Message, Name, Primary, RequestError};
    ///
    /// let open = Name::new("open")?;
    /// let primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .serve(open, |request| request.defer().ignore("the link is down"))
    ///     .start()?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// match client.request(&Message::new(open), Duration::from_secs(1)) {
    ///     Err(RequestError::Ignored { why }) => assert_eq!(why.text(), "the link is down"),
    ///     _ => unreachable!("it declines"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ignore(mut self, why: impl Into<Why>) {
        self.answered = true;
        self.port.send_ignore(&self.asked(), &why.into());
    }

    /// Whether anybody still waits for the answer, as far as can be known: `false` if the requester
    /// is gone, or has given up, be it that its time was over or that it was cancelled.
    ///
    /// A requester shows that it has given up by removing the socket to which the answer would go.
    /// One in C receives everything at one socket, so of it only its death is seen. It takes three
    /// system calls: something for work that takes long, not for each step of it.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Client, Message, Name, Primary};
    ///
    /// let slow = Name::new("slow")?;
    /// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
    /// let mut requests = primary.requests(slow, 16)?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// let answer = client.request_async(&Message::new(slow), Duration::from_secs(60));
    /// let (_, _, responder) = requests.next_within(Duration::from_secs(5)).expect("it has come");
    /// assert!(responder.is_wanted());
    /// drop(answer);
    /// while responder.is_wanted() { /* the next step of the work */ }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.port.is_wanted_at(&self.to)
    }

    /// Answers nothing, ever: the requester waits out its deadline, or sees the member gone.
    ///
    /// For a process that stands in for another, which did not answer. Whoever can answer, or
    /// decline, should.
    pub fn leave_unanswered(mut self) {
        self.answered = true;
    }

    /// The name of the request, and so of its reply.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.answered {
            self.port.send_ignore(&self.asked(), &unanswered());
        }
    }
}

/// Why a reply could not be sent. Unless the requester cannot be reached, it has been told to
/// ignore this process, and why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// It does not fit a message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The requester is gone, or waits no longer.
    #[error("the requester is gone or waits no longer")]
    Gone,
    /// This is the child of a fork: the request was its parent's, which answers it.
    #[error("the request was made to the process that this is a fork of")]
    Forked,
    /// The kernel does not let us send to the requester.
    #[error("the requester cannot be sent to")]
    Refused,
    /// This process has dropped its privileges since the role started, and the requester's socket
    /// is closed to the user that it is now: see
    /// [`GroupError::UserChanged`](crate::GroupError::UserChanged).
    #[error("the requester cannot be sent to: this process started as uid {started_as} and is uid {now} now")]
    UserChanged {
        /// Who it was when the role started.
        started_as: u32,
        /// Who it is now.
        now: u32,
    },
    /// Too many replies wait for requesters that do not read.
    #[error("too many replies wait for requesters that do not read theirs")]
    TooManyWaiting,
    /// The requester's queue is full, and so many descriptors of replies that had to wait are kept
    /// that there is no room for more.
    #[error(
        "no descriptors are left to keep this reply's until its requester reads: raise RLIMIT_NOFILE, of which they may be an eighth"
    )]
    OutOfDescriptors,
    /// The system failed to send.
    #[error("sending the reply failed")]
    Io(#[from] io::Error),
}

impl ReplyError {
    fn refused(from: &Bound) -> Self {
        match from.user_change() {
            Some(UserChange { started_as, now }) => Self::UserChanged { started_as, now },
            None => Self::Refused,
        }
    }

    /// What the requester is told in the reply's stead; `None` if it cannot be told anything.
    fn why(&self) -> Option<Why> {
        Some(match self {
            Self::Gone | Self::Forked | Self::Refused | Self::UserChanged { .. } => return None,
            Self::TooManyWaiting => Reason::Overloaded.into(),
            Self::OutOfDescriptors => Reason::OutOfDescriptors.into(),
            Self::Io(error) if is_lack_of_descriptors(error) => Reason::OutOfDescriptors.into(),
            Self::Io(error) => {
                Why::new(Reason::HandlerFailed, format_args!("its reply was not sent: {error}"))
            }
            Self::Message(error) => Why::new(Reason::HandlerFailed, error),
        })
    }
}

/// Too many open, in this process or in all, or too many of this user's on their way.
fn is_lack_of_descriptors(error: &io::Error) -> bool {
    let lacks = [Errno::MFILE, Errno::NFILE, Errno::TOOMANYREFS].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|errno| lacks.contains(&errno))
}

impl From<ReplyError> for io::Error {
    fn from(error: ReplyError) -> Self {
        let kind = match &error {
            ReplyError::Message(_) => io::ErrorKind::InvalidInput,
            ReplyError::Gone => io::ErrorKind::ConnectionReset,
            ReplyError::Refused | ReplyError::UserChanged { .. } => io::ErrorKind::PermissionDenied,
            ReplyError::TooManyWaiting => io::ErrorKind::WouldBlock,
            ReplyError::OutOfDescriptors => io::ErrorKind::QuotaExceeded,
            ReplyError::Io(source) => source.kind(),
            ReplyError::Forked => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Where answers leave: always the socket that the requests came to, since C requesters match
/// replies by its path.
#[derive(Debug)]
pub(crate) struct ReplyPort {
    pub(crate) bound: Arc<Bound>,
    pub(crate) counters: Arc<Counters>,
    look: Arc<Look>,
    pub(super) threads: Arc<Threads>,
    /// Tells when to try again to send what had no room, if no thread does.
    pub(super) timer: Option<Timer>,
    held: HeldAnswers<Address, PutAside>,
    room: Room,
}

impl ReplyPort {
    pub(crate) fn new(bound: Arc<Bound>, policy: &ReceivePolicy, timer: Option<Timer>) -> Arc<Self> {
        bound.socket.widen();
        let room = Room::of(&bound.socket);
        let (counters, look) = (Arc::clone(&policy.counters), Arc::clone(&policy.look));
        let threads = Arc::clone(&policy.threads);
        Arc::new(Self { bound, counters, look, threads, timer, held: HeldAnswers::new(), room })
    }

    /// Whether threads of its own send what had no room.
    pub(crate) fn has_threads(&self) -> bool {
        self.timer.is_none()
    }

    /// Waits until the answers that requesters had no room for are delivered or given up, but not
    /// longer than `deadline`.
    pub(crate) fn flush(&self, deadline: Deadline) {
        while self.timer.is_some() && self.held.len() > 0 && !deadline.is_over() {
            self.deliver();
            thread::sleep(BETWEEN_TRIES.min(deadline.left()));
        }
        self.held.wait_until_empty(deadline);
    }

    /// Whose answers are to wait, so that others find room.
    pub(super) fn kept_from(&self) -> HashSet<Address> {
        self.room.kept_from(&self.bound.socket)
    }

    pub(super) fn held(&self) -> &HeldAnswers<Address, PutAside> {
        &self.held
    }

    /// Whether anybody still waits there for an answer. In doubt, yes.
    pub(super) fn is_wanted_at(&self, to: &Address) -> bool {
        self.bound.is_ours() && !matches!(probe(to), Ok(Found::Dead | Found::Nothing))
    }

    /// Sends the reply; if that fails, tells the requester why, if it can be reached.
    pub(super) fn reply(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        param: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        let result = self.send_reply(asked, param, fds);
        match &result {
            Ok(()) => self.counters.replies_sent.add(),
            Err(error) => {
                self.counters.answers_lost.add();
                if let Some(why) = error.why() {
                    self.send_ignore(asked, &why);
                }
            }
        }
        result
    }

    fn send_reply(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        param: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        check_size(param, fds)?;
        let Asked { to, layout, name, tag } = *asked;
        let datagram = Datagram::new(layout, Kind::Reply, name, param, fds.len(), tag.map(Tag::answering));
        self.send(to, &datagram, fds)
    }

    /// Takes this process out of those asked.
    pub(super) fn send_ignore(self: &Arc<Self>, asked: &Asked<'_>, why: &Why) {
        let Asked { to, layout, name, tag } = *asked;
        match self.send(to, &Datagram::ignore(layout, name, tag.map(Tag::answering), why), &[]) {
            Ok(()) => self.counters.ignores_sent.add(),
            Err(error) => {
                self.counters.answers_lost.add();
                tracing::debug!(%name, %error, "could not answer ignore");
            }
        }
    }

    fn send(
        self: &Arc<Self>,
        to: &Address,
        datagram: &Datagram,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ReplyError> {
        if !self.bound.is_ours() {
            return Err(ReplyError::Forked);
        }
        if self.held.has(to) {
            return self.hold(to, datagram.clone(), fds);
        }
        match self.send_now(to, datagram, fds).map_err(Undelivered::from) {
            Ok(()) => Ok(()),
            Err(Undelivered::NoRoom) => self.hold(to, datagram.clone(), fds),
            Err(Undelivered::Gone) => Err(ReplyError::Gone),
            Err(Undelivered::Refused) => Err(ReplyError::refused(&self.bound)),
            Err(Undelivered::Failed(errno)) => Err(ReplyError::Io(errno.into())),
        }
    }

    /// `EAGAIN` if the requester's queue is full, or room is kept from it for others.
    fn send_now(&self, to: &Address, datagram: &Datagram, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        match self.room.is_kept_from(to, &self.bound.socket) {
            true => Err(Errno::AGAIN),
            false => self.send_whoever_reads(to, datagram, fds),
        }
    }

    /// `EAGAIN` if the requester's queue is full.
    pub(super) fn send_whoever_reads(
        &self,
        to: &Address,
        datagram: &Datagram,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        let sent = self.bound.socket.send(Some(to), datagram.as_bytes(), fds);
        self.look.tap.sent(&self.bound.socket, Some(to), datagram.as_bytes(), fds, sent);
        if sent == Err(Errno::AGAIN) {
            self.room.look_again();
        }
        sent
    }
}
