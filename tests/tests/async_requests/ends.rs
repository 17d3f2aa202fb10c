//! How a request ends without an answer: at its deadline, with its peer, its role or its future.

use super::*;

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
    assert!(eventually(|| async_threads().is_empty()));
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
