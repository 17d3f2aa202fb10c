//! When calls give up: at their deadline, whichever way they wait.
//!
//! How late is a figure, not an assertion, since it is also the machine's; the test prints it, and
//! the benchmark `deadline` compares it.

use std::time::{Duration, Instant};

use mp_core::{Client, Message, Name, RequestError, SendError};
use pollster::block_on;
use tests::{Group, RawSocket, group};

const RUNS: usize = 15;

fn message() -> Message {
    Message::new(Name::from_static("note"))
}

/// A primary that never reads; the next that is sent to it finds room, or does not.
fn mute(group: &Group, is_full: bool) -> RawSocket {
    let socket = RawSocket::bound(&group.join("mp_socket"));
    let from = RawSocket::unbound();
    while is_full && from.try_send(&group.join("mp_socket"), &[0; 332]).is_ok() {}
    socket
}

/// How late `call` returned, in the middle of some runs. It is never early.
fn lateness(timeout: Duration, mut call: impl FnMut(Duration)) -> Duration {
    let mut late: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            call(timeout);
            start.elapsed().checked_sub(timeout).expect("not before the deadline")
        })
        .collect();
    late.sort_unstable();
    late[RUNS / 2]
}

#[test]
fn deadlines_are_kept_by_every_way_to_wait_and_never_early() {
    let (silent, full) = (group!(), group!());
    let _sockets = [mute(&full, true)];
    let client =
        |group: &Group| Client::builder("mp-deadlines").runtime_dir(group.path()).start().expect("a client");
    let (of_silent, of_full) = (client(&silent), client(&full));
    let timed_out = |result| {
        // Where the machine is busy, the turn of one that nobody waits for may not come in time.
        let is_late = matches!(result, Err(RequestError::TimedOut { .. } | RequestError::NotAsked { .. }));
        assert!(is_late, "{result:?}");
    };
    let request = |timeout| {
        let _peer = mute(&silent, false);
        timed_out(of_silent.request(&message(), timeout));
        std::fs::remove_file(silent.join("mp_socket")).expect("it is there");
    };
    let asynchronous = |timeout| {
        let _peer = mute(&silent, false);
        timed_out(block_on(of_silent.request_async(&message(), timeout)));
        std::fs::remove_file(silent.join("mp_socket")).expect("it is there");
    };
    let send = |timeout| {
        let sent = of_full.within(timeout).send(&message());
        assert!(matches!(sent, Err(SendError::QueueFull { .. })), "{sent:?}");
    };
    for timeout in [1, 2, 5, 10, 20, 50, 300].map(Duration::from_millis) {
        let late = [lateness(timeout, request), lateness(timeout, asynchronous), lateness(timeout, send)];
        println!("{timeout:?}: late by {late:?} (request, asynchronous request, send)");
        assert!(late.iter().all(|late| *late < Duration::from_secs(1)), "{timeout:?}: {late:?}");
    }
}
