//! What the handlers, the commands and the threads of a member share.

use std::sync::{Condvar, Mutex, OnceLock};

use mp_core::{Registration, Responder};

use crate::{
    role::{Asker, Role},
    words::lock,
};

/// What the handlers share.
#[derive(Default)]
pub(crate) struct Shared {
    /// How many more handlers may leave `stall` and `hold`.
    pub(crate) permits: Mutex<usize>,
    pub(crate) released: Condvar,
    pub(crate) kept: Mutex<Vec<Responder>>,
    pub(crate) registered: Mutex<Vec<Registration>>,
    pub(crate) role: OnceLock<Role>,
    pub(crate) asker: OnceLock<Asker>,
}

impl Shared {
    pub(crate) fn role(&self) -> &Role {
        // A handler may be called before the main thread has got its role.
        self.role.wait()
    }

    pub(crate) fn asker(&self) -> &Asker {
        self.asker.get().expect("it is set before the start")
    }

    pub(crate) fn release(&self, count: usize) {
        *lock(&self.permits) += count;
        self.released.notify_all();
    }

    pub(crate) fn wait_for_release(&self) {
        let mut permits =
            self.released.wait_while(lock(&self.permits), |permits| *permits == 0).expect("no panic");
        *permits -= 1;
    }
}
