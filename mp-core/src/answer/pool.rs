//! Handlers that run beside each other, by choice, on threads of a pool.
//!
//! The receiving thread puts what came into the pool's bounded queue and goes on. A pool may serve
//! several actions, also of several roles; what runs in it of one role is counted there
//! ([`Elsewhere`]), so that stopping it can wait.

use std::{
    cell::Cell,
    fmt, io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{
    arrival::SetAside,
    crew::NotHandled,
    queue::{Next, Queue},
    registry::{Action, Aside, Handler, Registry},
    threads::{guarded, reject_and_ignore},
};
use crate::{
    receive::Counters,
    sys::{Deadline, TakenOut, ThreadRole, Threads},
};

/// How many arrivals wait for a thread, unless it is told otherwise.
const QUEUE: usize = 256;

/// Threads on which handlers run beside each other: for those that may, and take long.
///
/// Elsewhere handlers run one at a time, in the order in which datagrams came. Those that a builder's
/// `serve_on` gives to a pool begin in that order, but run on as many threads as it has, and hold up
/// no others. What finds its queue full is answered *ignore*, since this process is
/// [overloaded](crate::Reason::Overloaded).
///
/// Cheap to clone; a pool may serve several actions, also of several roles. Its threads (`mp_pool`)
/// start as there is something for them, and end with the last clone and action. Stopping a role
/// waits for what runs in pools as for other handlers.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::{sync::Barrier, thread, time::Duration};
/// use mp_core::{Client, HandlerPool, Message, Name, Primary};
///
/// let (meet, both) = (Name::new("meet")?, Barrier::new(2));
/// let pool = HandlerPool::new(4);
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve_on(&pool, meet, move |request| {
///         both.wait();
///         let _ = request.reply(b"here", &[]);
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let ask = || client.request_async(&Message::new(meet), Duration::from_secs(5));
/// let (first, second) = (ask(), ask());
/// pollster::block_on(async { first.await.and(second.await) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct HandlerPool(Arc<Pool>);

struct Pool {
    queue: Arc<Queue<Job, NotHandled>>,
    /// How many threads there are.
    threads: Mutex<usize>,
    most: usize,
    /// How many of them run nothing. What they are about to take does not wait.
    idle: Arc<AtomicUsize>,
}

/// What waits for a thread.
struct Job {
    arrival: Box<SetAside>,
    since: Instant,
    served: Arc<Served>,
}

/// One action that runs in a pool.
struct Served {
    handler: Handler,
    counters: Arc<Counters>,
    elsewhere: Arc<Elsewhere>,
}

/// The same, where it comes in.
struct Pooled {
    served: Arc<Served>,
    pool: Arc<Pool>,
}

impl HandlerPool {
    /// A pool of so many threads, at least one; 256 arrivals may wait for them.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self::with_queue(threads, QUEUE)
    }

    /// The same where so many may wait.
    #[must_use]
    pub fn with_queue(threads: usize, bound: usize) -> Self {
        let queue = Arc::new(Queue::new(bound));
        Self(Arc::new(Pool { queue, threads: Mutex::new(0), most: threads.max(1), idle: Arc::default() }))
    }

    /// What calls `handler` on a thread of this pool.
    pub(super) fn action(&self, registry: &Registry, handler: Handler) -> Action {
        let (counters, elsewhere) = (Arc::clone(registry.counters()), Arc::clone(registry.elsewhere()));
        let served = Arc::new(Served { handler, counters, elsewhere });
        Action::Aside(Arc::new(Pooled { served, pool: Arc::clone(&self.0) }))
    }
}

impl Aside for Pooled {
    fn take(&self, arrival: Box<SetAside>) -> Result<(), (Box<SetAside>, NotHandled)> {
        // Without any thread, it would wait for ever.
        if self.pool.have_a_thread(&self.served.elsewhere).is_err() {
            return Err((arrival, NotHandled::Overloaded));
        }
        let job = Job { arrival, since: Instant::now(), served: Arc::clone(&self.served) };
        let idle = self.pool.idle.load(Relaxed);
        self.pool
            .queue
            .push_beside(idle, job, NotHandled::Overloaded)
            .map_err(|(job, why)| (job.arrival, why))
    }

    fn stop(&self) {
        for job in self.pool.queue.remove(|job| Arc::ptr_eq(&job.served, &self.served)) {
            reject_and_ignore(job.arrival, NotHandled::Stopping, &self.served.counters);
        }
    }
}

impl Pool {
    /// Starts one more thread, until there are as many as may be. An error if there is none.
    fn have_a_thread(&self, elsewhere: &Elsewhere) -> io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if *threads == self.most {
            return Ok(());
        }
        let (queue, idle) = (Arc::clone(&self.queue), Arc::clone(&self.idle));
        let run = move || {
            while let Next::Item(job) = queue.next(None) {
                idle.fetch_sub(1, Relaxed);
                job.run();
                idle.fetch_add(1, Relaxed);
            }
        };
        // Before it is there, so that it never counts for less than none.
        self.idle.fetch_add(1, Relaxed);
        let started = elsewhere.spawn(run);
        match started {
            Ok(()) => *threads += 1,
            Err(_) => drop(self.idle.fetch_sub(1, Relaxed)),
        }
        if *threads == 0 { started } else { Ok(()) }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close(NotHandled::Stopping);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Job {
    fn run(self) {
        let Self { arrival, since, served } = self;
        let Served { handler, counters, elsewhere } = &*served;
        let Some(_running) = elsewhere.begin() else {
            return reject_and_ignore(arrival, NotHandled::Stopping, counters);
        };
        let Some(mut arrival) = arrival.still_wanted(since, counters) else { return };
        let Some(arrival) = arrival.give_out() else { return };
        let name = *arrival.name();
        let _span = tracing::debug_span!("mp_handle", %name, pid = arrival.peer().pid()).entered();
        let _taken_out = TakenOut::keep_copies();
        guarded(counters, &name, || {
            if let Err(reason) = handler(arrival) {
                counters.reject(reason);
            }
        });
    }
}

/// What runs of one role outside its own threads.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    state: Mutex<State>,
    ended: Condvar,
    threads: OnceLock<Arc<Threads>>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    stopped: bool,
}

thread_local! {
    /// The address of the role's count in which this thread's handler is; 0 for none.
    static RUNNING_FOR: Cell<usize> = const { Cell::new(0) };
}

/// A handler that runs, as long as this is there.
struct RunningHere<'a>(&'a Elsewhere);

impl Elsewhere {
    /// `None` once it is stopped.
    fn begin(&self) -> Option<RunningHere<'_>> {
        let mut state = self.lock();
        if state.stopped {
            return None;
        }
        state.running += 1;
        RUNNING_FOR.set(std::ptr::from_ref(self).addr());
        Some(RunningHere(self))
    }

    /// Threads that are started for it begin like this.
    pub(super) fn have_threads(&self, threads: Arc<Threads>) {
        let _ = self.threads.set(threads);
    }

    fn spawn(&self, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        // Nothing comes before the role has started.
        let threads = self.threads.get().ok_or(io::ErrorKind::NotConnected)?;
        threads.spawn(ThreadRole::Pool, run)
    }

    /// Nothing begins any more.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
    }

    /// Waits until what runs has ended, but not longer than `deadline`, and not for what calls this.
    /// Tells whether all has.
    pub(super) fn wait_until_ended(&self, deadline: Deadline) -> bool {
        let own = usize::from(self.is_here());
        let mut state = self.lock();
        while state.running > own && !deadline.is_over() {
            state = self.ended.wait_timeout(state, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.running <= own
    }

    /// Whether one of its handlers runs on this thread.
    pub(super) fn is_here(&self) -> bool {
        RUNNING_FOR.get() == std::ptr::from_ref(self).addr()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningHere<'_> {
    fn drop(&mut self) {
        RUNNING_FOR.set(0);
        self.0.lock().running -= 1;
        self.0.ended.notify_all();
    }
}
