//! Handlers that panic, forget, ask, wait, unregister themselves or stop their role.

use tests::{Group, Lie, NO_ACTION, Process, RawSocket, eventually, group};

/// A primary and a client that has asked it once.
fn pair(group: &Group) -> (Process, Process) {
    let (primary, mut client) = (group.primary(), group.client());
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    (primary, client)
}

/// The milliseconds that a call took, and its result.
fn timed(result: &str) -> (u64, &str) {
    let (ms, rest) = result.split_once(' ').expect("a time and a result");
    (ms.parse().expect("milliseconds"), rest)
}

#[test]
fn a_handler_that_panics_is_answered_ignore_at_once_and_counted() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    let fds = primary.open_fds();
    let result = client.call("ask panic 60000");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("Ignored"), "{error}");
    assert!(ms < 5000, "{ms} ms");
    client.call("send panic_note 1000");
    assert!(client.call("ask echo 5000 still").ends_with(" still"));
    assert!(timed(&client.call("ask panic_twice 60000")).1.starts_with("Ignored"));
    assert!(client.call("ask echo 5000 still").ends_with(" still"));
    assert_eq!(primary.counter("panics"), 3);
    primary.assert_open_fds(fds);
}

#[test]
fn a_handler_that_forgets_is_answered_ignore_at_once() {
    let group = group!();
    let (_primary, mut client) = pair(&group);
    let result = client.call("ask forget 60000");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("Ignored"), "{error}");
    assert!(ms < 5000, "{ms} ms");
}

#[test]
fn a_request_without_an_action_is_answered_ignore_at_once() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    let result = client.call("ask nobody_knows 60000");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("Ignored"), "{error}");
    assert!(ms < 5000, "{ms} ms");
    assert_eq!(primary.counter("NoAction"), 1);
}

#[test]
fn a_request_to_a_messages_action_and_the_reverse_are_declined() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    assert!(timed(&client.call("ask note 60000")).1.starts_with("Ignored"));
    client.call("send stall 1000");
    assert!(client.call("ask echo 5000 still").ends_with(" still"));
    assert!(!primary.has_told("note"));
    assert!(!primary.has_told("stall"));
}

#[test]
fn a_responder_is_answered_later_from_another_thread() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask keep 60000");
    primary.event("keep");
    assert!(client.call("ask echo 5000 meanwhile").ends_with(" meanwhile"));
    assert_eq!(primary.call("answer later"), "Ok(())");
    assert!(client.event("done").ends_with(" later"));
}

#[test]
fn a_responder_is_answered_after_its_role_was_stopped() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask keep 60000");
    primary.event("keep");
    assert_eq!(primary.call("stop 5000"), "true");
    wait_for_looks(&client);
    assert_eq!(primary.call("answer late"), "Ok(())");
    assert!(client.event("done").ends_with(" late"));
}

/// Waits until a process that waits for a reply has looked a few times whether
/// the peer still lives.
fn wait_for_looks(requester: &Process) {
    let before = requester.context_switches();
    assert!(eventually(|| requester.context_switches() >= before + 4), "it does not look");
}

#[test]
fn a_member_that_has_left_but_lives_can_still_answer_a_request_to_all() {
    let group = group!();
    let (mut primary, mut secondary) = (group.primary(), group.secondary());
    primary.call("begin ask keep 60000");
    secondary.event("keep");
    assert_eq!(secondary.call("stop 5000"), "true");
    wait_for_looks(&primary);
    assert_eq!(secondary.call("answer late"), "Ok(())");
    assert!(primary.event("done").contains(":Replied"));
}

#[test]
fn a_member_that_has_left_and_then_dies_is_gone() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask keep 60000");
    primary.event("keep");
    assert_eq!(primary.call("stop 5000"), "true");
    primary.kill();
    let result = client.event("done");
    assert!(timed(&result).1.starts_with("Gone"), "{result}");
}

#[test]
fn answering_a_requester_that_is_gone_tells_so() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask keep 60000");
    primary.event("keep");
    client.kill();
    assert_eq!(primary.call("answer late"), "Err(Gone)");
    assert_eq!(primary.counter("lost"), 1);
}

#[test]
fn descriptors_go_both_ways_and_none_stays_behind() {
    let group = group!();
    let (primary, mut client) = pair(&group);
    let fds = [primary.open_fds(), client.open_fds()];
    for count in [0, 1, 8] {
        let reply = client.call(&format!("ask files 5000 {count}"));
        assert!(reply.contains(&format!(" fds={count} ")), "{reply}");
    }
    // A ninth is refused, and the requester told to ignore this process.
    let result = client.call("ask files 60000 9");
    assert!(timed(&result).1.starts_with("Ignored"), "{result}");
    primary.assert_open_fds(fds[0]);
    client.assert_open_fds(fds[1]);
}

