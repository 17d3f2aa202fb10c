//! `describe` and `call`: what types a member tells, and asking it with JSON.

use std::{fs, os::fd::OwnedFd, path::Path};

use mp_typed::{Message, Payload, Peer, Primary, Request, Response, Secondary};
use serde_json::json;

use super::Group;

#[derive(Request)]
#[message(name = "ring_open", response = Result<Ring, OpenError>)]
struct OpenRing {
    port: u16,
    #[message(max_len = 8)]
    label: String,
    #[fd]
    log: Option<OwnedFd>,
}

#[derive(Response)]
struct Ring {
    geometry: Geometry,
    log_size: u64,
    #[fd]
    memory: OwnedFd,
}

#[derive(Payload)]
struct Geometry {
    slots: u32,
    head: [u64; 2],
}

#[derive(Response)]
enum OpenError {
    NoSuchPort { port: u16, ports: u16 },
}

#[derive(Message)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    up: bool,
}

#[derive(Request)]
#[message(name = "sync_queues", layout = "C", response = Queues)]
struct SyncQueues {
    port_name: [u8; 16],
    rx: i32,
}

#[derive(Response)]
#[message(layout = "C")]
struct Queues {
    port_name: [u8; 16],
    rx: i32,
    tx: i64,
}

#[derive(Request)]
#[message(name = "ping", response = ())]
struct Ping;

fn memory() -> OwnedFd {
    let file = tempfile::tempfile().expect("a file");
    std::os::unix::fs::FileExt::write_all_at(&file, b"ring", 0).expect("there is room");
    file.into()
}

fn open(open: OpenRing, _: &Peer) -> Result<Ring, OpenError> {
    if open.port > 1 {
        return Err(OpenError::NoSuchPort { port: open.port, ports: 2 });
    }
    assert_eq!(open.label, "rx");
    let log_size = open.log.map_or(0, |log| fs::File::from(log).metadata().expect("a file").len());
    Ok(Ring { geometry: Geometry { slots: 8, head: [1, 2] }, log_size, memory: memory() })
}

fn primary(group: &Group) -> Primary {
    let builder = Primary::builder("unused").runtime_dir(group.path());
    builder
        .serve(open)
        .serve(|sync: SyncQueues, _: &Peer| Queues { port_name: sync.port_name, rx: sync.rx, tx: 7 })
        .serve(|_: Ping, _: &Peer| ())
        .on(|_: LinkState, _: &Peer| ())
        .core(|core| core.on(mp_core::Name::from_static("raw"), |_, _| ()))
        .start()
        .expect("there is no other")
}

