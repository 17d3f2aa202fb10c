//! What users register: actions, by name, before and while a role runs.

use std::{fmt, io, pin::Pin, sync::Arc};

use super::{
    Arrival, HandlerPool, Incoming, Messages, Request, Requests, Responder,
    registry::{Action, Handler, Place, Registry},
    tasks::spawns,
};
use crate::{
    look::Json,
    receive::Rejection,
    sys::Peer,
    wire::{Kind, Message, Name, Reason, Why},
};

/// Writes what an action takes and answers, as the keys of a JSON object, for those who ask with
/// `mp.describe`.
pub type Describe = fn(&mut Json);

/// Names that DPDK itself, its buses and its drivers answer to, of releases 18.05 to 26.07. Taking
/// one of them in a group with DPDK in it would answer in DPDK's stead.
const DPDK_NAMES: [&str; 23] = [
    "afxdp_mp_send_fds",
    "bus_vdev_mp",
    "common_mlx5_mp",
    "eal_dev_mp_request",
    "eal_vfio_mp_sync",
    "fslmc_vfio_mp_sync",
    "ipsec_mb_mp_msg",
    "memif_mp_send_region",
    "mp_malloc_request",
    "mp_malloc_response",
    "mp_malloc_rollback",
    "mp_malloc_sync",
    "mp_pdump",
    "mp_testpmd",
    "net_ena_mp",
    "net_hns3_mp",
    "net_mana_mp",
    "net_mlx4_mp",
    "net_mlx5_mp",
    "net_netvsc_mp",
    "sxe2_mp_msg",
    "tap_mp_req_start_rxtx",
    "tap_mp_sync_queues",
];

impl Name {
    /// Whether DPDK itself, one of its buses or its drivers answers to it, in releases 18.05 to
    /// 26.07. No other process of a group with DPDK in it should.
    #[must_use]
    pub fn is_dpdks(&self) -> bool {
        DPDK_NAMES.iter().any(|dpdk| dpdk.as_bytes() == self.as_bytes())
    }
}

