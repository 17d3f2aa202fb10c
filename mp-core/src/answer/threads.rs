//! What the threads of a member receive and handle: datagrams of its socket, by its actions.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use super::{
    Action, Arrival, Registry, ReplyPort, Responder,
    crew::{Bounds, Came, Crew, NotHandled, Work},
    inspection::Brief,
};
use crate::{
    group::Group,
    look::is_reserved,
    receive::{
        Arrived, Counters, Inbox, Missed, ReceivePolicy, Rejection,
        turn::{self, TurnHolder},
    },
    sys::{Deadline, TakenOut, Wait, room_for_a_thread, thread_id},
    wire::{Kind, Message, Name, Reason},
};

/// How many ticks without traffic until the second thread sleeps without waking.
const LINGER: u32 = 25;

/// The most threads of one member, and so the deepest that requests made from inside handlers can
/// nest.
const MAX_THREADS: usize = 64;

/// What to do when the system is out of memory or descriptors: try again soon.
const BREATHER: Duration = Duration::from_millis(10);

/// Receives and handles for one role.
pub(crate) type Dispatcher = Crew<Reception>;

/// Where a role receives, and what it does with what comes.
pub(crate) struct Reception {
    pub(super) port: Arc<ReplyPort>,
    pub(super) registry: Arc<Registry>,
    pub(super) policy: ReceivePolicy,
    pub(super) group: Group,
}

impl Dispatcher {
    /// Starts receiving. `backlog` is how many datagrams may wait; `in_place` is called when
    /// nothing can fail any more, and before the first handler can run.
    pub(crate) fn start(
        port: Arc<ReplyPort>,
        registry: Arc<Registry>,
        policy: ReceivePolicy,
        group: Group,
        backlog: usize,
        in_place: impl FnOnce(),
    ) -> std::io::Result<Arc<Self>> {
        let bounds = Bounds { backlog, threads: MAX_THREADS, linger: LINGER };
        Self::start_with(Reception { port, registry, policy, group }, bounds, in_place)
    }

    /// Once closed: waits until the handlers that run have ended, but not longer than `deadline`,
    /// and not for one that calls this. Tells whether all have.
    pub(crate) fn wait_for_handlers(&self, deadline: Deadline) -> bool {
        self.wait_for_handlers_but(usize::from(self.is_handling_here()), deadline)
    }

    /// Whether one of its handlers runs on this thread.
    pub(crate) fn is_handling_here(&self) -> bool {
        HANDLING_FOR.get() == std::ptr::from_ref(self).addr()
    }
}

