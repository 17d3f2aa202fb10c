//! `--as` and `--to`: payloads field by field, and members other than the primary.

use std::{process::Stdio, sync::mpsc::channel};

use mp_core::Name;
use serde_json::json;
use tests::{Process, WITHIN};

use crate::{Group, echo, line, ready};

/// A C struct: what a peer without a schema sends and expects.
fn counters(rx: u64, tx: u64) -> Vec<u8> {
    [rx.to_ne_bytes(), tx.to_ne_bytes()].concat()
}

#[test]
fn fields_are_written_and_read_as_a_c_peer_lays_them_out() {
    let group = Group::new();
    let (seen, params) = channel();
    let builder = group.primary().serve(Name::from_static("stats"), move |mut request| {
        let (request, responder) = (request.take_message(), request.defer());
        seen.send(request.param.to_vec()).unwrap();
        responder.reply(&counters(7, u64::MAX), &[]).unwrap();
    });
    let _primary = builder.start().unwrap();
    let arguments = ["--json", "request", "stats", "--as", "port:u16 queue:i32 label:[char;8]"];
    let values = ["--values", "3 -1 wan", "--reply-as", "rx:u64 tx:u64"];
    let run = group.run(&[&arguments[..], &values].concat());
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let written = [&3_u16.to_ne_bytes()[..], &[0, 0], &(-1_i32).to_ne_bytes(), b"wan\0\0\0\0\0"].concat();
    assert_eq!(params.recv_timeout(WITHIN), Ok(written), "with the gap that C leaves before the int");
    assert_eq!(run.json()["replies"][0]["decoded"], json!({ "rx": 7, "tx": u64::MAX }));

    let packed = group.run(&[&arguments[..], &["--packed", "--values", "queue=-1 port=3"]].concat());
    assert_eq!(packed.status, 0, "{packed:?}");
    let written = [&3_u16.to_ne_bytes()[..], &(-1_i32).to_ne_bytes(), &[0; 8]].concat();
    assert_eq!(params.recv_timeout(WITHIN), Ok(written), "without gaps; what is not given is zero");
    assert_eq!(packed.json()["replies"][0].get("decoded"), None, "it has another size than --as declares");

    let text = group.run(&["request", "stats", "--as", "rx:u64 tx:u64"]);
    assert!(text.out.contains(&format!("\n  = rx 7, tx {}\n", u64::MAX)), "{text:?}");
    let short = group.run(&["request", "stats", "--reply-as", "a:[u64;3]"]);
    assert_eq!(short.status, 0, "it has answered");
    assert!(
        short.err.starts_with("mpctl: the reply has 16 bytes, and the declared fields take 24"),
        "{short:?}"
    );
}

#[test]
fn dpdks_own_structs_can_be_declared() {
    let group = Group::new();
    let scan = mp_dpdk::VdevScan::new();
    let scan = mp_typed::encode(&scan).unwrap();
    let expected = scan.param().to_vec();
    let builder = group.primary().serve(Name::from_static("bus_vdev_mp"), move |mut request| {
        let (request, responder) = (request.take_message(), request.defer());
        assert_eq!(*request.param, *expected, "as mp-dpdk writes it");
        echo(&request, responder);
    });
    let _primary = builder.start().unwrap();
    let vdev = "int type: int, num: int, name: char[64]";
    let run = group.run(&["request", "bus_vdev_mp", "--as", vdev, "--values", "type=1"]);
    run.assert_failed(2, "\"int\" has no type; write name:type, such as rx:u64");
    let vdev = "type:int num:int name:char[64]";
    let run = group.run(&["--json", "request", "bus_vdev_mp", "--as", vdev, "--values", "type=1"]);
    assert_eq!(run.json()["replies"][0]["decoded"], json!({ "type": 1, "num": 0, "name": "" }), "{run:?}");
}