#[test]
fn a_reply_whose_descriptors_do_not_fit_is_told_at_once() {
    let group = group!();
    let (_primary, mut client) = pair(&group);
    let fds = client.open_fds();
    client.call(&format!("max-fds {fds}"));
    let result = client.call("ask files 60000 8");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("FdsLost"), "{error}");
    assert!(ms < 5000, "{ms} ms");
    client.call("max-fds 1024");
    assert!(timed(&client.call("ask files 5000 8")).1.contains("fds=8"));
    client.assert_open_fds(fds);
}

#[test]
fn handlers_ask_each_other_many_levels_deep_among_three_processes() {
    let group = group!();
    let mut primary = group.primary();
    let (mut a, b) = (group.secondary(), group.secondary());
    let (p, a_pid, b_pid) = (primary.pid(), a.pid(), b.pid());
    // a asks p, which asks b, which asks p, which asks a, which asks p …
    let route = format!("{b_pid} p {a_pid} p {b_pid} p {a_pid} p {b_pid} p end");
    let result = a.call(&format!("ask route 5000 {route}"));
    let expected = format!("{p} {b_pid} {p} {a_pid} {p} {b_pid} {p} {a_pid} {p} {b_pid} {p} end");
    assert!(result.ends_with(&expected), "{result}");
    // And the whole system is as quick as before.
    assert!(a.call("ask echo 5000 hi").ends_with(" hi"));
    assert!(primary.call("ask echo 5000 hi").contains("received=2"));
}

#[test]
fn many_deep_chains_at_once_all_come_back() {
    let group = group!();
    let _primary = group.primary();
    let mut members: Vec<_> = (0..3).map(|_| group.secondary()).collect();
    let pids: Vec<_> = members.iter().map(Process::pid).collect();
    for _ in 0..5 {
        for (i, member) in members.iter_mut().enumerate() {
            let (x, y) = (pids[(i + 1) % 3], pids[(i + 2) % 3]);
            for _ in 0..4 {
                member.call(&format!("begin ask route 10000 {x} p {y} p {} p {x} p end", pids[i]));
            }
        }
        for member in &mut members {
            for _ in 0..4 {
                let result = member.event("done");
                assert!(result.ends_with(" end"), "{result}");
            }
        }
    }
}

/// A secondary that is stopped and whose queue is full.
fn stuck(group: &Group) -> Process {
    let secondary = group.secondary();
    secondary.pause();
    let files = group.files("mp_socket_");
    let [file] = &files[..] else { panic!("it is the only one: {files:?}") };
    let (filler, note) = (RawSocket::unbound(), Lie::message("note", b"filler").bytes());
    while filler.try_send(&group.join(file), &note).is_ok() {}
    secondary
}

/// How long the echo takes behind five handlers that wait for room in another's queue.
fn echo_behind_five(group: &Group, datagram: &Lie) -> std::time::Duration {
    let (honest, to) = (RawSocket::bound(&group.join("honest")), group.join("mp_socket"));
    let start = std::time::Instant::now();
    (0..5).for_each(|_| honest.send(&to, &datagram.bytes()));
    honest.assert_answers(&to);
    start.elapsed()
}

#[test]
fn handlers_that_ask_a_peer_with_a_full_queue_hold_up_no_others() {
    let group = group!();
    let mut primary = group.primary();
    let stuck = stuck(&group);
    let route = format!("{} end", stuck.pid());
    // Each would wait for 5 s, since nobody reads there.
    let took = echo_behind_five(&group, &Lie::request("route", route.as_bytes()));
    assert!(took.as_millis() < 2500, "{took:?}");
    // Who asked is gone by the time that they answer.
    assert!(eventually(|| primary.counter("lost") == 5), "they all come to an end");
}

#[test]
fn handlers_that_send_to_a_peer_with_a_full_queue_hold_up_no_others() {
    let group = group!();
    let mut primary = group.primary();
    let _stuck = stuck(&group);
    let took = echo_behind_five(&group, &Lie::message("pass_on", b"hi"));
    assert!(took.as_millis() < 2500, "{took:?}");
    for _ in 0..5 {
        assert!(primary.event("pass_on").contains(":QueueFull"));
    }
}

