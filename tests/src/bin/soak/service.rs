//! What every process that joins answers, and how it notices that something came twice or out of order.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
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
    let builder = builder
        .serve(|echo: Echo, _: &Peer| echo.answer())
        .serve(|exchange: Exchange, _: &Peer| exchange.answer().inspect_err(violation))
        .serve(|lookup: Lookup, _: &Peer| lookup.answer().inspect_err(violation))
        .serve(|halve: Halve, _: &Peer| halve.answer())
        .serve(move |relay: Relay, _: &Peer| ask(&Echo::new(relay.nonce)));
    if fastrand::bool() { by_handlers(builder) } else { by_streams(builder) }
}

/// What may take long, and what has an order, handled as it comes.
fn by_handlers<R: Joins>(builder: Builder<R>) -> Builder<R> {
    let order = Mutex::new(Order::default());
    builder.serve(|dawdle: Dawdle, _: &Peer| dawdled(&dawdle)).on(move |note: Note, _: &Peer| {
        order.lock().unwrap_or_else(PoisonError::into_inner).see(&note);
    })
}

/// The same, read as streams by threads of this process's own, which end with the role.
fn by_streams<R: Joins>(builder: Builder<R>) -> Builder<R> {
    match (builder.requests::<Dawdle>(64), builder.messages::<Note>(256)) {
        (Ok(dawdles), Ok(notes)) => {
            thread::spawn(move || {
                for (dawdle, _, responder) in dawdles {
                    // Who asked may have given up or be gone.
                    let _ = responder.reply(&dawdled(&dawdle));
                }
            });
            thread::spawn(move || {
                let mut order = Order::default();
                for (note, _) in notes {
                    order.see(&note);
                }
            });
        }
        (dawdles, notes) => violation(&format!("no streams: {:?}, {:?}", dawdles.err(), notes.err())),
    }
    builder
}

fn dawdled(dawdle: &Dawdle) -> Dawdled {
    thread::sleep(Duration::from_millis(dawdle.millis.into()));
    Dawdled { nonce: dawdle.nonce }
}

/// The last that came of each sender.
#[derive(Default)]
struct Order(BTreeMap<Sender, u64>);

impl Order {
    fn see(&mut self, note: &Note) {
        let last = self.0.entry(note.from).or_default();
        if note.sequence <= *last {
            violation(&format!("note {} came after note {last} of the same sender", note.sequence));
        }
        *last = note.sequence;
    }
}