#[test]
fn the_actions_of_a_process_are_told_with_their_types() {
    let group = Group::new();
    let _primary = primary(&group);
    let run = group.run(&["describe"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let (head, actions) = run.out.split_once("\n\n").expect("a head");
    assert_eq!(
        head,
        format!(
            "// primary, pid {}, mp-core {}, {}",
            std::process::id(),
            env!("CARGO_PKG_VERSION"),
            group.socket().display()
        )
    );
    expect_test::expect![[r#"
        // message, fingerprint ab0b1ad53ae13c8c
        #[message(name = "link_state")]
        // LinkState: 3 bytes
        struct LinkState {
            port: u16,  // 2
            up: bool,   // 1
        }

        // request, fingerprint 51bea93e52f3bb83
        #[message(name = "ping", response = ())]
        // Ping: 0 bytes
        struct Ping;

        // takes bytes, of which it tells no type
        #[message(name = "raw")]

        // request, fingerprint 09c46937fea0dafc
        #[message(name = "ring_open", response = Result<Ring, OpenError>)]
        // OpenRing: 11 to 19 bytes, 1 descriptor
        struct OpenRing {
            port: u16,                   // 2
            label: String<8>,            // 16
            #[fd] log: Option<OwnedFd>,
        }
        // Result<Ring, OpenError>: 12 to 32 bytes, 1 descriptor
        Ok {
            geometry: Geometry,     // 20
            log_size: u64,          // 8
            #[fd] memory: OwnedFd,
        }
        struct Geometry {
            slots: u32,      // 4
            head: [u64; 2],  // 16
        }
        enum OpenError {
            NoSuchPort {
                port: u16,   // 2
                ports: u16,  // 2
            },
        }

        // request, no fingerprint
        #[message(name = "sync_queues", response = Queues)]
        // SyncQueues: 20 bytes, laid out as C does
        struct SyncQueues {
            port_name: [u8; 16],  // 16, at 0
            rx: i32,              // 4, at 16
        }
        // Queues: 32 bytes, laid out as C does
        struct Queues {
            port_name: [u8; 16],  // 16, at 0
            rx: i32,              // 4, at 16
            tx: i64,              // 8, at 24
        }
    "#]]
    .assert_eq(actions);

    let run = group.run(&["--json", "describe", "link_state"]);
    let json = run.json();
    assert_eq!((&json["mp.describe"], &json["pid"]), (&json!(1), &json!(std::process::id())));
    assert_eq!(
        json["actions"],
        json!([{
            "name": "link_state", "kind": "message", "fingerprint": format!("{:016x}", LinkState::FINGERPRINT),
            "accepts": [],
            "body": {"max": 3, "fds": 0, "fds_received": 8, "struct": "LinkState", "fields": [
                {"name": "port", "type": "u16", "max": 2}, {"name": "up", "type": "bool", "max": 1},
            ]},
        }])
    );
}

#[test]
fn a_member_is_described_by_its_pid_and_one_action_by_its_name() {
    let group = Group::new();
    let _primary = primary(&group);
    let secondary = Secondary::builder("unused")
        .runtime_dir(group.path())
        .on(|_: LinkState, _: &Peer| ())
        .start()
        .expect("it joins");
    let socket = secondary.address().file_name().to_str().expect("UTF-8").to_owned();
    let json = group.run(&["--json", "describe", &socket]).json();
    assert_eq!((&json["role"], json["actions"].as_array().map(Vec::len)), (&json!("secondary"), Some(1)));
    let json = group.run(&["--json", "describe", &socket, "link_state"]).json();
    assert_eq!(json["actions"][0]["name"], "link_state");
    group
        .run(&["describe", &socket, "ring_open"])
        .assert_failed(1, "has no action \"ring_open\"; it has link_state");
    group.run(&["describe", "ring_shut"]).assert_failed(
        1,
        "the primary has no action \"ring_shut\"; it has link_state, ping, raw, ring_open, sync_queues",
    );
}

#[test]
fn c_structs_are_told_with_what_a_compiler_has_to_agree_to() {
    let group = Group::new();
    let _primary = primary(&group);
    let run = group.run(&["describe", "sync_queues", "--c"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    expect_test::expect![[r#"
        /* sync_queues */
        #include <stdbool.h>
        #include <stddef.h>
        #include <stdint.h>

        struct SyncQueues {
            uint8_t port_name[16];
            int32_t rx;
        };
        _Static_assert(sizeof(struct SyncQueues) == 20, "size of SyncQueues");
        _Static_assert(offsetof(struct SyncQueues, port_name) == 0, "place of SyncQueues.port_name");
        _Static_assert(offsetof(struct SyncQueues, rx) == 16, "place of SyncQueues.rx");

        struct Queues {
            uint8_t port_name[16];
            int32_t rx;
            int64_t tx;
        };
        _Static_assert(sizeof(struct Queues) == 32, "size of Queues");
        _Static_assert(offsetof(struct Queues, port_name) == 0, "place of Queues.port_name");
        _Static_assert(offsetof(struct Queues, rx) == 16, "place of Queues.rx");
        _Static_assert(offsetof(struct Queues, tx) == 24, "place of Queues.tx");
    "#]]
    .assert_eq(&run.out);
    assert_eq!(group.run(&["describe", "--c"]).out, run.out, "it is the only one in C layout");
    group.run(&["describe", "ring_open", "--c"]).assert_failed(1, "is not in C layout");
    group.run(&["describe", "raw", "--c"]).assert_failed(1, "takes bytes");

    let file = group.path().join("structs.c");
    fs::write(&file, &run.out).expect("written");
    match std::process::Command::new("cc")
        .args(["-std=c11", "-Wall", "-Werror", "-fsyntax-only"])
        .arg(&file)
        .output()
    {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "only a missing compiler is no failure")
        }
    }
}

fn log(group: &Group) -> String {
    let path = group.path().join("log");
    fs::write(&path, "twelve bytes").expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_call_is_json_and_so_is_its_answer() {
    let group = Group::new();
    let _primary = primary(&group);
    let (log, saved) = (log(&group), group.path().join("saved"));
    let run = group.run(&[
        "call",
        "ring_open",
        r#"{"port": 1, "label": "rx"}"#,
        "--fd",
        &format!("log={log}"),
        "--save",
        &format!("memory={}", saved.display()),
    ]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let answer: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(
        answer,
        json!({"Ok": {
            "geometry": {"slots": 8, "head": [1, 2]}, "log_size": 12,
            "memory": {"saved": saved.to_str(), "size": 4},
        }})
    );
    assert_eq!(fs::read(&saved).expect("it is saved"), b"ring");

    let run = group.run(&["--json", "call", "ring_open", r#"{"port": 9, "label": ""}"#]);
    let json = run.json();
    assert_eq!((run.status, &json["pid"]), (0, &json!(std::process::id())));
    assert_eq!(json["answer"], json!({"Err": {"NoSuchPort": {"port": 9, "ports": 2}}}));

    let queues = group.run(&["call", "sync_queues", r#"{"port_name": "net_tap0", "rx": -1}"#]);
    let answer: serde_json::Value = serde_json::from_str(&queues.out).expect("JSON");
    assert_eq!(answer, json!({"port_name": "net_tap0", "rx": -1, "tx": 7}));
    assert_eq!(group.run(&["call", "ping"]).out, "null\n");
    let sent = group.run(&["--json", "call", "link_state", r#"{"port": 1, "up": true}"#]).json();
    assert_eq!(sent["sent"], 1);
}

#[test]
fn what_does_not_fit_the_type_is_refused_before_it_is_sent() {
    let group = Group::new();
    let primary = primary(&group);
    let refused = |json: &str, fds: &[&str], text: &str| {
        let fds: Vec<_> = fds.iter().flat_map(|fd| ["--fd", fd]).collect();
        group.run(&[&["call", "ring_open", json], &fds[..]].concat()).assert_failed(2, text);
    };
    refused(r#"{"port": 70000, "label": ""}"#, &[], "`port` takes a number from 0 to 65535, not 70000");
    refused(r#"{"port": 1}"#, &[], "`label` is missing: it takes a text of at most 8 bytes");
    refused(r#"{"port": 1, "label": "123456789"}"#, &[], "`label` has 9 bytes, and at most 8 fit");
    refused(r#"{"port": 1, "label": "", "mtu": 9}"#, &[], "`mtu` is no field: those are port, label, log");
    refused(r#"{"port": 1, "label": ""}"#, &["ring=/dev/null"], "those that do are log");
    refused(r#"{"port": 1, "label": ""}"#, &["log=/no/such"], "cannot open \"/no/such\"");
    refused(r#"{"port": 1"#, &[], "this is no JSON");
    group.run(&["call", "raw", "{}"]).assert_failed(2, "takes bytes, of which the primary tells no type");
    group.run(&["call", "ring_shut", "{}"]).assert_failed(1, "has no action \"ring_shut\"");
    group.run(&["call", "ring_open", "--fd", "log"]).assert_failed(2, "FIELD=PATH");
    assert_eq!(primary.statistics().rejected_in_all(), 0, "nothing of it was sent");
}

#[test]
fn who_cannot_tell_is_said_so() {
    let group = Group::new();
    let quiet = group.primary().without_inspection().start().expect("there is no other");
    group.run(&["describe"]).assert_failed(1, "the primary: it does not know \"mp.describe\"");
    group.run(&["call", "ping"]).assert_failed(1, "without_inspection");
    drop(quiet);
    group.run(&["describe"]).assert_failed(1, "no primary in");
    assert!(Path::new(group.path()).exists());
}
