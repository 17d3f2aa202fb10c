//! The actions of a role, by name. What an action does it does not know, only whether it wants a
//! turn among the handlers or takes what comes at once.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::{
        Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Weak,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

use super::{
    Arrival, Describe, HandlerPool, RegisterError, Registration, Spawner,
    arrival::SetAside,
    crew::NotHandled,
    pool::Elsewhere,
    tasks::{Tasks, spawns},
};
use crate::{
    look::{Json, is_reserved},
    receive::{Counters, Rejection},
    sys::{Deadline, Threads},
    wire::Name,
};

/// What is called for the datagrams of one name, in its turn.
pub(crate) type Handler = Arc<dyn Fn(Arrival<'_>) -> Result<(), Rejection> + Send + Sync>;

/// What takes the datagrams of one name at once, whatever handlers run, for others to handle.
pub(crate) trait Aside: Send + Sync {
    /// Takes it, and waits for nobody; or gives it back, and tells why it is not handled.
    fn take(&self, arrival: Box<SetAside>) -> Result<(), (Box<SetAside>, NotHandled)>;

    /// The role stops: what waits, and what still comes, is not handled any more.
    fn stop(&self);

    /// Whether it makes tasks, which something has to run.
    fn is_task(&self) -> bool {
        false
    }
}

/// What there is for the datagrams of one name.
#[derive(Clone)]
pub(crate) enum Action {
    InTurn(Handler),
    Aside(Arc<dyn Aside>),
}

/// The actions of a role.
#[derive(Default)]
pub(crate) struct Registry {
    actions: RwLock<Table>,
    ids: AtomicU64,
    /// How many of the actions want no turn: while there are none, none is looked for.
    asides: AtomicUsize,
    /// Whether DPDK's own names are refused.
    protect_dpdk: AtomicBool,
    /// The role's.
    counters: Arc<Counters>,
    /// What runs of it in pools.
    elsewhere: Arc<Elsewhere>,
    /// Its tasks, if something runs them.
    tasks: OnceLock<Tasks>,
}

#[derive(Default)]
struct Table {
    // Of the few names that a role has, comparing finds one sooner than hashing.
    by_name: BTreeMap<Name, Registered>,
    otherwise: Option<Handler>,
    stopped: bool,
}

struct Registered {
    id: u64,
    action: Action,
    /// `None` of one that takes bytes.
    describe: Option<Describe>,
}

impl Registry {
    /// Of a role that counts there.
    pub(crate) fn of(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { counters, ..Self::default() })
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    pub(super) fn elsewhere(&self) -> &Arc<Elsewhere> {
        &self.elsewhere
    }

    pub(super) fn tasks(&self) -> Option<&Tasks> {
        self.tasks.get()
    }

    /// Has something run what handlers are futures of, at most so many at once.
    pub(crate) fn run_tasks_with(&self, spawner: Spawner, bound: usize) {
        let _ = self.tasks.set(Tasks::new(spawner, bound));
    }

    /// How threads begin that run something of the role in pools.
    pub(crate) fn have_threads(&self, threads: Arc<Threads>) {
        self.elsewhere.have_threads(threads);
    }

    /// Makes an action whose handler is a future.
    pub(crate) fn task<F, T>(self: &Arc<Self>, handler: F) -> Action
    where
        F: Fn(Arrival<'_>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), Rejection>> + Send + 'static,
    {
        spawns(self, handler)
    }

    /// Makes an action whose handler runs in a pool.
    pub(crate) fn pooled(&self, pool: &HandlerPool, handler: Handler) -> Action {
        pool.action(self, handler)
    }

    /// Once stopped: waits until what runs in pools has ended, but not longer than `deadline`, and
    /// not for what calls this. Tells whether all has.
    pub(crate) fn wait_for_pools(&self, deadline: Deadline) -> bool {
        self.elsewhere.wait_until_ended(deadline)
    }

    /// Whether a handler of it runs on this thread of a pool.
    pub(crate) fn is_handling_here(&self) -> bool {
        self.elsewhere.is_here()
    }

    /// Registers what the role starts with, beside what is there already, whose names are checked,
    /// too.
    pub(crate) fn begin(
        self: &Arc<Self>,
        actions: impl IntoIterator<Item = (Name, Action, Option<Describe>)>,
        otherwise: Option<Handler>,
        protect_dpdk: bool,
    ) -> Result<(), RegisterError> {
        self.protect_dpdk.store(protect_dpdk, SeqCst);
        let early: Vec<_> = self.write().by_name.keys().copied().collect();
        early.iter().try_for_each(|name| self.check(name))?;
        for (name, action, describe) in actions {
            self.register_described(name, action, describe)?.forever();
        }
        self.write().otherwise = otherwise;
        Ok(())
    }

    pub(super) fn register(
        self: &Arc<Self>,
        name: Name,
        action: Action,
    ) -> Result<Registration, RegisterError> {
        self.register_described(name, action, None)
    }

    pub(super) fn register_described(
        self: &Arc<Self>,
        name: Name,
        action: Action,
        describe: Option<Describe>,
    ) -> Result<Registration, RegisterError> {
        self.check(&name)?;
        if matches!(&action, Action::Aside(aside) if aside.is_task()) && self.tasks.get().is_none() {
            return Err(RegisterError::NoSpawner { name });
        }
        let id = self.ids.fetch_add(1, Relaxed);
        let is_aside = matches!(action, Action::Aside(_));
        let mut table = self.write();
        if table.stopped {
            return Err(RegisterError::Stopped { name });
        }
        match table.by_name.entry(name) {
            Entry::Occupied(_) => return Err(RegisterError::Taken { name }),
            Entry::Vacant(vacant) => _ = vacant.insert(Registered { id, action, describe }),
        }
        self.asides.fetch_add(usize::from(is_aside), SeqCst);
        Ok(Registration::new(name, Place { name, id, registry: Arc::downgrade(self) }))
    }

    fn check(&self, name: &Name) -> Result<(), RegisterError> {
        if is_reserved(name) {
            return Err(RegisterError::Reserved { name: *name });
        }
        if self.protect_dpdk.load(SeqCst) && name.is_dpdks() {
            return Err(RegisterError::DpdkName { name: *name });
        }
        Ok(())
    }

    /// What there is for a name.
    pub(super) fn find(&self, name: &Name) -> Option<Action> {
        let table = self.actions.read().unwrap_or_else(PoisonError::into_inner);
        let otherwise = || table.otherwise.clone().map(Action::InTurn);
        table.by_name.get(name).map(|found| found.action.clone()).or_else(otherwise)
    }

    /// What takes the datagrams of a name at once, if that is how they are to be handled.
    pub(super) fn find_aside(&self, name: &Name) -> Option<Arc<dyn Aside>> {
        if self.asides.load(Relaxed) == 0 {
            return None;
        }
        match self.find(name)? {
            Action::Aside(aside) => Some(aside),
            Action::InTurn(_) => None,
        }
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

    /// Removes the action of a name; `false` if there is none.
    pub(super) fn remove(&self, name: &Name) -> bool {
        self.take(name, |_| true)
    }

    /// Removes an action, if it is the one with this number.
    fn take(&self, name: &Name, is_it: impl Fn(u64) -> bool) -> bool {
        let removed = match self.write().by_name.entry(*name) {
            Entry::Occupied(entry) if is_it(entry.get().id) => Some(entry.remove().action),
            _ => None,
        };
        if matches!(removed, Some(Action::Aside(_))) {
            self.asides.fetch_sub(1, SeqCst);
        }
        // Dropped after the lock is: a closure may hold another action's guard.
        removed.is_some()
    }

    /// The role stops: no action is registered any more, and what waits for others than the
    /// handlers is not handled.
    pub(crate) fn stop(&self) {
        let asides: Vec<_> = {
            let mut table = self.write();
            table.stopped = true;
            let aside = |registered: &Registered| match &registered.action {
                Action::Aside(aside) => Some(Arc::clone(aside)),
                Action::InTurn(_) => None,
            };
            table.by_name.values().filter_map(aside).collect()
        };
        self.elsewhere.stop();
        asides.iter().for_each(|aside| aside.stop());
    }

    /// Says what the action takes that is registered under `name`.
    pub(super) fn set_describe(&self, name: &Name, describe: Describe) {
        if let Some(registered) = self.write().by_name.get_mut(name) {
            registered.describe = Some(describe);
        }
    }

    /// Drops every action, and with them whatever their closures hold.
    pub(crate) fn clear(&self) {
        let mut table = self.write();
        let actions = std::mem::take(&mut table.by_name);
        let otherwise = table.otherwise.take();
        drop(table);
        drop((actions, otherwise));
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.actions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.actions.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(table.by_name.keys()).finish()
    }
}

/// Where an action is: under its name, unless another has been registered there since.
#[derive(Debug)]
pub(super) struct Place {
    name: Name,
    id: u64,
    registry: Weak<Registry>,
}

impl Place {
    /// Removes the action; `false` if it was removed before.
    pub(super) fn clear(&self) -> bool {
        self.registry.upgrade().is_some_and(|registry| registry.take(&self.name, |id| id == self.id))
    }
}
