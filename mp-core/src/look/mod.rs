//! What others may see of this process: the questions `mp.describe`, `mp.status` and `mp.monitor`,
//! the form of their answers, and what is kept for them.
//!
//! It decides nothing and answers nobody: `receive`, `ask` and `answer` tell it what happens, and
//! `answer` answers with what it holds. While nobody looks it costs next to nothing: a look at one
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
pub(crate) use waits::{Wait, WaitNoted, Waits};

/// What there is to see of one role.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) tap: Tap,
    pub(crate) waits: Arc<Waits>,
    pub(crate) started: Instant,
    /// Whether it may be asked at all.
    pub(crate) allowed: bool,
}

impl Look {
    pub(crate) fn new(allowed: bool) -> Arc<Self> {
        let (tap, waits, started) = (Tap::default(), Arc::default(), Instant::now());
        Arc::new(Self { tap, waits, started, allowed })
    }
}
