//! Where callbacks are called, and what becomes of a panic in one.

use std::{
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use mp_core::{Message, Name};
use mp_typed::{Client, InProcess, Peer, Primary, Request, Secondary};
use tests::{WITHIN, eventually};

const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, Request)]
#[message(name = "label", response = ())]
struct Label(#[message(max_len = 4)] String);

fn too_long() -> Label {
    Label("too long".into())
}

/// Asks; tells on which thread the callback was called, and with what.
macro_rules! called {
    ($asks:expr, $request:expr) => {{
        let (sender, called) = channel();
        $asks.request_then($request, LONG, move |_, result| {
            let thread = thread::current();
            let result = result.map(drop).map_err(|error| error.to_string());
            sender.send((thread.id(), thread.name().unwrap_or_default().to_owned(), result)).unwrap();
        });
        called
    }};
}

type Called = (thread::ThreadId, String, Result<(), String>);

#[track_caller]
fn assert_on_the_thread_for_callbacks(called: &Receiver<Called>) {
    let (thread, name, result) = called.recv_timeout(WITHIN).expect("a callback in time");
    assert_eq!(name, "mp_async");
    assert_ne!(thread, thread::current().id());
    let error = result.expect_err("it cannot be encoded");
    assert!(error.contains("max_len") || error.contains('4'), "{error}");
}

#[test]
fn what_cannot_be_encoded_is_told_on_the_thread_for_callbacks() {
    let group = InProcess::new();
    let primary = Primary::builder("any").in_process(&group).start().unwrap();
    let secondary = Secondary::builder("any").in_process(&group).start().unwrap();
    let client = Client::builder("any").in_process(&group).start().unwrap();
    let member = primary.members().unwrap().remove(0);
    assert_on_the_thread_for_callbacks(&called!(primary, too_long()));
    assert_on_the_thread_for_callbacks(&called!(primary.handle(), too_long()));
    assert_on_the_thread_for_callbacks(&called!(primary.to(&member), too_long()));
    assert_on_the_thread_for_callbacks(&called!(secondary, too_long()));
    assert_on_the_thread_for_callbacks(&called!(client, too_long()));
}

#[test]
fn a_panic_in_a_callback_never_escapes_and_the_next_is_called() {
    let group = InProcess::new();
    let _primary = Primary::builder("any").in_process(&group).serve(|_: Label, _: &Peer| ()).start().unwrap();
    let client = Client::builder("any").in_process(&group).start().unwrap();
    client.request_then(too_long(), LONG, |_, _| panic!("one that could not be encoded"));
    client.request_then(Label("ok".into()), LONG, |_, _| panic!("one that was answered"));
    assert!(eventually(|| client.statistics().handler_panics == 2));
    let (_, name, result) = called!(client, Label("ok".into())).recv_timeout(WITHIN).unwrap();
    assert_eq!((name.as_str(), result), ("mp_async", Ok(())));
}

/// Whatever cannot be taken on is told on the calling thread, before the call returns.
#[test]
fn what_is_not_taken_on_is_told_on_the_calling_thread_where_a_panic_is_caught() {
    let group = InProcess::new();
    let full = mp_core::Client::builder("any").in_process(&group).requests_under_way(0).start().unwrap();
    let ping = Message::new(Name::from_static("ping"));
    let called = |error: &str, called: &Receiver<Called>| {
        let (thread, _, result) = called.try_recv().expect("it has been called");
        assert_eq!((thread, result), (thread::current().id(), Err(error.to_owned())));
    };
    let too_many = "0 asynchronous requests are under way already, as many as may be";
    called(too_many, &called!(full, &ping));
    full.request_then(&ping, LONG, |_, _| panic!("too many are under way"));
    assert_eq!(full.statistics().handler_panics, 1);

    let not_started = Primary::builder("any").in_process(&group).handle();
    called("this role has not been started yet", &called!(not_started, Label("ok".into())));
    not_started.request_then(Label("ok".into()), LONG, |_, _| panic!("not started"));
    not_started.request_then(too_long(), LONG, |_, _| panic!("not started, nor to be encoded"));

    let stopped = Secondary::builder("any").in_process(&group).start().unwrap();
    assert!(stopped.stop(WITHIN));
    called("this role has been stopped", &called!(stopped, Label("ok".into())));
    stopped.request_then(Label("ok".into()), LONG, |_, _| panic!("stopped"));
    stopped.request_then(too_long(), LONG, |_, _| panic!("stopped, nor to be encoded"));
    assert_eq!(stopped.statistics().handler_panics, 2);
}
