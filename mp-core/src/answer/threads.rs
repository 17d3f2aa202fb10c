//! The threads that receive and handle, thin around [`Duties`].
//!
//! Two threads serve a member. One receives, and runs the handler of what it
//! received. The other stands by; while there is traffic it wakes every [`TICK`]
//! to see whether a handler has been running for long, and then receives in the
//! first one's stead. A handler that waits for a reply of its own hands on both
//! duties at once, for which a third thread, and so on up to a bound, may start.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::{
    Arrival, Registry, ReplyPort, Responder,
    backlog::Admission,
    duties::{After, Duties, ReceiverEpoch, Standby},
};
use crate::{
    receive::{
        Arrived, Inbox, Missed, ReceivePolicy, Rejection,
        turn::{self, TurnHolder},
    },
    sys::{Deadline, TakenOut, Wait, room_for_a_thread},
    wire::{Kind, Message, Reason},
};

/// How long a handler may keep its thread from receiving: a few times what most take.
// Every member that had traffic of late wakes that often: at 10 ms, a thousand
// of them kept two cores busy.
const TICK: Duration = Duration::from_millis(40);

/// How many ticks without traffic until the second thread sleeps without waking.
const LINGER: u32 = 25;

/// The most threads of one member, and so the deepest that requests made from
/// inside handlers can nest.
const MAX_THREADS: usize = 64;

/// How long the one thread of two that could be started may take to leave.
const LEAVING: Duration = Duration::from_secs(1);

/// What to do when the system is out of memory or descriptors: try again soon.
const BREATHER: Duration = Duration::from_millis(10);

/// Receives and handles for one role.
pub(crate) struct Dispatcher {
    port: Arc<ReplyPort>,
    registry: Arc<Registry>,
    policy: ReceivePolicy,
    duties: Mutex<Duties<Arrival>>,
    changed: Condvar,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lock().fmt(f)
    }
}

