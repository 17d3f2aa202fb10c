//! What a role is made with, and why it may not start.

use std::{ffi::OsString, fmt, io, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    answer::{
        self, Action, Actions, Arrival, Describe, Handler, HandlerPool, Messages, RegisterError, Registry,
        Request, Requests, Responder, Spawner, Task,
    },
    ask::Asking,
    group::{Access, Base, BindError, Group, GroupError, InProcess, Location, below},
    look::Look,
    receive::{ReceivePolicy, Rejection, Trust},
    role::{Client, Primary, Secondary, needs::NeedsPrimary, shared::Shared},
    sys::{OnStart, Peer, ThreadRole, Threads},
    wire::{Message, Name},
};

/// Sets up a [`Primary`](crate::Primary), [`Secondary`](crate::Secondary) or
/// [`Client`](crate::Client). Every setting has a safe default.
pub struct Builder<R: Role> {
    pub(super) setup: Setup,
    pub(super) handle: Shared<R::Asking>,
}

pub(crate) struct Setup {
    location: Location,
    access: Access,
    trust: Option<Trust>,
    actions: Vec<(Name, Action, Option<Describe>)>,
    otherwise: Option<Handler>,
    /// What the role will have: there is in it already what is read.
    registry: Arc<Registry>,
    allow_dpdk_actions: bool,
    inspection: bool,
    on_thread_start: Option<OnStart>,
    pub(super) needs_primary: NeedsPrimary,
    spawner: Option<Spawner>,
    pub(super) without_threads: bool,
    tasks: usize,
    pub(super) backlog: usize,
    send_timeout: Duration,
    under_way: usize,
    busy_poll: Duration,
}

/// A way to take part in a group. Implemented by this crate's three roles.
pub trait Role: sealed::Role {}

/// A role that joins the group, and so has actions.
pub trait Joins: Role {}

impl Role for Client {}
impl Role for Primary {}
impl Role for Secondary {}
impl Joins for Primary {}
impl Joins for Secondary {}

pub(crate) mod sealed {
    use super::*;

    pub trait Role: Sized {
        #[doc(hidden)]
        type Asking;

        #[doc(hidden)]
        fn start(builder: Builder<Self>) -> Result<Self, StartError>
        where
            Self: super::Role;
    }
}

__each! { [Client, Primary, Secondary] {
    /// Sets it up, in the group with this `--file-prefix`.
    #[must_use]
    pub fn builder(file_prefix: impl Into<OsString>) -> Builder<Self> {
        Builder::new(file_prefix.into())
    }
} }

impl<R: Role> Builder<R> {
    fn new(file_prefix: OsString) -> Self {
        let setup = Setup {
            location: Location::Prefix(file_prefix),
            access: Access::default(),
            trust: None,
            actions: Vec::new(),
            otherwise: None,
            registry: Registry::of(Arc::default()),
            allow_dpdk_actions: false,
            inspection: true,
            on_thread_start: None,
            needs_primary: NeedsPrimary::default(),
            spawner: None,
            without_threads: false,
            tasks: 1024,
            backlog: 256,
            send_timeout: Duration::from_millis(100),
            under_way: 16_384,
            busy_poll: Duration::ZERO,
        };
        Self { setup, handle: Shared::default() }
    }

    /// Starts the role. A primary becomes the group's, and makes its directory if need be; a
    /// secondary joins the group, and a client does not: for these there need not be a primary yet, unless
    /// [`wait_for_primary`](Builder::<Secondary>::wait_for_primary) or
    /// [`require_primary`](Builder::<Secondary>::require_primary) says so.
    ///
    /// Without a primary a secondary makes the directory if need be, warns that nobody is there, and when
    /// it leaves removes what it made if that is empty. A client makes nothing.
    ///
    /// # Errors
    ///
    /// [`StartError`], also if a primary finds another one alive. The group has not been joined
    /// then, and the handles made before are `Stopped`.
    pub fn start(self) -> Result<R, StartError> {
        R::start(self)
    }

