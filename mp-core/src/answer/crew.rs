//! The threads of one member, each of which does what [`Duties`] says.
//!
//! Two threads serve a member. One receives, and runs the handler of what it received. The other
//! stands by; while there is traffic it wakes every [`TICK`] to see whether a handler has been
//! running for long, and then receives in the first one's stead. A handler that waits for a reply
//! of its own hands on both duties at once, for which a third thread, and so on up to a bound, may
//! start.
//!
//! What receiving and handling are, [`Work`] knows. The model checker has its own copy of this
//! file, with its own primitives in `super::sync`: nothing else here may be shared between threads.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    backlog::Admission,
    duties::{After, Duties, ReceiverEpoch, Standby},
    running::{Place, Running},
    sync::{Condvar, Deadline, Mutex, MutexGuard, PoisonError},
};

/// How long a handler may keep its thread from receiving: a few times what most take.
// Every member that had traffic of late wakes that often: at 10 ms, a thousand of them kept two
// cores busy.
const TICK: Duration = Duration::from_millis(40);

/// If the second thread cannot be started: how long `start_with` waits for the first to end before it
/// fails.
const LEAVING: Duration = Duration::from_secs(1);

/// What the threads do.
pub(crate) trait Work: Send + Sync + Sized + 'static {
    /// A buffer for one datagram. `receive` fills it; the datagram stays until the next `receive`.
    type Arrival: Send;
    /// What is told of a handler that runs, to those who ask.
    type Brief: Clone + Send;

    /// A fresh, empty buffer.
    fn buffer() -> Box<Self::Arrival>;

    /// Waits until something comes, if it may.
    fn receive(crew: &Crew<Self>, into: &mut Self::Arrival, may_wait: bool) -> Came;

    /// Nothing more can come; what has come can still be received.
    fn shut_down(&self);

    /// Whether there is a handler for it.
    fn is_handled(&self, arrival: &Self::Arrival) -> bool;

    /// What is told of its handler, which this thread is about to run.
    fn brief(arrival: &Self::Arrival) -> Self::Brief;

    /// Runs its handler. Tells whether this thread still has the turn afterwards. `has_waited` tells
    /// whether it had to wait for its turn.
    fn handle(crew: &Arc<Crew<Self>>, arrival: &mut Self::Arrival, has_waited: bool) -> bool;

    /// Counts a datagram that has to wait behind others.
    fn count_waiting(&self);

    /// Counts a datagram that is not handled; a request is answered *ignore*.
    fn reject_and_ignore(&self, arrival: &mut Self::Arrival, why: NotHandled);

    /// Starts a thread.
    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> io::Result<()>;
}

/// What a thread that receives has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Arrival,
    /// Nothing that is to be handled.
    Nothing,
    /// Nothing at all, yet.
    Empty,
    /// The socket is shut down and empty; nothing more will come.
    Closed,
}

/// Why something is not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotHandled {
    NoAction,
    Stopping,
    Overloaded,
}

/// How much there may be of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many arrivals may wait.
    pub(crate) backlog: usize,
    /// The most threads, and so the deepest that requests made from inside handlers can nest.
    pub(crate) threads: usize,
    /// How many ticks without traffic until the second thread sleeps without waking.
    pub(crate) linger: u32,
}

/// The threads, and what they share.
pub(crate) struct Crew<W: Work> {
    pub(super) work: W,
    linger: u32,
    shared: Mutex<Shared<W>>,
    changed: Condvar,
}

/// Who does what, and what runs.
pub(super) struct Shared<W: Work> {
    duties: Duties<Box<W::Arrival>>,
    running: Running<W::Brief>,
}

/// A snapshot of the threads, for `mp.status`.
#[derive(Debug)]
pub(super) struct Snapshot<B> {
    /// What is told of each handler that runs, and since when it does; the oldest first.
    pub(super) handlers: Vec<(B, Instant)>,
    pub(super) threads: usize,
    /// How many threads have nothing to do.
    pub(super) idle: usize,
    /// How many arrivals wait, and how many may.
    pub(super) backlog: (usize, usize),
}

impl<W: Work<Arrival: std::fmt::Debug>> std::fmt::Debug for Crew<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lock().duties.fmt(f)
    }
}

impl<W: Work> Deref for Shared<W> {
    type Target = Duties<Box<W::Arrival>>;

    fn deref(&self) -> &Self::Target {
        &self.duties
    }
}

impl<W: Work> DerefMut for Shared<W> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.duties
    }
}

