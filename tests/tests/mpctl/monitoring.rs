//! `monitor` and `replay`: what members send and get, live, saved, captured and sent again.

use std::{
    collections::BTreeSet,
    fs,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use mp_core::{Client, Message, Name, Primary};
use mp_typed::{Message as Typed, Payload, Peer, Request, Response};
use serde_json::{Value, json};
use tests::{Process, WITHIN, eventually};

use crate::{Group, echo, interrupt, line, memory_file, ready};

/// Waits until this socket's datagrams are seen.
fn attached(monitor: &mut Process, socket: &Path) {
    let wanted = json!(socket);
    let line = monitor.line(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line["monitor"] == json!("attached") && line["socket"] == wanted
    });
    assert!(line.contains("attached"));
}

/// A monitor that sees the primary.
fn monitor(group: &Group, arguments: &[&str]) -> Process {
    let mut monitor = group.start(&[&["monitor"], arguments].concat());
    attached(&mut monitor, &group.socket());
    monitor
}

fn client(group: &Group) -> Client {
    Client::builder("unused").runtime_dir(group.path()).start().expect("a short path")
}

fn ask(client: &Client, name: &'static str, param: &[u8]) {
    let message = Message::new(Name::from_static(name)).with_param(param).expect("it fits");
    drop(client.request(&message, WITHIN));
}

#[test]
fn requests_are_shown_with_their_answers_and_the_time_between_them() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut monitor = monitor(&group, &[]);
    let (file, _) = memory_file(b"abc");
    let client = client(&group);
    let message = Message::new(Name::from_static("echo")).with_param([1, 2]).unwrap();
    client.request(&message.with_fd(file.into()).unwrap(), WITHIN).unwrap();
    let request = line(&mut monitor);
    assert_eq!(
        [&request["kind"], &request["name"], &request["direction"], &request["hex"]],
        ["request", "echo", "in", "0102"]
    );
    assert_eq!(request["seen_by"], json!({ "pid": std::process::id(), "socket": group.socket() }));
    assert_eq!(request["peer"]["pid"], json!(std::process::id()));
    assert_eq!(request["fds"], json!([{ "kind": "file", "size": 3 }]), "described, never passed on");
    assert_eq!(request.get("after_us"), None);
    let reply = line(&mut monitor);
    assert_eq!([&reply["kind"], &reply["direction"]], ["reply", "out"]);
    let after = reply["after_us"].as_f64().expect("it is paired");
    assert!(after > 0.0 && after < 1e7, "{reply}");
    assert_eq!(reply["sequence"], request["sequence"]);

    ask(&client, "unknown", &[]);
    assert_eq!(line(&mut monitor)["name"], json!("unknown"));
    let ignored = line(&mut monitor);
    assert!(ignored["kind"] == json!("ignore") && ignored["after_us"].is_f64(), "{ignored}");

    UnixDatagram::unbound().unwrap().send_to(&[7; 3], group.socket()).unwrap();
    let malformed = line(&mut monitor);
    assert_eq!([&malformed["kind"], &malformed["hex"]], [&Value::Null, &json!("070707")]);
    assert_eq!(malformed["rejected"], json!("malformed_length"));
    interrupt(&mut monitor);
}

#[test]
fn members_that_come_later_are_seen_and_those_that_leave_are_told() {
    let group = Group::new();
    let primary = group.echoing();
    let mut monitor = monitor(&group, &["--match", "name=told"]);
    let mut later = group.start(&["serve", "told"]);
    let socket = ready(&mut later);
    attached(&mut monitor, &socket);
    primary.send(&Message::new(Name::from_static("told"))).unwrap();
    let directions = [(); 2].map(|()| {
        let line = line(&mut monitor);
        (line["direction"].as_str().unwrap().to_owned(), line["seen_by"]["pid"].as_u64().unwrap() as u32)
    });
    for expected in [("out".to_owned(), std::process::id()), ("in".to_owned(), later.pid())] {
        assert!(directions.contains(&expected), "{directions:?}");
    }
    later.kill();
    let mut left = line(&mut monitor);
    // Whoever is killed while it is being asked is told as unseen first.
    if left["monitor"] == json!("unseen") {
        left = line(&mut monitor);
    }
    assert_eq!([&left["monitor"], &left["socket"]], [&json!("left"), &json!(socket)]);

    // So is the primary that takes the place of one that has gone.
    drop(primary);
    assert_eq!(line(&mut monitor)["monitor"], json!("left"));
    let _primary = group.echoing();
    attached(&mut monitor, &group.socket());
}

