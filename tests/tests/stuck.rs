//! Peers that live but do not read: stopped, slow, or not interested in replies.

use std::{
    os::unix::{
        fs::PermissionsExt,
        net::{UnixDatagram, UnixListener},
        process::CommandExt,
    },
    path::Path,
};

use rustix::process::geteuid;
use tests::{Group, Lie, NO_ACTION, OUT_OF_DESCRIPTORS, OVERLOADED, Process, RawSocket, eventually, group};

/// The milliseconds that a call took, and its result.
fn timed(result: &str) -> (u64, &str) {
    let (ms, rest) = result.split_once(' ').expect("a time and a result");
    (ms.parse().expect("milliseconds"), rest)
}

/// Fills the queue of a process that does not read.
fn fill_queue(from: &RawSocket, to: &Path) {
    let note = Lie::message("note", b"filler").bytes();
    while from.try_send(to, &note).is_ok() {}
}

/// A secondary that is stopped, with a full queue.
fn stuck(group: &Group) -> Process {
    let before = group.files("mp_socket_");
    let secondary = group.secondary();
    let name = group.files("mp_socket_").into_iter().find(|name| !before.contains(name));
    secondary.pause();
    let filler = RawSocket::unbound();
    fill_queue(&filler, &group.join(&name.expect("it has joined")));
    secondary
}

#[test]
fn a_message_to_all_reaches_the_others_while_one_is_stuck() {
    let group = group!();
    let mut primary = group.primary();
    let stuck = stuck(&group);
    let mut others = [group.secondary(), group.secondary()];
    primary.tell("send note 60000 hello");
    // The call is still waiting for the stuck one.
    for other in &mut others {
        assert!(other.event("note").starts_with("hello"));
    }
    stuck.resume();
    let sent = primary.line(|line| line.starts_with('='));
    assert_eq!(sent.matches(":Sent").count(), 3, "{sent}");
}

#[test]
fn a_message_to_a_stuck_peer_is_bounded_by_its_deadline() {
    let group = group!();
    let mut primary = group.primary();
    let stuck = stuck(&group);
    let fds = primary.open_fds();
    let result = primary.call("send note 300 hello");
    let (ms, sent) = timed(&result);
    assert_eq!(sent, format!("{}:QueueFull", stuck.pid()));
    assert!((300..3000).contains(&ms), "{ms} ms");
    primary.assert_open_fds(fds);
}

#[test]
fn a_request_to_all_costs_one_deadline_however_many_are_stuck() {
    let group = group!();
    let mut primary = group.primary();
    let stuck = [stuck(&group), stuck(&group), stuck(&group)];
    let live = group.secondary();
    let fds = primary.open_fds();
    let result = primary.call("ask echo 500 hi");
    let (ms, replies) = timed(&result);
    for stuck in &stuck {
        assert!(replies.contains(&format!("{}:QueueFull", stuck.pid())), "{replies}");
    }
    assert!(replies.contains(&format!("{}:Replied", live.pid())), "{replies}");
    assert!(replies.starts_with("sent=1 received=1"), "{replies}");
    assert!((500..1400).contains(&ms), "{ms} ms");
    primary.assert_open_fds(fds + 1);
}

#[test]
fn a_request_reaches_a_stuck_peer_as_soon_as_it_reads_again() {
    let group = group!();
    let mut primary = group.primary();
    let stuck = stuck(&group);
    primary.call("begin ask echo 60000 hi");
    stuck.resume();
    let result = primary.event("done");
    assert!(timed(&result).1.contains(&format!("{}:Replied", stuck.pid())), "{result}");
}

#[test]
fn a_member_that_cannot_be_sent_to_is_an_outcome() {
    let group = group!();
    let (mut primary, live) = (group.primary(), group.secondary());
    // One takes datagrams of another only; one is not for datagrams at all.
    let choosy = UnixDatagram::bind(group.join("mp_socket_1_1")).expect("it is free");
    let other = UnixDatagram::bind(group.join("other")).expect("it is free");
    choosy.connect(group.join("other")).expect("it is there");
    let _stream = UnixListener::bind(group.join("mp_socket_2_2")).expect("it is free");
    let fds = primary.open_fds();
    for (call, fine) in [("ask echo 5000 hi", "Replied"), ("send note 5000 hi", "Sent")] {
        let result = primary.call(call);
        for outcome in ["1:Refused", "2:Refused", &format!("{}:{fine}", live.pid())] {
            assert!(result.contains(outcome), "{result}");
        }
        assert!(timed(&result).0 < 2000, "{result}");
    }
    assert_eq!(group.files("mp_socket_").len(), 3, "the living keep their files");
    primary.assert_open_fds(fds + 1);
    drop(other);
}

