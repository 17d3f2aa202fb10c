use std::sync::{Mutex, PoisonError};

use super::line::{Line, NoLine};
use crate::{group::Group, sys::Address};

/// How many reply sockets are kept for the next requests.
const IDLE: usize = 32;

/// Reply sockets without a request on them, on which no answer is owed.
///
/// Whoever takes a line has it alone; it comes back only if nothing more can
/// arrive on it, and is closed otherwise.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Line>>,
}

impl Pool {
    /// A line to `to`, used before or new.
    pub(super) fn connected(&self, group: &Group, to: &Address) -> Result<Line, NoLine> {
        match self.take(Some(to)) {
            Some(line) => Ok(line),
            None => Line::connected(group, to),
        }
    }

    pub(super) fn take(&self, to: Option<&Address>) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|line| line.leads_to(to))?;
        Some(idle.swap_remove(at))
    }

    pub(super) fn give_back(&self, line: Line) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(line);
        }
    }

    /// Closes the idle lines to `to`: that peer is gone.
    pub(super) fn forget(&self, to: &Address) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|line| !line.leads_to(Some(to)));
    }

    pub(super) fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
