//! `serve` and `listen`.

use std::{fs, io::Read, os::unix::fs::PermissionsExt, process::Stdio};

use mp_core::{Client, Message, Name, Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tests::{Process, WITHIN};

use crate::{Group, Run, interrupt, line, memory_file, mpctl, own_uid, ready, wait};

#[test]
fn serve_answers_with_what_came_and_shows_it() {
    let group = Group::new();
    let mut primary = group.start(&["serve", "echo", "other", "--primary"]);
    assert_eq!(ready(&mut primary), group.socket());

    let client = Client::builder("unused").runtime_dir(group.path()).start().unwrap();
    let (file, _) = memory_file(b"abc");
    let request =
        Message::new(Name::from_static("echo")).with_param([1, 2]).unwrap().with_fd(file.into()).unwrap();
    let reply = client.request(&request, WITHIN).unwrap();
    assert_eq!((&*reply.message.param, reply.message.fds.len()), (&[1, 2][..], 1));
    let fds = json!([{ "target": "/memfd:x (deleted)", "size": 3 }]);
    let came = |kind: &str, name: &str, hex: &str, fds: &Value| json!({ "kind": kind, "name": name, "pid": std::process::id(), "uid": own_uid(), "hex": hex, "fds": fds });
    assert_eq!(line(&mut primary), came("request", "echo", "0102", &fds));

    // What it does not serve it ignores, and shows nothing of.
    let unknown = Message::new(Name::from_static("unknown"));
    assert!(matches!(client.request(&unknown, WITHIN), Err(mp_core::RequestError::Ignored { .. })));
    client.send(&Message::new(Name::from_static("other"))).unwrap();
    assert_eq!(line(&mut primary), came("message", "other", "", &json!([])));

    drop(client);
    interrupt(&mut primary);
    assert_eq!(group.files(), [""; 0], "it removed what it made");
}

#[test]
fn serve_joins_as_a_secondary() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut secondary = group.start(&["serve", "echo"]);
    let socket = ready(&mut secondary);
    assert_eq!(primary.members().unwrap()[0].address().path(), socket);
    let request = Message::new(Name::from_static("echo")).with_param([9]).unwrap();
    let replies = primary.request(&request, WITHIN).unwrap();
    assert_eq!(&*replies.replies[0].message.param, [9]);
    assert_eq!(line(&mut secondary)["hex"], json!("09"));
    secondary.signal(Signal::TERM);
    assert!(secondary.wait_end(), "being told to terminate is as orderly as Ctrl-C");
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn the_directories_of_a_primary_go_with_it_if_it_made_them() {
    let base = Group::new();
    let in_base = |arguments: &[&str]| {
        let mut command = mpctl();
        command.args(["--json", "--file-prefix", "g"]).args(arguments).env("RUNTIME_DIRECTORY", base.path());
        command
    };
    let mut primary = Process::spawn(in_base(&["serve", "echo", "--primary"]));
    assert_eq!(ready(&mut primary), base.path().join("dpdk/g/mp_socket"));
    assert_eq!(Run::of(&mut in_base(&["request", "echo"])).status, 0);
    interrupt(&mut primary);
    assert_eq!(base.files(), [""; 0]);

    // A directory that was there stays, with all else that is in it.
    let dir = base.path().join("dpdk");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    let mut primary = Process::spawn(in_base(&["serve", "echo", "--primary"]));
    ready(&mut primary);
    fs::write(dir.join("g/mine"), "").unwrap();
    interrupt(&mut primary);
    assert!(dir.join("g/mine").exists());
    assert!(!dir.join("g/mp_socket").exists());
}

#[test]
fn listen_prints_what_arrives_and_answers_ignore() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut all = group.start(&["listen"]);
    let mut some = group.start(&["listen", "b", "c", "--count", "2"]);
    ready(&mut all);
    ready(&mut some);
    for name in ["a", "b"] {
        let replies = primary.request(&Message::new(Name::new(name).unwrap()), WITHIN).unwrap();
        let outcomes: Vec<_> = replies.outcomes.iter().map(|(_, outcome)| outcome.clone()).collect();
        assert!(matches!(outcomes[..], [Outcome::Ignored { .. }, Outcome::Ignored { .. }]), "{outcomes:?}");
    }
    primary.send(&Message::new(Name::from_static("c"))).unwrap();

    let named = |process: &mut Process| {
        let line = line(process);
        (line["kind"].as_str().unwrap().to_owned(), line["name"].as_str().unwrap().to_owned())
    };
    let owned = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
    assert_eq!([(); 2].map(|()| named(&mut some)), [owned("request", "b"), owned("message", "c")]);
    assert!(some.wait_end(), "two is enough");
    let three = [owned("request", "a"), owned("request", "b"), owned("message", "c")];
    assert_eq!([(); 3].map(|()| named(&mut all)), three);
    interrupt(&mut all);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn listen_ends_when_nobody_reads_it_any_more() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut child = group.command(&["listen"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).expect("it is ready");
    drop(stdout);
    primary.send(&Message::new(Name::from_static("told"))).unwrap();
    assert_eq!(wait(&mut child), 0);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn listen_answers_also_while_nobody_reads_it() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let command = &mut group.command(&["--json", "listen"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).expect("it is ready");
    // More than a pipe holds.
    let message = Message::new(Name::from_static("asked")).with_param([0xff; 256]).unwrap();
    for _ in 0..200 {
        let replies = primary.request(&message, WITHIN).unwrap();
        assert!(matches!(replies.outcomes[0].1, Outcome::Ignored { .. }));
    }
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(wait(&mut child), 0);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn names_of_dpdk_are_served_deliberately_only() {
    let group = Group::new();
    fs::write(
        group.path().join("config"),
        [19_820_526_u32.to_ne_bytes(), 0x160b_0b63_u32.to_ne_bytes()].concat(),
    )
    .unwrap();
    group.run(&["serve", "bus_vdev_mp"]).assert_failed(1, "--allow-dpdk-actions");
    let mut server = group.start(&["serve", "bus_vdev_mp", "--allow-dpdk-actions"]);
    ready(&mut server);
    interrupt(&mut server);
}

#[test]
fn there_is_one_primary() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    group.run(&["serve", "echo", "--primary"]).assert_failed(1, "already has a primary");
    assert!(group.socket().exists());
}