impl Dispatcher {
    /// Starts receiving. `backlog` is how many datagrams may wait; `in_place` is called when nothing
    /// can fail any more, and before the first handler can run.
    pub(crate) fn start(
        port: Arc<ReplyPort>,
        registry: Arc<Registry>,
        policy: ReceivePolicy,
        backlog: usize,
        in_place: impl FnOnce(),
    ) -> std::io::Result<Arc<Self>> {
        let duties = Mutex::new(Duties::new(backlog, MAX_THREADS));
        let this = Arc::new(Self { port, registry, policy, duties, changed: Condvar::new() });
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

    /// Handles nothing more but what has begun: what waits, and what still comes,
    /// is answered *ignore*.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut duties = self.lock();
            duties.have_standby_tick();
            self.changed.notify_all();
            duties.close()
        };
        for arrival in waiting {
            self.reject_and_ignore(arrival, Rejection::BacklogFull, Reason::Stopping);
        }
    }

    /// Once closed: waits until the handlers that run have ended, but not longer than
    /// `deadline`, and not for one that calls this. Tells whether all have.
    pub(crate) fn wait_for_handlers(&self, deadline: Deadline) -> bool {
        let own = usize::from(self.is_handling_here());
        self.wait_until(deadline, |duties| duties.running() <= own)
    }

    /// Whether one of its handlers runs on this thread.
    pub(crate) fn is_handling_here(&self) -> bool {
        HANDLING_FOR.get() == std::ptr::from_ref(self).addr()
    }

    /// Receives nothing more. The threads leave, each as soon as it runs no handler;
    /// those that run none are waited for, but not longer than `deadline`.
    pub(crate) fn shut_down(&self, deadline: Deadline) {
        self.port.bound.socket.shut_down();
        self.wait_until(deadline, |duties| duties.without_handler() == 0);
    }

    fn wait_until(&self, deadline: Deadline, condition: impl Fn(&Duties<Arrival>) -> bool) -> bool {
        let mut duties = self.lock();
        while !condition(&duties) && !deadline.is_over() {
            duties =
                self.changed.wait_timeout(duties, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        condition(&duties)
    }

    fn spawn(self: &Arc<Self>, duties: &mut Duties<Arrival>) -> std::io::Result<()> {
        if !duties.recruit() {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        let this = Arc::clone(self);
        let thread = thread::Builder::new().name("mp_handle".into());
        let spawned = room_for_a_thread().and_then(|()| thread.spawn(move || this.work()));
        spawned.inspect_err(|_| duties.recruit_failed()).map(drop)
    }

    fn work(self: Arc<Self>) {
        loop {
            match self.stand_by() {
                Standby::Receive(epoch) => self.receive(epoch),
                Standby::Handle(arrival) => {
                    self.handle_all(arrival, None);
                }
                Standby::Leave => return,
                Standby::Sleep { .. } => {}
            }
        }
    }

    /// Sleeps until there is something to do.
    fn stand_by(&self) -> Standby<Arrival> {
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
            duty = if ticked { duties.ticked(&mut seen, LINGER) } else { duties.stand_by(&mut seen) };
        }
    }

    /// Receives until the socket is drained, or another thread does.
    fn receive(self: &Arc<Self>, epoch: ReceiverEpoch) {
        let mut inbox = Inbox::new();
        loop {
            match inbox.receive(&self.port.bound.socket, Wait::Forever, &self.policy) {
                Ok(arrived) => {
                    if let Some(arrival) = self.arrival(arrived)
                        && !self.take_in(arrival, epoch)
                    {
                        return;
                    }
                }
                Err(Missed::FdsLost { kind: Kind::Request, layout, name, tag, from: Some(from) }) => {
                    self.port.send_ignore(&from, layout, &name, tag, &Reason::OutOfDescriptors.into());
                }
                Err(Missed::Nothing | Missed::Rejected | Missed::FdsLost { .. }) => {}
                Err(Missed::Failed(_)) => thread::sleep(BREATHER),
                Err(Missed::Closed) => {
                    self.lock().drained();
                    self.changed.notify_all();
                    return;
                }
            }
        }
    }

    /// Counts what came and gives a request its responder.
    fn arrival(&self, arrived: Arrived) -> Option<Arrival> {
        let Arrived { kind, layout, message, peer, tag } = arrived;
        let counters = &self.policy.counters;
        match (kind, peer.address()) {
            (Kind::Message, _) => {
                counters.messages_received.add();
                Some(Arrival::Message(message, peer))
            }
            (Kind::Request, Some(from)) => {
                counters.requests_received.add();
                let responder =
                    Responder::new(from.clone(), layout, message.name, tag, Arc::clone(&self.port));
                Some(Arrival::Request(message, peer, responder))
            }
            (Kind::Request, None) => self.reject(message, Rejection::NoReturnAddress),
            (Kind::Reply | Kind::Ignore, _) => self.reject(message, Rejection::Unexpected),
        }
    }

    fn reject(&self, message: Message, reason: Rejection) -> Option<Arrival> {
        self.policy.counters.reject(reason);
        drop(message);
        None
    }

    /// Handles what arrived, or lets it wait. `false` if this thread is not the
    /// receiver any more.
    fn take_in(self: &Arc<Self>, arrival: Arrival, epoch: ReceiverEpoch) -> bool {
        let mut duties = self.lock();
        // One that stops has no actions any more, and says so.
        let is_behind = !duties.is_free() && !duties.is_closed();
        if is_behind && self.registry.find(&arrival.name()).is_none() {
            drop(duties);
            // It need not wait to hear that nobody answers it here.
            self.reject_and_ignore(arrival, Rejection::NoAction, Reason::NoAction);
            return true;
        }
        if duties.wants_standby() {
            // Without it this handler can hold up the socket; nothing worse.
            let _ = self.spawn(&mut duties);
        }
        match duties.arrived(arrival) {
            Admission::Run(arrival) => {
                if duties.have_standby_tick() {
                    self.changed.notify_all();
                }
                drop(duties);
                self.handle_all(arrival, Some(epoch))
            }
            Admission::Waits => {
                drop(duties);
                self.policy.counters.backlogged.add();
                true
            }
            Admission::Rejected(arrival) => {
                let why = if duties.is_closed() { Reason::Stopping } else { Reason::Overloaded };
                drop(duties);
                self.reject_and_ignore(arrival, Rejection::BacklogFull, why);
                true
            }
        }
    }

    /// Handles `arrival`, and then what waits, as long as this thread has the turn.
    /// Tells whether it is still the receiver, if it was.
    fn handle_all(self: &Arc<Self>, mut arrival: Arrival, epoch: Option<ReceiverEpoch>) -> bool {
        loop {
            let turn = self.handle(arrival);
            let mut duties = self.lock();
            let after = duties.finished(epoch, turn);
            if duties.is_closed() {
                // Whoever stops the role waits for the handlers to end.
                self.changed.notify_all();
            }
            match after {
                After::Handle(next) => arrival = next,
                After::Receive => return true,
                After::StandBy => return false,
            }
        }
    }

    /// Whether this thread still has the turn afterwards.
    fn handle(self: &Arc<Self>, arrival: Arrival) -> bool {
        let Some(action) = self.registry.find(&arrival.name()) else {
            self.reject_and_ignore(arrival, Rejection::NoAction, Reason::NoAction);
            return true;
        };
        let name = arrival.name();
        let _span = tracing::debug_span!("mp_handle", %name, pid = arrival.peer().pid()).entered();
        let outer = HANDLING_FOR.replace(std::ptr::from_ref::<Self>(self).addr());
        let _taken_out = TakenOut::keep_copies();
        let kept = turn::hold(Arc::clone(self) as Arc<dyn TurnHolder>, || {
            // A panic drops the responder, if the handler had it still: ignore.
            self.guarded(&name, || {
                if let Err(reason) = action(arrival) {
                    self.policy.counters.reject(reason);
                }
            });
            // This may be the last to hold the closure, and what the user put into it.
            self.guarded(&name, || drop(action));
        });
        HANDLING_FOR.set(outer);
        kept
    }

    /// Runs what the user wrote. A panic is counted, and goes no further.
    fn guarded(&self, name: &crate::wire::Name, run: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
            self.policy.counters.handler_panics.add();
            tracing::error!(%name, "a handler panicked");
            // What it panicked with is the user's too.
            if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(worse);
            }
        }
    }

    /// Counts what is not handled; a request is answered *ignore*.
    fn reject_and_ignore(&self, arrival: Arrival, rejection: Rejection, why: Reason) {
        match arrival {
            Arrival::Message(message, _) => drop(self.reject(message, rejection)),
            Arrival::Request(message, _, responder) => {
                self.reject(message, rejection);
                responder.ignore(why);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Duties<Arrival>> {
        self.duties.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// The address of the dispatcher whose handler runs on this thread; 0 for none.
    static HANDLING_FOR: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl TurnHolder for Dispatcher {
    fn hand_on(self: Arc<Self>) -> bool {
        let mut duties = self.lock();
        for _ in 0..duties.shortage() {
            if self.spawn(&mut duties).is_err() {
                break;
            }
        }
        let handed_on = duties.hand_on_turn();
        if handed_on {
            self.changed.notify_all();
        }
        handed_on
    }
}
