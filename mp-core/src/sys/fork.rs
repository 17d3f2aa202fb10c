//! Telling a process from its fork.
//!
//! A fork has copies of sockets, locks and queues, but not the threads that
//! serve them. Asking for the pid would take a system call each time; a handler
//! that libc runs in the child of every `fork` costs nothing until then.
#![allow(unsafe_code)]

use std::sync::{
    Once,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// How many forks lie between this process and the first that used this crate.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The process in which something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForkGuard(u32);

impl ForkGuard {
    pub(crate) fn here() -> Self {
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(|| {
            // SAFETY: `in_child` may run in any child: it only adds to an atomic.
            // A crate that is never unloaded, so its address stays valid. If there
            // is no memory for it, forks are not told apart; nothing worse.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
        Self(GENERATION.load(Relaxed))
    }

    /// Whether this is not a fork of that process.
    pub(crate) fn is_here(self) -> bool {
        self.0 == GENERATION.load(Relaxed)
    }
}

unsafe extern "C" fn in_child() {
    GENERATION.fetch_add(1, Relaxed);
}