#[test]
fn only_what_matches_is_shown_in_words_where_that_is_possible() {
    let group = Group::new();
    let builder = group.primary().serve(Name::from_static("bus_vdev_mp"), |mut request| {
        echo(&request.take_message(), request.defer());
    });
    let primary = builder.serve(Name::from_static("echo"), |mut request| {
        echo(&request.take_message(), request.defer());
    });
    let _primary = primary.start().unwrap();
    let pid = std::process::id().to_string();
    let matching = format!("name=bus_*,kind=request,peer={pid}");
    let mut monitor = monitor(&group, &["--match", &matching, "--count", "1"]);
    let client = client(&group);
    ask(&client, "echo", &[]);
    let scan = [&1_i32.to_ne_bytes()[..], &[0; 68]].concat();
    ask(&client, "bus_vdev_mp", &scan);
    let shown = line(&mut monitor);
    assert_eq!([&shown["name"], &shown["kind"]], ["bus_vdev_mp", "request"]);
    assert_eq!(shown["decoded"], json!({ "type": "scan_request" }));
    assert!(monitor.wait_end(), "one is enough");
    group.run(&["monitor", "--match", "port=7"]).assert_failed(2, "match name, kind or peer");
}

#[test]
fn what_cannot_be_seen_is_told_plainly() {
    let group = Group::new();
    let _primary = group.echoing();
    // As a process in C is, it is silent on what it does not know.
    let silent = group.path().join("mp_socket_4000000_f");
    let _held = UnixDatagram::bind(&silent).unwrap();
    let mut monitor = group.start(&["--timeout", "100ms", "monitor"]);
    let unseen = monitor.line(|line| line.contains("unseen"));
    let unseen: Value = serde_json::from_str(&unseen).unwrap();
    assert_eq!([&unseen["monitor"], &unseen["socket"]], [&json!("unseen"), &json!(silent)]);
    assert!(unseen["why"].as_str().unwrap().contains("a process in C"), "{unseen}");
    interrupt(&mut monitor);
    let mut child = group.command(&["monitor", "--count", "1"]);
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| crate::Run::of(&mut child));
        let client = client(&group);
        // Whatever comes first is enough, once it sees the primary.
        assert!(eventually(|| {
            ask(&client, "echo", &[]);
            run.is_finished()
        }));
        run.join().unwrap()
    });
    assert_eq!(
        run.err,
        "mpctl: seen is what members in Rust send and get; what those in C send each other is not\n"
    );
}

#[test]
fn a_monitor_that_does_not_read_holds_up_nobody_and_is_told_what_it_missed() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut monitor = monitor(&group, &[]);
    monitor.pause();
    let client = client(&group);
    let message = Message::new(Name::from_static("echo")).with_param([7; 256]).unwrap();
    let is_dropped = || {
        (0..500).for_each(|_| drop(client.request(&message, WITHIN).expect("nobody is held up")));
        let status = mp_core::inspect::status(&client, WITHIN).expect("it answers");
        serde_json::from_str::<Value>(&status).expect("JSON")["monitors"][0]["dropped"] != json!(0)
    };
    assert!(eventually(is_dropped));
    monitor.resume();
    // It is told with the next that has room.
    let is_told = AtomicBool::new(false);
    let told = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_told.load(Relaxed) {
                ask(&client, "echo", &[]);
            }
        });
        let told = monitor.line(|line| line.contains("\"monitor\":\"dropped\""));
        is_told.store(true, Relaxed);
        told
    });
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["dropped"].as_u64() > Some(0) && told["pid"] == json!(std::process::id()), "{told}");
    interrupt(&mut monitor);
}

