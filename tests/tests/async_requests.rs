//! Requests that nobody blocks for: futures, callbacks, and how each ends.

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
    assert!(eventually(|| couriers().is_empty() && open_fds() == at_first), "the test before left something");
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
fn couriers() -> Vec<String> {
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
    assert!(eventually(|| couriers().is_empty()), "{:?}", couriers());
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

#[test]
fn replies_come_to_futures_in_any_order() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let futures: Vec<_> =
        (0..20).map(|i| client.request_async(&message("echo", &i.to_string()), LONG)).collect();
    for (i, future) in futures.into_iter().enumerate().rev() {
        assert_eq!(text(&block_on(future).unwrap()), i.to_string());
    }
    let statistics = client.statistics();
    assert_eq!((statistics.requests_sent, statistics.replies_received), (20, 20));
}

#[test]
fn descriptors_go_and_come() {
    let _alone = alone();
    let group = group!();
    let primary = group.primary();
    let (client, fds) = (client(&group), primary.open_fds());
    let (mut reader, writer) = pipe().unwrap();
    let message = message("echo", "").with_fd(writer.into()).unwrap();
    let future = client.request_async(&message, LONG);
    drop(message);
    let reply = block_on(future).unwrap();
    let mut returned = std::io::PipeWriter::from(reply.message.fds.into_iter().next().unwrap());
    std::io::Write::write_all(&mut returned, b"x").unwrap();
    drop(returned);
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert_eq!(read, "x", "and no copy is open any more");
    primary.assert_open_fds(fds);
}

#[test]
fn the_copies_of_descriptors_are_closed_as_soon_as_they_are_sent() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let (reader, writer) = pipe().unwrap();
    // The other end keeps the request, but not its message.
    let future = client.request_async(&message("keep", "").with_fd(writer.into()).unwrap(), LONG);
    await_closed(reader);
    drop(future);
}

#[test]
fn a_peer_that_gives_no_answer_is_told_from_one_that_takes_long() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    for name in ["forget", "panic", "unheard_of"] {
        assert_eq!(told(block_on(client.request_async(&message(name, ""), LONG))), "Ignored");
    }
    let start = Instant::now();
    let silent = client.request_async(&message("keep", ""), SHORT);
    assert_eq!(told(block_on(silent)), "TimedOut");
    assert!((SHORT..LONG).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn without_a_primary_that_is_told_at_once() {
    let _alone = alone();
    let group = group!();
    let fds = open_fds();
    {
        let client = client(&group);
        let future = client.request_async(&message("echo", ""), LONG);
        let Err(RequestError::NoPrimary { dir }) = block_on(future) else { panic!("there is none") };
        assert_eq!(dir, group.path());
        let (sender, reports) = channel();
        client.request_then(&message("echo", "hi"), LONG, report(&sender));
        assert_eq!(reported(&reports), ("hi".into(), "NoPrimary".into()));
    }
    assert_nothing_left(&group, fds);
}

#[test]
fn a_request_to_all_brings_each_ones_outcome() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let mut secondaries = [group.secondary(), group.secondary(), group.secondary()];
    let replies = block_on(primary.request_async(&message("echo", "all"), LONG)).unwrap();
    assert_eq!((replies.sent(), replies.received(), replies.outcomes.len()), (3, 3, 3));
    assert!(replies.replies.iter().all(|reply| text(reply) == "all"));
    let pids: Vec<_> = secondaries.iter().map(Process::pid).collect();
    assert!(replies.replies.iter().all(|reply| pids.contains(&reply.peer.pid())));

    secondaries[0].pause();
    secondaries[1].kill();
    let replies = block_on(primary.request_async(&message("echo", "all"), SHORT)).unwrap();
    let outcome_of = |i: usize| {
        let is_it = |(member, _): &&(mp_core::Member, Outcome)| member.pid() == Some(pids[i]);
        replies.outcomes.iter().find(is_it).expect("it was a member").1.clone()
    };
    assert_eq!([0, 1, 2].map(outcome_of), [Outcome::TimedOut, Outcome::Gone, Outcome::Replied]);
    assert_eq!((replies.sent(), replies.received()), (3, 1));
    assert_eq!(group.files("mp_socket_").len(), 2, "the dead one's file is removed");
}

