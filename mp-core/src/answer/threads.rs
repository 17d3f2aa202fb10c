//! What the threads of a member receive and handle: datagrams of its socket, by its actions.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use super::{
    Action, Arrival, Registry, ReplyPort,
    arrival::{SetAside, given_up, is_wanted},
    crew::{Bounds, Came, Crew, NotHandled, Work},
    inspection::Brief,
    responder::Asked,
};
use crate::{
    group::Group,
    look::is_reserved,
    receive::{
        Arrived, Cause, Counters, Inbox, Missed, ReceivePolicy, Rejection,
        turn::{self, TurnHolder},
    },
    sys::{Deadline, TakenOut, ThreadRole, Wait, thread_id},
    wire::{Kind, Name, Reason},
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

    /// Receives nothing by itself: [`dispatch`](Self::dispatch) does.
    pub(crate) fn start_without_threads(
        port: Arc<ReplyPort>,
        registry: Arc<Registry>,
        policy: ReceivePolicy,
        group: Group,
        in_place: impl FnOnce(),
    ) -> Arc<Self> {
        Self::without_threads(Reception { port, registry, policy, group }, in_place)
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
    type Arrival = Inbox;
    type Brief = Brief;

    fn buffer() -> Box<Inbox> {
        Box::new(Inbox::new())
    }

    fn receive(crew: &Dispatcher, inbox: &mut Inbox, may_wait: bool) -> Came {
        let this = &crew.work;
        match inbox.receive(
            &this.port.bound.socket,
            if may_wait { Wait::Forever } else { Wait::No },
            &this.policy,
        ) {
            Ok(arrived) => match this.count(&arrived) {
                Ok(()) if is_reserved(&arrived.header.name) && arrived.header.kind == Kind::Request => {
                    if let Some(Arrival::Request(request)) = this.arrival(arrived) {
                        crew.answer_question(request);
                    }
                    inbox.close_fds();
                }
                Ok(()) if !this.put_aside(inbox) => return Came::Arrival,
                Ok(()) => {}
                Err(reason) => {
                    this.policy.counters.reject(reason);
                    inbox.close_fds();
                }
            },
            Err(Missed::FdsLost { header, from: Some(to) }) if header.kind == Kind::Request => {
                let asked = Asked { to: &to, layout: header.layout, name: &header.name, tag: header.tag };
                this.port.send_ignore(&asked, &Reason::OutOfDescriptors.into());
            }
            Err(Missed::Nothing) if !may_wait => return Came::Empty,
            Err(Missed::Failed(_)) if !may_wait => return Came::Empty,
            Err(Missed::Nothing | Missed::Rejected | Missed::FdsLost { .. }) => {}
            Err(Missed::Failed(_)) => thread::sleep(BREATHER),
            Err(Missed::Closed) => return Came::Closed,
        }
        Came::Nothing
    }

    fn shut_down(&self) {
        self.port.bound.socket.shut_down();
    }

    fn is_handled(&self, inbox: &Inbox) -> bool {
        inbox.header().is_some_and(|header| self.registry.find(&header.name).is_some())
    }

    fn brief(inbox: &Inbox) -> Brief {
        let (header, peer) = (inbox.header(), inbox.peer());
        Brief {
            name: header.map(|header| header.name),
            pid: peer.pid(),
            is_request: header.is_some_and(|header| header.kind == Kind::Request),
            sequence: header.and_then(|header| header.tag).map(|tag| tag.sequence),
            thread: thread_id(),
        }
    }

    fn handle(dispatcher: &Arc<Dispatcher>, inbox: &mut Inbox, has_waited: bool) -> bool {
        let this = &dispatcher.work;
        let action = match inbox.header().and_then(|header| this.registry.find(&header.name)) {
            Some(Action::InTurn(action)) => action,
            // Registered since it came.
            Some(Action::Aside(_)) => {
                this.put_aside(inbox);
                return true;
            }
            None => {
                this.reject_and_ignore(inbox, NotHandled::NoAction);
                return true;
            }
        };
        if has_waited && !is_wanted(inbox, &this.port) {
            given_up(inbox, &this.policy.counters);
            return true;
        }
        let Some(arrived) = inbox.arrived() else { return true };
        let (name, pid) = (&arrived.header.name, arrived.peer.pid());
        let _span = tracing::debug_span!("mp_handle", %name, pid).entered();
        let outer = HANDLING_FOR.replace(std::ptr::from_ref::<Dispatcher>(dispatcher).addr());
        let _taken_out = TakenOut::keep_copies();
        let kept = turn::hold(Arc::clone(dispatcher) as Arc<dyn TurnHolder>, || {
            // A panic drops the request, if the handler had it still: ignore.
            guarded(&this.policy.counters, name, || {
                let Some(arrival) = this.arrival(arrived) else { return };
                if let Err(reason) = action(arrival) {
                    this.policy.counters.reject(reason);
                }
            });
            // This may be the last to hold the closure, and what the user put into it.
            guarded(&this.policy.counters, name, || drop(action));
        });
        HANDLING_FOR.set(outer);
        inbox.close_fds();
        kept
    }

    fn count_waiting(&self) {
        self.policy.counters.backlogged.add();
    }

    /// Counts what is not handled; a request is answered *ignore*.
    fn reject_and_ignore(&self, inbox: &mut Inbox, why: NotHandled) {
        let (rejection, reason) = why.told();
        self.policy.counters.reject(rejection);
        if let Some(Arrival::Request(request)) = inbox.arrived().and_then(|arrived| self.arrival(arrived)) {
            request.ignore(reason);
        }
        inbox.close_fds();
    }

    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        self.policy.threads.spawn(ThreadRole::Handling, thread)
    }
}

