//! Being a member: a socket in the group, its threads, and leaving in order.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    answer::{Actions, Dispatcher, ReplyPort},
    ask::Requester,
    group::Group,
    receive::Statistics,
    role::{StartError, builder::Setup},
    sys::Deadline,
};

/// How long dropping a role waits for its handlers and callbacks.
pub(crate) const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// A role's place in its group. Dropping it leaves.
#[derive(Debug)]
pub(crate) struct Membership {
    group: Group,
    requester: Arc<Requester>,
    port: Arc<ReplyPort>,
    actions: Actions,
    dispatcher: Mutex<Option<Arc<Dispatcher>>>,
}

impl Membership {
    /// Handlers may run before this returns: what they use must be in place.
    pub(crate) fn start(
        group: Group,
        requester: Arc<Requester>,
        port: Arc<ReplyPort>,
        actions: Actions,
        setup: &Setup,
    ) -> Result<Self, StartError> {
        let (registry, policy) = (Arc::clone(&actions.0), requester.policy().clone());
        let dispatcher = Dispatcher::start(Arc::clone(&port), registry, policy, setup.backlog);
        let dispatcher = Mutex::new(Some(dispatcher.inspect_err(|_| requester.stop())?));
        tracing::debug!(address = %port.bound.address, "joined");
        Ok(Self { group, requester, port, actions, dispatcher })
    }

    pub(crate) fn actions(&self) -> &Actions {
        &self.actions
    }

    pub(crate) fn port(&self) -> &Arc<ReplyPort> {
        &self.port
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.requester.policy().counters.snapshot()
    }

    /// Leaves the group; tells whether all handlers and callbacks have ended in time.
    pub(crate) fn leave(&self, timeout: Duration) -> bool {
        // A fork's copy has neither the threads nor the place in the group.
        if !self.port.bound.is_ours() {
            return true;
        }
        let dispatcher = self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(dispatcher) = dispatcher else { return true };
        // Who is answered by a handler that still runs takes a peer whose name is
        // gone for dead; and until it is gone peers may send, and are answered.
        let deadline = Deadline::after(timeout);
        let ended = dispatcher.close(deadline);
        self.group.leave(&self.port.bound);
        self.requester.stop();
        dispatcher.shut_down();
        self.port.flush(deadline);
        let ended = ended & self.requester.wait_until_ended(deadline);
        self.actions.0.clear();
        tracing::debug!(address = %self.port.bound.address, "left");
        ended
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if !self.leave(DROP_TIMEOUT) {
            tracing::warn!("a handler is still running; its thread goes on until it ends");
        }
    }
}