#[test]
fn a_request_to_nobody_is_over_at_once() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let replies = block_on(primary.request_async(&message("echo", ""), LONG)).unwrap();
    assert_eq!((replies.sent(), replies.outcomes.len()), (0, 0));
    let (sender, outcome) = channel();
    primary.request_then(&message("echo", "hi"), LONG, move |request, result| {
        sender.send((request.param.len(), result.unwrap().outcomes.len())).unwrap();
    });
    assert_eq!(outcome.recv_timeout(WITHIN).unwrap(), (2, 0));
    assert!(outcome.recv().is_err(), "once");
}

#[test]
fn one_member_can_be_asked_alone() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let (mut first, _second) = (group.secondary(), group.secondary());
    let members = primary.members().unwrap();
    let member = members.iter().find(|member| member.pid() == Some(first.pid())).unwrap();
    let reply = block_on(primary.to(member).request_async(&message("echo", "you"), LONG)).unwrap();
    assert_eq!((text(&reply), reply.peer.pid()), ("you".into(), first.pid()));
    first.kill();
    let (sender, reports) = channel();
    primary.to(member).request_then(&message("echo", "still there?"), LONG, report(&sender));
    assert_eq!(reported(&reports), ("still there?".into(), "Gone".into()));
}

#[test]
fn a_cancelled_requests_reply_answers_no_other() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let fds = open_fds();
    {
        let client = client(&group);
        let cancelled = client.request_async(&message("stall", "cancelled"), LONG);
        assert_eq!(primary.event("stall"), "cancelled");
        drop(cancelled);
        // Its reply socket is closed, not used again.
        assert!(eventually(|| group.files("mp_reply_").is_empty()));
        let wanted = client.request_async(&message("stall", "wanted"), LONG);
        primary.call("release 2");
        assert_eq!(text(&block_on(wanted).unwrap()), "wanted");
        assert_eq!(client.statistics().replies_received, 1);
    }
    assert_eq!(primary.event("stall"), "wanted");
    assert_nothing_left(&group, fds);
}

#[test]
fn a_reply_that_comes_late_answers_no_other() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    assert_eq!(told(block_on(client.request_async(&message("stall", "late"), SHORT))), "TimedOut");
    primary.event("stall");
    let next = client.request_async(&message("stall", "next"), LONG);
    primary.call("release 2");
    assert_eq!(text(&block_on(next).unwrap()), "next");
}

#[test]
fn the_descriptors_of_one_cancelled_before_its_turn_are_closed() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    let kept: Vec<_> = (0..SOCKETS).map(|_| client.request_async(&message("keep", ""), LONG)).collect();
    kept.iter().for_each(|_| drop(primary.event("keep")));
    let (reader, writer) = pipe().unwrap();
    let waiting = client.request_async(&message("keep", "").with_fd(writer.into()).unwrap(), LONG);
    drop(waiting);
    await_closed(reader);
    assert!(!primary.has_told("keep"), "it was never sent");
}

#[test]
fn without_a_primary_all_are_told_so_at_once_however_many() {
    const MANY: usize = 100_000;
    let _alone = alone();
    let group = group!();
    let fds = open_fds();
    {
        let client = Client::builder("mp-async")
            .runtime_dir(group.path())
            .requests_under_way(MANY)
            .start()
            .expect("a client");
        let asked = Instant::now();
        let ask = |_| client.request_async(&message("echo", ""), WITHIN);
        let futures: Vec<_> = (0..MANY).map(ask).collect();
        for future in futures {
            assert_eq!(told(block_on(future)), "NoPrimary");
        }
        assert!(asked.elapsed() < WITHIN, "{:?}", asked.elapsed());
    }
    assert_nothing_left(&group, fds);
}

