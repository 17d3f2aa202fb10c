//! The asking side of a role, as the role and its handles share it.
//!
//! It is there from the start of the role on. It knows how a role sends and asks, and when it ends;
//! whom it asks, [`target`](super::target) says.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    answer::ReplyPort,
    ask::{RequestError, Requester, SendError},
    group::{Group, GroupError, Member, Roster, Watch},
    receive::{ReceivePolicy, Statistics},
    role::{builder::Setup, membership::DROP_TIMEOUT},
    sys::Deadline,
};

/// What a role and its handles share: nothing before the start, and nothing for good if that fails.
#[derive(Debug)]
pub(crate) struct Shared<T>(Arc<OnceLock<Option<T>>>);

/// Why a role or a handle cannot ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunning {
    NotStarted,
    StartFailed,
}

impl<T> Shared<T> {
    pub(crate) fn get(&self) -> Result<&T, NotRunning> {
        match self.0.get() {
            Some(Some(shared)) => Ok(shared),
            Some(None) => Err(NotRunning::StartFailed),
            None => Err(NotRunning::NotStarted),
        }
    }

    /// To ask one peer, which every role can.
    pub(super) fn one(&self) -> Result<&Asking, NotRunning>
    where
        T: AsRef<Asking>,
    {
        self.get().map(AsRef::as_ref)
    }

    /// The role runs. Only its builder says so, which is used up by that.
    pub(crate) fn started(&self, shared: T) {
        let _ = self.0.set(Some(shared));
    }

    /// The role could not be started: the handles made before stay without one.
    pub(crate) fn start_failed(&self) {
        let _ = self.0.set(None);
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Asks and sends for one role.
#[derive(Debug)]
pub struct Asking {
    pub(super) requester: Arc<Requester>,
    pub(super) send_timeout: Duration,
}

impl Asking {
    pub(super) fn new(group: Group, policy: ReceivePolicy, setup: &Setup) -> Self {
        let requester = Requester::new(group, policy, setup.under_way);
        Self { requester, send_timeout: setup.send_timeout }
    }

    pub(super) fn group(&self) -> &Group {
        self.requester.group()
    }

    pub(super) fn members(&self) -> Result<Vec<Member>, GroupError> {
        self.roster()?.members(self.group())
    }

    pub(super) fn watch(&self) -> Result<Watch, GroupError> {
        Watch::new(self.group().clone(), self.roster()?)
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.requester.policy().counters.snapshot()
    }

    fn roster(&self) -> Result<Roster, GroupError> {
        Ok(Roster::new(self.group().open()?))
    }
}

/// The role's thread for asynchronous requests, if it has one, ends with it. It is waited for,
/// since a process that ends before would leave its reply sockets; not again if the role has been
/// stopped.
impl Drop for Asking {
    fn drop(&mut self) {
        if self.requester.stop() && !self.requester.wait_until_ended(Deadline::after(DROP_TIMEOUT)) {
            tracing::warn!("a callback is still running; its thread goes on until it ends");
        }
    }
}

/// Asks and sends for a primary: all secondaries, too.
#[derive(Debug)]
pub struct AskingAll {
    pub(super) one: Asking,
    pub(super) roster: Arc<Roster>,
    pub(super) port: Arc<ReplyPort>,
}

impl AsRef<Asking> for Asking {
    fn as_ref(&self) -> &Asking {
        self
    }
}

impl AsRef<Asking> for AskingAll {
    fn as_ref(&self) -> &Asking {
        &self.one
    }
}

macro_rules! from_not_running {
    ($($error:ty),*) => {$(
        impl From<NotRunning> for $error {
            fn from(why: NotRunning) -> Self {
                match why {
                    NotRunning::NotStarted => Self::NotStarted,
                    NotRunning::StartFailed => Self::Stopped,
                }
            }
        }
    )*};
}

from_not_running! { RequestError, SendError }

impl From<NotRunning> for GroupError {
    fn from(_: NotRunning) -> Self {
        Self::NotStarted
    }
}
