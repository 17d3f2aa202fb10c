//! Peers that die: before, during and after a request, and what they leave behind.

use std::{
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tests::{Group, Lie, Process, RawSocket, eventually, group};

/// The milliseconds that a request took, and its result.
fn timed(result: &str) -> (u64, &str) {
    let (ms, rest) = result.split_once(' ').expect("a time and a result");
    (ms.parse().expect("milliseconds"), rest)
}

/// Asks until all that was open before is so again, and nothing else.
fn assert_sound(process: &mut Process, fds: usize) {
    process.assert_open_fds(fds);
    process.call("sync");
}

#[test]
fn without_a_primary_a_request_fails_at_once() {
    let group = group!();
    let mut client = group.client();
    let result = client.call("ask echo 5000 hi");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("NoPrimary: there is no primary in"), "{error}");
    assert!(error.contains(group.path().to_str().expect("ASCII")), "{error}");
    assert!(ms < 1000, "{ms} ms");
}

#[test]
fn a_killed_primary_is_told_at_once_as_none() {
    let group = group!();
    let mut primary = group.primary();
    let (mut client, mut secondary) = (group.client(), group.secondary());
    for asker in [&mut client, &mut secondary] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
    primary.kill();
    for asker in [&mut client, &mut secondary] {
        let result = asker.call("ask echo 5000 hi");
        let (ms, error) = timed(&result);
        assert!(error.starts_with("NoPrimary"), "{error}");
        assert!(ms < 1000, "{ms} ms");
    }
}

#[test]
fn a_primary_that_dies_while_it_is_asked_is_told_long_before_the_deadline() {
    let group = group!();
    let _primary = group.primary();
    let mut client = group.client();
    let result = client.call("ask die 60000");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("Gone"), "{error}");
    assert!(ms < 5000, "{ms} ms");
}

#[test]
fn what_a_peer_replied_before_it_died_counts() {
    let group = group!();
    let primary = group.primary();
    let mut client = group.client();
    let expected = format!("pid={} fds=0 last words", primary.pid());
    assert_eq!(timed(&client.call("ask answer_and_die 5000")).1, expected);
}

#[test]
fn a_secondary_killed_before_a_request_is_an_outcome_and_its_file_goes() {
    let group = group!();
    let mut primary = group.primary();
    let (mut dead, live) = (group.secondary(), group.secondary());
    let fds = primary.open_fds();
    dead.kill();
    let result = primary.call("ask echo 5000 hi");
    let (ms, replies) = timed(&result);
    assert!(replies.contains(&format!("{}:Gone", dead.pid())), "{replies}");
    assert!(replies.contains(&format!("{}:Replied", live.pid())), "{replies}");
    assert!(replies.starts_with("sent=2 received=1"), "{replies}");
    assert!(ms < 1000, "{ms} ms");
    assert_eq!(primary.call("members"), live.pid().to_string());
    assert_eq!(group.files("mp_socket_").len(), 1);
    // The one reply socket kept for the next request to all.
    assert_sound(&mut primary, fds + 1);
}

#[test]
fn a_secondary_killed_during_a_request_costs_the_others_nothing() {
    let group = group!();
    let mut primary = group.primary();
    let (mut stuck, mut live) = (group.secondary(), group.secondary());
    let fds = primary.open_fds();
    primary.call("begin ask stall 60000 wait");
    stuck.event("stall");
    live.event("stall");
    live.call("release 1");
    stuck.kill();
    let result = primary.event("done");
    let (ms, replies) = timed(&result);
    assert!(replies.contains(&format!("{}:Gone", stuck.pid())), "{replies}");
    assert!(replies.contains(&format!("{}:Replied", live.pid())), "{replies}");
    assert!(ms < 10_000, "{ms} ms");
    // An answer may have been on its way, so the reply socket is not kept.
    assert_sound(&mut primary, fds);
    assert_eq!(group.files("mp_reply_").len(), 0);
}

#[test]
fn a_secondary_that_dies_after_it_replied_is_no_fault() {
    let group = group!();
    let mut primary = group.primary();
    let mut secondary = group.secondary();
    let replies = primary.call("ask answer_and_die 5000");
    assert!(replies.contains(&format!("{}:Replied", secondary.pid())), "{replies}");
    assert!(!secondary.wait_end());
    let sent = primary.call("send note 1000 anybody?");
    assert!(sent.ends_with(&format!("{}:Gone", secondary.pid())), "{sent}");
    assert_eq!(group.files("mp_socket_").len(), 0);
    assert!(timed(&primary.call("ask echo 5000 hi")).1.starts_with("sent=0 received=0"));
}