    /// Uses this runtime directory instead of `<base>/dpdk/<file-prefix>/`.
    ///
    /// Default: DPDK's. The base is `$RUNTIME_DIRECTORY` if set, else `/var/run` for root, else
    /// `$XDG_RUNTIME_DIR`, else `/tmp`.
    #[must_use]
    pub fn runtime_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.setup.location = Location::Dir(dir.into());
        self
    }

    /// Uses a group within this process, for unit tests. The file-prefix is not used then.
    #[must_use]
    pub fn in_process(mut self, group: &InProcess) -> Self {
        self.setup.location = Location::Private(Arc::clone(&group.0));
        self
    }

    /// Shares the group with the members of this system group: so processes of several users can
    /// be in it, a daemon of root and workers of `nobody`, say. All of them call this, with the
    /// same number.
    ///
    /// The directory has mode 1770 then, with that group, and is made so by whoever comes first (or
    /// owns it, and finds it otherwise); a `dpdk` directory above it, if it is that user's, lets
    /// everybody through. Sockets have mode 0660, with that group: its members send to each other,
    /// and nobody can remove or replace another user's socket, save the directory's owner and root.
    /// [`trust`](Self::trust) is by default [`Trust::whoever_can_send`]; another policy refuses
    /// members by their credentials.
    ///
    /// The dead sockets of a user are removed by that user's next process to join, the directory's
    /// owner or root, so it is well if the primary is one of these; meanwhile they are left out.
    ///
    /// This process must be in the group, or root. DPDK itself shares nothing: its `config` and
    /// its sockets stay closed to other users, save root.
    ///
    /// Default: the directory is private to one user, with mode 0700. This and
    /// [`beside_user`](Self::beside_user) exclude each other; the last one called counts.
    #[must_use]
    pub fn share_with_group(mut self, gid: u32) -> Self {
        self.setup.access = Access::SharedWith(gid);
        self
    }

    /// Takes part in a group of another user's processes, in the directory that is private to
    /// them, as a root sidecar of a DPDK application does.
    ///
    /// Root only. Whatever it makes there is that user's, who can reach it; in the directory it
    /// uses the file system as that user, so it is led nowhere that this user cannot go. It listens
    /// to that user, to its own and to root.
    ///
    /// The risk: that user can pose as any process of the group. Do not act, as root, on what it
    /// says as if root had said so, and send it no descriptor that it must not have. Where this
    /// needs none of root's rights, start it as that user instead (`setpriv --reuid=..`).
    ///
    /// For its own user's number this changes nothing. Default: a directory of another user is
    /// refused. This and [`share_with_group`](Self::share_with_group) exclude each other; the last
    /// one called counts.
    #[must_use]
    pub fn beside_user(mut self, uid: u32) -> Self {
        self.setup.access = Access::Beside(uid);
        self
    }

    /// Listens to those whom this policy allows. Default: [`Trust::same_user`]; where other users
    /// are let in, see [`share_with_group`](Self::share_with_group) and
    /// [`beside_user`](Self::beside_user).
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.setup.trust = Some(trust);
        self
    }

    /// How long a one-way message waits for room in a full queue. Default: 100 ms.
    #[must_use]
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.setup.send_timeout = timeout;
        self
    }

    /// How long to spin for a datagram before sleeping until one comes: whoever waits for a reply,
    /// and whoever receives for a primary or a secondary.
    ///
    /// A request takes a fraction of the time if both sides spin, each on a core of its own; on one
    /// core they hold each other up. A member spins that long after each datagram, and not while
    /// nothing comes.
    ///
    /// Default: not at all.
    #[must_use]
    pub fn busy_poll(mut self, time: Duration) -> Self {
        self.setup.busy_poll = time;
        self
    }

    /// Calls this on each thread of the role, as the first thing there: to place it on processors, to
    /// give it a priority, to count it. [`ThreadRole`] tells which threads there are, and how each
    /// begins.
    ///
    /// Threads that are the whole process's ([`Closing`](ThreadRole::Closing),
    /// [`Watching`](ThreadRole::Watching)) call that of the role started last. A panic in it is traced,
    /// and goes no further.
    ///
    /// Default: nothing. Whatever starts it, a thread begins on the processors that the thread had
    /// which called [`start`](Self::start), not on those of a poll loop that asks first; and it handles
    /// no signals.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::sync::mpsc::channel;
    /// use mp_core::{Primary, ThreadRole};
    ///
    /// let (started, threads) = channel();
    /// let _primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .on_thread_start(move |role| drop(started.send((role, std::thread::current().id()))))
    ///     .start()?;
    /// assert_eq!(threads.recv()?.0, ThreadRole::Handling);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_thread_start(mut self, start: impl Fn(ThreadRole) + Send + Sync + 'static) -> Self {
        self.setup.on_thread_start = Some(Arc::new(start));
        self
    }

    /// How many asynchronous requests may be under way at once. One more fails with
    /// [`RequestError::TooManyUnderWay`](crate::RequestError::TooManyUnderWay).
    ///
    /// Default: 16,384. Each takes less than 1 KiB until its reply is there, so at most 16 MiB, and
    /// copies of its message's descriptors until it is sent. Whatever the bound, at most 128 reply
    /// sockets are open for them; the others wait their turn, in order, while their deadlines run.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use mp_core::{Client, Message, Name, RequestError};
    ///
    /// let client = Client::builder("no-such-app").requests_under_way(0).start()?;
    /// let ping = Message::new(Name::new("ping")?);
    /// let refused = pollster::block_on(client.request_async(&ping, Duration::from_secs(1)));
    /// assert!(matches!(refused, Err(RequestError::TooManyUnderWay { bound: 0 })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn requests_under_way(mut self, bound: usize) -> Self {
        self.setup.under_way = bound;
        self
    }
}

