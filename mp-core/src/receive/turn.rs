//! A handler's turn, and giving it up.
//!
//! Handlers run one at a time. One that waits for a reply of its own, or for room in another's
//! queue, must not hold up the others, or two processes that ask each other would wait for each
//! other: so `ask` lets others go first before it waits. What that means, `answer` tells when it
//! runs a handler; this module only carries the word, so that neither needs to know the other.

use std::{cell::RefCell, sync::Arc};

/// Whoever gave a handler its turn.
pub(crate) trait TurnHolder {
    /// The handler on this thread lets others go first. `false` if there is no thread for them:
    /// then it keeps its turn.
    fn hand_on(self: Arc<Self>) -> bool;
}

thread_local! {
    static TURN: RefCell<Option<Arc<dyn TurnHolder>>> = const { RefCell::new(None) };
}

/// Runs `handler`, during which the first [`let_others_go_first`] on this thread hands its turn on.
/// Tells whether it was kept.
pub(crate) fn hold(turns: Arc<dyn TurnHolder>, handler: impl FnOnce()) -> bool {
    put(Some(turns));
    handler();
    put(None).is_some()
}

/// Lets the handlers that wait go first, from now until this handler ends. Outside a handler it
/// does nothing.
pub(crate) fn let_others_go_first() {
    if let Some(turns) = put(None)
        && !Arc::clone(&turns).hand_on()
    {
        put(Some(turns));
    }
}

/// Tells what was there before. On a thread that ends, where this is gone before other
/// thread-locals, whose destructors may ask, there is nothing: no handler runs there.
fn put(turns: Option<Arc<dyn TurnHolder>>) -> Option<Arc<dyn TurnHolder>> {
    TURN.try_with(|turn| turn.replace(turns)).ok().flatten()
}
