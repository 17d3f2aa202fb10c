//! What a role and its handles share: the asking side, which is there from the start of the role
//! on. How it asks, [`ask`](crate::ask) knows.

use std::sync::{Arc, OnceLock};

use crate::ask::{Asking, NotRunning};

/// Nothing before the start of the role, and nothing for good if that fails.
#[derive(Debug)]
pub(crate) struct Shared<T>(Arc<OnceLock<Option<T>>>);

impl<T> Shared<T> {
    pub(super) fn get(&self) -> Result<&T, NotRunning> {
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
    pub(super) fn started(&self, shared: T) {
        let _ = self.0.set(Some(shared));
    }

    /// The role could not be started: the handles made before stay without one.
    pub(super) fn start_failed(&self) {
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