#[test]
fn however_many_wait_for_stuck_members_a_live_one_is_asked_at_once() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let stuck = ["mp_socket_1_1", "mp_socket_2_1", "mp_socket_3_1"].map(|name| {
        let path = group.join(name);
        (RawSocket::bound(&path), path)
    });
    let live = group.secondary();
    let members = primary.members().expect("they can be listed");
    let is_live = |member: &&mp_core::Member| member.pid() == Some(live.pid());
    let live = members.iter().find(is_live).expect("it is a member");
    let waiting: Vec<_> = (0..200)
        .flat_map(|_| members.iter().filter(|member| !is_live(member)))
        .map(|member| primary.to(member).request_async(&message("echo", ""), LONG))
        .collect();
    assert_eq!(waiting.len(), 200 * stuck.len());
    for i in 0..100 {
        let text = i.to_string();
        let reply = primary.to(live).request_async(&message("echo", &text), WITHIN);
        assert_eq!(told(block_on(reply)), text);
    }
}

#[test]
fn one_whose_turn_does_not_come_in_time_says_that_nobody_was_asked() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    let kept: Vec<_> = (0..SOCKETS).map(|_| client.request_async(&message("keep", ""), LONG)).collect();
    kept.iter().for_each(|_| drop(primary.event("keep")));
    let waiting = client.request_async(&message("keep", ""), SHORT);
    assert_eq!(told(block_on(waiting)), "NotAsked");
    assert!(!primary.has_told("keep"));
    // Room for one: the next in turn has it.
    let next = client.request_async(&message("echo", "next"), LONG);
    drop(kept);
    assert_eq!(told(block_on(next)), "next");
}

#[test]
fn ten_thousand_are_answered_over_a_bounded_number_of_sockets() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let fds = open_fds();
    {
        let client = client(&group);
        let start = Instant::now();
        let futures: Vec<_> =
            (0..10_000).map(|i| client.request_async(&message("echo", &i.to_string()), LONG)).collect();
        let mut most = 0;
        for (i, future) in futures.into_iter().enumerate() {
            most = most.max(open_fds());
            assert_eq!(text(&block_on(future).unwrap()), i.to_string());
        }
        println!("10,000 answered in {:?}, with at most {} descriptors", start.elapsed(), most - fds);
        // epoll, eventfd, and the moment's directory while a socket is made.
        assert!(most <= fds + SOCKETS + 8, "{most} descriptors, {fds} before");
        assert_eq!(couriers().len(), 1);
    }
    assert_nothing_left(&group, fds);
}

#[test]
fn ten_thousand_without_an_answer_end_together_at_their_deadline() {
    let _alone = alone();
    let group = group!();
    let primary = group.primary();
    let (fds, timeout) = (open_fds(), Duration::from_secs(2));
    primary.pause();
    {
        let client = client(&group);
        let start = Instant::now();
        let futures: Vec<_> =
            (0..10_000).map(|_| client.request_async(&message("keep", ""), timeout)).collect();
        let mut ends = std::collections::BTreeMap::new();
        for future in futures {
            *ends.entry(told(block_on(future))).or_insert(0) += 1;
        }
        println!("{ends:?} after {:?}", start.elapsed());
        assert!((timeout..2 * timeout).contains(&start.elapsed()), "{:?}", start.elapsed());
        // Those whose turn came as others timed out before them found the queue full.
        assert_eq!(
            ends.remove("TimedOut").unwrap() + ends.remove("QueueFull").unwrap(),
            10_000 - ends["NotAsked"]
        );
        assert_eq!(ends.len(), 1);
    }
    assert_nothing_left(&group, fds);
}

#[test]
fn ten_thousand_can_be_cancelled() {
    let _alone = alone();
    let group = group!();
    let primary = group.primary();
    let fds = open_fds();
    primary.pause();
    {
        let client = client(&group);
        let futures: Vec<_> = (0..10_000).map(|_| client.request_async(&message("echo", ""), LONG)).collect();
        drop(futures);
        primary.resume();
        assert_eq!(told(block_on(client.request_async(&message("echo", "next"), LONG))), "next");
    }
    assert_nothing_left(&group, fds);
}

