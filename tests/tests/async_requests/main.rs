//! Requests that nobody blocks for: futures, callbacks, and how each ends.

mod answers;
mod callbacks;
mod ends;
mod many;

use std::{
    fs,
    io::{PipeReader, Read, pipe},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use mp_core::{
    Client, GroupError, InProcess, Message, Name, Outcome, Primary, RepliesFuture, Reply, ReplyFuture,
    RequestError, Secondary, SendError,
};
use pollster::block_on;
use tests::{Group, Lie, Process, RawSocket, WITHIN, eventually, group, open_fds};

/// Longer than any test takes: a request with it never times out.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

/// How many reply sockets a role has for asynchronous requests.
const SOCKETS: usize = 128;

/// They count this process's descriptors and threads, so they take turns, and
/// each begins when nothing of the one before is left.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static AT_FIRST: OnceLock<usize> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let at_first = *AT_FIRST.get_or_init(|| {
        // What a process has from its first role on, it keeps.
        drop(primary(&group!()));
        open_fds()
    });
    assert!(
        eventually(|| async_threads().is_empty() && open_fds() == at_first),
        "the test before left something"
    );
    turn
}

fn message(name: &str, text: &str) -> Message {
    Message::new(Name::new(name).expect("a name")).with_param(text).expect("it fits")
}

fn client(group: &Group) -> Client {
    Client::builder("mp-async").runtime_dir(group.path()).start().expect("a client")
}

fn primary(group: &Group) -> Primary {
    Primary::builder("mp-async").runtime_dir(group.path()).start().expect("a primary")
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.message.param).into_owned()
}

/// A reply's text, or the name of the error.
fn told(result: Result<Reply, RequestError>) -> String {
    match result {
        Ok(reply) => text(&reply),
        Err(error) => variant(&error),
    }
}

fn variant(error: &RequestError) -> String {
    format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Sends what a callback gets: the request's text and what came of it.
fn report(sender: &Sender<(String, String)>) -> impl FnOnce(Message, Result<Reply, RequestError>) + use<> {
    let sender = sender.clone();
    move |request, result| {
        assert!(request.fds.is_empty());
        // Whoever listened may have seen enough.
        let _ = sender.send((String::from_utf8_lossy(&request.param).into_owned(), told(result)));
    }
}

/// The next callback's report.
fn reported(reports: &Receiver<(String, String)>) -> (String, String) {
    reports.recv_timeout(WITHIN).expect("a callback in time")
}

/// This process's threads for asynchronous requests.
fn async_threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("it is always there");
    let dirs = tasks.map_while(Result::ok).map(|task| task.path().display().to_string());
    dirs.filter(|dir| fs::read_to_string(format!("{dir}/comm")).is_ok_and(|comm| comm == "mp_async\n"))
        .collect()
}

#[track_caller]
fn assert_open_fds(before: usize) {
    assert!(eventually(|| open_fds() == before), "{} open, {before} before", open_fds());
}

/// Nothing of an ended role is left.
#[track_caller]
fn assert_nothing_left(group: &Group, fds: usize) {
    assert!(eventually(|| async_threads().is_empty()), "{:?}", async_threads());
    assert_open_fds(fds);
    let own = format!("mp_reply_{}_", std::process::id());
    assert_eq!(group.files(&own), [""; 0]);
}

/// Fills the queue of a process that is paused.
fn fill_queue(group: &Group, name: &str) {
    let (filler, note) = (RawSocket::unbound(), Lie::message("note", b"filler").bytes());
    while filler.try_send(&group.join(name), &note).is_ok() {}
}

/// Waits until the other end of a pipe is closed everywhere.
fn await_closed(mut reader: PipeReader) {
    let (sender, closed) = channel();
    thread::spawn(move || sender.send(reader.read(&mut [0])));
    assert_eq!(closed.recv_timeout(WITHIN).expect("closed in time").expect("a pipe"), 0);
}
