//! `status` and `pending`: what goes on in members, and who waits for whom.

use std::{os::unix::net::UnixDatagram, path::Path};

use serde_json::{Value, json};
use tests::{Process, eventually, group};

use crate::{Group, Run, mpctl};

/// Of a group whose members are the tests' own.
fn run_in(dir: &Path, arguments: &[&str]) -> Run {
    Run::of(mpctl().arg("--json").arg("--runtime-dir").arg(dir).args(arguments))
}

/// Looks until there is what is wanted.
fn wait_for(dir: &Path, arguments: &[&str], wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut lines = Vec::new();
    let came = eventually(|| {
        lines = run_in(dir, arguments).jsons();
        wanted(&lines)
    });
    assert!(came, "{lines:#?}");
    lines
}

fn of<'a>(lines: &'a [Value], what: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line["pending"] == json!(what))
}

#[test]
fn a_status_tells_what_goes_on_in_each_member() {
    let group = group!();
    let mut primary = group.primary();
    let secondary = group.secondary();
    let mut client = group.client();
    client.tell("ask stall 60000");
    primary.event("stall");
    let run = run_in(group.path(), &["status"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let members = run.jsons();
    let pids: Vec<_> = members.iter().map(|member| &member["pid"]).collect();
    assert_eq!(pids, [&json!(primary.pid()), &json!(secondary.pid())]);
    let handler = &members[0]["handlers"][0];
    assert_eq!([&handler["name"], &handler["pid"]], [&json!("stall"), &json!(client.pid())]);
    assert_eq!(members[0]["counters"]["requests_received"], json!(2), "that, and this question");
    for key in ["version", "uptime_ms", "threads", "backlog", "requests", "rejected"] {
        assert!(!members[1][key].is_null(), "{key}: {}", members[1]);
    }

    let one = run_in(group.path(), &["status", &secondary.pid().to_string()]);
    assert_eq!((one.status, &one.json()["role"]), (0, &json!("secondary")));
    let text = Run::of(mpctl().arg("--runtime-dir").arg(group.path()).args(["status", "primary"])).out;
    assert!(text.starts_with(&format!("primary pid {} ", primary.pid())), "{text}");
    assert!(text.contains(&format!("\n  handles request stall from pid {} for ", client.pid())), "{text}");
    primary.call("release 1");
    assert!(eventually(|| run_in(group.path(), &["status", "primary"]).json()["handlers"] == json!([])));
}

#[test]
fn who_tells_nothing_is_told_as_far_as_it_can_be_seen() {
    let group = Group::new();
    let _primary = group.echoing();
    // As a process in C is, it is silent on what it does not know.
    let name = format!("mp_socket_{}_f", std::process::id());
    let _silent = UnixDatagram::bind(group.path().join(&name)).unwrap();
    let run = group.run(&["--json", "--timeout", "100ms", "status"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let members = run.jsons();
    assert_eq!(members[0]["mp.status"], json!(1));
    let silent = &members[1];
    assert_eq!([&silent["answered"], &silent["pid"]], [&json!(false), &json!(std::process::id())]);
    assert!(silent["why"].as_str().is_some_and(|why| why.contains("a process in C")), "{silent}");
    let pending = group.run(&["--timeout", "100ms", "pending"]);
    assert!(pending.status == 1 && pending.out.contains(&format!("{name} tells nothing: ")), "{pending:?}");

    let mut stopped = group.start(&["listen"]);
    crate::ready(&mut stopped);
    stopped.pause();
    let run = group.run(&["--timeout", "100ms", "status", &stopped.pid().to_string()]);
    assert!(run.out.contains(&format!("is stopped: `kill -CONT {}`", stopped.pid())), "{run:?}");
    group.run(&["status", "7x"]).assert_failed(1, "nobody is \"7x\"");
}

#[test]
fn a_handler_over_a_second_is_marked_and_who_waits_for_it_is_told() {
    let group = group!();
    let mut primary = group.primary();
    let mut client = group.client();
    client.tell("ask stall 60000");
    primary.event("stall");
    let lines = wait_for(group.path(), &["pending"], |lines| of(lines, "handler").count() > 0);
    let slow = of(&lines, "handler").next().expect("it is there");
    assert_eq!([&slow["slow"], &slow["name"]], [&json!(true), &json!("stall")]);
    assert!(slow["age_ms"].as_u64() > Some(1000), "{slow}");
    assert_eq!([&slow["process"]["pid"], &slow["asked_by"]], [&json!(primary.pid()), &json!(client.pid())]);
    let wait = of(&lines, "wait").next().expect("somebody waits for it");
    assert_eq!(wait["from"], json!({ "pid": client.pid(), "socket": null }), "it is no member");
    assert_eq!(wait["to"]["socket"], json!(group.join("mp_socket")));
    primary.call("release 1");
    wait_for(group.path(), &["pending"], <[Value]>::is_empty);
}

/// `a` asks `b`, which asks `c`, which asks `a`, where the last handler waits for the first one's end.
fn in_a_circle(group: &tests::Group) -> ([Process; 3], Process) {
    // It is built first: the circle lasts as long as a request of theirs, five seconds.
    drop(mpctl());
    let members = [group.primary(), group.secondary(), group.secondary()];
    let mut asking = group.client();
    asking.tell(&format!("ask route 30000 {} {} p wait", members[1].pid(), members[2].pid()));
    (members, asking)
}

#[test]
fn a_circle_among_three_processes_is_named_as_a_deadlock() {
    let group = group!();
    let (mut members, mut asking) = in_a_circle(&group);
    let lines = wait_for(group.path(), &["pending"], |lines| of(lines, "deadlock").count() > 0);
    let circle = of(&lines, "deadlock").next().expect("it is there")["circle"].as_array().expect("links");
    assert_eq!(of(&lines, "deadlock").count(), 1, "once: {lines:#?}");
    let mut pids: Vec<_> = circle.iter().map(|link| link["pid"].as_u64().expect("a pid") as u32).collect();
    assert!(circle.iter().all(|link| link["asks"] == json!("route")));
    // Each waits for the next one.
    for (from, to) in pids.iter().zip(pids.iter().cycle().skip(1)) {
        let waits = of(&lines, "wait")
            .any(|wait| wait["from"]["pid"] == json!(from) && wait["to"]["pid"] == json!(to));
        assert!(waits, "{from} for {to}: {lines:#?}");
    }
    pids.sort_unstable();
    let mut all = members.each_ref().map(Process::pid);
    all.sort_unstable();
    assert_eq!(pids, all);
    let text = Run::of(mpctl().arg("--runtime-dir").arg(group.path()).arg("pending")).out;
    assert!(text.lines().any(|line| line.starts_with("DEADLOCK: pid ")), "{text}");
    members[0].call("release 1");
    asking.line(|line| line.starts_with('='));
    wait_for(group.path(), &["pending"], <[Value]>::is_empty);
}