impl Reception {
    /// Counts what came, unless nobody could handle it.
    fn count(&self, arrived: &Arrived<'_>) -> Result<(), Rejection> {
        let counters = &self.policy.counters;
        let from = arrived.peer.address();
        from.into_iter().for_each(|from| self.group.heard_from(from));
        match (arrived.header.kind, from) {
            (Kind::Message, _) => counters.messages_received.add(),
            (Kind::Request, Some(_)) => counters.requests_received.add(),
            (Kind::Request, None) => return Err(Rejection::NoReturnAddress),
            (Kind::Reply | Kind::Ignore, _) => return Err(Rejection::Unexpected),
        }
        Ok(())
    }

    /// Gives what wants no turn to whom it is for; `false` if it wants one.
    fn put_aside(&self, inbox: &mut Inbox) -> bool {
        let Some(header) = inbox.header() else { return false };
        let Some(aside) = self.registry.find_aside(&header.name) else { return false };
        let name = header.name;
        let set_aside = SetAside::of(std::mem::replace(inbox, Inbox::new()), &self.port);
        // Whom it is for may be woken by the user's code.
        guarded(&self.policy.counters, &name, || {
            if let Err((set_aside, why)) = aside.take(set_aside) {
                reject_and_ignore(set_aside, why, &self.policy.counters);
            }
        });
        true
    }

    /// What came, as handlers get it.
    fn arrival<'a>(&'a self, arrived: Arrived<'a>) -> Option<Arrival<'a>> {
        Arrival::of(arrived, &self.port)
    }
}

/// Counts what is not handled; a request is answered *ignore*.
pub(super) fn reject_and_ignore(mut set_aside: Box<SetAside>, why: NotHandled, counters: &Counters) {
    let (rejection, reason) = why.told();
    counters.reject(rejection);
    if let Some(Arrival::Request(request)) = set_aside.give_out() {
        request.ignore(reason);
    }
}

impl NotHandled {
    /// As what it is counted, and what a requester is told.
    fn told(self) -> (Rejection, Reason) {
        match self {
            Self::NoAction => (Rejection::NoAction, Reason::NoAction),
            Self::Stopping => (Rejection::BacklogFull, Reason::Stopping),
            Self::Overloaded => (Rejection::BacklogFull, Reason::Overloaded),
        }
    }
}

/// Runs what the user wrote. A panic is counted, and goes no further.
pub(super) fn guarded(counters: &Counters, name: &Name, run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        counters.handler_panics.add();
        if counters.told.is_first(Cause::HandlerPanicked(*name)) {
            tracing::error!(%name, "a handler panicked; more of this name are told at debug level");
        } else {
            tracing::debug!(%name, "a handler panicked");
        }
        // What it panicked with is the user's too.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(worse);
        }
    }
}
