//! The life of the primary, as secondaries and clients see it: up, gone, another one; waiting for it; and what
//! is left behind where there never was one.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::{
    fs::{self, Permissions},
    os::{fd::AsFd, unix::fs::PermissionsExt},
    pin::pin,
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use futures_core::Stream;
use mp_typed::{Change, Client, Primary, Secondary, StartError, Watch};
use pollster::block_on;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tests::{Group, Process, WITHIN, group, in_a_child};

fn client(group: &Group) -> Client {
    Client::builder("any").runtime_dir(group.path()).start().unwrap()
}

/// The next change that is not about members.
fn next(watch: &mut Watch) -> Change {
    loop {
        match watch.next_within(WITHIN).unwrap().expect("something happens") {
            Change::Joined(_) | Change::Left(_) | Change::Died(_) => {}
            change => return change,
        }
    }
}

/// A primary in a process of its own, and the change that tells of it.
fn up(group: &Group, watch: &mut Watch) -> Process {
    let primary = group.primary();
    assert_eq!(next(watch), Change::PrimaryUp { pid: Some(primary.pid()) });
    primary
}

#[test]
fn every_role_is_told_that_the_primary_is_up_has_left_has_died_and_is_another() {
    let group = group!();
    let secondary = Secondary::builder("any").runtime_dir(group.path()).start().unwrap();
    let client = client(&group);
    for mut watch in
        [secondary.watch().unwrap(), secondary.handle().watch().unwrap(), client.watch().unwrap()]
    {
        let first = up(&group, &mut watch);
        let pid = Some(first.pid());
        assert!(first.finish(), "it leaves in order");
        assert_eq!(next(&mut watch), Change::PrimaryGone { pid, died: false });

        let mut second = up(&group, &mut watch);
        let pid = Some(second.pid());
        second.kill();
        let gone = next(&mut watch);
        assert_eq!(gone, Change::PrimaryGone { pid, died: true });
        assert!(gone.ends_primary());

        // One that takes a dead primary's place is up; one that comes while nobody looks is another.
        let mut third = up(&group, &mut watch);
        third.kill();
        let fourth = group.primary();
        let mut told = next(&mut watch);
        if matches!(told, Change::PrimaryGone { died: true, .. }) {
            told = next(&mut watch);
            assert_eq!(told, Change::PrimaryUp { pid: Some(fourth.pid()) });
        } else {
            assert_eq!(told, Change::AnotherPrimary { pid: Some(fourth.pid()) });
            assert!(told.ends_primary());
        }
        assert!(fourth.finish());
        assert!(matches!(next(&mut watch), Change::PrimaryGone { died: false, .. }));
    }
}

#[test]
fn another_primary_in_the_place_of_the_last_is_told_as_such_to_itself_too() {
    let group = group!();
    let primary = Primary::builder("any").runtime_dir(group.path()).start().unwrap();
    let client = client(&group);
    let (mut of_client, mut of_primary) = (client.watch().unwrap(), primary.watch().unwrap());
    assert_eq!(next(&mut of_client), Change::PrimaryUp { pid: Some(std::process::id()) });
    assert_eq!(of_primary.next_within(Duration::ZERO).unwrap(), None, "it is not told of itself");
    // As a DPDK primary does that starts beside it: at once, so that nobody sees the place empty.
    let other = std::os::unix::net::UnixDatagram::bind(group.join("other")).unwrap();
    fs::rename(group.join("other"), group.join("mp_socket")).unwrap();
    assert!(matches!(next(&mut of_client), Change::AnotherPrimary { .. }));
    assert!(matches!(next(&mut of_primary), Change::AnotherPrimary { .. }));
    drop(other);
    assert!(primary.stop(WITHIN));
}