impl<W: Work> Crew<W> {
    /// Starts receiving. `in_place` is called when nothing can fail any more, and before the first
    /// handler can run.
    pub(super) fn start_with(work: W, bounds: Bounds, in_place: impl FnOnce()) -> io::Result<Arc<Self>> {
        let Bounds { backlog, threads, linger } = bounds;
        let shared = Shared { duties: Duties::new(backlog, threads), running: Running::new() };
        let this = Arc::new(Self { work, linger, shared: Mutex::new(shared), changed: Condvar::new() });
        // The threads do nothing before they have this lock.
        let mut duties = this.lock();
        let spawned = (0..2).try_for_each(|_| this.spawn(&mut duties));
        if spawned.is_ok() {
            in_place();
        }
        drop(duties);
        spawned.inspect_err(|_| this.shut_down(Deadline::after(LEAVING)))?;
        Ok(this)
    }

    /// Shares without threads of their own: who calls [`dispatch`](Self::dispatch) is their one thread
    /// meanwhile.
    pub(super) fn without_threads(work: W, in_place: impl FnOnce()) -> Arc<Self> {
        let shared = Shared { duties: Duties::new(0, 1), running: Running::new() };
        let this = Self { work, linger: 0, shared: Mutex::new(shared), changed: Condvar::new() };
        in_place();
        Arc::new(this)
    }

    /// On this thread, receives what has come, at most so many, and handles each at once. Tells how
    /// many that were; none while another thread is about it, or this is inside a handler.
    pub(super) fn dispatch(self: &Arc<Self>, buffer: &mut Box<W::Arrival>, most: usize) -> usize {
        let epoch = {
            let mut duties = self.lock();
            if !duties.recruit() {
                return 0;
            }
            let mut seen = duties.begin_standby();
            match duties.stand_by(&mut seen) {
                Standby::Receive(epoch) => epoch,
                // It is shut down and empty: who stood by has left.
                Standby::Leave => return 0,
                Standby::Handle(_) | Standby::Sleep { .. } => {
                    unreachable!("nothing waits, and nobody else receives")
                }
            }
        };
        let mut received = 0;
        while received < most {
            match W::receive(self, buffer, false) {
                Came::Arrival => {
                    self.take_in(buffer, epoch);
                }
                Came::Nothing => {}
                Came::Empty => break,
                Came::Closed => {
                    self.lock().drained();
                    break;
                }
            }
            received += 1;
        }
        self.lock().leave();
        self.changed.notify_all();
        received
    }