#[test]
fn a_peer_that_is_stopped_after_it_was_asked_times_out() {
    let group = group!();
    let mut primary = group.primary();
    let stopped = group.secondary();
    stopped.pause();
    let live = group.secondary();
    let result = primary.call("ask echo 300 hi");
    let (ms, replies) = timed(&result);
    assert!(replies.contains(&format!("{}:TimedOut", stopped.pid())), "{replies}");
    assert!(replies.contains(&format!("{}:Replied", live.pid())), "{replies}");
    assert!((300..3000).contains(&ms), "{ms} ms");
}

#[test]
fn a_late_reply_never_answers_a_later_request() {
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    assert!(client.call("ask echo 5000 warm").ends_with(" warm"));
    let fds = client.open_fds();
    let result = client.call("ask stall 100 early");
    assert!(timed(&result).1.starts_with("TimedOut"), "{result}");
    primary.event("stall");
    client.call("begin ask stall 60000 later");
    primary.call("release 1");
    primary.event("stall");
    primary.call("release 1");
    let result = client.event("done");
    assert!(result.ends_with(" later"), "{result}");
    // Of the two reply sockets that it had one was given up; the other is kept.
    client.assert_open_fds(fds);
    assert_eq!(group.files("mp_reply_").len(), 1);
}

#[test]
fn a_late_reply_to_a_request_to_all_never_answers_a_later_one() {
    let group = group!();
    let (mut primary, mut secondary) = (group.primary(), group.secondary());
    let result = primary.call("ask stall 100 early");
    assert!(result.contains(":TimedOut"), "{result}");
    secondary.event("stall");
    primary.call("begin ask forget 60000");
    secondary.call("release 1");
    let result = primary.event("done");
    assert!(result.contains(":Ignored"), "{result}");
    assert_eq!(primary.counter("replies"), 0);
}

#[test]
fn a_requester_that_reads_no_replies_holds_up_nobody() {
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    assert!(client.call("ask echo 5000 warm").ends_with("warm"));
    let fds = primary.open_fds();
    let to = group.join("mp_socket");
    {
        let deaf = RawSocket::bound(&group.join("deaf"));
        let request = Lie::request("echo", b"").bytes();
        for _ in 0..60 {
            deaf.send(&to, &request);
        }
        // The others' replies do not wait behind those that cannot be delivered.
        let mut total = 0;
        for i in 0..50 {
            let result = client.call(&format!("ask echo 5000 {i}"));
            let (ms, reply) = timed(&result);
            assert!(reply.ends_with(&format!(" {i}")), "{reply}");
            total += ms;
        }
        assert!(total < 350, "{total} ms for 50 replies");
        assert_eq!(primary.counter("lost"), 0);
    }
    // It is gone: what was kept for it is given up.
    assert!(eventually(|| primary.counter("lost") > 40));
    primary.assert_open_fds(fds);
    std::fs::remove_file(group.join("deaf")).expect("it is there");
}

#[test]
fn many_requesters_that_read_no_replies_hold_up_nobody() {
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    let to = group.join("mp_socket");
    let deaf: Vec<_> = (0..50).map(|i| RawSocket::bound(&group.join(&format!("deaf_{i}")))).collect();
    let request = Lie::request("echo", b"").bytes();
    for _ in 0..12 {
        deaf.iter().for_each(|deaf| deaf.send(&to, &request));
    }
    assert!(eventually(|| primary.counter("requests") == 600));
    let cpu = primary.cpu_ticks();
    let mut total = 0;
    for i in 0..50 {
        let result = client.call(&format!("ask echo 5000 {i}"));
        let (ms, reply) = timed(&result);
        assert!(reply.ends_with(&format!(" {i}")), "{reply}");
        total += ms;
    }
    assert!(total < 300, "{total} ms for 50 replies");
    drop(deaf);
    assert!(eventually(|| primary.counter("lost") > 40));
    let cpu = primary.cpu_ticks() - cpu;
    assert!(cpu < 20, "{cpu} hundredths of a second spent in waiting");
}