#[test]
fn a_watch_is_a_descriptor_that_is_readable_while_there_is_something_to_tell() {
    let group = group!();
    let mut watch = {
        let _directory = Secondary::builder("any").runtime_dir(group.path()).start().unwrap();
        client(&group).watch().unwrap()
    };
    let readable = |watch: &Watch, patience: Duration| {
        let mut polled = [PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN)];
        let timeout =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        poll(&mut polled, Some(&timeout)).unwrap() == 1
    };
    let take_all = |watch: &mut Watch| {
        let mut changes = Vec::new();
        while readable(watch, Duration::ZERO) {
            changes.extend(watch.next_within(Duration::ZERO).unwrap());
        }
        changes
    };
    assert_eq!(take_all(&mut watch).len(), 2, "it was there, and has left");
    let mut primary = group.primary();
    let secondary = group.secondary();
    let mut told = Vec::new();
    while told.len() < 2 {
        assert!(readable(&watch, WITHIN));
        told.extend(watch.next_within(Duration::ZERO).unwrap());
    }
    assert_eq!(take_all(&mut watch), []);
    primary.kill();
    let pid = Some(primary.pid());
    while told.len() < 3 {
        assert!(readable(&watch, WITHIN), "a death makes it readable, too");
        told.extend(watch.next_within(Duration::ZERO).unwrap());
    }
    assert_eq!(told[2], Change::PrimaryGone { pid, died: true });
    assert!(secondary.finish());
}

#[test]
fn a_task_and_a_thread_are_woken_by_a_change() {
    let group = group!();
    let _keeps_the_directory = Secondary::builder("any").runtime_dir(group.path()).start().unwrap();
    let client = client(&group);
    let (mut in_a_task, in_a_thread) = (client.watch().unwrap(), client.watch().unwrap());
    let (told, ups) = channel();
    let of_task = told.clone();
    let task = thread::spawn(move || {
        block_on(async {
            while let Some(change) = in_a_task.next().await {
                of_task.send(change.unwrap()).unwrap();
            }
        });
    });
    thread::spawn(move || in_a_thread.into_iter().for_each(|change| _ = told.send(change.unwrap())));
    let next_of_both = |is_it: fn(&Change) -> bool| {
        let mut seen = 0;
        while seen < 2 {
            seen += usize::from(is_it(&ups.recv_timeout(WITHIN).unwrap()));
        }
    };
    next_of_both(|change| matches!(change, Change::Joined(_)));
    for _ in 0..3 {
        let mut primary = group.primary();
        next_of_both(|change| matches!(change, Change::PrimaryUp { .. }));
        primary.kill();
        next_of_both(|change| matches!(change, Change::PrimaryGone { died: true, .. }));
    }
    assert!(!task.is_finished());
    // It is a stream like any other.
    let watch = client.watch().unwrap();
    let mut stream = pin!(watch);
    let first = block_on(std::future::poll_fn(|context| stream.as_mut().poll_next(context)));
    assert!(matches!(first, Some(Ok(Change::Joined(_)))));
}

#[test]
fn a_role_waits_for_its_primary_and_says_in_words_that_none_has_come() {
    let group = group!();
    let patience = Duration::from_millis(50);
    let started = Instant::now();
    let client = Client::builder("any").runtime_dir(group.path()).wait_for_primary(patience).start();
    assert!(started.elapsed() >= patience);
    let error = client.unwrap_err();
    assert!(
        matches!(error, StartError::NoPrimary { waited: Some(waited), .. } if waited == patience),
        "{error}"
    );
    assert!(
        error.to_string().contains("within 50ms") && error.to_string().contains("file-prefix"),
        "{error}"
    );
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);

    let path = group.path().to_owned();
    let waiting =
        thread::spawn(move || Secondary::builder("any").runtime_dir(path).wait_for_primary(WITHIN).start());
    let mut primary = group.primary();
    let secondary = waiting.join().unwrap().unwrap();
    assert_eq!(secondary.members().unwrap().len(), 1);
    Client::builder("any").runtime_dir(group.path()).require_primary().start().unwrap();
    // One that is dead is none, whatever it left behind.
    primary.kill();
    assert!(group.join("mp_socket").exists());
    let error = Secondary::builder("any").runtime_dir(group.path()).require_primary().start().unwrap_err();
    assert!(matches!(error, StartError::NoPrimary { waited: None, .. }), "{error}");
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
}