#[test]
fn handlers_that_send_to_one_peer_with_a_full_queue_hold_up_no_others() {
    let group = group!();
    let primary = group.primary();
    let mut secondary = group.secondary();
    primary.pause();
    let (filler, note) = (RawSocket::unbound(), Lie::message("note", b"filler").bytes());
    while filler.try_send(&group.join("mp_socket"), &note).is_ok() {}
    let files = group.files("mp_socket_");
    let (honest, to) = (RawSocket::bound(&group.join("honest")), group.join(&files[0]));
    let start = std::time::Instant::now();
    (0..5).for_each(|_| honest.send(&to, &Lie::message("pass_on", b"hi").bytes()));
    honest.assert_answers(&to);
    assert!(start.elapsed().as_millis() < 2500, "{:?}", start.elapsed());
    for _ in 0..5 {
        assert!(secondary.event("pass_on").contains("QueueFull"));
    }
}

#[test]
fn nesting_beyond_the_bound_ends_in_an_error_and_not_in_a_standstill() {
    let group = group!();
    let mut primary = group.primary();
    let (mut secondary, to) = (group.secondary(), group.join("mp_socket"));
    // Each asks itself, through the primary, as long as the route is.
    let hop = format!("{} p ", secondary.pid());
    let route = format!("{}end", hop.repeat(20));
    let result = secondary.call(&format!("ask route 8000 {route}"));
    assert!(result.contains("end") || result.contains("Param"), "{result}");
    let honest = RawSocket::bound(&group.join("honest"));
    honest.assert_answers(&to);
    assert!(primary.call("ask echo 5000 hi").contains("received=1"));
}

#[test]
fn when_no_more_handlers_can_run_the_socket_is_still_drained() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    let (mut secondary, to) = (group.secondary(), group.join("mp_socket"));
    // Each has a handler of the primary wait for the secondary.
    let most = 64;
    for _ in 0..most + 10 {
        client.call(&format!("begin ask route 60000 {} wait", secondary.pid()));
    }
    assert!(eventually(|| primary.threads() == 1 + most), "{} threads", primary.threads());
    let honest = RawSocket::bound(&group.join("honest"));
    for _ in 0..100 {
        honest.send(&to, &Lie::message("note", b"later").bytes());
        honest.send(&to, &Lie::request("nobody_knows", b"").bytes());
        assert_eq!(honest.receive_ignore(), ("nobody_knows".into(), NO_ACTION));
    }
    assert!(primary.counter("backlogged") >= 100);
    secondary.call("release 1000");
    for _ in 0..most + 10 {
        let result = client.event("done");
        assert!(result.ends_with(" waited"), "{result}");
    }
    for _ in 0..100 {
        primary.event("note");
    }
    honest.assert_answers(&to);
    assert!(eventually(|| primary.threads() == 3), "{} threads", primary.threads());
}

#[test]
fn a_requester_without_room_for_a_socket_is_told_so() {
    let group = group!();
    let (_primary, mut client) = (group.primary(), group.client());
    let fds = client.open_fds();
    client.call(&format!("max-fds {}", fds - 1));
    for call in ["ask echo 60000", "send note 60000"] {
        let result = client.call(call);
        assert!(result.contains("Too many open files"), "{result}");
    }
    client.call("max-fds 1024");
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn many_threads_ask_under_one_name_and_none_is_mixed_up() {
    let group = group!();
    let (primary, mut client) = pair(&group);
    let fds = primary.open_fds();
    assert_eq!(client.call("storm 16 100"), "0 mixed up of 1600");
    primary.assert_open_fds(fds);
    assert!(eventually(|| group.files("mp_reply_").len() <= 32), "no more than are kept");
}

#[test]
fn many_threads_of_a_primary_ask_all_and_none_is_mixed_up() {
    let group = group!();
    let mut primary = group.primary();
    let _secondaries = [group.secondary(), group.secondary()];
    primary.tell("storm 8 1");
    // A primary's result has outcomes, not the text: only that all came counts.
    primary.line(|line| line.starts_with('='));
    assert_eq!(primary.counter("replies"), 16);
    assert_eq!(primary.counter("Unexpected"), 0);
}

#[test]
fn an_action_comes_and_goes_at_run_time() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    assert!(timed(&client.call("ask extra 5000")).1.starts_with("Ignored"));
    assert_eq!(primary.call("register extra"), "registered");
    assert!(primary.call("register extra").contains("registered already"));
    assert_eq!(primary.call("unregister"), "true");
    assert!(timed(&client.call("ask extra 5000")).1.starts_with("Ignored"));
    assert_eq!(primary.call("unregister extra"), "false");
}

