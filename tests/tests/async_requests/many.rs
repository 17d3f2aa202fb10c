//! Many at once: their bound, their turns, and that a stuck peer takes no other peer's places.

use super::*;

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
        assert_eq!(async_threads().len(), 1);
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
