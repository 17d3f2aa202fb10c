//! The threads that receive and handle, thin around [`Roles`].
//!
//! Two threads serve a member. One receives, and runs the handler of what it
//! received. The other sleeps; while there is traffic it wakes every [`TICK`]
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
    backlog::{Admission, Backlog},
};
use crate::{
    Rejection,
    deadline::Deadline,
    inbox::{Arrived, Gate, Inbox, Missed},
    sys::Wait,
    turn::{self, Turns},
    wire::Kind,
};

/// How long a handler may keep its thread from receiving: a few times what most take.
const TICK: Duration = Duration::from_millis(10);

/// How many ticks without traffic until the second thread sleeps without waking.
const LINGER: u32 = 100;

/// The most threads of one member, and so the deepest that requests made from
/// inside handlers can nest.
const MAX_THREADS: usize = 64;

/// What to do when the system is out of memory or descriptors: try again soon.
const BREATHER: Duration = Duration::from_millis(10);

/// Receives and handles for one role.
pub(crate) struct Dispatcher {
    port: Arc<ReplyPort>,
    registry: Arc<Registry>,
    gate: Gate,
    roles: Mutex<Roles>,
    changed: Condvar,
}

/// Who does what.
#[derive(Debug)]
struct Roles {
    backlog: Backlog<Arrival>,
    /// The stint of the thread that receives; `None` if nobody does.
    receiving: Option<u64>,
    stints: u64,
    /// The thread that receives is running a handler.
    receiver_is_handling: bool,
    /// Counts handlers started, so that a long one shows.
    handled: u64,
    /// The sleeping thread wakes at every tick.
    watching: bool,
    asleep: usize,
    threads: usize,
    /// The socket is shut down and drained.
    drained: bool,
    stopping: bool,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lock().fmt(f)
    }
}

enum Duty {
    Receive { stint: u64 },
    Handle(Arrival),
    Leave,
}

impl Dispatcher {
    /// Starts receiving. `backlog` is how many datagrams may wait.
    pub(crate) fn start(
        port: Arc<ReplyPort>,
        registry: Arc<Registry>,
        gate: Gate,
        backlog: usize,
    ) -> std::io::Result<Arc<Self>> {
        let roles = Roles {
            backlog: Backlog::new(backlog),
            receiving: None,
            stints: 0,
            receiver_is_handling: false,
            handled: 0,
            watching: false,
            asleep: 0,
            threads: 0,
            drained: false,
            stopping: false,
        };
        let this = Arc::new(Self { port, registry, gate, roles: Mutex::new(roles), changed: Condvar::new() });
        for _ in 0..2 {
            let spawned = this.spawn(&mut this.lock());
            spawned.inspect_err(|_| this.begin_stop())?;
        }
        Ok(this)
    }

