//! A primary that watches who joins its group and who leaves it.

use std::{
    fs::File,
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use mp_typed::{Change, Primary};
use rustix::fs::{FlockOperation, flock};
use tests::{WITHIN, group};

/// The descriptors of this process are counted: no other test may have any at the time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn joined(change: Option<Change>) -> u32 {
    match change {
        Some(Change::Joined(member)) => member.pid().expect("a name of DPDK's form"),
        other => panic!("nobody joined: {other:?}"),
    }
}

fn died(change: Option<Change>) -> u32 {
    match change {
        Some(Change::Died(member)) => member.pid().expect("a name of DPDK's form"),
        other => panic!("nobody died: {other:?}"),
    }
}

fn left(change: Option<Change>) -> u32 {
    match change {
        Some(Change::Left(member)) => member.pid().expect("a name of DPDK's form"),
        other => panic!("nobody left: {other:?}"),
    }
}

#[test]
fn joining_leaving_and_dying_are_told_in_order() {
    let _alone = alone();
    let group = group!();
    let primary = Primary::builder("any").runtime_dir(group.path()).start().expect("a free group");
    let (early, mut dead) = (group.secondary(), group.secondary());
    dead.kill();

    let mut watch = primary.watch().expect("it can be watched");
    assert_eq!(joined(watch.next_within(WITHIN).unwrap()), early.pid(), "who was there, but not the dead");
    assert_eq!(watch.next_within(Duration::ZERO).unwrap(), None);

    let mut late = group.secondary();
    assert_eq!(joined(watch.next_within(WITHIN).unwrap()), late.pid());
    let early_pid = early.pid();
    assert!(early.finish(), "it leaves in order");
    assert_eq!(left(watch.next_within(WITHIN).unwrap()), early_pid);
    late.kill();
    assert_eq!(died(watch.next_within(WITHIN).unwrap()), late.pid());

    assert_eq!(watch.next_within(Duration::ZERO).unwrap(), None);
    assert!(group.files("mp_socket_").is_empty(), "the dead members' files are removed");
    let own = ["anon_inode:[eventpoll]", "anon_inode:[timerfd]", "anon_inode:inotify"];
    assert_eq!(watching(), own, "no process is watched any more");
    drop(watch);
    assert!(watching().is_empty());
}

#[test]
fn a_death_while_the_directory_lock_is_held_is_told_when_it_is_free_however_long_that_takes() {
    let _alone = alone();
    let group = group!();
    let primary = Primary::builder("any").runtime_dir(group.path()).start().expect("a free group");
    let mut secondary = group.secondary();
    let mut watch = primary.watch().expect("it can be watched");
    let pid = joined(watch.next_within(WITHIN).unwrap());

    let directory = File::open(group.path()).expect("it is there");
    flock(&directory, FlockOperation::LockExclusive).expect("nobody has it");
    secondary.kill();
    assert_eq!(
        watch.next_within(Duration::from_millis(100)).unwrap(),
        None,
        "it could be one that is joining"
    );
    assert_eq!(group.files("mp_socket_").len(), 1);

    flock(&directory, FlockOperation::Unlock).expect("it is ours");
    let (told, left_in_time) = mpsc::channel();
    thread::spawn(move || told.send((watch.next_within(Duration::MAX), watch)));
    let (change, _watch) = left_in_time.recv_timeout(WITHIN).expect("the watch looks again by itself");
    assert_eq!(died(change.unwrap()), pid);
    assert!(group.files("mp_socket_").is_empty());
}

/// The descriptors with which this process watches others.
fn watching() -> Vec<String> {
    let fds = std::fs::read_dir("/proc/self/fd").expect("proc").flatten();
    let links = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let links = links.map(|link| link.to_string_lossy().into_owned());
    let mut links: Vec<_> = links.filter(|link| link.starts_with("anon_inode:")).collect();
    links.sort();
    links
}