#[test]
fn over_the_bound_that_is_told_at_once() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = Client::builder("mp-async").runtime_dir(group.path()).requests_under_way(2).start().unwrap();
    let first = client.request_async(&message("keep", ""), LONG);
    let _second = client.request_async(&message("keep", ""), LONG);
    let third = client.request_async(&message("echo", ""), LONG);
    let error = block_on(third).unwrap_err();
    assert!(matches!(error, RequestError::TooManyUnderWay { bound: 2 }), "{error}");
    let (sender, reports) = channel();
    client.request_then(&message("echo", "hi"), LONG, report(&sender));
    assert_eq!(reports.try_recv().unwrap(), ("hi".into(), "TooManyUnderWay".into()), "on this thread");
    drop(first);
    // It has ended once the courier has heard of it.
    let can_ask = || told(block_on(client.request_async(&message("echo", "hi"), LONG))) == "hi";
    assert!(eventually(can_ask));
}

#[test]
fn a_callback_is_called_once_whatever_happens() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let (sender, reports) = channel();
    let client = client(&group);
    let ask = |name: &str, text: &str, timeout| {
        client.request_then(&message(name, text), timeout, report(&sender));
    };
    ask("echo", "a", LONG);
    assert_eq!(reported(&reports), ("a".into(), "a".into()));
    ask("forget", "b", LONG);
    assert_eq!(reported(&reports), ("b".into(), "Ignored".into()));
    ask("keep", "c", SHORT);
    assert_eq!(reported(&reports), ("c".into(), "TimedOut".into()));
    ask("keep", "d", LONG);
    primary.event("keep");
    primary.event("keep");
    primary.kill();
    assert_eq!(reported(&reports), ("d".into(), "Gone".into()));
    ask("echo", "e", LONG);
    assert_eq!(reported(&reports), ("e".into(), "NoPrimary".into()));
    let primary = group.primary();
    primary.pause();
    fill_queue(&group, "mp_socket");
    ask("echo", "f", SHORT);
    assert_eq!(reported(&reports), ("f".into(), "QueueFull".into()));
    ask("echo", "g", LONG);
    drop(client);
    assert_eq!(reported(&reports), ("g".into(), "Stopped".into()));
    drop(sender);
    assert!(reports.recv().is_err(), "and no more than once");
}

#[test]
fn a_panic_in_a_callback_is_counted_and_harms_no_other() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let (sender, reports) = channel();
    client.request_then(&message("echo", ""), LONG, |_, _| panic!("as this test wants it"));
    client.request_then(&message("echo", "next"), LONG, report(&sender));
    assert_eq!(reported(&reports).1, "next");
    assert_eq!(client.statistics().handler_panics, 1);
}

#[test]
fn a_callback_may_ask_again_and_may_hold_the_last_of_its_role() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let fds = open_fds();
    let (sender, reports) = channel();
    {
        let client = client(&group);
        let last = client.clone();
        client.request_then(&message("echo", "first"), LONG, move |_, first| {
            last.request_then(&message("echo", &told(first)), LONG, report(&sender));
            // Dropping it here stops the role, and with it what was just asked.
        });
    }
    assert!(["first", "Stopped"].contains(&&*reported(&reports).1));
    assert!(reports.recv().is_err());
    assert_nothing_left(&group, fds);
}

#[test]
fn a_peer_that_is_killed_ends_the_request_long_before_its_deadline() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    let start = Instant::now();
    let kept = client.request_async(&message("keep", ""), LONG);
    primary.event("keep");
    primary.kill();
    assert_eq!(told(block_on(kept)), "Gone");
    assert!(start.elapsed() < WITHIN);
    let mut primary = group.primary();
    assert_eq!(told(block_on(client.request_async(&message("echo", "anew"), LONG))), "anew");
    primary.pause();
    fill_queue(&group, "mp_socket");
    let full = client.request_async(&message("echo", ""), LONG);
    // They start in order: the one before has come to the full queue too.
    assert_eq!(told(block_on(client.request_async(&message("echo", ""), SHORT))), "QueueFull");
    primary.kill();
    assert_eq!(told(block_on(full)), "Gone");
}