impl<R: Joins> Builder<R> {
    /// Calls `handler` for each message of this name.
    ///
    /// Handlers run one at a time, in the order in which datagrams came; one that waits for a reply
    /// of its own lets others run meanwhile. A panic in one is caught and counted.
    #[must_use]
    pub fn on<F>(self, name: Name, handler: F) -> Self
    where
        F: Fn(Message, &Peer) + Send + Sync + 'static,
    {
        self.register(name, Action::InTurn(answer::on(handler)))
    }

    /// Calls `handler` for each request of this name, which is lent to it. It answers at once, or
    /// [defers](Request::defer) the answer; dropping the request tells the requester to ignore this
    /// process.
    #[must_use]
    pub fn serve<F>(self, name: Name, handler: F) -> Self
    where
        F: Fn(Request<'_>) + Send + Sync + 'static,
    {
        self.register(name, Action::InTurn(answer::serve(handler)))
    }

    /// Calls `handler` for whatever comes under this name, message or request. It may turn away
    /// what it can make nothing of: that is counted, and a request answered *ignore*.
    #[must_use]
    pub fn action<F>(self, name: Name, handler: F) -> Self
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.register(name, Action::InTurn(Arc::new(handler)))
    }

    /// Calls `handler` for everything that has no action of its own.
    ///
    /// Default: messages are dropped and counted, requests answered *ignore*.
    #[must_use]
    pub fn otherwise<F>(mut self, handler: F) -> Self
    where
        F: Fn(Arrival<'_>) + Send + Sync + 'static,
    {
        self.setup.otherwise = Some(Arc::new(move |arrival| {
            handler(arrival);
            Ok(())
        }));
        self
    }

    /// Says what runs handlers that are futures ([`serve_async`](Self::serve_async)): whatever runs a
    /// future to its end. What it returns is dropped, and must not cancel it.
    ///
    /// It is called on the thread that receives, and must not block. On tokio:
    ///
    /// ```text
    /// let runtime = tokio::runtime::Handle::current();
    /// builder.spawn_with(move |task| runtime.spawn(task))
    /// ```
    ///
    /// Default: nothing, and a role with such handlers does not start.
    #[must_use]
    pub fn spawn_with<T>(mut self, spawn: impl Fn(Task) -> T + Send + Sync + 'static) -> Self {
        self.setup.spawner = Some(Spawner::new(spawn));
        self
    }

    /// How many tasks may be under way at once, of all handlers that are futures. Beyond it, messages
    /// are dropped and counted and requests answered *ignore*.
    ///
    /// Default: 1,024.
    #[must_use]
    pub fn tasks_under_way(mut self, bound: usize) -> Self {
        self.setup.tasks = bound;
        self
    }

    /// Answers each request of this name by a task of its own, which what
    /// [`spawn_with`](Self::spawn_with) says runs.
    ///
    /// Tasks run beside each other and beside other handlers. One that panics or is dropped unfinished
    /// drops its [`Responder`], which answers *ignore*. Stopping the role does not wait for tasks; they
    /// may answer after that.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::{thread, time::Duration};
    /// use mp_core::{Client, Message, Name, Primary};
    ///
    /// let echo = Name::new("echo")?;
    /// let primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .spawn_with(|task| thread::spawn(|| pollster::block_on(task)))
    ///     .serve_async(echo, |request, _peer, responder| async move {
    ///         let _ = responder.reply(&request.param, &[]);
    ///     })
    ///     .start()?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// let reply = client.request(&Message::new(echo).with_param("hi")?, Duration::from_secs(5))?;
    /// assert_eq!(&*reply.message.param, b"hi");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn serve_async<F, T>(self, name: Name, handler: F) -> Self
    where
        F: Fn(Message, Peer, Responder) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.action_async(name, answer::served(handler))
    }

