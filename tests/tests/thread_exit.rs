//! Asking while a thread ends: from the destructor of a thread-local of the user's.

use std::{
    cell::RefCell,
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

use mp_core::{Client, Message, Name};
use pollster::block_on;
use tests::{WITHIN, group, in_a_child};

const LONG: Duration = Duration::from_secs(60);

/// Asks in every way as it is dropped.
struct AsksAtTheEnd(Client, Sender<Vec<String>>);

impl Drop for AsksAtTheEnd {
    fn drop(&mut self) {
        let Self(client, said) = self;
        let echo = Message::new(Name::from_static("echo"));
        let mut results = vec![
            format!("{:?}", client.send(&echo)),
            client.request(&echo, LONG).map_or_else(|error| error.to_string(), |_| "a reply".into()),
            block_on(client.request_async(&echo, LONG)).map_or_else(|e| e.to_string(), |_| "a reply".into()),
        ];
        let (sender, called) = channel();
        client.request_then(&echo, LONG, move |_, reply| {
            let _ = sender.send(reply.is_ok());
        });
        results.push(format!("{:?}", called.recv_timeout(WITHIN)));
        said.send(results).expect("the test waits");
    }
}

thread_local! {
    static LAST: RefCell<Option<AsksAtTheEnd>> = const { RefCell::new(None) };
}

/// A panic there ends the process, so it is one of its own.
#[test]
fn the_destructor_of_another_thread_local_may_ask() {
    if !in_a_child("the_destructor_of_another_thread_local_may_ask", &[]) {
        return;
    }
    let group = group!();
    let _primary = group.primary();
    let client = Client::builder("mp-exit").runtime_dir(group.path()).start().expect("a client");
    let (sender, said) = channel();
    let thread = thread::spawn(move || {
        // Destructors run in the order opposite to that of first use: ours after the library's.
        LAST.set(Some(AsksAtTheEnd(client.clone(), sender)));
        client.request(&Message::new(Name::from_static("echo")), LONG).map(drop)
    });
    assert!(thread.join().expect("no panic").is_ok());
    let results = said.recv_timeout(WITHIN).expect("it has asked");
    assert_eq!(results, ["Ok(())", "a reply", "a reply", "Ok(true)"]);
}