#[test]
fn last_words_count() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    assert_eq!(told(block_on(client.request_async(&message("answer_and_die", ""), LONG))), "last words");
}

#[test]
fn a_peer_with_a_full_queue_gets_the_request_when_it_reads_again() {
    let _alone = alone();
    let group = group!();
    let primary = group.primary();
    let client = client(&group);
    assert_eq!(told(block_on(client.request_async(&message("echo", "warm"), LONG))), "warm");
    primary.pause();
    fill_queue(&group, "mp_socket");
    let futures: Vec<_> =
        (0..500).map(|i| client.request_async(&message("echo", &i.to_string()), LONG)).collect();
    // It takes its turn, and so has come to the full queue.
    let full = client.request_async(&message("echo", ""), SHORT);
    assert_eq!(told(block_on(full)), "NotAsked");
    primary.resume();
    for (i, future) in futures.into_iter().enumerate() {
        assert_eq!(told(block_on(future)), i.to_string());
    }
}

#[test]
fn requests_to_one_peer_are_sent_in_order_whatever_its_queue() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    primary.pause();
    let futures: Vec<_> =
        (0..300).map(|i| client.request_async(&message("stall", &i.to_string()), LONG)).collect();
    primary.resume();
    primary.call("release 300");
    for (i, future) in futures.into_iter().enumerate() {
        assert_eq!(primary.event("stall"), i.to_string());
        assert_eq!(told(block_on(future)), i.to_string());
    }
}

#[test]
fn one_after_another_fit_a_bound_of_one() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = Client::builder("mp-async").runtime_dir(group.path()).requests_under_way(1).start().unwrap();
    for i in 0..200 {
        let reply = block_on(client.request_async(&message("echo", &i.to_string()), LONG));
        assert_eq!(told(reply), i.to_string());
    }
}

#[test]
fn a_process_without_room_for_descriptors_hears_so_and_can_ask_later() {
    let _alone = alone();
    let group = group!();
    let (_primary, mut client) = (group.primary(), group.client());
    // No room for the thread's own two; then none for a reply socket.
    for room in 0..3 {
        client.call(&format!("max-fds {}", client.fd_limit_with_room_for(room)));
        let told = client.call("later ask echo 60000 hi");
        assert!(told.contains("Too many open files"), "{told}");
    }
    client.call("max-fds 256");
    assert!(client.call("later ask echo 60000 hi").ends_with(" hi"));
    assert!(client.finish());
}

#[test]
fn in_a_forks_copy_there_is_nobody_to_wait_for_replies() {
    let _alone = alone();
    let group = group!();
    let (mut primary, mut secondary) = (group.primary(), group.secondary());
    for _ in 0..2 {
        assert!(secondary.call("later ask echo 60000 hi").ends_with(" hi"));
        assert!(primary.call("later ask echo 60000 hi").contains("received=1"));
        assert_eq!(secondary.call("fork"), "Some(0)");
        assert_eq!(primary.call("fork"), "Some(0)");
    }
    assert!(primary.finish() && secondary.finish());
}

#[test]
fn within_one_process_it_needs_no_socket() {
    let _alone = alone();
    let fds = open_fds();
    {
        let group = InProcess::new();
        let echo = Name::from_static("echo");
        let primary = Primary::builder("any")
            .in_process(&group)
            .serve(echo, |request, _, responder| {
                let _ = responder.reply(&request.param, &[]);
            })
            .start()
            .unwrap();
        let secondary = Secondary::builder("any").in_process(&group).start().unwrap();
        let futures: Vec<_> =
            (0..1000).map(|i| secondary.request_async(&message("echo", &i.to_string()), LONG)).collect();
        for (i, future) in futures.into_iter().enumerate() {
            assert_eq!(told(block_on(future)), i.to_string());
        }
        let replies = block_on(primary.request_async(&message("echo", ""), LONG)).unwrap();
        assert!(matches!(replies.outcomes[0].1, Outcome::Ignored { .. }));
    }
    assert!(eventually(|| couriers().is_empty()));
    assert_open_fds(fds);
}

