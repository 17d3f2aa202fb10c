//! The receiving side: draining the socket, and calling actions.
//!
//! Datagrams are handled in the order they came, and the thread that received one runs its handler,
//! so on the common path nothing is handed over. A second thread sleeps beside it; when a handler
//! takes long it takes over receiving, and what comes waits in a bounded
//! [`Backlog`](backlog::Backlog). So the socket is drained whatever handlers do, and a peer is
//! never held up. Which thread does what is decided by [`Duties`](duties::Duties), a machine
//! without threads, and done by the [`Crew`](crew::Crew); answers to requesters that do not read
//! theirs wait in [`HeldAnswers`](held::HeldAnswers), for nobody else to wait for them.
//!
//! What is to be read rather than handled ([`Incoming`]) takes no turn among the handlers: the
//! receiving thread puts it aside and goes on.
//!
//! It answers *ignore* for whatever nobody here answers. It knows nothing of the asking side; the
//! roles start it, stop it and hand it its actions.

mod actions;
mod arrival;
mod backlog;
mod crew;
#[cfg(test)]
mod crew_model;
mod delivery;
mod duties;
mod event_loop;
mod held;
#[cfg(test)]
mod held_model;
mod incoming;
mod inspection;
mod pool;
mod queue;
#[cfg(test)]
mod queue_model;
mod registry;
mod responder;
mod room;
mod running;
mod tasks;
mod threads;

/// What threads share with, for the model checker to replace.
mod sync {
    pub(super) use std::sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    pub(super) use crate::sys::Deadline;
}

pub use actions::Describe;
pub use actions::{Actions, RegisterError, Registration, RegistrationGuard};
pub(crate) use actions::{on, serve, served};
pub use arrival::{Arrival, Received, Request};
pub(crate) use event_loop::EventLoop;
pub use incoming::{Blocking, Incoming, Messages, Requests};
pub use pool::HandlerPool;
pub(crate) use registry::{Action, Handler, Registry};
pub(crate) use responder::ReplyPort;
pub use responder::{ReplyError, Responder};
pub(crate) use tasks::Spawner;
pub use tasks::Task;
pub(crate) use threads::Dispatcher;
