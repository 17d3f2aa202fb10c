//! `request`, `send` and `ping`.

use std::{
    fs::{self, File},
    os::unix::net::UnixDatagram,
    process::Stdio,
    sync::mpsc::channel,
};

use mp_core::Name;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::{WITHIN, eventually};

use crate::{Group, Run, echo, interrupt, line, memory_file, own_uid, wait};

#[test]
fn a_request_prints_its_reply() {
    let group = Group::new();
    let _primary = group.echoing();
    let (_file, path) = memory_file(b"abc");
    let run = group.run(&["--json", "request", "echo", "--hex", "01 02", "--fd", &path]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let socket = group.socket();
    assert_eq!(
        run.json(),
        json!({
            "sent": 1,
            "received": 1,
            "replies": [{
                "peer": socket,
                "pid": std::process::id(),
                "uid": own_uid(),
                "hex": "0102",
                "fds": [{ "target": "/memfd:x (deleted)", "size": 3 }],
            }],
            "outcomes": [{ "peer": socket, "outcome": "replied" }],
        })
    );
    assert_eq!(group.run(&["request", "echo", "--text", "hi"]).status, 0);
}

#[test]
fn a_request_joins_nothing_and_leaves_nothing() {
    let group = Group::new();
    let (seen, files) = channel();
    let dir = group.path().to_owned();
    let _primary = group
        .primary()
        .serve(Name::from_static("echo"), move |mut request| {
            let (request, responder) = (request.take_message(), request.defer());
            let names = fs::read_dir(&dir).expect("listed").map(|entry| entry.expect("entry").file_name());
            seen.send(names.filter(|name| name.to_string_lossy().starts_with("mp_socket_")).count()).unwrap();
            echo(&request, responder);
        })
        .start()
        .unwrap();
    let before = group.files();
    assert_eq!(group.run(&["request", "echo"]).status, 0);
    assert_eq!(files.recv_timeout(WITHIN), Ok(0), "nobody joined");
    assert_eq!(group.files(), before);
}

#[test]
fn payloads_come_from_text_files_and_the_input() {
    let group = Group::new();
    let _primary = group.echoing();
    let hex = |run: Run| run.json()["replies"][0]["hex"].clone();
    assert_eq!(hex(group.run(&["--json", "request", "echo"])), "");
    assert_eq!(hex(group.run(&["--json", "request", "echo", "--text", "-é"])), "2dc3a9");
    let file = group.path().join("payload");
    fs::write(&file, [7; 256]).unwrap();
    assert_eq!(
        hex(group.run(&["--json", "request", "echo", "--file", file.to_str().unwrap()])),
        "07".repeat(256)
    );

    let mut command = group.command(&["--json", "request", "echo", "--file", "-"]);
    command.stdin(File::open(&file).unwrap());
    assert_eq!(hex(Run::of(&mut command)), "07".repeat(256));
}

#[test]
fn a_request_that_is_not_answered_is_status_1() {
    let group = Group::new();
    let (keep, _kept) = channel();
    let primary = group
        .primary()
        .serve(Name::from_static("silent"), move |request| keep.send(request.defer()).unwrap());
    let _primary = primary.start().unwrap();

    let ignored = group.run(&["--json", "request", "unknown"]);
    let outcomes =
        json!([{ "peer": group.socket(), "outcome": "ignored", "reason": "no_action", "why": "" }]);
    assert_eq!(ignored.json(), json!({ "sent": 0, "received": 0, "replies": [], "outcomes": outcomes }));
    assert_eq!(ignored.status, 1);
    assert!(ignored.err.contains("no action \"unknown\"") && ignored.err.lines().count() == 1, "{ignored:?}");

    let late = group.run(&["--json", "--timeout", "20ms", "request", "silent"]);
    let outcomes = json!([{ "peer": group.socket(), "outcome": "timed_out" }]);
    assert_eq!(late.json(), json!({ "sent": 1, "received": 0, "replies": [], "outcomes": outcomes }));
    assert_eq!(late.status, 1);
    assert!(late.err.contains("--timeout") && late.err.lines().count() == 1, "{late:?}");
}

#[test]
fn an_interrupted_request_removes_its_socket() {
    let group = Group::new();
    let (asked, requests) = channel();
    let builder = group
        .primary()
        .serve(Name::from_static("silent"), move |request| asked.send(request.defer()).unwrap());
    let _primary = builder.start().unwrap();
    let before = group.files();
    let command = &mut group.command(&["--timeout", "1m", "request", "silent"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _request = requests.recv_timeout(WITHIN).expect("it asks");
    assert_eq!(group.files().len(), before.len() + 1);
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(wait(&mut child), 1);
    assert_eq!(group.files(), before);
}

#[test]
fn a_message_is_sent_to_the_primary() {
    let group = Group::new();
    let (seen, messages) = channel();
    let builder = group.primary().on(Name::from_static("told"), move |message, peer| {
        seen.send((message.param.to_vec(), message.fds.len(), peer.uid())).unwrap();
    });
    let _primary = builder.start().unwrap();
    let run =
        group.run(&["--json", "send", "told", "--hex", "0aff", "--fd", "/dev/null", "--fd", "/dev/zero"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.json(), json!({ "sent": 1, "outcomes": [{ "peer": group.socket(), "outcome": "sent" }] }));
    assert_eq!(messages.recv_timeout(WITHIN), Ok((vec![0x0a, 0xff], 2, own_uid())));
}

#[test]
fn a_message_waits_for_room_until_it_is_interrupted() {
    let group = Group::new();
    let full = UnixDatagram::bind(group.socket()).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send_to(&[0], group.socket()).is_ok() {}

    let late = group.run(&["--json", "--timeout", "20ms", "send", "told"]);
    assert_eq!((late.status, &late.json()["sent"]), (1, &json!(0)));
    assert_eq!(late.json()["outcomes"][0]["outcome"], json!("queue_full"));

    let command = &mut group.command(&["--timeout", "1m", "send", "told"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(eventually(|| group.files().len() == 2), "it sends from a socket of its own");
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(wait(&mut child), 1);
    assert_eq!(group.files(), ["mp_socket"]);
    drop(full);
}

#[test]
fn ping_tells_round_trips() {
    let group = Group::new();
    let _primary = group.echoing();
    let before = group.files();
    let run = group.run(&["--json", "ping", "echo", "--count", "20", "--interval", "0s", "--hex", "01"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let pings = run.json();
    assert_eq!(
        [&pings["name"], &pings["sent"], &pings["received"], &pings["lost"]],
        [&json!("echo"), &json!(20), &json!(20), &json!(0)]
    );
    let times = ["min_us", "p50_us", "p99_us", "max_us"].map(|key| pings[key].as_f64().expect("a number"));
    assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");

    assert_eq!(group.files(), before);

    let text = group.run(&["ping", "echo", "--count", "1"]);
    assert!(text.out.starts_with("echo: sent 1, received 1, lost 0\nmin "), "{text:?}");

    let lost = group.run(&["--json", "ping", "unknown", "--count", "3", "--interval", "0s"]);
    assert_eq!(lost.status, 1);
    assert_eq!(lost.json()["losses"], json!({ "ignored": 3 }));
    assert_eq!(lost.json()["p50_us"], Value::Null);
}

#[test]
fn an_interrupted_ping_tells_what_it_has() {
    let group = Group::new();
    let (asked, requests) = channel();
    let builder = group.primary().serve(Name::from_static("echo"), move |mut request| {
        let (request, responder) = (request.take_message(), request.defer());
        echo(&request, responder);
        asked.send(()).unwrap();
    });
    let _primary = builder.start().unwrap();
    let before = group.files();
    let mut ping = group.start(&["ping", "echo", "--count", "1000000", "--interval", "1us"]);
    (0..3).for_each(|_| requests.recv_timeout(WITHIN).expect("it asks"));
    interrupt(&mut ping);
    let pings = line(&mut ping);
    assert!((2..1_000_000).contains(&pings["received"].as_u64().unwrap()), "{pings}");
    assert_eq!((&pings["lost"], group.files()), (&json!(0), before));
}

#[test]
fn a_stopped_primary_is_told_as_such() {
    let group = Group::new();
    let mut primary = group.start(&["serve", "echo", "--primary"]);
    crate::ready(&mut primary);
    let advice =
        format!("mpctl: the primary, pid {0}, is stopped: `kill -CONT {0}` lets it go on\n", primary.pid());
    primary.pause();
    let timed_out = group.run(&["--timeout", "50ms", "request", "echo"]);
    assert_eq!((timed_out.status, timed_out.err.as_str()), (1, advice.as_str()));
    let ping = group.run(&["--timeout", "50ms", "ping", "echo", "--count", "1"]);
    assert!(ping.status == 1 && ping.err.ends_with(&advice), "{ping:?}");
    let full = (0..20).map(|_| group.run(&["--timeout", "50ms", "send", "told"])).find(|run| run.status != 0);
    assert_eq!(full.map(|run| run.err), Some(advice), "its queue is full");
    primary.resume();
    // It is as before once it has read what waited.
    assert!(eventually(|| group.run(&["request", "echo"]).status == 0));
    let unknown = group.run(&["--timeout", "50ms", "request", "nobody_serves_this"]);
    assert!(unknown.err.contains("check the name"), "{unknown:?}");
}