#[test]
fn a_request_to_all_waits_for_the_full_queues_of_some() {
    let _alone = alone();
    let group = group!();
    let primary = primary(&group);
    let (full, mut other) = (group.secondary(), group.secondary());
    let name = group.files(&format!("mp_socket_{}_", full.pid())).remove(0);
    full.pause();
    fill_queue(&group, &name);
    let fds = open_fds();
    let replies = block_on(primary.request_async(&message("echo", ""), SHORT)).unwrap();
    let outcomes: Vec<_> = replies.outcomes.iter().map(|(_, outcome)| outcome.clone()).collect();
    assert!(outcomes.contains(&Outcome::QueueFull) && outcomes.contains(&Outcome::Replied), "{outcomes:?}");
    // The courier's two and a line to all, to be used again; none for the full one.
    assert_open_fds(fds + 3);

    let waiting = primary.request_async(&message("stall", "hi"), LONG);
    assert_eq!(other.event("stall"), "hi");
    other.call("release 1");
    full.resume();
    let mut full = full;
    assert_eq!(full.event("stall"), "hi");
    full.call("release 1");
    assert_eq!(block_on(waiting).unwrap().received(), 2);
}

#[test]
fn a_role_that_stops_ends_all_that_is_under_way() {
    let _alone = alone();
    let group = group!();
    let fds = open_fds();
    let primary = primary(&group);
    let mut secondary = group.secondary();
    let members = primary.members().unwrap();
    let futures: Vec<ReplyFuture> =
        (0..2 * SOCKETS).map(|_| primary.to(&members[0]).request_async(&message("keep", ""), LONG)).collect();
    (0..SOCKETS).for_each(|_| drop(secondary.event("keep")));
    let to_all: RepliesFuture = primary.request_async(&message("keep", ""), LONG);
    let (sender, reports) = channel();
    primary.to(&members[0]).request_then(&message("keep", "hi"), LONG, report(&sender));
    assert!(primary.stop(WITHIN));
    assert_eq!(reports.try_recv().unwrap().1, "Stopped", "when `stop` returns, callbacks have been called");
    assert!(eventually(|| couriers().is_empty()));
    for future in futures {
        assert_eq!(told(block_on(future)), "Stopped");
    }
    assert!(matches!(block_on(to_all), Err(RequestError::Stopped)));
    let late = primary.to(&members[0]).request_async(&message("echo", ""), LONG);
    assert_eq!(told(block_on(late)), "Stopped");
    drop(primary);
    drop(secondary);
    assert_nothing_left(&group, fds);
}

#[test]
fn a_future_outlives_its_role() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let fds = open_fds();
    let client = client(&group);
    let (kept, dropped) =
        (client.request_async(&message("keep", ""), LONG), client.request_async(&message("keep", ""), LONG));
    let waiting = thread::spawn(|| told(block_on(kept)));
    drop(client);
    // At once: the process might end here.
    assert_eq!(group.files("mp_reply_"), [""; 0]);
    assert_eq!(waiting.join().unwrap(), "Stopped");
    drop(dropped);
    assert_nothing_left(&group, fds);
}

#[test]
fn before_the_start_there_is_nobody_to_ask() {
    let _alone = alone();
    let handle = Secondary::builder("mp-async").handle();
    assert_eq!(told(block_on(handle.request_async(&message("echo", ""), LONG))), "NotStarted");
    let (sender, reports) = channel();
    handle.request_then(&message("echo", "hi"), LONG, report(&sender));
    assert_eq!(reports.try_recv().unwrap(), ("hi".into(), "NotStarted".into()));
    let handle = Primary::builder("mp-async").handle();
    let error = block_on(handle.request_async(&message("echo", ""), LONG)).unwrap_err();
    assert_eq!(error.to_string(), "this role has not been started yet");
    assert!(matches!(handle.send(&message("echo", "")), Err(SendError::NotStarted)));
    assert!(matches!(handle.members(), Err(GroupError::NotStarted)));
}

