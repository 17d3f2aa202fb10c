//! A watch over more members than this process has descriptors for.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    fs,
    os::unix::net::UnixDatagram,
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::Duration,
};

use mp_core::{Change, Primary};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{WITHIN, group, open_fds};
use tracing::{Event, Level, Metadata, Subscriber, field, span};

const MEMBERS: usize = 40;

/// What is left of the limit when the members are there: fewer than they are.
const SPARE: usize = 25;

/// One bound by this process in the name of a process that does nothing.
struct Member {
    process: Child,
    _socket: UnixDatagram,
}

impl Member {
    fn die(mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it is ours");
    }
}

/// Keeps warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl field::Visit for &Warnings {
    fn record_debug(&mut self, field: &field::Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().expect("no panic").push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mp_core") && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self);
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn pidfds() -> usize {
    let fds = fs::read_dir("/proc/self/fd").expect("proc").flatten();
    let links = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
    links.filter(|link| link.to_string_lossy().contains("pidfd")).count()
}

#[test]
fn more_members_than_descriptors_are_all_told_of_and_a_quarter_of_the_limit_is_used() {
    let warnings = Warnings::default();
    tracing::subscriber::set_global_default(warnings.clone()).expect("the only one of this process");
    let group = group!();
    let primary = Primary::builder("any").runtime_dir(group.path()).start().expect("a free group");
    let members: Vec<_> = (0..MEMBERS)
        .map(|_| {
            let process = Command::new("sleep").arg("600").spawn().expect("it is everywhere");
            let path = group.join(&format!("mp_socket_{}_1", process.id()));
            Member { process, _socket: UnixDatagram::bind(path).expect("it is free") }
        })
        .collect();
    let limit = open_fds() + SPARE;
    let before = getrlimit(Resource::Nofile);
    let lowered = Rlimit { current: Some(limit as u64), ..before };
    setrlimit(Resource::Nofile, lowered).expect("it may be lowered");

    let mut watch = primary.watch().expect("there are descriptors for that");
    let mut there = BTreeSet::new();
    while there.len() < MEMBERS {
        match watch.next_within(WITHIN).expect("a limit is no error") {
            Some(Change::Joined(member)) => assert!(there.insert(member)),
            other => panic!("{} joined, then {other:?}", there.len()),
        }
    }
    assert!((1..=limit / 4).contains(&pidfds()), "{} of {limit}", pidfds());
    assert_eq!(watch.next_within(Duration::ZERO).expect("a limit is no error"), None);

    members.into_iter().for_each(Member::die);
    while !there.is_empty() {
        match watch.next_within(WITHIN).expect("a limit is no error") {
            Some(Change::Died(member)) => assert!(there.remove(&member)),
            other => panic!("{} are left, then {other:?}", there.len()),
        }
    }
    assert!(group.files("mp_socket_").is_empty());
    assert_eq!(pidfds(), 0);
    setrlimit(Resource::Nofile, before).expect("it was so before");
    let warnings = warnings.0.lock().expect("no panic");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("RLIMIT_NOFILE"), "{warnings:?}");
}