#[test]
fn replies_that_had_to_wait_arrive_in_order_with_their_descriptors() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let fds = primary.open_fds();
    let slow = RawSocket::bound(&group.join("slow"));
    for i in 0..60_u8 {
        let request = Lie { num_fds: 2, ..Lie::request("echo", &[i]) };
        slow.send_with_copies(&to, &request.bytes(), 2);
    }
    for i in 0..60 {
        assert_eq!(slow.receive(), (2, "echo".into(), vec![i]));
    }
    slow.assert_answers(&to);
    primary.assert_open_fds(fds);
    assert_eq!(primary.counter("lost"), 0);
}

/// Has that many requesters send a dozen requests each, none of which reads an answer; then the
/// primary must answer others as ever.
#[track_caller]
fn assert_room_beside_mute(group: &Group, mut primary: Process, count: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the maximum");
    let (mut client, mut secondary) = (group.client(), group.secondary());
    let to = group.join("mp_socket");
    let mute: Vec<_> = (0..count).map(|i| RawSocket::bound(&group.join(&format!("mute_{i}")))).collect();
    let request = Lie::request("echo", b"").bytes();
    for _ in 0..12 {
        mute.iter().for_each(|mute| mute.send(&to, &request));
    }
    assert!(eventually(|| primary.counter("requests") == 12 * count as u64));
    // The last of them may wait in the backlog still, which is full then.
    assert!(eventually(|| !client.call("ask echo 5000 before").contains("too much is waiting")));
    let times: Vec<_> = (0..50)
        .map(|i| {
            let result = client.call(&format!("ask echo 5000 {i}"));
            let (ms, reply) = timed(&result);
            assert!(reply.ends_with(&format!(" {i}")), "{reply}");
            ms
        })
        .collect();
    println!("{count} mute: 50 replies in {} ms, the first in {}", times.iter().sum::<u64>(), times[0]);
    assert!(times.iter().sum::<u64>() < 1000, "{times:?} ms for 50 replies");
    let sent = primary.call("send note 1000 hi");
    assert!(sent.ends_with(":Sent"), "{sent}");
    assert!(secondary.event("note").starts_with("hi"));
    drop(mute);
    assert!(client.call("ask echo 5000 still").ends_with(" still"));
}

/// What one user's processes can do to a primary that may not have a larger buffer than others.
#[test]
fn requesters_that_read_nothing_however_many_leave_room_for_those_who_read() {
    #![allow(unsafe_code)]
    let group = group!();
    let mut command = group.command("primary", &[]);
    // SAFETY: between `fork` and `exec` it makes one system call, and fails if that does; only
    // root has what it drops, for whom alone it can fail.
    unsafe {
        command.pre_exec(|| {
            let _ =
                rustix::thread::remove_capability_from_bounding_set(rustix::thread::CapabilitySet::NET_ADMIN);
            Ok(())
        });
    }
    let primary = Process::start(command).expect("it starts");
    assert_room_beside_mute(&group, primary, 700);
}

/// Root's primary has a larger buffer, which it takes more of them to fill.
#[test]
fn nor_do_two_and_a_half_thousand_fill_the_buffer_of_roots_primary() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root may have so large a buffer");
        return;
    }
    let group = group!();
    let primary = group.primary();
    assert_room_beside_mute(&group, primary, 2500);
}

#[test]
fn replies_that_have_to_wait_keep_an_eighth_of_the_descriptors_that_there_may_be() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let fds = primary.open_fds();
    assert_eq!(primary.call("max-fds 256"), "Ok(())");
    let slow = RawSocket::bound(&group.join("slow"));
    for i in 0..11_u8 {
        slow.send(&to, &Lie::request("echo", &[i]).bytes());
    }
    for _ in 0..10 {
        slow.send(&to, &Lie::request("files", b"8").bytes());
    }
    assert!(eventually(|| primary.counter("sent_ignores") == 6));
    // 32 copies, and a socket that tells when there is room in the queue.
    assert!(primary.open_fds() <= fds + 32 + 1, "{} open, {fds} before", primary.open_fds());
    for i in 0..11 {
        assert_eq!(slow.receive(), (2, "echo".into(), vec![i]));
    }
    for _ in 0..4 {
        assert_eq!(slow.receive(), (2, "files".into(), vec![]));
    }
    for _ in 0..6 {
        let (kind, name, _) = slow.receive();
        assert_eq!((kind, name.as_str()), (3, "files"), "in order, for want of descriptors");
    }
    slow.assert_answers(&to);
    primary.assert_open_fds(fds);
}