#[test]
fn handlers_that_await_each_other_several_levels_deep_all_get_on() {
    let _alone = alone();
    let group = group!();
    let name = Name::from_static("count_down");
    let primary = Primary::builder("mp-async").runtime_dir(group.path());
    let handle = primary.handle();
    let primary = primary
        .serve(name, move |request, _, responder| {
            let left = request.param[0];
            let onward = Message::new(name).with_param([left - 1]).unwrap();
            let replies = block_on(handle.request_async(&onward, LONG)).unwrap();
            let _ = responder.reply(&[replies.replies[0].message.param[0] + 1], &[]);
        })
        .start()
        .unwrap();
    let secondary = Secondary::builder("mp-async").runtime_dir(group.path());
    let handle = secondary.handle();
    let _secondary = secondary
        .serve(name, move |request, _, responder| {
            let left = request.param[0];
            let depth = match left {
                0 => 0,
                _ => {
                    let onward = Message::new(name).with_param([left - 1]).unwrap();
                    block_on(handle.request_async(&onward, LONG)).unwrap().message.param[0]
                }
            };
            let _ = responder.reply(&[depth + 1], &[]);
        })
        .start()
        .unwrap();
    let deep = primary.request_async(&Message::new(name).with_param([8]).unwrap(), LONG);
    assert_eq!(*block_on(deep).unwrap().replies[0].message.param, [9]);
}

#[test]
fn while_nothing_is_under_way_the_thread_sleeps() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    assert_eq!(told(block_on(client.request_async(&message("echo", "hi"), LONG))), "hi");
    let dir = couriers().remove(0);
    let switches = || {
        let status = fs::read_to_string(format!("{dir}/status")).unwrap();
        status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned).collect::<Vec<_>>()
    };
    // It goes to sleep once more after the reply has been told.
    let asleep = || fs::read_to_string(format!("{dir}/stat")).unwrap().contains(") S ");
    assert!(eventually(asleep));
    let before = switches();
    // Half a second passes, in which the blocking request would wake it if it could.
    let silent = client.request(&message("keep", ""), Duration::from_millis(500));
    assert!(matches!(silent, Err(RequestError::TimedOut { .. })));
    assert_eq!(switches(), before);
}

#[test]
fn threads_that_ask_and_cancel_at_once_leave_nothing_behind() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let fds = open_fds();
    let answered = Arc::new(AtomicUsize::new(0));
    {
        let client = client(&group);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (client, answered) = (client.clone(), Arc::clone(&answered));
                scope.spawn(move || {
                    for i in 0..200 {
                        let text = format!("{thread} {i}");
                        let (wanted, cancelled) = (
                            client.request_async(&message("echo", &text), LONG),
                            client.request_async(&message("echo", "nobody wants it"), LONG),
                        );
                        drop(cancelled);
                        assert_eq!(told(block_on(wanted)), text);
                        answered.fetch_add(1, Relaxed);
                    }
                });
            }
        });
    }
    assert_eq!(answered.load(Relaxed), 800);
    assert_nothing_left(&group, fds);
}

/// By one that closes all that is open, as daemons do which think that it is theirs.
#[test]
fn after_its_descriptors_were_closed_behind_its_back_callbacks_are_called_all_the_same() {
    let _turn = alone();
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    assert!(client.call("later ask echo 5000 hi").ends_with(" hi"));
    // Idle when they are closed, and then with a request under way.
    for under_way in [false, true] {
        if under_way {
            client = group.client();
            client.call("begin later ask stall 2000");
            primary.event("stall");
        }
        assert_eq!(client.call("close-all"), "0");
        let begun = Instant::now();
        client.call("begin later ask echo 2000");
        for _ in 0..1 + usize::from(under_way) {
            let result = client.event("done");
            assert!(result.contains(": "), "an error: {result}");
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    primary.call("release 1");
}