/// Registers and unregisters actions while a role runs. Cheap to clone.
///
/// Actions that are to be there from the first datagram on belong into the role's builder; these
/// may miss what came before.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use mp_core::{Message, Name, Primary};
///
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let registration = primary.actions().on(Name::new("hello")?, |message, peer| {
///     println!("{} from {}", message.name, peer.pid());
/// })?;
/// assert!(primary.actions().on(Name::new("hello")?, |_, _| ()).is_err());
/// assert!(registration.unregister());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements `rte_mp_action_register` and `rte_mp_action_unregister`.
#[doc(alias = "rte_mp_action_register")]
#[doc(alias = "rte_mp_action_unregister")]
#[derive(Clone)]
pub struct Actions(pub(crate) Arc<Registry>);

impl Actions {
    /// Calls `handler` for each message of this name.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    #[doc(alias = "rte_mp_action_register")]
    pub fn on<F>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Message, &Peer) + Send + Sync + 'static,
    {
        self.0.register(name, Action::InTurn(on(handler)))
    }

    /// Calls `handler` for each request of this name, which is lent to it: see [`Request`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    #[doc(alias = "rte_mp_action_register")]
    pub fn serve<F>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Request<'_>) + Send + Sync + 'static,
    {
        self.0.register(name, Action::InTurn(serve(handler)))
    }

    /// Calls `handler` for whatever comes under this name, message or request. It may turn away
    /// what it can make nothing of: that is counted, and a request answered *ignore*.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn action<F>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.0.register(name, Action::InTurn(Arc::new(handler)))
    }

    /// Answers each request of this name by a task of its own: see
    /// [`Builder::serve_async`](crate::Builder::serve_async).
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or nothing spawns tasks.
    pub fn serve_async<F, T>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Message, Peer, Responder) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.action_async(name, served(handler))
    }

    /// Handles whatever comes under this name, message or request, by a task of its own: see
    /// [`Builder::action_async`](crate::Builder::action_async).
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or nothing spawns tasks.
    pub fn action_async<F, T>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Arrival<'_>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), Rejection>> + Send + 'static,
    {
        self.0.register(name, spawns(&self.0, handler))
    }

    /// Calls `handler` for each request of this name, on the threads of a pool: see
    /// [`HandlerPool`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn serve_on<F>(
        &self,
        pool: &HandlerPool,
        name: Name,
        handler: F,
    ) -> Result<Registration, RegisterError>
    where
        F: Fn(Request<'_>) + Send + Sync + 'static,
    {
        self.0.register(name, pool.action(&self.0, serve(handler)))
    }

    /// Calls `handler` for whatever comes under this name, message or request, on the threads of a
    /// pool: see [`HandlerPool`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn action_on<F>(
        &self,
        pool: &HandlerPool,
        name: Name,
        handler: F,
    ) -> Result<Registration, RegisterError>
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.0.register(name, pool.action(&self.0, Arc::new(handler)))
    }

    /// The messages of this name that come from now on, to be read: as a stream or by a blocking
    /// iterator, see [`Incoming`]. At most `bound` wait to be read; one more is dropped, and counted
    /// as [`Rejection::BacklogFull`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn messages(&self, name: Name, bound: usize) -> Result<Messages, RegisterError> {
        Incoming::messages(&self.0, name, bound)
    }

    /// The requests of this name that come from now on, to be read and answered: as a stream or by a
    /// blocking iterator, see [`Incoming`]. At most `bound` wait to be read; one more is answered
    /// *ignore*, since this process is [overloaded](Reason::Overloaded).
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn requests(&self, name: Name, bound: usize) -> Result<Requests, RegisterError> {
        Incoming::requests(&self.0, name, bound)
    }

    /// What comes under this name, to be read, as `make` makes it up; that is called by the reader,
    /// and may turn away what it can make nothing of: that is counted, and a request answered
    /// *ignore*.
    ///
    /// # Errors
    ///
    /// As [`messages`](Self::messages).
    #[doc(hidden)]
    pub fn incoming<T>(
        &self,
        name: Name,
        bound: usize,
        are_requests: bool,
        describe: Option<Describe>,
        make: impl Fn(Arrival<'_>) -> Result<T, Rejection> + Send + Sync + 'static,
    ) -> Result<Incoming<T>, RegisterError> {
        let kind = if are_requests { Kind::Request } else { Kind::Message };
        Incoming::new(&self.0, name, bound, kind, describe, make)
    }

    /// Says what the action takes that is registered under `name`.
    #[doc(hidden)]
    pub fn describe(&self, name: &Name, describe: Describe) {
        self.0.set_describe(name, describe);
    }

    /// The same, for an action that can say what it takes.
    #[doc(hidden)]
    pub fn described<F>(
        &self,
        name: Name,
        describe: Describe,
        handler: F,
    ) -> Result<Registration, RegisterError>
    where
        F: Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.0.register_described(name, Action::InTurn(Arc::new(handler)), Some(describe))
    }

    /// Removes whatever is registered under `name`; `false` if nothing is. A handler that is
    /// running goes on to its end.
    #[doc(alias = "rte_mp_action_unregister")]
    pub fn unregister(&self, name: &Name) -> bool {
        self.0.remove(name)
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message handler as an action.
pub(crate) fn on(handler: impl Fn(Message, &Peer) + Send + Sync + 'static) -> Handler {
    Arc::new(move |arrival| match arrival {
        Arrival::Message(mut message) => {
            handler(message.take_message(), message.peer());
            Ok(())
        }
        Arrival::Request(request) => {
            request.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    })
}

/// A request handler as an action.
pub(crate) fn serve(handler: impl Fn(Request<'_>) + Send + Sync + 'static) -> Handler {
    Arc::new(move |arrival| match arrival {
        Arrival::Request(request) => {
            handler(request);
            Ok(())
        }
        Arrival::Message(..) => Err(Rejection::NoAction),
    })
}

pub(crate) type Handled = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// A handler of requests that is a future, for whatever comes.
pub(crate) fn served<F, T>(handler: F) -> impl Fn(Arrival<'_>) -> Handled + Send + Sync + 'static
where
    F: Fn(Message, Peer, Responder) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    move |arrival| match arrival {
        Arrival::Request(mut request) => {
            let (message, peer) = (request.take_message(), request.peer().clone());
            let handled = handler(message, peer, request.defer());
            Box::pin(async move {
                handled.await;
                Ok(())
            })
        }
        Arrival::Message(..) => Box::pin(async { Err(Rejection::NoAction) }),
    }
}

/// An action that has been registered. Dropping this leaves it registered.
#[derive(Debug)]
#[must_use = "dropping it leaves the action registered: say so with `.forever()`"]
pub struct Registration {
    name: Name,
    place: Place,
}

impl Registration {
    pub(super) fn new(name: Name, place: Place) -> Self {
        Self { name, place }
    }

    /// What the action is called for.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Leaves the action registered as long as the role runs.
    pub fn forever(self) {}

    /// Removes the action; `false` if it was removed before. A handler that is running goes on to
    /// its end.
    pub fn unregister(self) -> bool {
        self.place.clear()
    }

    /// Unregisters the action when the result is dropped.
    pub fn until_dropped(self) -> RegistrationGuard {
        RegistrationGuard(self)
    }
}

/// An action that is unregistered when this is dropped.
#[derive(Debug)]
pub struct RegistrationGuard(Registration);

impl RegistrationGuard {
    /// What the action is called for.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.0.name()
    }
}

impl Drop for RegistrationGuard {
    fn drop(&mut self) {
        self.0.place.clear();
    }
}

/// Why an action cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is an action of that name already.
    #[error("an action named \"{name}\" is registered already")]
    #[doc(alias = "EEXIST")]
    Taken {
        /// The name.
        name: Name,
    },
    /// Names that begin with `mp.` are this library's own.
    #[error("\"{name}\" begins with \"mp.\", as only names of this library's own do: choose another")]
    Reserved {
        /// The name.
        name: Name,
    },
    /// DPDK answers to that name, and there is DPDK in the group.
    #[error(
        "\"{name}\" is the name of an action of DPDK's own, and DPDK is in this group: answering in its stead needs `allow_dpdk_actions`"
    )]
    DpdkName {
        /// The name.
        name: Name,
    },
    /// Its handler is a future, and nothing was said to run it.
    #[error("\"{name}\" is handled by tasks, and nothing runs them: say with `spawn_with` what does")]
    NoSpawner {
        /// The name.
        name: Name,
    },
    /// The role is stopped, or stopping: nothing more comes.
    #[error("an action named \"{name}\" would never be called: the role is stopped")]
    Stopped {
        /// The name.
        name: Name,
    },
}

impl From<RegisterError> for io::Error {
    fn from(error: RegisterError) -> Self {
        let kind = match error {
            RegisterError::Taken { .. } => io::ErrorKind::AlreadyExists,
            RegisterError::Reserved { .. } | RegisterError::NoSpawner { .. } => io::ErrorKind::InvalidInput,
            RegisterError::DpdkName { .. } => io::ErrorKind::PermissionDenied,
            RegisterError::Stopped { .. } => io::ErrorKind::NotConnected,
        };
        Self::new(kind, error)
    }
}