thread_local! {
    /// The address of the dispatcher whose handler runs on this thread; 0 for none.
    static HANDLING_FOR: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl TurnHolder for Dispatcher {
    fn hand_on(self: Arc<Self>) -> bool {
        self.hand_on_turn()
    }
}

impl Work for Reception {
    type Arrival = Arrival;
    type Brief = Brief;
    type Inbox = Inbox;

    fn inbox() -> Inbox {
        Inbox::new()
    }

    fn receive(crew: &Dispatcher, inbox: &mut Inbox) -> Came<Arrival> {
        let this = &crew.work;
        match inbox.receive(&this.port.bound.socket, Wait::Forever, &this.policy) {
            Ok(arrived) => match this.arrival(arrived) {
                Some(Arrival::Request(message, peer, responder)) if is_reserved(&message.name) => {
                    crew.answer_question(message, &peer, responder);
                }
                Some(arrival) => {
                    if let Some(arrival) = this.put_aside(arrival) {
                        return Came::Arrival(arrival);
                    }
                }
                None => {}
            },
            Err(Missed::FdsLost { kind: Kind::Request, layout, name, tag, from: Some(from) }) => {
                this.port.send_ignore(&from, layout, &name, tag, &Reason::OutOfDescriptors.into());
            }
            Err(Missed::Nothing | Missed::Rejected | Missed::FdsLost { .. }) => {}
            Err(Missed::Failed(_)) => thread::sleep(BREATHER),
            Err(Missed::Closed) => return Came::Closed,
        }
        Came::Nothing
    }

    fn shut_down(&self) {
        self.port.bound.socket.shut_down();
    }

    fn is_handled(&self, arrival: &Arrival) -> bool {
        self.registry.find(&arrival.name()).is_some()
    }

    fn brief(arrival: &Arrival) -> Brief {
        let (name, pid) = (arrival.name(), arrival.peer().pid());
        let (is_request, sequence) = match arrival {
            Arrival::Message(..) => (false, None),
            Arrival::Request(_, _, responder) => (true, responder.sequence()),
        };
        Brief { name, pid, is_request, sequence, thread: thread_id() }
    }

    fn handle(dispatcher: &Arc<Dispatcher>, arrival: Arrival, has_waited: bool) -> bool {
        let this = &dispatcher.work;
        let action = match this.registry.find(&arrival.name()) {
            Some(Action::InTurn(action)) => action,
            // Registered since it came.
            Some(Action::Aside(_)) => {
                this.put_aside(arrival);
                return true;
            }
            None => {
                this.reject_and_ignore(arrival, NotHandled::NoAction);
                return true;
            }
        };
        if has_waited && !arrival.is_wanted() {
            arrival.given_up(&this.policy.counters);
            return true;
        }
        let name = arrival.name();
        let _span = tracing::debug_span!("mp_handle", %name, pid = arrival.peer().pid()).entered();
        let outer = HANDLING_FOR.replace(std::ptr::from_ref::<Dispatcher>(dispatcher).addr());
        let _taken_out = TakenOut::keep_copies();
        let kept = turn::hold(Arc::clone(dispatcher) as Arc<dyn TurnHolder>, || {
            // A panic drops the responder, if the handler had it still: ignore.
            guarded(&this.policy.counters, &name, || {
                if let Err(reason) = action(arrival) {
                    this.policy.counters.reject(reason);
                }
            });
            // This may be the last to hold the closure, and what the user put into it.
            guarded(&this.policy.counters, &name, || drop(action));
        });
        HANDLING_FOR.set(outer);
        kept
    }

    fn waits(&self) {
        self.policy.counters.backlogged.add();
    }

    fn reject_and_ignore(&self, arrival: Arrival, why: NotHandled) {
        reject_and_ignore(arrival, why, &self.policy.counters);
    }

    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        room_for_a_thread()?;
        thread::Builder::new().name("mp_handle".into()).spawn(thread).map(drop)
    }
}

impl Reception {
    /// Counts what came and gives a request its responder.
    fn arrival(&self, arrived: Arrived) -> Option<Arrival> {
        let Arrived { kind, layout, message, peer, tag } = arrived;
        let counters = &self.policy.counters;
        peer.address().into_iter().for_each(|from| self.group.heard_from(from));
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

    /// Gives what wants no turn to whom it is for, and anything else back.
    fn put_aside(&self, arrival: Arrival) -> Option<Arrival> {
        let name = arrival.name();
        let Some(aside) = self.registry.find_aside(&name) else { return Some(arrival) };
        // Whom it is for may be woken by the user's code.
        guarded(&self.policy.counters, &name, || {
            if let Err((arrival, why)) = aside.take(arrival) {
                self.reject_and_ignore(arrival, why);
            }
        });
        None
    }

    fn reject(&self, message: Message, reason: Rejection) -> Option<Arrival> {
        self.policy.counters.reject(reason);
        drop(message);
        None
    }
}

/// Counts what is not handled; a request is answered *ignore*.
pub(super) fn reject_and_ignore(arrival: Arrival, why: NotHandled, counters: &Counters) {
    let (rejection, reason) = match why {
        NotHandled::NoAction => (Rejection::NoAction, Reason::NoAction),
        NotHandled::Stopping => (Rejection::BacklogFull, Reason::Stopping),
        NotHandled::Overloaded => (Rejection::BacklogFull, Reason::Overloaded),
    };
    counters.reject(rejection);
    match arrival {
        Arrival::Message(message, _) => drop(message),
        Arrival::Request(message, _, responder) => {
            drop(message);
            responder.ignore(reason);
        }
    }
}

/// Runs what the user wrote. A panic is counted, and goes no further.
pub(super) fn guarded(counters: &Counters, name: &Name, run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        counters.handler_panics.add();
        tracing::error!(%name, "a handler panicked");
        // What it panicked with is the user's too.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(worse);
        }
    }
}