#[test]
fn a_requester_that_reads_nothing_takes_not_all_the_room_there_is_for_replies() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let (deaf, slow) = (RawSocket::bound(&group.join("deaf")), RawSocket::bound(&group.join("slow")));
    for _ in 0..400 {
        deaf.send(&to, &Lie::request("echo", b"").bytes());
    }
    for i in 0..30_u8 {
        slow.send(&to, &Lie::request("echo", &[i]).bytes());
    }
    assert!(eventually(|| primary.counter("requests") == 430));
    for i in 0..30 {
        assert_eq!(slow.receive(), (2, "echo".into(), vec![i]));
    }
    assert!(primary.counter("lost") > 300, "of those that nobody reads");
}

#[test]
fn a_reply_that_finds_no_room_becomes_an_ignore_that_says_so() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let slow = RawSocket::bound(&group.join("slow"));
    for i in 0..100_u8 {
        slow.send(&to, &Lie::request("echo", &[i]).bytes());
    }
    assert!(eventually(|| primary.counter("requests") == 100));
    assert!(eventually(|| primary.counter("lost") > 0));
    let (mut replies, mut ignores) = (0_u8, 0_u64);
    for _ in 0..100 {
        match slow.receive() {
            (2, _, param) => {
                assert_eq!((param, ignores), (vec![replies], 0), "in order, and before those without room");
                replies += 1;
            }
            (3, _, param) => {
                assert_eq!(param[..5], *b"why\x01\x05", "overloaded");
                ignores += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(replies > 50 && ignores > 20, "{replies} replies, {ignores} ignores");
    assert_eq!(primary.counter("lost"), ignores);
}

#[test]
fn a_reply_whose_descriptors_find_no_room_becomes_an_ignore_that_says_so() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let slow = RawSocket::bound(&group.join("slow"));
    for i in 0..20 {
        slow.send(&to, &Lie::request("echo", &[i]).bytes());
    }
    assert!(eventually(|| primary.counter("requests") == 20));
    let request = Lie { num_fds: 2, ..Lie::request("stall", b"") };
    slow.send_with_copies(&to, &request.bytes(), 2);
    primary.event("stall");
    // The reply has to wait, behind those before it, with copies of its descriptors.
    primary.call(&format!("max-fds {}", primary.open_fds()));
    primary.call("release 1");
    for i in 0..20 {
        assert_eq!(slow.receive(), (2, "echo".into(), vec![i]));
    }
    assert_eq!(slow.receive_ignore(), ("stall".into(), OUT_OF_DESCRIPTORS));
    primary.call("max-fds 1024");
    slow.assert_answers(&to);
}

#[test]
fn a_reply_with_too_many_descriptors_of_its_user_on_their_way_becomes_an_ignore_that_says_so() {
    if !geteuid().is_root() {
        eprintln!("only root can be another user, which the limit is for");
        return;
    }
    // Nobody else is this user, whose descriptors the kernel counts.
    const USER: u32 = 54_321;
    let (group, own) = (group!(), tempfile::tempdir().expect("a directory"));
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(USER), None).expect("root may");
    // Where the program is, that user may not come.
    let program = own.path().join("peer");
    std::fs::copy(env!("CARGO_BIN_EXE_peer"), &program).expect("there is room");
    std::fs::set_permissions(own.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    give(group.path());
    let mut command = std::process::Command::new(program);
    command.arg("primary").arg("--dir").arg(group.path()).uid(USER).gid(USER);
    let mut primary = Process::start(command).expect("a primary");
    let (slow, to) = (RawSocket::bound(&group.join("slow")), group.join("mp_socket"));
    give(&group.join("slow"));

    // More may be on their way than it may have open, but only by one reply.
    let limit = 36;
    primary.call(&format!("max-fds {limit}"));
    for _ in 0..10 {
        slow.send(&to, &Lie::request("files", b"8").bytes());
    }
    assert!(eventually(|| primary.counter("requests") == 10));
    let replies = limit / 8 + 1;
    for _ in 0..replies {
        assert_eq!(slow.receive(), (2, "files".into(), vec![]));
    }
    for _ in replies..10 {
        assert_eq!(slow.receive_ignore(), ("files".into(), OUT_OF_DESCRIPTORS));
    }
    slow.send(&to, &Lie::request("files", b"8").bytes());
    assert_eq!(slow.receive(), (2, "files".into(), vec![]), "they have arrived");
}

#[test]
fn a_role_that_stops_delivers_the_replies_that_had_to_wait() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let slow = RawSocket::bound(&group.join("slow"));
    for i in 0..30_u8 {
        slow.send(&to, &Lie::request("echo", &[i]).bytes());
    }
    assert!(eventually(|| primary.counter("requests") == 30));
    primary.call("begin stop 60000");
    assert!(eventually(|| !to.exists()), "it has left");
    assert!(!primary.has_told("stopped"), "it waits for who reads slowly");
    for i in 0..30 {
        assert_eq!(slow.receive(), (2, "echo".into(), vec![i]));
    }
    assert_eq!(primary.event("stopped"), "true");
}

