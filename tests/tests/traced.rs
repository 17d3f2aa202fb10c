//! What a tracing subscriber is told.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mp_core::{InProcess, Message, Name, Primary, Secondary};
use tracing::{Event, Metadata, Subscriber, field, span};

/// Keeps the names of spans, and the messages of events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, text: String) {
        self.lines().push(text);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl field::Visit for &Log {
    fn record_debug(&mut self, field: &field::Field, value: &dyn Debug) {
        if ["message", "name", "reason"].contains(&field.name()) {
            self.push(format!("{} {value:?}", field.name()));
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mp_")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.push(span.metadata().name().to_owned());
        span.record(&mut &*self);
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self);
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn requests_handlers_rejections_and_members_are_told() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).expect("the only one of this process");
    let group = InProcess::new();
    let (echo, unknown) = (Name::from_static("echo"), Name::from_static("unknown"));
    let primary = Primary::builder("any")
        .in_process(&group)
        .serve(echo, |request, _, responder| responder.reply(&request.param, &[]).unwrap())
        .start()
        .unwrap();
    let secondary = Secondary::builder("any").in_process(&group).start().unwrap();
    secondary.request(&Message::new(echo), Duration::from_secs(1)).unwrap();
    secondary.request(&Message::new(unknown), Duration::from_secs(1)).unwrap_err();
    primary.request(&Message::new(echo), Duration::from_secs(1)).unwrap();
    drop((secondary, primary));
    for told in [
        "message joined",
        "mp_request",
        "mp_handle",
        "name echo",
        "message rejected a datagram",
        "reason no action is registered under its name",
        "mp_request_all",
        "message left",
    ] {
        let lines = log.lines();
        assert!(lines.iter().any(|line| line == told), "{told:?} is not in {lines:?}");
    }
}
