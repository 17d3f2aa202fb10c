//! Stopping a role: how long it may take, who waits for whom, and what a failed start leaves.

use std::{
    fmt::Display,
    fs,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use mp_core::{
    Client, GroupError, Message, Name, Primary, RequestError, Secondary, SendError, StartError, Trust,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{Group, Lie, RawSocket, WITHIN, eventually, group, in_a_child, open_fds};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

/// In what a stop of [`SHORT`] must be over, on a busy machine.
const SOON: Duration = Duration::from_millis(900);

const STALL: Name = Name::from_static("stall");
const ECHO: Name = Name::from_static("echo");

/// A secondary whose `stall` tells that it runs, and runs until it is told to end.
fn stalling(group: &Group) -> (Secondary, Receiver<()>, Sender<()>) {
    let (began, begun) = channel();
    let (end, ends) = channel();
    let ends = Mutex::new(ends);
    let secondary = Secondary::builder("mp-stop")
        .runtime_dir(group.path())
        .trust(Trust::when(|_| true))
        .on(STALL, move |_, _| {
            began.send(()).expect("the test waits");
            let _ = ends.lock().expect("no panic").recv();
        })
        .serve(ECHO, |request| {
            let param = request.param();
            let _ = request.reply(param, &[]);
        })
        .start()
        .expect("it joins");
    (secondary, begun, end)
}

fn client(group: &Group) -> Client {
    Client::builder("mp-stop").runtime_dir(group.path()).start().expect("a client")
}

/// Has the secondary's `stall` run.
fn stall(group: &Group, secondary: &Secondary, begun: &Receiver<()>) {
    let members = secondary.members().expect("the directory is there");
    client(group).to(&members[0]).send(&Message::new(STALL)).expect("there is room");
    begun.recv_timeout(WITHIN).expect("the handler runs");
}

/// Waits until somebody is about to stop the secondary: requests are ignored from then on.
fn await_stopping(group: &Group, secondary: &Secondary) {
    let (client, members) = (client(group), secondary.members().expect("the directory is there"));
    assert!(eventually(|| client.to(&members[0]).request(&Message::new(ECHO), LONG).is_err()));
}

/// Has everything hold up the stop of a secondary: a handler, the lock, a callback, an answer.
fn hold_up(group: &Group, secondary: &Secondary, begun: &Receiver<()>) -> (fs::File, Sender<()>, RawSocket) {
    let mute = RawSocket::bound(&group.join("mute"));
    let filler = RawSocket::unbound();
    while filler.try_send(&group.join("mute"), &Lie::message("note", b"").bytes()).is_ok() {}
    mute.send(secondary.address().path(), &Lie::request("echo", b"").bytes());
    assert!(eventually(|| secondary.statistics().replies_sent == 1), "it is held back");
    stall(group, secondary, begun);
    let (began, calling) = channel();
    let (end, ends) = channel();
    secondary.request_then(&Message::new(ECHO), LONG, move |_, _| {
        began.send(()).expect("the test waits");
        let _ = ends.recv();
    });
    calling.recv_timeout(WITHIN).expect("there is no primary, which is told at once");
    let directory = fs::File::open(group.path()).expect("it is there");
    directory.lock().expect("it is free");
    (directory, end, mute)
}

#[test]
fn a_stop_takes_no_longer_than_its_timeout_whatever_holds_it_up() {
    let group = group!();
    let (secondary, begun, end) = stalling(&group);
    let held_up = hold_up(&group, &secondary, &begun);
    let start = Instant::now();
    assert!(!secondary.stop(SHORT), "a handler and a callback run");
    assert!((SHORT..SOON).contains(&start.elapsed()), "{:?}", start.elapsed());
    drop((held_up, end));
    assert!(secondary.stop(WITHIN), "now they end");
}

#[test]
fn dropping_a_role_takes_a_second_whatever_holds_it_up() {
    let group = group!();
    let (secondary, begun, _end) = stalling(&group);
    let _held_up = hold_up(&group, &secondary, &begun);
    let start = Instant::now();
    drop(secondary);
    let second = Duration::from_secs(1);
    assert!((second..second + SOON - SHORT).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn a_second_stop_waits_for_the_first_and_tells_the_same() {
    let group = group!();
    let (secondary, begun, end) = stalling(&group);
    stall(&group, &secondary, &begun);
    let secondary = Arc::new(secondary);
    let (told, results) = channel();
    for _ in 0..3 {
        let (secondary, told) = (Arc::clone(&secondary), told.clone());
        thread::spawn(move || told.send(secondary.stop(LONG)));
    }
    await_stopping(&group, &secondary);
    assert!(!secondary.stop(SHORT), "one with a timeout of its own does not wait for longer");
    assert!(results.try_recv().is_err(), "none returns while a handler runs");
    drop(end);
    for _ in 0..3 {
        assert_eq!(results.recv_timeout(WITHIN), Ok(true));
    }
}

#[test]
fn a_second_stop_tells_that_the_first_was_not_over_in_time() {
    let group = group!();
    let (secondary, begun, _end) = stalling(&group);
    stall(&group, &secondary, &begun);
    let secondary = Arc::new(secondary);
    let first = thread::spawn({
        let secondary = Arc::clone(&secondary);
        move || secondary.stop(SHORT)
    });
    await_stopping(&group, &secondary);
    assert!(!secondary.stop(SHORT));
    assert!(!first.join().expect("no panic"));
}

/// The first stop waits for that very handler, or callback.
#[test]
fn a_second_stop_from_inside_a_handler_or_a_callback_does_not_wait_for_the_first() {
    let group = group!();
    let own: Arc<Mutex<Option<Arc<Secondary>>>> = Arc::default();
    let (began, begun) = channel();
    let (go_on, goes_on) = channel();
    let (told, results) = channel();
    let (goes_on, inside) = (Mutex::new(goes_on), Arc::clone(&own));
    let secondary = Secondary::builder("mp-stop")
        .runtime_dir(group.path())
        .on(STALL, move |_, _| {
            let secondary = inside.lock().expect("no panic").clone().expect("it runs");
            began.send(()).expect("the test waits");
            goes_on.lock().expect("no panic").recv().expect("the test goes on");
            told.send(secondary.stop(LONG)).expect("the test waits");
        })
        .start();
    let secondary = Arc::new(secondary.expect("it joins"));
    *own.lock().expect("no panic") = Some(Arc::clone(&secondary));
    stall(&group, &secondary, &begun);
    let (in_callback, go_back) = channel();
    let (tell_callback, told_callback) = channel();
    let (asked, of_callback) = (Arc::clone(&secondary), tell_callback);
    secondary.request_then(&Message::new(ECHO), LONG, move |_, _| {
        go_back.recv().expect("the test goes on");
        of_callback.send(asked.stop(LONG)).expect("the test waits");
    });
    let first = thread::spawn({
        let secondary = Arc::clone(&secondary);
        move || secondary.stop(LONG)
    });
    await_stopping(&group, &secondary);
    in_callback.send(()).expect("it waits");
    assert_eq!(told_callback.recv_timeout(WITHIN), Ok(false));
    go_on.send(()).expect("it waits");
    assert_eq!(results.recv_timeout(WITHIN), Ok(false));
    assert!(first.join().expect("no panic"));
    assert!(secondary.stop(Duration::ZERO), "it is over");
    own.lock().expect("no panic").take();
}

/// Lets this process have so many descriptors more than it has.
fn with_spare_fds<T>(spare: usize, run: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..before }).expect("lowered");
    let mut taken: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
    taken.truncate(taken.len() - spare);
    let result = run();
    drop(taken);
    setrlimit(Resource::Nofile, before).expect("as before");
    result
}

/// Lets this process have no room for the stack of another thread.
fn without_threads<T>(run: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::As);
    let pages = fs::read_to_string("/proc/self/statm").expect("it is always there");
    let pages: u64 = pages.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number");
    let current = pages * rustix::param::page_size() as u64 + (32 << 20);
    setrlimit(Resource::As, Rlimit { current: Some(current), ..before }).expect("lowered");
    let result = run();
    setrlimit(Resource::As, before).expect("as before");
    result
}

/// The handle of a role that could not be started.
macro_rules! assert_stopped {
    ($group:expr, $handle:expr, $fds:expr) => {{
        let echo = Message::new(ECHO);
        assert!(matches!($handle.request(&echo, LONG), Err(RequestError::Stopped)));
        assert!(matches!($handle.send(&echo), Err(SendError::Stopped)));
        let asked = pollster::block_on($handle.request_async(&echo, LONG));
        assert!(matches!(asked, Err(RequestError::Stopped)));
        assert!(matches!($handle.members(), Err(GroupError::NotStarted)));
        assert_eq!($handle.runtime_dir(), None);
        assert!(eventually(|| open_fds() == $fds), "{} of {}", open_fds(), $fds);
        assert_eq!($group.files("mp_"), [""; 0]);
    }};
}

fn told<T>(started: Result<T, impl Display>) -> String {
    started.map_or_else(|error| error.to_string(), |_| "started".into())
}

/// Descriptors, and room for threads, are the process's.
#[test]
fn after_a_failed_start_handles_are_stopped_and_keep_nothing() {
    let this = "after_a_failed_start_handles_are_stopped_and_keep_nothing";
    if !in_a_child(this, &[("RUST_MIN_STACK", "268435456")]) {
        return;
    }
    let group = group!();
    let primary = || Primary::builder("mp-stop").runtime_dir(group.path());
    let secondary = || Secondary::builder("mp-stop").runtime_dir(group.path());
    // The first socket of a process has it keep a descriptor for its forks.
    assert_eq!(told(primary().start()), "started");
    let fds = open_fds();
    let mut failures = [0; 2];
    for spare in 0..12 {
        let builder = primary();
        let handle = builder.handle();
        if with_spare_fds(spare, || builder.start()).map(drop).is_err() {
            failures[0] += 1;
            assert_stopped!(group, handle, fds);
        }
        let builder = secondary();
        let handle = builder.handle();
        if with_spare_fds(spare, || builder.start()).map(drop).is_err() {
            failures[1] += 1;
            assert_stopped!(group, handle, fds);
        }
    }
    // With that many it can: so some were refused their very socket.
    assert!(failures.iter().all(|failures| (2..12).contains(failures)), "{failures:?}");

    let builder = primary();
    let handle = builder.handle();
    let error = without_threads(|| builder.start()).map(drop);
    assert!(matches!(error, Err(StartError::Io(_))), "{}", told(error));
    assert_stopped!(group, handle, fds);
    let builder = secondary();
    let handle = builder.handle();
    let error = without_threads(|| builder.start()).map(drop);
    assert!(matches!(error, Err(StartError::Io(_))), "{}", told(error));
    assert_stopped!(group, handle, fds);
    assert_eq!(told(primary().start()), "started");
}
