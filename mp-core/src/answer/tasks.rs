//! Handlers that are futures: each arrival becomes a task of the user's runtime.
//!
//! The receiving thread makes the task and hands it over; decoding and handling happen in it. How
//! many there are at once is bounded.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Instant,
};

use super::{
    Arrival,
    arrival::SetAside,
    crew::NotHandled,
    registry::{Action, Aside, Registry},
};
use crate::receive::{Counters, Rejection};

/// One arrival being handled, for a runtime to run to its end.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Gives tasks to a runtime.
#[derive(Clone)]
pub(crate) struct Spawner(Arc<dyn Fn(Task) + Send + Sync>);

impl Spawner {
    pub(crate) fn new<T>(spawn: impl Fn(Task) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |task| drop(spawn(task))))
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawner(..)")
    }
}

/// The tasks of a role.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    spawner: Spawner,
    under_way: Arc<AtomicUsize>,
    bound: usize,
}

/// A task that has not ended.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Tasks {
    /// At most `bound` at once.
    pub(crate) fn new(spawner: Spawner, bound: usize) -> Self {
        Self { spawner, under_way: Arc::default(), bound }
    }

    fn begin(&self) -> Option<UnderWay> {
        let one_more = |count: usize| (count < self.bound).then_some(count + 1);
        self.under_way.fetch_update(SeqCst, SeqCst, one_more).ok()?;
        Some(UnderWay(Arc::clone(&self.under_way)))
    }
}

/// An action whose handler is a future.
struct Spawns<F> {
    handler: Arc<F>,
    registry: std::sync::Weak<Registry>,
    counters: Arc<Counters>,
    stopped: AtomicBool,
}

/// What makes a task of whatever comes.
pub(super) fn spawns<F, T>(registry: &Arc<Registry>, handler: F) -> Action
where
    F: Fn(Arrival<'_>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    let (counters, registry) = (Arc::clone(registry.counters()), Arc::downgrade(registry));
    let stopped = AtomicBool::new(false);
    Action::Aside(Arc::new(Spawns { handler: Arc::new(handler), registry, counters, stopped }))
}

impl<F, T> Aside for Spawns<F>
where
    F: Fn(Arrival<'_>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    fn take(&self, arrival: Box<SetAside>) -> Result<(), (Box<SetAside>, NotHandled)> {
        let registry = self.registry.upgrade();
        let tasks = registry.as_ref().and_then(|registry| registry.tasks());
        let Some(tasks) = tasks.filter(|_| !self.stopped.load(Relaxed)) else {
            return Err((arrival, NotHandled::Stopping));
        };
        let Some(under_way) = tasks.begin() else { return Err((arrival, NotHandled::Overloaded)) };
        let (handler, counters, since) =
            (Arc::clone(&self.handler), Arc::clone(&self.counters), Instant::now());
        (tasks.spawner.0)(Box::pin(async move {
            let _under_way = under_way;
            let handled = {
                let Some(mut arrival) = arrival.still_wanted(since, &counters) else { return };
                let Some(arrival) = arrival.give_out() else { return };
                handler(arrival)
            };
            if let Err(rejection) = handled.await {
                counters.reject(rejection);
            }
        }));
        Ok(())
    }

    fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    fn is_task(&self) -> bool {
        true
    }
}