    /// Lets the handlers that run go on, and rejects what waits and what still comes.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut duties = self.lock();
            duties.have_standby_tick();
            self.changed.notify_all();
            duties.close()
        };
        for mut arrival in waiting {
            self.work.reject_and_ignore(&mut arrival, NotHandled::Stopping);
        }
    }

    /// To be called after `close`. Waits until at most `own` handlers run, `own` being those on the
    /// calling thread. `false` if the deadline came first.
    pub(super) fn wait_for_handlers_but(&self, own: usize, deadline: Deadline) -> bool {
        self.wait_until(deadline, |duties| duties.running() <= own)
    }

    /// Receives nothing more. The threads leave, each as soon as it runs no handler; those that run
    /// none are waited for, but not longer than `deadline`.
    pub(crate) fn shut_down(&self, deadline: Deadline) {
        self.work.shut_down();
        self.wait_until(deadline, |duties| duties.without_handler() == 0);
    }

    /// The handler that has the turn lets others go first. `false` if there is no thread for them:
    /// then it keeps its turn.
    pub(super) fn hand_on_turn(self: &Arc<Self>) -> bool {
        let mut duties = self.lock();
        for _ in 0..duties.shortage() {
            if self.spawn(&mut duties).is_err() {
                break;
            }
        }
        // This handler is about to wait: a handler that has no start time yet gets the present, so that
        // `mp.status` shows how long it has been running.
        duties.running.seen(Instant::now);
        let handed_on = duties.hand_on_turn();
        if handed_on {
            self.changed.notify_all();
        }
        handed_on
    }

    /// What the threads do now.
    pub(super) fn look(&self, now: Instant) -> Snapshot<W::Brief> {
        let mut duties = self.lock();
        let (threads, idle, backlog) = duties.counts();
        Snapshot { handlers: duties.running.all(now), threads, idle, backlog }
    }

    fn wait_until(&self, deadline: Deadline, condition: impl Fn(&Duties<Box<W::Arrival>>) -> bool) -> bool {
        let mut duties = self.lock();
        while !condition(&duties) && !deadline.is_over() {
            duties =
                self.changed.wait_timeout(duties, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        condition(&duties)
    }

    fn spawn(self: &Arc<Self>, duties: &mut Duties<Box<W::Arrival>>) -> io::Result<()> {
        if !duties.recruit() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let this = Arc::clone(self);
        self.work.spawn(move || this.run()).inspect_err(|_| duties.recruit_failed())
    }

    /// What each of the threads does.
    fn run(self: Arc<Self>) {
        loop {
            match self.stand_by() {
                Standby::Receive(epoch) => self.receive(epoch),
                Standby::Handle(mut arrival) => {
                    let place = self.lock().running.began(W::brief(&arrival), Some(Instant::now()));
                    self.handle_all(&mut arrival, place, None);
                }
                Standby::Leave => return,
                Standby::Sleep { .. } => {}
            }
        }
    }

    /// Sleeps until there is something to do.
    fn stand_by(&self) -> Standby<Box<W::Arrival>> {
        let mut duties = self.lock();
        let mut seen = duties.begin_standby();
        let mut duty = duties.stand_by(&mut seen);
        loop {
            let ticked;
            match duty {
                Standby::Sleep { tick: false } => {
                    duties = self.changed.wait(duties).unwrap_or_else(PoisonError::into_inner);
                    ticked = false;
                }
                Standby::Sleep { tick: true } => {
                    let (woken, timeout) =
                        self.changed.wait_timeout(duties, TICK).unwrap_or_else(PoisonError::into_inner);
                    (duties, ticked) = (woken, timeout.timed_out());
                }
                Standby::Leave => {
                    self.changed.notify_all();
                    return duty;
                }
                duty => return duty,
            }
            if ticked {
                duties.running.seen(Instant::now);
            }
            duty = if ticked { duties.ticked(&mut seen, self.linger) } else { duties.stand_by(&mut seen) };
        }
    }

    /// Receives until there is nothing more, or another thread does.
    fn receive(self: &Arc<Self>, epoch: ReceiverEpoch) {
        let mut buffer = W::buffer();
        loop {
            match W::receive(self, &mut buffer, true) {
                Came::Arrival => {
                    if !self.take_in(&mut buffer, epoch) {
                        return;
                    }
                }
                Came::Nothing | Came::Empty => {}
                Came::Closed => {
                    self.lock().drained();
                    self.changed.notify_all();
                    return;
                }
            }
        }
    }

    /// Runs the handler of what arrived; or queues the datagram, and puts a fresh buffer into
    /// `arrival`; or rejects it. `false` if this thread is not the receiver any more.
    fn take_in(self: &Arc<Self>, arrival: &mut Box<W::Arrival>, epoch: ReceiverEpoch) -> bool {
        let mut duties = self.lock();
        // After `close` the actions may be gone already: so `arrived` rejects it, as Stopping, not NoAction.
        let is_behind = !duties.is_free() && !duties.is_closed();
        if is_behind && !self.work.is_handled(arrival) {
            drop(duties);
            // Nobody answers it here: it is rejected at once, and need not wait for its turn.
            self.work.reject_and_ignore(arrival, NotHandled::NoAction);
            return true;
        }
        if duties.wants_standby() {
            // If it cannot be started, nobody receives until this handler ends; nothing is lost.
            let _ = self.spawn(&mut duties);
        }
        match duties.arrived(|| std::mem::replace(arrival, W::buffer())) {
            Admission::Run => {
                if duties.have_standby_tick() {
                    self.changed.notify_all();
                }
                let place = duties.running.began(W::brief(arrival), None);
                drop(duties);
                self.handle_all(arrival, place, Some(epoch))
            }
            Admission::Waits => {
                drop(duties);
                self.work.count_waiting();
                true
            }
            Admission::Rejected => {
                let why = if duties.is_closed() { NotHandled::Stopping } else { NotHandled::Overloaded };
                drop(duties);
                self.work.reject_and_ignore(arrival, why);
                true
            }
        }
    }

    /// Handles `arrival`, and then what waits, as long as this thread has the turn. Tells whether
    /// it is still the receiver, if it was.
    fn handle_all(
        self: &Arc<Self>,
        arrival: &mut W::Arrival,
        mut place: Place,
        epoch: Option<ReceiverEpoch>,
    ) -> bool {
        let mut next: Option<Box<W::Arrival>> = None;
        // This thread received it, and handles it at once.
        let mut has_waited = epoch.is_none();
        loop {
            let turn = W::handle(self, next.as_deref_mut().unwrap_or(arrival), has_waited);
            let mut duties = self.lock();
            duties.running.ended(place);
            let after = duties.finished(epoch, turn);
            if duties.is_closed() {
                // A thread that stops the role waits for the last handler to end.
                self.changed.notify_all();
            }
            match after {
                After::Handle(waited) => {
                    place = duties.running.began(W::brief(&waited), Some(Instant::now()));
                    (next, has_waited) = (Some(waited), true);
                }
                After::Receive => return true,
                After::StandBy => return false,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<W>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