    /// Receives nothing more. What is queued or waits is answered *ignore*;
    /// waits until running handlers have ended, but not longer than `deadline`,
    /// and not for a handler that calls this. Tells whether all have.
    pub(crate) fn stop(&self, deadline: Deadline) -> bool {
        self.begin_stop();
        let own = usize::from(HANDLING_FOR.get() == std::ptr::from_ref(self).addr());
        let mut roles = self.lock();
        while roles.threads > own && !deadline.is_over() {
            roles =
                self.changed.wait_timeout(roles, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        roles.threads <= own
    }

    fn begin_stop(&self) {
        let waiting = {
            let mut roles = self.lock();
            roles.stopping = true;
            roles.watching = true;
            self.port.bound.socket.shut_down();
            self.changed.notify_all();
            roles.backlog.close()
        };
        // Dropping their responders answers ignore, which takes a system call each.
        for arrival in waiting {
            self.refuse(arrival, Rejection::BacklogFull);
        }
    }

    fn spawn(self: &Arc<Self>, roles: &mut Roles) -> std::io::Result<()> {
        let this = Arc::clone(self);
        thread::Builder::new().name("mp_handle".into()).spawn(move || this.work())?;
        roles.threads += 1;
        Ok(())
    }

    fn work(self: Arc<Self>) {
        loop {
            match self.next_duty() {
                Duty::Receive { stint } => self.receive(stint),
                Duty::Handle(arrival) => self.handle_all(arrival),
                Duty::Leave => return,
            }
        }
    }

    /// Sleeps until there is something to do.
    fn next_duty(&self) -> Duty {
        let mut roles = self.lock();
        let (mut seen, mut quiet_ticks) = (roles.handled, 0);
        loop {
            if let Some(duty) = roles.vacant_duty() {
                return duty;
            }
            if roles.asleep > 0 || roles.drained {
                roles.threads -= 1;
                self.changed.notify_all();
                return Duty::Leave;
            }
            roles.asleep += 1;
            let ticked;
            if roles.watching {
                let (woken, timeout) =
                    self.changed.wait_timeout(roles, TICK).unwrap_or_else(PoisonError::into_inner);
                (roles, ticked) = (woken, timeout.timed_out());
            } else {
                roles = self.changed.wait(roles).unwrap_or_else(PoisonError::into_inner);
                ticked = false;
            }
            roles.asleep -= 1;
            if !ticked || roles.handled != seen {
                (seen, quiet_ticks) = (roles.handled, 0);
            } else if roles.receiver_is_handling {
                // The same handler for a whole tick: receive in its thread's stead.
                roles.receiver_is_handling = false;
                return roles.start_receiving();
            } else {
                quiet_ticks += 1;
                roles.watching = quiet_ticks < LINGER || roles.stopping;
            }
        }
    }

    /// Receives until the socket is drained, or another thread does.
    fn receive(self: &Arc<Self>, stint: u64) {
        let mut inbox = Inbox::new();
        loop {
            match inbox.receive(&self.port.bound.socket, Wait::Forever, &self.gate) {
                Ok(arrived) => {
                    if let Some(arrival) = self.arrival(arrived)
                        && !self.take_in(arrival, stint)
                    {
                        return;
                    }
                }
                Err(Missed::FdsLost { kind: Kind::Request, layout, name, from: Some(from) }) => {
                    self.port.ignore(&from, layout, &name);
                }
                Err(Missed::Nothing | Missed::Rejected | Missed::FdsLost { .. }) => {}
                Err(Missed::Failed(_)) => thread::sleep(BREATHER),
                Err(Missed::Closed) => {
                    let mut roles = self.lock();
                    roles.receiving = None;
                    roles.drained = true;
                    self.changed.notify_all();
                    return;
                }
            }
        }
    }

    /// Counts what came and gives a request its responder.
    fn arrival(&self, arrived: Arrived) -> Option<Arrival> {
        let Arrived { kind, layout, message, peer } = arrived;
        let counters = &self.gate.counters;
        match (kind, peer.address()) {
            (Kind::Message, _) => {
                counters.messages_received.add();
                Some(Arrival::Message(message, peer))
            }
            (Kind::Request, Some(from)) => {
                counters.requests_received.add();
                let responder = Responder::new(from.clone(), layout, message.name, Arc::clone(&self.port));
                Some(Arrival::Request(message, peer, responder))
            }
            (Kind::Request, None) => {
                counters.reject(Rejection::NoReturnAddress);
                None
            }
            (Kind::Reply | Kind::Ignore, _) => {
                counters.reject(Rejection::Unexpected);
                None
            }
        }
    }

    /// Handles what arrived, or lets it wait. `false` if this thread's stint of
    /// receiving has ended meanwhile.
    fn take_in(self: &Arc<Self>, arrival: Arrival, stint: u64) -> bool {
        let mut roles = self.lock();
        if !roles.backlog.is_free() && self.registry.find(&arrival.name()).is_none() {
            drop(roles);
            // It need not wait to hear that nobody answers it here.
            self.refuse(arrival, Rejection::NoAction);
            return true;
        }
        match roles.backlog.admit(arrival) {
            Admission::Run(arrival) => {
                roles.receiver_is_handling = true;
                roles.handled += 1;
                self.keep_watch(&mut roles);
                drop(roles);
                self.handle_all(arrival);
                let mut roles = self.lock();
                if roles.receiving == Some(stint) {
                    roles.receiver_is_handling = false;
                    return true;
                }
                false
            }
            Admission::Waits => {
                drop(roles);
                self.gate.counters.backlogged.add();
                true
            }
            Admission::Refused(arrival) => {
                drop(roles);
                self.refuse(arrival, Rejection::BacklogFull);
                true
            }
        }
    }

    /// Sees to it that somebody takes over if the handler about to run is slow.
    fn keep_watch(self: &Arc<Self>, roles: &mut Roles) {
        if roles.asleep == 0 && roles.threads < MAX_THREADS {
            // Without it this handler can hold up the socket; nothing worse.
            let _ = self.spawn(roles);
        }
        if !roles.watching {
            roles.watching = true;
            self.changed.notify_all();
        }
    }

    /// Handles `arrival`, and then what waits, as long as this thread has the turn.
    fn handle_all(self: &Arc<Self>, arrival: Arrival) {
        let mut next = Some(arrival);
        while let Some(arrival) = next {
            if !self.handle(arrival) {
                return;
            }
            let mut roles = self.lock();
            next = roles.backlog.next();
            roles.handled += u64::from(next.is_some());
            if next.is_none() && roles.stopping {
                self.changed.notify_all();
            }
        }
    }

    /// Whether this thread still has the turn afterwards.
    fn handle(self: &Arc<Self>, arrival: Arrival) -> bool {
        let Some(action) = self.registry.find(&arrival.name()) else {
            self.refuse(arrival, Rejection::NoAction);
            return true;
        };
        let name = arrival.name();
        let outer = HANDLING_FOR.replace(std::ptr::from_ref::<Self>(self).addr());
        let kept = turn::hold(Arc::clone(self) as Arc<dyn Turns>, || {
            // A panic drops the responder, if the handler had it still: ignore.
            match catch_unwind(AssertUnwindSafe(|| action(arrival))) {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => self.gate.counters.reject(reason),
                Err(_) => {
                    self.gate.counters.handler_panics.add();
                    tracing::error!(%name, "a handler panicked");
                }
            }
        });
        // The closure may be the last to hold what the user put into it.
        if catch_unwind(AssertUnwindSafe(|| drop(action))).is_err() {
            self.gate.counters.handler_panics.add();
        }
        HANDLING_FOR.set(outer);
        kept
    }

    /// A request among them is answered *ignore* as it is dropped.
    fn refuse(&self, arrival: Arrival, reason: Rejection) {
        self.gate.counters.reject(reason);
        drop(arrival);
    }

    fn lock(&self) -> MutexGuard<'_, Roles> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roles {
    fn vacant_duty(&mut self) -> Option<Duty> {
        if let Some(arrival) = self.backlog.take_over() {
            self.handled += 1;
            return Some(Duty::Handle(arrival));
        }
        (self.receiving.is_none() && !self.drained).then(|| self.start_receiving())
    }

    fn start_receiving(&mut self) -> Duty {
        self.stints += 1;
        self.receiving = Some(self.stints);
        Duty::Receive { stint: self.stints }
    }
}

thread_local! {
    /// The address of the dispatcher whose handler runs on this thread; 0 for none.
    static HANDLING_FOR: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Turns for Dispatcher {
    fn give_up(self: Arc<Self>) -> bool {
        let mut roles = self.lock();
        if !roles.drained {
            // One to receive, if this thread did, and one beside whoever handles next.
            let wanted = 1 + usize::from(roles.receiver_is_handling);
            for _ in roles.asleep..wanted {
                if roles.threads >= MAX_THREADS || self.spawn(&mut roles).is_err() {
                    break;
                }
            }
            if roles.threads < 2 {
                return false;
            }
        }
        if roles.receiver_is_handling {
            roles.receiver_is_handling = false;
            roles.receiving = None;
        }
        roles.backlog.give_up();
        self.changed.notify_all();
        true
    }
}