    /// Handles whatever comes under this name, message or request, by a task of its own: as
    /// [`serve_async`](Self::serve_async) and [`action`](Self::action).
    #[must_use]
    pub fn action_async<F, T>(self, name: Name, handler: F) -> Self
    where
        F: Fn(Arrival<'_>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), Rejection>> + Send + 'static,
    {
        let action = self.setup.registry.task(handler);
        self.register(name, action)
    }

    /// Calls `handler` for each request of this name, on the threads of a pool: see
    /// [`HandlerPool`].
    #[must_use]
    pub fn serve_on<F>(self, pool: &HandlerPool, name: Name, handler: F) -> Self
    where
        F: Fn(Request<'_>) + Send + Sync + 'static,
    {
        let action = self.setup.registry.pooled(pool, answer::serve(handler));
        self.register(name, action)
    }

    /// Calls `handler` for whatever comes under this name, message or request, on the threads of a
    /// pool: see [`HandlerPool`].
    #[must_use]
    pub fn action_on<F>(self, pool: &HandlerPool, name: Name, handler: F) -> Self
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        let action = self.setup.registry.pooled(pool, Arc::new(handler));
        self.register(name, action)
    }

    /// How many datagrams may wait while a handler is running. Beyond it, messages are dropped and
    /// counted and requests answered *ignore*.
    ///
    /// Default: 256, about 200 KiB when full, and up to 8 descriptors each.
    #[must_use]
    pub fn backlog(mut self, datagrams: usize) -> Self {
        self.setup.backlog = datagrams;
        self
    }

    /// Starts no thread to receive and handle: the user's own does, by `poll_fd` and
    /// [`dispatch`](Primary::dispatch).
    ///
    /// Until it does, nobody is answered, a DPDK primary that asks all its secondaries waits, and one
    /// that sends is held up once the queue is full: so call it soon, always. Asynchronous requests, a
    /// [`HandlerPool`] and a [`Watch`](crate::Watch) that is awaited have threads of their own still, and
    /// [`backlog`](Self::backlog) has no meaning. What streams have read comes to them by `dispatch`, too.
    ///
    /// Default: threads, as [`ThreadRole`] tells.
    #[must_use]
    pub fn without_threads(mut self) -> Self {
        self.setup.without_threads = true;
        self
    }

    /// Allows actions under names of DPDK's own, in a group with DPDK in it.
    ///
    /// Default: [`RegisterError::DpdkName`], since DPDK processes that ask for them expect DPDK to
    /// answer.
    #[must_use]
    pub fn allow_dpdk_actions(mut self) -> Self {
        self.setup.allow_dpdk_actions = true;
        self
    }

    /// Answers nobody who asks with `mp.describe`, `mp.status` or `mp.monitor`: see
    /// [`inspect`](crate::inspect).
    ///
    /// Default: whoever the [`Trust`] policy allows may ask which actions there are, what goes on, and
    /// for a copy of each datagram. The names stay reserved.
    #[must_use]
    pub fn without_inspection(mut self) -> Self {
        self.setup.inspection = false;
        self
    }

    /// Says what the action takes that has been given last.
    #[doc(hidden)]
    #[must_use]
    pub fn described_last(mut self, describe: Describe) -> Self {
        if let Some(last) = self.setup.actions.last_mut() {
            last.2 = Some(describe);
        }
        self
    }

    /// As [`action`](Self::action), for one that can say what it takes.
    #[doc(hidden)]
    #[must_use]
    pub fn described<F>(mut self, name: Name, describe: Describe, handler: F) -> Self
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.setup.actions.push((name, Action::InTurn(Arc::new(handler)), Some(describe)));
        self
    }

    /// The messages of this name, to be read, from the first that comes on: see
    /// [`Actions::messages`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken.
    pub fn messages(&self, name: Name, bound: usize) -> Result<Messages, RegisterError> {
        self.actions_to_be(name)?.messages(name, bound)
    }

