//! Which causes have been told at a level that an operator sees: more of a kind, which may come with
//! every datagram or request, are told at debug level. What they are about it does not know.

use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use crate::wire::Name;

/// Beyond these, what is new is told at debug level, too: a program may ask under any number of names.
const BOUND: usize = 256;

/// The causes that have been told. Each role has one set; what belongs to none has the process's.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Vec<Cause>>);

/// What may happen again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Receiving(Errno),
    Timer(Errno),
    HandlerPanicked(Name),
    CallbackPanicked(Name),
    WakerPanicked,
}

impl Told {
    /// The process's.
    pub(crate) fn of_process() -> &'static Self {
        static TOLD: Told = Told(Mutex::new(Vec::new()));
        &TOLD
    }

    /// Whether this cause is told for the first time.
    pub(crate) fn is_first(&self, cause: Cause) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = told.len() < BOUND && !told.contains(&cause);
        if is_first {
            told.push(cause);
        }
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_told_once_and_no_number_of_them_without_end() {
        let told = Told::default();
        let name = |of: usize| Name::new(format!("name {of}")).expect("a short name");
        for cause in [Cause::Receiving(Errno::BADF), Cause::Receiving(Errno::NOMEM), Cause::WakerPanicked] {
            assert!(told.is_first(cause) && !told.is_first(cause), "{cause:?}");
        }
        let first = (0..2 * BOUND).filter(|of| told.is_first(Cause::HandlerPanicked(name(*of))));
        assert_eq!(first.count(), BOUND - 3);
    }
}
