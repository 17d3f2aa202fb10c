//! What comes to a future: replies, descriptors, outcomes, in which order, and by how few threads.

use super::*;

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
fn within_one_process_it_needs_no_socket() {
    let _alone = alone();
    let fds = open_fds();
    {
        let group = InProcess::new();
        let echo = Name::from_static("echo");
        let primary = Primary::builder("any")
            .in_process(&group)
            .serve(echo, |request| {
                let param = request.param();
                let _ = request.reply(param, &[]);
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
    assert!(eventually(|| async_threads().is_empty()));
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
fn handlers_that_await_each_other_several_levels_deep_all_get_on() {
    let _alone = alone();
    let group = group!();
    let name = Name::from_static("count_down");
    let primary = Primary::builder("mp-async").runtime_dir(group.path());
    let handle = primary.handle();
    let primary = primary
        .serve(name, move |request| {
            let left = request.param()[0];
            let onward = Message::new(name).with_param([left - 1]).unwrap();
            let replies = block_on(handle.request_async(&onward, LONG)).unwrap();
            let _ = request.reply(&[replies.replies[0].message.param[0] + 1], &[]);
        })
        .start()
        .unwrap();
    let secondary = Secondary::builder("mp-async").runtime_dir(group.path());
    let handle = secondary.handle();
    let _secondary = secondary
        .serve(name, move |request| {
            let left = request.param()[0];
            let depth = match left {
                0 => 0,
                _ => {
                    let onward = Message::new(name).with_param([left - 1]).unwrap();
                    block_on(handle.request_async(&onward, LONG)).unwrap().message.param[0]
                }
            };
            let _ = request.reply(&[depth + 1], &[]);
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
    let dir = async_threads().remove(0);
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
