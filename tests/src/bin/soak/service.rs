//! What every process that joins answers, and how it notices that something came twice or out of order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use mp_typed::{Builder, Joins, Peer, RequestError};

use crate::{
    messages::{
        Dawdle, Dawdled, Echo, Echoed, Exchange, Halve, Lookup, Note, Relay, Sender, Set, Settled, Strict,
        older,
    },
    violation,
};

/// Every action, in the definitions of today.
pub(crate) fn today<R: Joins>(builder: Builder<R>, ask: impl Ask) -> Builder<R> {
    common(builder, ask)
        .serve(|set: Set, _: &Peer| Settled { speed: set.speed })
        .serve(|_: Strict, _: &Peer| ())
}

/// Every action, in the definitions of the release before.
pub(crate) fn of_the_release_before<R: Joins>(builder: Builder<R>, ask: impl Ask) -> Builder<R> {
    common(builder, ask)
        .serve(|_: older::Set, _: &Peer| older::Settled { speed: 10 })
        .serve(|_: older::Strict, _: &Peer| ())
}

/// How a handler asks in its turn.
pub(crate) trait Ask: Fn(&Echo) -> Result<Echoed, RequestError> + Send + Sync + 'static {}

impl<F: Fn(&Echo) -> Result<Echoed, RequestError> + Send + Sync + 'static> Ask for F {}

fn common<R: Joins>(builder: Builder<R>, ask: impl Ask) -> Builder<R> {
    let order = Arc::new(Order::default());
    builder
        .serve(|echo: Echo, _: &Peer| echo.answer())
        .serve(|exchange: Exchange, _: &Peer| exchange.answer().inspect_err(violation))
        .serve(|lookup: Lookup, _: &Peer| lookup.answer().inspect_err(violation))
        .serve(|halve: Halve, _: &Peer| halve.answer())
        .serve(|dawdle: Dawdle, _: &Peer| {
            thread::sleep(Duration::from_millis(dawdle.millis.into()));
            Dawdled { nonce: dawdle.nonce }
        })
        .serve(move |relay: Relay, _: &Peer| ask(&Echo::new(relay.nonce)))
        .on(move |note: Note, _: &Peer| order.see(&note))
}

/// The last that came of each sender.
#[derive(Default)]
struct Order(Mutex<BTreeMap<Sender, u64>>);

impl Order {
    fn see(&self, note: &Note) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.entry(note.from).or_default();
        if note.sequence <= *last {
            violation(&format!("note {} came after note {last} of the same sender", note.sequence));
        }
        *last = note.sequence;
    }
}
