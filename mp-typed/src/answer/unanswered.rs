//! Requests that a handler did not answer, or whose answer did not arrive: told once for each action
//! and cause, then at debug level.

use std::{
    mem::{Discriminant, discriminant},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use mp_core::Why;

use crate::error::ReplyError;

/// What one action has warned of: a requester may make it happen as often as it asks.
#[derive(Default)]
pub(super) struct Unanswered {
    undelivered: Mutex<Vec<Discriminant<ReplyError>>>,
    failed: AtomicBool,
}

impl Unanswered {
    pub(super) fn undelivered(&self, name: &str, error: &ReplyError) {
        if self.is_first(discriminant(error)) {
            tracing::warn!(%error, name, "a response was not delivered; more of this kind are told at debug level");
        } else {
            tracing::debug!(%error, name, "a response was not delivered");
        }
    }

    pub(super) fn failed(&self, name: &str, error: &Why) {
        if self.failed.swap(true, Relaxed) {
            tracing::debug!(%error, name, "a handler failed; the requester is told to ignore this process");
        } else {
            tracing::warn!(
                %error, name,
                "a handler failed; the requester is told to ignore this process; more of this action's \
                 are told at debug level"
            );
        }
    }

    fn is_first(&self, kind: Discriminant<ReplyError>) -> bool {
        let mut told = self.undelivered.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !told.contains(&kind);
        if is_first {
            told.push(kind);
        }
        is_first
    }
}
