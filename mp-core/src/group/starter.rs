//! The user that this process was when a role of it began, and whether it has become another, as a
//! daemon does that drops its privileges. It is asked only when the file system has refused
//! something: so it costs nothing before.

use std::sync::{Arc, Once};

use rustix::process::geteuid;

use super::GroupError;

/// Who this process was.
#[derive(Debug, Clone)]
pub(crate) struct Starter {
    uid: u32,
    told: Arc<Once>,
}

/// Who it was, and who it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserChange {
    pub(crate) started_as: u32,
    pub(crate) now: u32,
}

impl Starter {
    pub(super) fn here() -> Self {
        Self { uid: geteuid().as_raw(), told: Arc::new(Once::new()) }
    }

    /// What may be why the file system refused something. Warns, once, of all that comes of it.
    pub(crate) fn change(&self) -> Option<UserChange> {
        let change = UserChange { started_as: self.uid, now: geteuid().as_raw() };
        if change.now == change.started_as {
            return None;
        }
        self.told.call_once(|| {
            tracing::warn!(
                started_as = change.started_as,
                now = change.now,
                "this process started as another user than it is now, to whom the runtime directory \
                 or sockets in it are closed: it still receives, but cannot answer, send, list members \
                 or remove its socket, and peers that trust the former user only do not listen to it; \
                 drop privileges before start(), or share the directory with a group that is kept \
                 (share_with_group)"
            );
        });
        Some(change)
    }

    /// The same error, unless the file system refused something for that reason.
    pub(super) fn explain(&self, error: GroupError) -> GroupError {
        if !error.is_permission_denied() {
            return error;
        }
        match self.change() {
            Some(UserChange { started_as, now }) => GroupError::UserChanged { started_as, now },
            None => error,
        }
    }
}