#[derive(Request)]
#[message(name = "link_open", response = Result<Link, OpenError>)]
struct OpenLink {
    port: u16,
    speed: Speed,
    lcores: Lcores,
    #[fd]
    log: Option<OwnedFd>,
}

#[derive(Payload)]
enum Speed {
    Auto,
    Fixed { mbps: u32 },
}

#[derive(Payload)]
struct Lcores {
    rx: u8,
    tx: [u8; 2],
}

#[derive(Response)]
struct Link {
    queues: u16,
    #[fd]
    memory: OwnedFd,
}

#[derive(Response)]
enum OpenError {
    NoSuchPort { ports: u16 },
}

#[derive(Typed)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    #[message(max_len = 8)]
    label: String,
}

#[derive(Request)]
#[message(name = "link_shut", response = ())]
struct ShutLink(u16);

fn open_link(port: u16, speed: Speed, log: Option<OwnedFd>) -> OpenLink {
    OpenLink { port, speed, lcores: Lcores { rx: 1, tx: [2, 3] }, log }
}

fn typed(group: &Group) -> mp_typed::Primary {
    let builder = mp_typed::Primary::builder("unused").runtime_dir(group.path());
    let opened = |open: OpenLink, _: &Peer| match open.port {
        0 => Ok(Link { queues: 4, memory: memory_file(b"ring").0.into() }),
        _ => Err(OpenError::NoSuchPort { ports: 1 }),
    };
    builder.serve(opened).on(|_: LinkState, _: &Peer| ()).start().expect("there is no other")
}

#[test]
fn payloads_are_decoded_by_what_members_tell_of_their_types() {
    let group = Group::new();
    let _primary = typed(&group);
    let builder = mp_typed::Secondary::builder("unused").runtime_dir(group.path());
    let secondary = builder.start().expect("there is a primary");
    let mut monitor = group.start(&["monitor"]);
    // In whichever order.
    let mut unseen = vec![group.socket(), secondary.address().path().to_owned()];
    while !unseen.is_empty() {
        let line = line(&mut monitor);
        assert_eq!(line["monitor"], json!("attached"), "{line}");
        unseen.retain(|socket| line["socket"] != json!(socket));
    }
    // Each is seen at either end, by the same definition; the ends are told in any order.
    let mut seen = |expected: &[(&str, Value)]| {
        let mut ends = BTreeSet::new();
        for _ in 0..2 * expected.len() {
            let line = line(&mut monitor);
            let of_kind = expected.iter().find(|(kind, _)| line["kind"] == json!(kind));
            let (kind, decoded) = of_kind.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(&line["decoded"], decoded, "{line}");
            assert!(line["hex"].is_string() && line.get("undecoded").is_none(), "{line}");
            assert!(ends.insert((*kind, line["direction"] == json!("in"))), "once at each end: {line}");
        }
    };
    let log = memory_file(b"log").0.into();
    let open = open_link(0, Speed::Fixed { mbps: 10_000 }, Some(log));
    assert!(secondary.request(&open, WITHIN).is_ok());
    let request = json!({
        "port": 0, "speed": {"Fixed": {"mbps": 10_000}}, "lcores": {"rx": 1, "tx": [2, 3]},
        "log": {"kind": "file", "size": 3},
    });
    let reply = json!({"Ok": {"queues": 4, "memory": {"kind": "file", "size": 4}}});
    seen(&[("request", request), ("reply", reply)]);
    let answer = secondary.request(&open_link(7, Speed::Auto, None), WITHIN).expect("it is answered");
    assert!(matches!(answer, Err(OpenError::NoSuchPort { ports: 1 })));
    let request = json!({"port": 7, "speed": "Auto", "lcores": {"rx": 1, "tx": [2, 3]}, "log": null});
    seen(&[("request", request), ("reply", json!({"Err": {"NoSuchPort": {"ports": 1}}}))]);
    secondary.send(&LinkState { port: 1, label: "wan".to_owned() }).expect("there is a primary");
    seen(&[("message", json!({"port": 1, "label": "wan"}))]);
    interrupt(&mut monitor);
}

