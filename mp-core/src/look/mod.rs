//! What others may see of this process: the questions `mp.describe`, `mp.status` and `mp.monitor`,
//! the form of their answers, and what is kept for them.
//!
//! `receive`, `ask` and `answer` write to it what happens; `answer/inspection.rs` reads it to answer the
//! questions. By itself it only sends copies of datagrams to the monitors ([`Tap`]). While nobody looks it costs next to nothing: a look at one
//! flag for each datagram, and nothing for a request that is answered at once.

mod json;
mod question;
mod record;
mod tap;
mod waits;

use std::{sync::Arc, time::Instant};

pub use json::Json;
pub use question::Filter;
pub(crate) use question::{Question, VERSION, is_reserved};
pub(crate) use record::LONGEST;
pub use record::{Content, DatagramKind, Direction, Record};
pub(crate) use tap::{MONITORS, NotAttached, Tap};
pub(crate) use waits::{ListedRequest, WaitNoted, Waits};

/// The inspection state of one role.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) tap: Tap,
    pub(crate) waits: Arc<Waits>,
    pub(crate) started: Instant,
    /// False after `without_inspection`: questions are declined.
    pub(crate) allowed: bool,
}

impl Look {
    pub(crate) fn new(allowed: bool) -> Arc<Self> {
        let (tap, waits, started) = (Tap::default(), Arc::default(), Instant::now());
        Arc::new(Self { tap, waits, started, allowed })
    }
}