#[test]
fn what_is_wrong_with_fields_and_values_is_told() {
    let group = Group::new();
    let _primary = group.echoing();
    let cases: [(&[&str], &str); 6] = [
        (&["--as", "rx:u7", "--values", "1"], "rx has the type \"u7\", which is none; write u8 to u64"),
        (&["--as", "rx:u8", "--values", "256"], "rx takes 0 to 255, not \"256\""),
        (&["--as", "rx:u8 tx:u8", "--values", "1"], "1 value for 2 fields"),
        (&["--as", "n:[char;4]", "--values", "abcd"], "n holds 3 bytes and its NUL, not 4"),
        (&["--as", "a:[u8;257]", "--values", "[]"], "whose length is none"),
        (&["--as", "a:[u64;20] b:[u64;20]", "--values", "[] []"], "the fields take 320 bytes"),
    ];
    for (arguments, text) in cases {
        group.run(&[&["request", "echo"], arguments].concat()).assert_failed(2, text);
    }
    group.run(&["send", "echo", "--as", "a:u8"]).assert_failed(2, "give --values");
    group.run(&["ping", "echo", "--as", "a:u8"]).assert_failed(2, "give --values");
    let alone = group.run(&["request", "echo", "--values", "1"]);
    assert!(alone.status == 2 && alone.err.contains("--as <FIELDS>"), "{alone:?}");
    let both = group.run(&["request", "echo", "--as", "a:u8", "--values", "1", "--hex", "00"]);
    assert_eq!(both.status, 2, "{both:?}");
}

fn serving(group: &Group) -> (Process, String) {
    let mut secondary = group.start(&["serve", "echo", "told"]);
    let socket = ready(&mut secondary);
    (secondary, socket.file_name().expect("it is text").to_str().expect("it is text").to_owned())
}

#[test]
fn any_member_is_asked_by_pid_socket_or_path() {
    let group = Group::new();
    let _primary = group.echoing();
    let (mut first, name) = serving(&group);
    let (second, _) = serving(&group);
    let path = group.path().join(&name);
    let pid = first.pid().to_string();
    for wanted in [pid.as_str(), &name, path.to_str().unwrap(), &name[..name.len() - 1]] {
        let run = group.run(&["--json", "request", "echo", "--to", wanted, "--hex", "0a"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{wanted}");
        let reply = &run.json()["replies"][0];
        assert_eq!(
            [&reply["peer"], &reply["pid"], &reply["hex"]],
            [&json!(path), &json!(first.pid()), &json!("0a")]
        );
        assert_eq!(line(&mut first)["kind"], json!("request"));
    }
    assert_eq!(group.run(&["send", "told", "--to", &pid]).status, 0);
    assert_eq!(line(&mut first)["kind"], json!("message"));
    let ping = group.run(&["--json", "ping", "echo", "--to", &pid, "--count", "2"]);
    assert_eq!((ping.status, &ping.json()["received"]), (0, &json!(2)));

    let primary = group.run(&["--json", "request", "echo", "--to", "primary"]);
    assert_eq!(primary.json()["replies"][0]["pid"], json!(std::process::id()));
    let several = group.run(&["request", "echo", "--to", "mp_socket_"]);
    several.assert_failed(2, "\"mp_socket_\" may be ");
    assert!(several.err.contains(&name), "{several:?}");
    group.run(&["request", "echo", "--to", "4000000"]).assert_failed(1, "nobody is \"4000000\"");
    let unknown = group.run(&["request", "unknown", "--to", &pid]);
    assert_eq!(unknown.err, format!("mpctl: {name} has no action \"unknown\": check the name\n"));
    second.pause();
    let stopped = group.run(&["--timeout", "50ms", "request", "echo", "--to", &second.pid().to_string()]);
    assert!(
        stopped.err.contains(&format!("pid {0}, is stopped: `kill -CONT {0}`", second.pid())),
        "{stopped:?}"
    );
}

#[test]
fn a_member_is_asked_without_a_primary_and_the_stale_are_told() {
    let group = Group::new();
    let (mut secondary, name) = {
        // It joins under a primary that then goes.
        let _primary = group.primary().start().unwrap();
        serving(&group)
    };
    assert_eq!(group.run(&["request", "echo", "--to", &name]).status, 0);
    secondary.kill();
    group.run(&["request", "echo", "--to", &name]).assert_failed(1, "left its socket behind: start it again");
    let mut command = group.command(&["request", "echo", "--to", "1"]);
    command.stdin(Stdio::null());
    crate::Run::of(&mut command).assert_failed(1, "nobody is \"1\": the group has no live member");
}

#[test]
fn an_echoed_struct_is_read_by_what_it_was_written_as() {
    let group = Group::new();
    let _primary = group.echoing();
    let run = group.run(&[
        "--json",
        "request",
        "echo",
        "--as",
        "mac:[u8;6] up:bool",
        "--values",
        "[2,0,0xff] true",
    ]);
    assert_eq!(run.json()["replies"][0]["decoded"], json!({ "mac": [2, 0, 255, 0, 0, 0], "up": true }));
}