#[test]
fn a_secondary_whose_file_vanishes_is_gone_for_the_primary_only() {
    let group = group!();
    let mut primary = group.primary();
    let mut secondary = group.secondary();
    for file in group.files("mp_socket_") {
        std::fs::remove_file(group.join(&file)).expect("it is there");
    }
    assert!(timed(&primary.call("ask echo 5000 hi")).1.starts_with("sent=0 received=0"));
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn the_next_primary_is_found_by_live_secondaries_and_clients() {
    let group = group!();
    let mut first = group.primary();
    let (mut client, mut secondary) = (group.client(), group.secondary());
    for asker in [&mut client, &mut secondary] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
    let fds = [client.open_fds(), secondary.open_fds()];
    first.kill();
    let mut second = group.primary();
    for asker in [&mut client, &mut secondary] {
        let reply = asker.call("ask echo 5000 again");
        assert!(reply.contains(&format!("pid={} ", second.pid())), "{reply}");
    }
    assert!(second.call("ask echo 5000 hi").contains(&format!("{}:Replied", secondary.pid())));
    client.assert_open_fds(fds[0]);
    secondary.assert_open_fds(fds[1]);
}

#[test]
fn a_request_under_way_when_the_primary_is_replaced_is_told_as_gone() {
    let group = group!();
    let mut first = group.primary();
    let mut client = group.client();
    client.call("begin ask stall 60000");
    first.event("stall");
    first.kill();
    let _second = group.primary();
    let result = client.event("done");
    let (ms, error) = timed(&result);
    assert!(error.starts_with("Gone"), "{error}");
    assert!(ms < 10_000, "{ms} ms");
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn an_orderly_end_of_the_primary_is_told_as_none_too() {
    let group = group!();
    let primary = group.primary();
    let mut client = group.client();
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    assert!(primary.finish());
    assert!(timed(&client.call("ask echo 5000 hi")).1.starts_with("NoPrimary"));
    assert_eq!(group.files("mp_socket"), [""; 0]);
}

#[test]
fn one_of_many_takes_a_dead_primarys_place() {
    let group = group!();
    for _ in 0..5 {
        group.primary().kill();
        let mut racers: Vec<_> =
            (0..6).map(|_| Process::spawn(group.command("primary", &["--wait"]))).collect();
        for racer in &mut racers {
            racer.line(|line| line == "waits");
        }
        racers.iter_mut().for_each(|racer| racer.tell("go"));
        let results: Vec<_> = racers.iter_mut().map(Process::wait_start).collect();
        let winners: Vec<_> = (0..6).filter(|i| results[*i].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        let winner = racers[winners[0]].pid();
        for loser in results.into_iter().filter_map(Result::err) {
            assert!(loser.0.contains(&format!("process {winner}")), "{loser}");
        }
        let reply = group.client().call("ask echo 5000 hi");
        assert!(reply.contains(&format!("pid={winner} ")), "{reply}");
    }
}

#[test]
fn a_starting_primary_removes_what_the_dead_left_and_nothing_else() {
    let group = group!();
    let mut dead = [group.secondary(), group.secondary()];
    let mut live = group.secondary();
    // A reply socket that dies with its client.
    let mut client = group.client();
    let mut first = group.primary();
    client.call("begin ask stall 60000");
    first.event("stall");
    client.kill();
    first.kill();
    let reply_sockets = group.files("mp_reply_");
    assert_eq!(reply_sockets.len(), 1);
    reply_sockets.iter().for_each(|name| make_older(&group, name));
    dead.iter_mut().for_each(Process::kill);
    // Live sockets, with the names of processes that are not.
    let strangers = ["mp_socket_4194303_1", "mp_reply_4194303_1"];
    let _alive = strangers.map(|name| RawSocket::bound(&group.join(name)));

    let _second = group.primary();
    let mut expected =
        vec!["mp_reply_4194303_1".to_owned(), "mp_socket".into(), "mp_socket_4194303_1".into()];
    let live_files = group.files(&format!("mp_socket_{}_", live.pid()));
    assert_eq!(live_files.len(), 1);
    expected.extend(live_files);
    expected.sort();
    let left: Vec<_> = group.files("mp_").into_iter().filter(|name| name != "mp_primary").collect();
    assert_eq!(left, expected);
    assert!(live.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn a_dead_members_file_stays_while_another_holds_the_lock() {
    let group = group!();
    let mut primary = group.primary();
    group.secondary().kill();
    let lock = locked(&group);
    let sent = primary.call("send note 1000 hi");
    assert!(sent.contains(":Gone"), "{sent}");
    assert_eq!(group.files("mp_socket_").len(), 1, "it is not ours to remove it now");
    drop(lock);
    // A process that another test is starting may hold a copy of it for a moment.
    let removed = eventually(|| {
        primary.call("send note 1000 hi");
        group.files("mp_socket_").is_empty()
    });
    assert!(removed);
}

/// Makes a file an hour older.
fn make_older(group: &Group, name: &str) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let seconds = hour_ago.duration_since(UNIX_EPOCH).expect("later than 1970").as_secs();
    let time = Timespec { tv_sec: seconds as i64, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, group.join(name), &times, AtFlags::SYMLINK_NOFOLLOW).expect("the file is ours");
}

/// A reply socket's file is there before anybody can connect to the socket, so
/// one that looks dead and is young may be alive.
#[test]
fn a_young_reply_socket_is_not_taken_for_dead() {
    let group = group!();
    drop(RawSocket::bound(&group.join("mp_reply_4194303_1")));
    let _client = group.client();
    assert_eq!(group.files("mp_reply_").len(), 1);
    make_older(&group, "mp_reply_4194303_1");
    let _client = group.client();
    assert_eq!(group.files("mp_reply_").len(), 0);
}

/// DPDK's lock on the directory, held as a joining process does.
fn locked(group: &Group) -> std::fs::File {
    let directory = std::fs::File::open(group.path()).expect("it is there");
    directory.lock().expect("it is free");
    directory
}

#[test]
fn joining_waits_for_the_lock() {
    let group = group!();
    let lock = locked(&group);
    let mut secondary = Process::spawn(group.command("secondary", &[]));
    let directory = std::fs::metadata(group.path()).expect("it is there");
    let opened = || {
        let Ok(fds) = std::fs::read_dir(format!("/proc/{}/fd", secondary.pid())) else { return false };
        let mut files = fds.filter_map(|fd| std::fs::metadata(fd.ok()?.path()).ok());
        files.any(|file| (file.dev(), file.ino()) == (directory.dev(), directory.ino()))
    };
    assert!(eventually(opened), "it has opened the directory");
    assert_eq!(group.files("mp_socket_").len(), 0, "and waits");
    drop(lock);
    assert_eq!(secondary.wait_start(), Ok(()));
    assert_eq!(group.files("mp_socket_").len(), 1);
    assert!(secondary.finish());
}

/// A fork of a member's that outlives it. It is killed when this is dropped.
struct Fork(rustix::process::Pid);

impl Fork {
    fn of(parent: &mut Process) -> Self {
        let pid = parent.call("fork-and-stay").parse().expect("a pid");
        Self(rustix::process::Pid::from_raw(pid).expect("fork succeeded"))
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(self.0, rustix::process::Signal::KILL);
    }
}

#[test]
fn a_fork_that_outlives_its_primary_does_not_keep_the_group() {
    let group = group!();
    let mut primary = group.primary();
    let mut client = group.client();
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    let _fork = Fork::of(&mut primary);
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"), "the fork takes nothing from its parent");
    primary.kill();
    assert!(timed(&client.call("ask echo 5000 hi")).1.starts_with("NoPrimary"));
    let second = group.primary();
    let reply = client.call("ask echo 5000 hi");
    assert!(reply.contains(&format!("pid={} ", second.pid())), "{reply}");
}

#[test]
fn a_fork_that_outlives_its_secondary_is_no_member() {
    let group = group!();
    let mut primary = group.primary();
    let mut secondary = group.secondary();
    let _fork = Fork::of(&mut secondary);
    secondary.kill();
    let result = primary.call("ask echo 5000 hi");
    assert!(result.contains(&format!("{}:Gone", secondary.pid())), "{result}");
}

#[test]
fn a_fork_that_outlives_its_client_keeps_no_reply_socket() {
    let group = group!();
    let mut primary = group.primary();
    let mut client = group.client();
    client.call("begin ask keep 60000");
    primary.event("keep");
    let _fork = Fork::of(&mut client);
    client.kill();
    let result = primary.call("answer late");
    assert!(result.contains("Err(Gone)"), "{result}");
}

/// Of a closed socket C senders forgive that it refuses, and nothing else: not a pipe that broke.
#[test]
fn who_leaves_without_the_lock_refuses_senders_even_while_a_responder_is_kept() {
    let group = group!();
    let mut secondary = group.secondary();
    let to = group.join(&group.files("mp_socket_").pop().expect("it is a member"));
    let keeper = RawSocket::bound(&group.join("keeper"));
    keeper.send(&to, &Lie::request("keep", b"").bytes());
    secondary.event("keep");

    let lock = locked(&group);
    secondary.tell("stop 1000");
    let asker = RawSocket::bound(&group.join("asker"));
    let request = Lie::request("echo", b"hi").bytes();
    let refused = loop {
        match asker.try_send(&to, &request) {
            // What it takes it answers, if only with *ignore*.
            Ok(()) => assert!(matches!(asker.receive(), (2 | 3, ..))),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "{refused}");
    assert_eq!(secondary.line(|line| line.starts_with('=')), "=true");
    for _ in 0..100 {
        let refused = asker.try_send(&to, &request).expect_err("it has left");
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "{refused}");
    }
    drop(lock);
    // What it had accepted it answers from where it was asked.
    assert_eq!(secondary.call("answer later"), "Ok(())");
    assert_eq!(keeper.receive_from(), (to, (2, "keep".into(), b"later".to_vec())));
}

/// A DPDK primary that works through its list forgives a closed socket, but not a file that is gone.
#[test]
fn leaving_without_the_lock_leaves_the_file_for_others_to_remove() {
    let group = group!();
    let mut primary = group.primary();
    let secondary = group.secondary();
    let lock = locked(&group);
    assert!(secondary.finish(), "it leaves in order all the same");
    assert_eq!(group.files("mp_socket_").len(), 1, "the file is left");
    drop(lock);
    let result = primary.call("ask echo 5000 hi");
    assert!(result.contains("Gone"), "{result}");
    assert_eq!(group.files("mp_socket_").len(), 0, "and removed by the primary");
}
