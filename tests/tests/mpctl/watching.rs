//! `watch`: who comes and goes, as it happens.

use std::fs;

use serde_json::{Value, json};
use tests::Process;

use crate::{Group, interrupt, line, ready};

fn change(process: &mut Process) -> (String, Value, Value) {
    let line = line(process);
    assert!(line["time"].as_f64().is_some_and(|time| time > 1.7e9), "{line}");
    let word = format!(
        "{} {}",
        line["role"].as_str().unwrap_or_default(),
        line["change"].as_str().unwrap_or_default()
    );
    (word, line["pid"].clone(), line["socket"].clone())
}

#[test]
fn members_are_told_as_they_come_and_go_and_die() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut first = group.start(&["listen"]);
    let socket = json!(ready(&mut first));
    let mut watch = group.start(&["watch"]);
    let pid = json!(first.pid());
    let secondaries = |watch: &mut Process| loop {
        let change = change(watch);
        if change.0.starts_with("secondary") {
            return change;
        }
    };
    assert_eq!(
        secondaries(&mut watch),
        ("secondary joined".into(), pid.clone(), socket.clone()),
        "it was there"
    );
    let mut second = group.start(&["listen"]);
    let killed = json!(ready(&mut second));
    assert_eq!(secondaries(&mut watch), ("secondary joined".into(), json!(second.pid()), killed.clone()));
    second.kill();
    assert_eq!(secondaries(&mut watch), ("secondary died".into(), json!(second.pid()), killed.clone()));
    assert!(!fs::exists(killed.as_str().unwrap()).unwrap(), "its socket is removed");
    interrupt(&mut first);
    assert_eq!(secondaries(&mut watch), ("secondary left".into(), pid, socket));
    interrupt(&mut watch);
}

#[test]
fn the_primarys_life_is_told() {
    let group = Group::new();
    let primary = group.echoing();
    let mut watch = group.start(&["watch"]);
    let socket = json!(group.socket());
    let own = json!(std::process::id());
    assert_eq!(change(&mut watch), ("primary up".into(), own.clone(), socket.clone()));
    drop(primary);
    assert_eq!(change(&mut watch), ("primary left".into(), own, socket.clone()));
    let mut next = group.start(&["serve", "echo", "--primary"]);
    ready(&mut next);
    let pid = json!(next.pid());
    assert_eq!(change(&mut watch), ("primary up".into(), pid.clone(), socket.clone()));
    next.kill();
    assert_eq!(change(&mut watch), ("primary died".into(), pid, socket));
    interrupt(&mut watch);
}

#[test]
fn a_watch_ends_after_as_many_changes_as_it_was_told() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut members = [group.start(&["listen"]), group.start(&["listen"])];
    members.iter_mut().for_each(|member| drop(ready(member)));
    let run = group.run(&["watch", "--count", "2"]);
    assert_eq!((run.status, run.err.as_str(), run.out.lines().count()), (0, "", 2), "{run:?}");
    assert!(run.out.lines().any(|line| line.contains("joined")), "{run:?}");
    let none = crate::Run::of(crate::mpctl().args(["--runtime-dir", "/tmp/mp-no-such-group", "watch"]));
    none.assert_failed(1, "no such group");
}
