//! How late calls give up: requests that nobody answers and messages that find no room, beside a bare
//! socket's receive timeout.

use std::{
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use mp_core::{Client, Message, Name, RequestError, SendError};

use super::Meeting;
use crate::{
    args::Args,
    report::{Number, Report, Table},
    samples::median,
};

/// In milliseconds: those that people choose, and the wire's round trip is far below.
const TIMEOUTS: [u64; 6] = [1, 2, 5, 10, 20, 50];

pub(super) fn run(args: &Args, report: &mut Report) {
    let (meeting, full) = (Meeting::new(), Meeting::new());
    // It is there and never reads; requests of one test find room.
    let mute = UnixDatagram::bind(meeting.path().join("mp_socket")).expect("a free path");
    let client = Client::builder("bench").runtime_dir(meeting.path()).start().expect("a client");
    let never_read = UnixDatagram::bind(full.path().join("mp_socket")).expect("a free path");
    fill(&full);
    let sender = Client::builder("bench").runtime_dir(full.path()).start().expect("a client");
    let bare = UnixDatagram::unbound().expect("a socket");
    let ask = Message::new(Name::from_static("ask"));

    let mut table = Table::new(["timeout, ms", "request", "asynchronous", "send", "bare `SO_RCVTIMEO`"]);
    let mut all = Vec::new();
    for timeout in TIMEOUTS {
        let time = Duration::from_millis(timeout);
        let late = |call: &mut dyn FnMut()| {
            let once = |_| {
                let start = Instant::now();
                call();
                let late = start.elapsed().saturating_sub(time).as_nanos() as f64 / 1000.0;
                drain(&mute);
                late
            };
            median((0..args.times(51)).map(once))
        };
        let request = late(&mut || expect_timeout(client.request(&ask, time)));
        let asynchronous = late(&mut || expect_timeout(pollster::block_on(client.request_async(&ask, time))));
        let send = late(&mut || {
            let sent = sender.within(time).send(&ask);
            assert!(matches!(sent, Err(SendError::QueueFull { .. })), "its queue is full");
        });
        bare.set_read_timeout(Some(time)).expect("not zero");
        let bare = late(&mut || drop(bare.recv(&mut [0; 8]).expect_err("nobody sends to it")));
        all.extend([request, asynchronous, send]);
        table.row([timeout.to_string(), us(request), us(asynchronous), us(send), us(bare)]);
    }
    drop(never_read);
    let worst = all.into_iter().fold(0.0, f64::max);
    report.count("deadline_late_us", worst);
    report.section("Deadlines: how late, at the median, µs", table.finish());
}

fn us(value: f64) -> String {
    Number(value).to_string()
}

fn expect_timeout<T>(result: Result<T, RequestError>) {
    assert!(matches!(result, Err(RequestError::TimedOut { .. })), "nobody answers");
}

/// Makes room for the next request.
fn drain(mute: &UnixDatagram) {
    mute.set_nonblocking(true).expect("it is a socket");
    while mute.recv(&mut [0; 512]).is_ok() {}
}

/// Leaves no room for what is sent to the primary there.
fn fill(meeting: &Meeting) {
    let from = UnixDatagram::unbound().expect("a socket");
    from.set_nonblocking(true).expect("it is a socket");
    while from.send_to(&[0; 332], meeting.path().join("mp_socket")).is_ok() {}
}