#[test]
fn a_reader_gets_payloads_in_rust_like_notation() {
    let group = Group::new();
    let _primary = typed(&group);
    let mut monitor = Process::spawn(group.command(&["monitor", "--count", "3"]));
    monitor.line(|line| line.ends_with("(mp_socket) is seen"));
    let (_file, log) = memory_file(b"log");
    let open = r#"{"port": 0, "speed": {"Fixed": {"mbps": 10000}}, "lcores": {"rx": 1, "tx": [2, 3]}}"#;
    assert_eq!(group.run(&["call", "link_open", open, "--fd", &format!("log={log}")]).status, 0);
    assert_eq!(group.run(&["call", "link_state", r#"{"port": 1, "label": "wan"}"#]).status, 0);
    for noted in [
        "  = OpenLink { port: 0, speed: Fixed { mbps: 10000 }, lcores: Lcores { rx: 1, tx: [2, 3] }, \
         log: Some(<file of 3 B>) }",
        "  = Ok { queues: 4, memory: <file of 4 B> }",
        "  = LinkState { port: 1, label: \"wan\" }",
    ] {
        assert_eq!(monitor.line(|line| line.starts_with("  ")), noted);
    }
    assert!(monitor.wait_end());
}

#[test]
fn what_is_not_as_its_definition_has_it_is_told_and_shown_as_bytes() {
    let group = Group::new();
    let _primary = typed(&group);
    let mut json = monitor(&group, &["--match", "kind=request,kind=message"]);
    let mut plain = Process::spawn(group.command(&["monitor", "--match", "kind=request,kind=message"]));
    plain.line(|line| line.ends_with("(mp_socket) is seen"));
    let client = client(&group);
    let mut told = |name: &'static str, fingerprint: u64, why: &str| {
        let message = Message::new(Name::from_static(name)).with_param([7; 1]).expect("it fits");
        client.send(&message.with_fingerprint(fingerprint)).expect("there is a primary");
        let line = line(&mut json);
        assert_eq!([&line["undecoded"], &line["hex"]], [why, "07"], "{line}");
        assert_eq!(line.get("decoded"), None);
        assert_eq!(plain.line(|line| line.starts_with("  ")), format!("  not decoded: {why}"));
        assert!(plain.line(|line| line.starts_with("  ")).starts_with("  0000  07 "));
    };
    told("link_state", 0, "it is no LinkState: `port` takes 2 bytes, and the payload ends after 1 more");
    let own = <LinkState as Typed>::FINGERPRINT;
    told(
        "link_state",
        5,
        &format!("its definition, 0000000000000005, is not the receiver's, {own:016x}, and nobody tells it"),
    );
    // What nobody tells of is shown as bytes, without a word.
    ask(&client, "unknown", &[7]);
    let unknown = line(&mut json);
    assert_eq!((unknown.get("decoded"), unknown.get("undecoded")), (None, None), "{unknown}");
    interrupt(&mut json);
    interrupt(&mut plain);
}

#[test]
fn an_action_that_is_registered_later_is_decoded_too() {
    let group = Group::new();
    let primary = typed(&group);
    let mut monitor = monitor(&group, &["--match", "name=link_*,kind=request"]);
    let _shut = primary.actions().serve(|_: ShutLink, _: &Peer| ()).expect("it is free");
    let client = mp_typed::Client::builder("unused").runtime_dir(group.path()).start().expect("a short path");
    // The member is asked anew at most once a second.
    assert!(eventually(|| {
        client.request(&ShutLink(7), WITHIN).expect("it is answered");
        line(&mut monitor)["decoded"] == json!(7)
    }));
    interrupt(&mut monitor);
}

/// Saves what a primary is asked, which answers with this.
fn saved(group: &Group, answer: &'static [u8], file: &Path) {
    let _primary = answering(group, answer);
    let path = file.to_str().expect("it can be had");
    let mut monitor = monitor(group, &["--save", path, "--count", "7"]);
    let client = client(group);
    ask(&client, "open", &[1]);
    ask(&client, "unknown", &[2]);
    client.send(&Message::new(Name::from_static("told"))).expect("it can be had");
    let (fd, _) = memory_file(b"abc");
    client
        .request(&Message::new(Name::from_static("open")).with_fd(fd.into()).expect("it can be had"), WITHIN)
        .expect("it can be had");
    assert!(monitor.wait_end());
}

fn answering(group: &Group, answer: &'static [u8]) -> Primary {
    let builder = group.primary().serve(Name::from_static("open"), move |request| {
        request.reply(answer, &[]).expect("it can be had");
    });
    builder.start().expect("it can be had")
}

#[test]
fn recorded_requests_are_sent_again_and_their_answers_compared() {
    let (group, files) = (Group::new(), tempfile::tempdir().unwrap());
    let file = files.path().join("saved");
    saved(&group, b"yes", &file);
    let path = file.to_str().unwrap();
    // To another group, whose primary answers otherwise.
    let other = Group::new();
    for (answer, same) in [(&b"yes"[..], true), (b"no", false)] {
        let _primary = answering(&other, answer);
        let run = other.run(&["--json", "replay", path]);
        assert_eq!(run.status, 1, "one is answered ignore, as it was: {run:?}");
        assert_eq!(run.err, "mpctl: not sent again: 1 datagram with descriptors, which nobody can save\n");
        let lines = run.jsons();
        let of = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("name"), ["open", "unknown", "told"]);
        assert_eq!(of("outcome"), ["replied", "ignored", "sent"]);
        assert_eq!(of("same"), [json!(same), json!(true), Value::Null]);
        assert!(lines[0]["took_us"].is_f64() && lines[0]["recorded_us"].is_f64(), "{lines:?}");
    }
    let _primary = answering(&other, b"yes");
    let text = other.run(&["replay", path, "--paced", "--to", "primary"]).out;
    assert!(
        text.starts_with("request open replied after ") && text.contains(", answered as then\n"),
        "{text}"
    );
    other.run(&["replay", "/no/such"]).assert_failed(2, "cannot read \"/no/such\"");
    fs::write(&file, "x\n").unwrap();
    other.run(&["replay", path]).assert_failed(2, "line 1 of");
}

/// The packets of a capture: interface, payload.
fn packets(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let number = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let (mut at, mut packets, mut kinds) = (0, Vec::new(), Vec::new());
    while at < file.len() {
        let length = number(at + 4) as usize;
        assert_eq!(number(at + length - 4) as usize, length, "the length stands at both ends");
        kinds.push(number(at));
        if number(at) == 6 {
            let captured = number(at + 20) as usize;
            packets.push((number(at + 8), file[at + 28..at + 28 + captured].to_vec()));
        }
        at += length;
    }
    assert_eq!(kinds[..2], [0x0a0d_0d0a, 1], "a section, then an interface");
    packets
}

#[test]
fn a_capture_has_each_datagram_as_it_was() {
    let (group, files) = (Group::new(), tempfile::tempdir().unwrap());
    let _primary = group.echoing();
    let file = files.path().join("capture.pcapng");
    let mut monitor = monitor(&group, &["--pcapng", file.to_str().unwrap(), "--count", "2"]);
    ask(&client(&group), "echo", b"payload");
    assert!(monitor.wait_end());
    let packets = packets(&fs::read(&file).unwrap());
    assert_eq!(packets.len(), 2);
    for (kind, (interface, datagram)) in [1_u32, 2].into_iter().zip(packets) {
        assert_eq!((interface, datagram.len()), (0, 332));
        assert_eq!(datagram[..4], kind.to_ne_bytes(), "a request, then a reply");
        assert_eq!((&datagram[4..9], &datagram[76..83]), (&b"echo\0"[..], &b"payload"[..]));
    }
}

#[test]
fn a_monitor_ends_while_nothing_happens() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut monitor = monitor(&group, &[]);
    interrupt(&mut monitor);
    assert!(group.files().iter().all(|name| !name.starts_with("mp_reply")), "{:?}", group.files());
}