    /// The requests of this name, to be read and answered, from the first that comes on: see
    /// [`Actions::requests`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken.
    pub fn requests(&self, name: Name, bound: usize) -> Result<Requests, RegisterError> {
        self.actions_to_be(name)?.requests(name, bound)
    }

    /// Where to register what is read, if the name is free.
    #[doc(hidden)]
    pub fn actions_to_be(&self, name: Name) -> Result<Actions, RegisterError> {
        match self.setup.actions.iter().any(|(taken, ..)| *taken == name) {
            true => Err(RegisterError::Taken { name }),
            false => Ok(Actions(Arc::clone(&self.setup.registry))),
        }
    }

    fn register(mut self, name: Name, action: Action) -> Self {
        self.setup.actions.push((name, action, None));
        self
    }
}

impl Setup {
    pub(super) fn group(&self) -> Result<Group, GroupError> {
        Group::locate(&self.location)?.open_to(self.access)
    }

    /// Before anything is made.
    pub(super) fn check_fits_secondary(&self) -> Result<(), GroupError> {
        self.group()?.check_fits_secondary()
    }

    fn trust(&self) -> Trust {
        self.trust.clone().unwrap_or_else(|| match self.access {
            Access::Private => Trust::same_user(),
            Access::SharedWith(_) => Trust::whoever_can_send(),
            Access::Beside(uid) => {
                let own = Trust::same_user();
                Trust::when(move |sender| sender.uid == uid || own.allows(sender))
            }
        })
    }

    pub(super) fn asking(&self, group: &Group) -> Asking {
        let counters = Arc::clone(self.registry.counters());
        let (trust, look) = (self.trust(), Look::new(self.inspection));
        let threads = Threads::of_starter(self.on_thread_start.clone());
        self.registry.have_threads(Arc::clone(&threads));
        let policy = ReceivePolicy { trust, counters, look, threads, busy_poll: self.busy_poll };
        Asking::new(group.clone(), policy, self.under_way, self.send_timeout)
    }

    /// The actions, checked. They are in place before the socket exists.
    pub(super) fn actions(&mut self, dpdk_in_group: bool) -> Result<Actions, RegisterError> {
        let actions = std::mem::take(&mut self.actions);
        let protect_dpdk = dpdk_in_group && !self.allow_dpdk_actions;
        if let Some(spawner) = self.spawner.take() {
            self.registry.run_tasks_with(spawner, self.tasks);
        }
        self.registry.begin(actions, self.otherwise.take(), protect_dpdk)?;
        Ok(Actions(Arc::clone(&self.registry)))
    }
}

impl<R: Role> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("location", &self.setup.location).finish_non_exhaustive()
    }
}

/// Why a role could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The group's directory cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The group has another primary, or its lock stayed taken.
    #[error(transparent)]
    Bind(BindError),
    /// Two actions have one name, or one has a name of DPDK's own.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is no live primary, and the role was to start only with one.
    #[error(
        "there is no primary in {dir:?}{}: start it first, or check the file-prefix{}{}",
        waited.map_or_else(String::new, |waited| format!(", nor has one come within {waited:?}")),
        below(base.as_ref()),
        there(elsewhere)
    )]
    NoPrimary {
        /// The runtime directory in which it would be.
        dir: PathBuf,
        /// How long it was waited for, if it was.
        waited: Option<Duration>,
        /// The directory above, and what chose it; `None` if the runtime directory was given.
        base: Option<Base>,
        /// Where there are groups of that file-prefix, with a live primary or closed to this user: below
        /// another base directory, say. At most four; none if the runtime directory was given.
        elsewhere: Vec<PathBuf>,
    },
    /// A thread or a socket could not be made.
    #[error("the system is short of something")]
    Io(#[from] io::Error),
}

fn there(elsewhere: &[PathBuf]) -> String {
    match elsewhere {
        [] => String::new(),
        some => format!("; there is one of that file-prefix in {some:?}: name it, or set RUNTIME_DIRECTORY"),
    }
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Group(error) => error.into(),
            StartError::Bind(error) => error.into(),
            StartError::Register(error) => error.into(),
            StartError::NoPrimary { waited: Some(_), .. } => Self::new(io::ErrorKind::TimedOut, error),
            StartError::NoPrimary { .. } => Self::new(io::ErrorKind::NotFound, error),
            StartError::Io(source) => Self::new(source.kind(), StartError::Io(source)),
        }
    }
}

impl From<BindError> for StartError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Group(error) => Self::Group(error),
            error => Self::Bind(error),
        }
    }
}