/// A worker without the `RUNTIME_DIRECTORY` that its primary has looks elsewhere.
#[test]
fn who_needs_a_primary_is_told_where_there_is_one_of_that_prefix() {
    let private = || tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let (base, test) = (private(), "who_needs_a_primary_is_told_where_there_is_one_of_that_prefix");
    let environment = [("RUNTIME_DIRECTORY", base.path().to_str().unwrap())];
    if !in_a_child(test, &environment) {
        return;
    }
    let (place, prefix) = (private(), format!("app{}", std::process::id()));
    let dir = place.path().join(&prefix);
    let told = || {
        let error = Secondary::builder(&prefix).require_primary().start().unwrap_err();
        let StartError::NoPrimary { elsewhere, .. } = &error else { panic!("{error}") };
        (elsewhere.clone(), error.to_string())
    };
    let (elsewhere, text) = told();
    assert!(elsewhere.is_empty() && !text.contains("there is one"), "{text}");
    let primary = Primary::builder("any").runtime_dir(&dir).start().unwrap();
    let (elsewhere, text) = told();
    assert_eq!(elsewhere, [dir.as_path()]);
    assert!(text.contains(&format!("there is one of that file-prefix in [{dir:?}]")), "{text}");
    drop(primary);
    let (elsewhere, text) = told();
    assert!(elsewhere.is_empty(), "{text}");
}

#[test]
fn a_typo_in_the_prefix_leaves_nothing_behind() {
    let base = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let environment = [("RUNTIME_DIRECTORY", base.path().to_str().unwrap())];
    if !in_a_child("a_typo_in_the_prefix_leaves_nothing_behind", &environment) {
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
        return;
    }
    let base = std::path::PathBuf::from(std::env::var_os("RUNTIME_DIRECTORY").unwrap());
    let is_empty = || fs::read_dir(&base).unwrap().count() == 0;
    let error = Secondary::builder("packet-ap").require_primary().start().unwrap_err();
    assert!(
        error.to_string().contains("packet-ap") && error.to_string().contains("RUNTIME_DIRECTORY"),
        "{error}"
    );
    assert!(Client::builder("packet-ap").wait_for_primary(Duration::from_millis(5)).start().is_err());
    assert!(is_empty(), "nothing is made before a primary is there");

    let client = Client::builder("packet-ap").start().unwrap();
    assert!(client.core().request(&mp_core::Message::new(mp_core::Name::from_static("x")), WITHIN).is_err());
    assert!(is_empty(), "a client makes nothing");

    let secondary = Secondary::builder("packet-ap").start().unwrap();
    assert!(base.join("dpdk/packet-ap").exists());
    let other = Secondary::builder("packet-ap").start().unwrap();
    assert!(secondary.stop(WITHIN));
    assert!(base.join("dpdk/packet-ap").exists(), "the other one is in it");
    assert!(other.stop(WITHIN));
    assert!(base.join("dpdk/packet-ap").exists(), "who did not make it does not remove it");
    fs::remove_dir_all(base.join("dpdk")).unwrap();

    let secondary = Secondary::builder("packet-ap").start().unwrap();
    drop(secondary);
    assert!(is_empty(), "who made it, and leaves it empty, removes it");

    let secondary = Secondary::builder("packet-ap").start().unwrap();
    let primary = Primary::builder("packet-ap").start().unwrap();
    assert!(secondary.stop(WITHIN) && base.join("dpdk/packet-ap/mp_socket").exists(), "a primary has come");
    assert!(primary.stop(WITHIN));
    fs::remove_dir_all(base.join("dpdk")).unwrap();
}

#[test]
fn who_joins_while_the_last_one_removes_the_directory_joins() {
    let base = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let dir = base.path().join("group");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let dir = dir.clone();
            thread::spawn(move || {
                for _ in 0..100 {
                    let secondary = Secondary::builder("any").runtime_dir(&dir).start().unwrap();
                    assert!(secondary.stop(WITHIN));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