#[test]
fn an_action_may_unregister_itself_while_it_runs() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    assert_eq!(primary.call("register once"), "registered");
    assert!(client.call("ask once 5000").ends_with(" true"));
    assert!(timed(&client.call("ask once 5000")).1.starts_with("Ignored"));
    // The registration is of an action that is gone: it removes no other.
    assert_eq!(primary.call("register once"), "registered");
    assert_eq!(primary.call("unregister"), "true");
    assert_eq!(primary.call("unregister"), "false");
}

#[test]
fn an_action_unregistered_while_its_handler_runs_is_finished() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask stall 60000 to_the_end");
    primary.event("stall");
    assert_eq!(primary.call("unregister stall"), "true");
    primary.call("release 1");
    assert!(client.event("done").ends_with(" to_the_end"));
    assert!(timed(&client.call("ask stall 5000")).1.starts_with("Ignored"));
}

#[test]
fn an_action_whose_closure_holds_another_actions_guard_can_be_dropped() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    assert_eq!(primary.call("guard outer"), "[true, false, true, false, true, false]");
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn what_waits_when_a_role_stops_is_answered_ignore() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    client.call("begin ask stall 60000 running");
    primary.event("stall");
    for _ in 0..3 {
        client.call("begin ask echo 60000 waiting");
    }
    assert!(eventually(|| primary.counter("backlogged") == 3));
    primary.call("begin stop 60000");
    for _ in 0..3 {
        let result = client.event("done");
        assert!(timed(&result).1.starts_with("Ignored"), "{result}");
    }
    primary.call("release 1");
    assert!(client.event("done").ends_with(" running"), "what had begun is finished");
    assert_eq!(primary.event("stopped"), "true");
    assert_eq!(group.files("mp_socket"), [""; 0]);
}

#[test]
fn a_role_stopped_from_inside_its_handler_stops() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    let result = client.call("ask stop 60000");
    assert!(result.ends_with(" stopped"), "{result}");
    assert_eq!(primary.event("stopped"), "true");
    assert!(timed(&client.call("ask echo 5000")).1.starts_with("NoPrimary"));
    assert!(eventually(|| primary.threads() == 1), "its threads have left");
    assert!(primary.finish());
}

#[test]
fn a_stopped_role_leaves_no_thread_descriptor_or_file() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    let mut secondary = group.secondary();
    assert!(primary.call("ask echo 5000 hi").contains("received=1"));
    let fds = client.open_fds();
    assert_eq!(secondary.call("stop 5000"), "true");
    assert_eq!(primary.call("stop 5000"), "true");
    for stopped in [&primary, &secondary] {
        assert!(eventually(|| stopped.threads() == 1));
    }
    assert_eq!(group.files("mp_socket"), [""; 0]);
    assert!(timed(&primary.call("ask echo 5000")).1.starts_with("Stopped"));
    assert!(timed(&secondary.call("ask echo 5000")).1.starts_with("Stopped"));
    assert!(timed(&client.call("ask echo 5000")).1.starts_with("NoPrimary"));
    assert!(client.open_fds() <= fds);
    assert!(client.finish());
    assert!(primary.finish() && secondary.finish());
    assert_eq!(group.files("mp_socket"), [""; 0]);
    assert_eq!(group.files("mp_primary"), [""; 0]);
}

#[test]
fn a_forks_copy_of_a_responder_answers_nobody() {
    let group = group!();
    let (mut primary, mut client) = pair(&group);
    for _ in 0..2 {
        client.call("begin ask keep 60000");
        primary.event("keep");
    }
    assert_eq!(primary.call("fork"), "Some(0)");
    assert_eq!(primary.call("answer later"), "Ok(()) Ok(())");
    for _ in 0..2 {
        let result = client.event("done");
        assert!(result.ends_with(" later"), "{result}");
    }
}

#[test]
fn a_forks_copy_of_a_role_asks_nobody_and_removes_nothing() {
    let group = group!();
    let mut primary = group.primary();
    let mut secondary = group.secondary();
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
    let files = group.files("mp_");
    for _ in 0..3 {
        assert_eq!(secondary.call("fork"), "Some(0)");
        assert_eq!(primary.call("fork"), "Some(0)");
    }
    assert_eq!(group.files("mp_"), files);
    assert!(secondary.call("ask echo 5000 still").ends_with(" still"));
    assert!(primary.call("ask echo 5000 hi").contains("received=1"));
}
