use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt, io,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{Arrival, Responder};
use crate::{
    look::{Json, is_reserved},
    receive::{Peer, Rejection},
    wire::{Message, Name, Reason, Why},
};

/// What is called for the datagrams of one name.
pub(crate) type Action = Arc<dyn Fn(Arrival) -> Result<(), Rejection> + Send + Sync>;

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
        self.0.register(name, on(handler))
    }

    /// Calls `handler` for each request of this name.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    #[doc(alias = "rte_mp_action_register")]
    pub fn serve<F>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Message, &Peer, Responder) + Send + Sync + 'static,
    {
        self.0.register(name, serve(handler))
    }

    /// Calls `handler` for whatever comes under this name, message or request. It may turn away
    /// what it can make nothing of: that is counted, and a request answered *ignore*.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, or is DPDK's own.
    pub fn action<F>(&self, name: Name, handler: F) -> Result<Registration, RegisterError>
    where
        F: Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.0.register(name, Arc::new(handler))
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
        F: Fn(Arrival) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.0.register_described(name, Arc::new(handler), Some(describe))
    }

    /// Removes whatever is registered under `name`; `false` if nothing is. A handler that is
    /// running goes on to its end.
    #[doc(alias = "rte_mp_action_unregister")]
    pub fn unregister(&self, name: &Name) -> bool {
        // Dropped after the lock is: a closure may hold another action's guard.
        let removed = self.0.write().by_name.remove(name);
        removed.is_some()
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message handler as an action.
pub(crate) fn on(handler: impl Fn(Message, &Peer) + Send + Sync + 'static) -> Action {
    Arc::new(move |arrival| match arrival {
        Arrival::Message(message, peer) => {
            handler(message, &peer);
            Ok(())
        }
        Arrival::Request(_, _, responder) => {
            responder.ignore(Why::new(Reason::NoAction, "it takes messages, not requests"));
            Err(Rejection::NoAction)
        }
    })
}

/// A request handler as an action.
pub(crate) fn serve(handler: impl Fn(Message, &Peer, Responder) + Send + Sync + 'static) -> Action {
    Arc::new(move |arrival| match arrival {
        Arrival::Request(message, peer, responder) => {
            handler(message, &peer, responder);
            Ok(())
        }
        Arrival::Message(..) => Err(Rejection::NoAction),
    })
}

/// The actions of a role.
#[derive(Default)]
pub(crate) struct Registry {
    actions: RwLock<Table>,
    ids: AtomicU64,
    /// Whether DPDK's own names are refused.
    protect_dpdk: bool,
}

#[derive(Default)]
struct Table {
    // Of the few names that a role has, comparing finds one sooner than hashing.
    by_name: BTreeMap<Name, Registered>,
    otherwise: Option<Action>,
}

struct Registered {
    id: u64,
    action: Action,
    /// `None` of one that takes bytes.
    describe: Option<Describe>,
}

impl Registry {
    pub(crate) fn new(
        actions: impl IntoIterator<Item = (Name, Action, Option<Describe>)>,
        otherwise: Option<Action>,
        protect_dpdk: bool,
    ) -> Result<Arc<Self>, RegisterError> {
        let registry = Arc::new(Self { protect_dpdk, ..Self::default() });
        for (name, action, describe) in actions {
            registry.register_described(name, action, describe)?.forever();
        }
        registry.write().otherwise = otherwise;
        Ok(registry)
    }

    fn register(self: &Arc<Self>, name: Name, action: Action) -> Result<Registration, RegisterError> {
        self.register_described(name, action, None)
    }

    fn register_described(
        self: &Arc<Self>,
        name: Name,
        action: Action,
        describe: Option<Describe>,
    ) -> Result<Registration, RegisterError> {
        if is_reserved(&name) {
            return Err(RegisterError::Reserved { name });
        }
        if self.protect_dpdk && DPDK_NAMES.iter().any(|dpdk| dpdk.as_bytes() == name.as_bytes()) {
            return Err(RegisterError::DpdkName { name });
        }
        let id = self.ids.fetch_add(1, Relaxed);
        match self.write().by_name.entry(name) {
            Entry::Occupied(_) => Err(RegisterError::Taken { name }),
            Entry::Vacant(vacant) => {
                vacant.insert(Registered { id, action, describe });
                Ok(Registration { name, id, registry: Arc::downgrade(self) })
            }
        }
    }

    /// What to call for a name.
    pub(super) fn find(&self, name: &Name) -> Option<Action> {
        let table = self.actions.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.get(name).map(|found| &found.action).or(table.otherwise.as_ref()).cloned()
    }

    /// Every action by its name, with what it takes and answers, if that is known here.
    pub(super) fn describe(&self, json: &mut Json) {
        let table = self.actions.read().unwrap_or_else(PoisonError::into_inner);
        json.array(|json| {
            for (name, registered) in &table.by_name {
                json.object(|json| {
                    json.key("name").text(&name.to_string());
                    registered.describe.into_iter().for_each(|describe| describe(json));
                });
            }
        });
    }

    /// Drops every action, and with them whatever their closures hold.
    pub(crate) fn clear(&self) {
        let table = std::mem::take(&mut *self.write());
        drop(table);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Table> {
        self.actions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.actions.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(table.by_name.keys()).finish()
    }
}

/// An action that has been registered. Dropping this leaves it registered.
#[derive(Debug)]
#[must_use = "dropping it leaves the action registered: say so with `.forever()`"]
pub struct Registration {
    name: Name,
    id: u64,
    registry: Weak<Registry>,
}

impl Registration {
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
        self.remove()
    }

    /// Unregisters the action when the result is dropped.
    pub fn until_dropped(self) -> RegistrationGuard {
        RegistrationGuard(self)
    }

    fn remove(&self) -> bool {
        let Some(registry) = self.registry.upgrade() else { return false };
        let removed = match registry.write().by_name.entry(self.name) {
            // Another action may have been registered under the name since.
            Entry::Occupied(entry) if entry.get().id == self.id => Some(entry.remove()),
            _ => None,
        };
        removed.is_some()
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
        self.0.remove();
    }
}

/// Why an action cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is an action of that name already.
    #[error("an action named \"{name}\" is registered already")]
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
}

impl From<RegisterError> for io::Error {
    fn from(error: RegisterError) -> Self {
        let kind = match error {
            RegisterError::Taken { .. } => io::ErrorKind::AlreadyExists,
            RegisterError::Reserved { .. } => io::ErrorKind::InvalidInput,
            RegisterError::DpdkName { .. } => io::ErrorKind::PermissionDenied,
        };
        Self::new(kind, error)
    }
}