#[test]
fn while_a_handler_is_slow_the_socket_is_drained_in_order() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let sender = RawSocket::bound(&group.join("sender"));
    sender.send(&to, &Lie::message("hold", b"").bytes());
    primary.event("hold");
    for i in 0..200 {
        // It would block long before the last, were the socket not drained.
        sender.send(&to, &Lie::message("note", format!("{i}").as_bytes()).bytes());
    }
    assert!(eventually(|| primary.counter("backlogged") == 200));
    assert!(!primary.has_told("note"));
    primary.call("release 1");
    for i in 0..200 {
        assert!(primary.event("note").starts_with(&format!("{i} ")));
    }
    sender.assert_answers(&to);
}

#[test]
fn over_the_bound_messages_are_dropped_and_requests_answered_ignore() {
    let group = group!();
    let mut primary = group.start("primary", &["--backlog", "5"]);
    let (fds, to) = (primary.open_fds(), group.join("mp_socket"));
    let sender = RawSocket::bound(&group.join("sender"));
    sender.send(&to, &Lie::message("hold", b"").bytes());
    primary.event("hold");
    for i in 0..9 {
        let message = Lie { num_fds: 3, ..Lie::message("note", format!("{i}").as_bytes()) };
        sender.send_with_copies(&to, &message.bytes(), 3);
    }
    sender.send(&to, &Lie::request("echo", b"").bytes());
    assert_eq!(sender.receive_ignore(), ("echo".into(), OVERLOADED), "at once, though a handler runs");
    assert_eq!(primary.counter("BacklogFull"), 5);
    assert_eq!(primary.counter("backlogged"), 5);
    primary.call("release 1");
    for i in 0..5 {
        assert!(primary.event("note").starts_with(&format!("{i} fds=3")));
    }
    sender.assert_answers(&to);
    assert!(!primary.has_told("note"));
    primary.assert_open_fds(fds);
}

#[test]
fn what_nobody_answers_is_answered_ignore_also_while_a_handler_is_slow() {
    let group = group!();
    let (mut primary, to) = (group.primary(), group.join("mp_socket"));
    let sender = RawSocket::bound(&group.join("sender"));
    sender.send(&to, &Lie::message("hold", b"").bytes());
    primary.event("hold");
    sender.send(&to, &Lie::request("mp_malloc_sync", b"").bytes());
    assert_eq!(sender.receive_ignore(), ("mp_malloc_sync".into(), NO_ACTION));
    primary.call("release 1");
    sender.assert_answers(&to);
}

#[test]
fn a_flood_from_many_is_survived_in_order() {
    let group = group!();
    let (mut primary, to) = (group.start("primary", &["--backlog", "100000"]), group.join("mp_socket"));
    let fds = primary.open_fds();
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let to = &to;
            scope.spawn(move || {
                let socket = RawSocket::unbound();
                for i in 0..500 {
                    socket.send(to, &Lie::message("note", format!("{sender} {i}").as_bytes()).bytes());
                }
            });
        }
    });
    let mut next = [0; 4];
    for _ in 0..2000 {
        let note = primary.event("note");
        let mut words = note.split(' ').map(|word| word.parse::<usize>());
        let (Some(Ok(sender)), Some(Ok(i))) = (words.next(), words.next()) else { panic!("{note}") };
        assert_eq!(i, next[sender], "each sender's messages in order");
        next[sender] += 1;
    }
    let honest = RawSocket::bound(&group.join("honest"));
    honest.assert_answers(&to);
    primary.assert_open_fds(fds);
}

#[test]
fn signals_interrupt_nothing_that_blocks() {
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    primary.call("interruptible");
    client.call("interruptible");
    client.call("begin ask stall 10000 patient");
    primary.event("stall");
    for _ in 0..200 {
        primary.signal(rustix::process::Signal::USR1);
        client.signal(rustix::process::Signal::USR1);
        primary.pause();
        client.pause();
        primary.resume();
        client.resume();
    }
    primary.call("release 1");
    let result = client.event("done");
    assert!(result.ends_with(" patient"), "{result}");
}
