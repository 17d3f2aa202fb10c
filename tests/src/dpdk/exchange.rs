//! What any two processes of a group must be able to do with each other.

use std::time::{Duration, Instant};

use super::{Content, Event, Mode, Process, Refused, Requested};

const PAYLOADS: [usize; 4] = [0, 1, 255, 256];
const FDS: [usize; 3] = [0, 1, 8];

/// Longer than any answer takes that comes at all.
const LONG: Duration = Duration::from_secs(10);

/// A timeout that is meant to pass.
const SHORT: Duration = Duration::from_millis(300);

const ETIMEDOUT: i32 = 110;

/// What the asker does not get when it asks for a name that nobody has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// A reply, within its timeout: DPDK stays silent.
    TimesOut,
    /// A reply, at once: it is told to ignore the answerer, as Rust processes do.
    Ignored,
}

/// Payloads and descriptors of every size come back as they were sent, and nobody keeps a descriptor.
///
/// # Panics
/// If they do not.
pub fn requests(asker: &Process, answerer: &Process) {
    answerer.register("echo", Mode::Echo).expect("the name is free");
    let echo = |payload, fds| {
        let requested = asker.request("echo", &bytes(payload), fds, LONG).expect("an echo");
        assert_eq!(requested.request.iter().map(|sent| sent.fds.len()).sum::<usize>(), fds);
        assert_echo(&requested);
    };
    // The first may leave something open for the next, such as a socket.
    echo(0, 0);
    let open = open_fds([asker, answerer]);
    for (payload, fds) in sizes() {
        echo(payload, fds);
    }
    assert_none_kept([asker, answerer], open);
    answerer.unregister("echo").expect("it was registered");
}

/// A request whose answer comes in a callback.
///
/// # Panics
/// If it does not.
pub fn async_requests(asker: &Process, answerer: &Process) {
    answerer.register("echo", Mode::Echo).expect("the name is free");
    for (payload, fds) in sizes() {
        let request = asker.request_async("echo", &bytes(payload), fds, LONG).expect("it is sent");
        let Event::Async(requested) = asker.next_event() else {
            panic!("the end of the request was expected")
        };
        assert_echo(&Requested { request: Some(request), ..requested });
    }
    answerer.unregister("echo").expect("it was registered");
}

/// Messages of every size arrive as they were sent, in order, and nobody keeps a descriptor.
///
/// # Panics
/// If they do not.
pub fn messages(sender: &Process, receiver: &Process) {
    receiver.register("told", Mode::Print).expect("the name is free");
    let tell = |payload, fds| sender.send("told", &bytes(payload), fds).expect("it is sent");
    let first = tell(0, 0);
    assert_eq!(receiver.next_arrival(), first);
    let open = open_fds([sender, receiver]);
    // Fewer than a queue takes, so that none waits; then all are looked at.
    for sizes in sizes().collect::<Vec<_>>().chunks(6) {
        let sent: Vec<Content> = sizes.iter().map(|(payload, fds)| tell(*payload, *fds)).collect();
        let arrived: Vec<Content> = sizes.iter().map(|_| receiver.next_arrival()).collect();
        assert_eq!(arrived, sent);
    }
    assert_none_kept([sender, receiver], open);
    receiver.unregister("told").expect("it was registered");
}

/// A request that is never answered ends with its timeout, and does no harm to the next one.
///
/// # Panics
/// If it does not.
pub fn timeouts(asker: &Process, answerer: &Process) {
    answerer.register("silent", Mode::Silent).expect("the name is free");
    assert_timed_out(&asker.request("silent", &[], 0, SHORT));
    assert_eq!(answerer.next_arrival().name, "silent");
    answerer.unregister("silent").expect("it was registered");
    requests(asker, answerer);
}

/// A reply that comes after its timeout is not taken for the answer to the next request.
///
/// # Panics
/// If it is.
pub fn late_replies(asker: &Process, answerer: &Process) {
    answerer.register("late", Mode::EchoAfter(SHORT * 2)).expect("the name is free");
    assert_timed_out(&asker.request("late", b"first", 0, SHORT));
    let requested = asker.request("late", b"second", 0, LONG).expect("an answer in time");
    assert_eq!(requested.replies.len(), 1);
    assert_eq!(requested.replies[0].param, b"second");
    answerer.unregister("late").expect("it was registered");
}

/// A request that nobody has an action for does what `unknown` says, and a message does nothing.
///
/// # Panics
/// If they do not.
pub fn unknown_names(asker: &Process, answerer: &Process, unknown: Unknown) {
    asker.send("unheard_of", &[1], 1).expect("sending is not refused");
    let result = asker.request("unheard_of", &[1], 1, SHORT);
    match unknown {
        Unknown::TimesOut => assert_timed_out(&result),
        Unknown::Ignored => {
            let requested = result.expect("being ignored is not an error");
            assert_eq!((requested.sent, requested.received), (0, 0));
            assert!(requested.took < SHORT, "{requested:?}");
        }
    }
    requests(asker, answerer);
}

fn open_fds(processes: [&Process; 2]) -> [u32; 2] {
    processes.map(Process::open_fds)
}

/// Waits until both have closed what they no longer need: whoever has answered may be about to close what it answered
/// with. So it was `before`, too, which makes that a bound; all that was sent since is far more.
fn assert_none_kept(processes: [&Process; 2], before: [u32; 2]) {
    let deadline = Instant::now() + LONG;
    loop {
        let now = open_fds(processes);
        if now[0] <= before[0] && now[1] <= before[1] {
            return;
        }
        assert!(Instant::now() < deadline, "descriptors are kept: {now:?} now, {before:?} before");
    }
}

fn sizes() -> impl Iterator<Item = (usize, usize)> {
    PAYLOADS.into_iter().flat_map(|payload| FDS.into_iter().map(move |fds| (payload, fds)))
}

/// No two bytes in a row alike, and none that a zeroed buffer would have.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % 255) as u8 + 1).collect()
}

/// One that asks one peer fails; a Rust primary, which asks all, reports what became of each and keeps what came.
fn assert_timed_out(result: &Result<Requested, Refused>) {
    let took = match result {
        Ok(Requested { took, sent: 1, received: 0, .. }) | Err(Refused { took, errno: ETIMEDOUT, .. }) => {
            *took
        }
        _ => panic!("nobody was to answer: {result:?}"),
    };
    assert!(took >= SHORT && took < SHORT + LONG / 10, "{result:?}");
}

fn assert_echo(requested: &Requested) {
    assert_eq!((requested.sent, requested.received), (1, 1));
    assert_eq!(requested.replies.iter().collect::<Vec<_>>(), requested.request.iter().collect::<Vec<_>>());
}
