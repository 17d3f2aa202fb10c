//! The examples that talk to DPDK, and `mpctl`, against DPDK.
#![cfg(feature = "dpdk")]

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    process::Output,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{
    Process, WITHIN,
    dpdk::{Group, Layout, Memory, Mode, Recording, Role, keeps_detached_devices},
    example,
};

fn lines(output: &Output) -> Vec<&str> {
    str::from_utf8(&output.stdout).expect("text").lines().collect()
}

#[test]
fn vdevs_prints_the_devices_of_a_running_primary() {
    let vdevs = example("vdevs");
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").vdev("net_null7").start();
    let output = group.run(&vdevs, &["--file-prefix", group.file_prefix()]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lines(&output), ["net_null0", "net_null7"]);

    primary.detach("net_null7").expect("nobody objects");
    let known = if keeps_detached_devices() { &["net_null0", "net_null7"][..] } else { &["net_null0"] };
    assert_eq!(lines(&group.run(&vdevs, &["--file-prefix", group.file_prefix()])), known);
    primary.quit();

    let output = group.run(&vdevs, &["--file-prefix", group.file_prefix()]);
    assert!(!output.status.success(), "{output:?}");
    let error = str::from_utf8(&output.stderr).expect("text");
    assert!(error.contains("no primary"), "{error}");
}

/// Runs a program with the group's file-prefix, and what it sends recorded.
fn run(group: &Group, program: &Path, arguments: &[&str]) -> Output {
    group.run(program, &[&["--file-prefix", group.file_prefix()], arguments].concat())
}

/// Starts `mpctl`, to be waited for, with lines of JSON; it is ready.
fn mpctl(group: &Group, arguments: &[&str]) -> Member {
    let (mut command, recording) = group.recorded(&tests::mpctl());
    command.args(["--json", "--file-prefix", group.file_prefix()]).args(arguments);
    let mut process = Process::spawn(command);
    assert_eq!(line(&mut process)["ready"], json!(true));
    Member { process, recording }
}

/// An `mpctl` that has joined, and what it sends.
struct Member {
    process: Process,
    recording: Recording,
}

impl Deref for Member {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn line(process: &mut Process) -> Value {
    parse(&process.line(|_| true))
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))
}

/// The one line of JSON that a run of `mpctl` printed.
#[track_caller]
fn only(output: &Output) -> Value {
    let [line] = lines(output)[..] else { panic!("one line was expected: {output:?}") };
    parse(line)
}

fn interrupt(mut member: Member) {
    member.signal(Signal::INT);
    assert!(member.wait_end(), "it ended orderly");
    assert!(member.recording.check() > 0, "it answered what it was asked");
}

#[test]
fn hotplug_attaches_and_detaches_while_it_is_asked_itself() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    let mut listener = mpctl(&group, &["listen"]);
    let asked = |action: &str| format!("asked by {} to {action} vdev:net_null1", primary.pid());

    let output = run(&group, &example("hotplug"), &["attach", "net_null1"]);
    assert_eq!(lines(&output), [&asked("attach"), "attached vdev:net_null1"], "{output:?}");
    assert_eq!(primary.devices(), ["net_null0", "net_null1"]);
    let request = line(&mut listener);
    assert_eq!([&request["kind"], &request["name"]], ["request", "eal_dev_mp_request"]);
    assert_eq!(request["decoded"], json!({ "type": "attach", "devargs": "vdev:net_null1", "result": 0 }));

    let output = run(&group, &example("hotplug"), &["detach", "--is-attached", "net_null1"]);
    assert_eq!(lines(&output), [&asked("detach"), "detached vdev:net_null1"], "{output:?}");
    assert_eq!(primary.devices(), ["net_null0"]);
    assert_eq!(line(&mut listener)["decoded"]["type"], json!("detach"));

    // The guard: where a second one would be the primary's end, it is not made.
    let again = if keeps_detached_devices() { "if you know that it is attached" } else { "No such file" };
    for (arguments, said) in [
        (["detach", "net_null1"], again),
        (["attach", "nonsense9"], "hotplug: vdev:nonsense9 was not attached: the primary says "),
    ] {
        let output = run(&group, &example("hotplug"), &arguments);
        assert!(!output.status.success(), "{output:?}");
        assert!(str::from_utf8(&output.stderr).expect("text").contains(said), "{output:?}");
    }
    assert_eq!(primary.devices(), ["net_null0"], "it lives");
    interrupt(listener);
    primary.quit();
}

#[test]
fn hotplug_detaches_nothing_from_a_dpdk_that_could_crash() {
    let group = Group::without_dpdk(Layout::Bytes340);
    group.write_config(26, 7);
    let output = run(&group, &example("hotplug"), &["detach", "net_null1"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(
        str::from_utf8(&output.stderr).expect("text").contains("say so with --is-attached"),
        "{output:?}"
    );
    let output = run(&group, &example("hotplug"), &["detach", "--is-attached", "net_null1"]);
    assert!(str::from_utf8(&output.stderr).expect("text").contains("no primary"), "{output:?}");
}

#[test]
fn mpctl_looks_into_a_group_of_dpdk() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    let version = primary.ready().field("version").expect("it tells").to_owned();
    let dir = group.runtime_dir();

    let groups = run(&group, &tests::mpctl(), &["--json", "groups"]);
    let groups: Vec<_> = lines(&groups).into_iter().map(parse).collect();
    let ours = groups.iter().find(|row| row["runtime_dir"] == json!(dir)).expect("it is listed");
    let expected = json!({
        "file_prefix": group.file_prefix(), "runtime_dir": dir, "primary": "alive",
        "members": 1, "stale": 0, "dpdk": version, "layout": group.layout().len(),
    });
    assert_eq!(*ours, expected);
    let member = only(&run(&group, &tests::mpctl(), &["--json", "members"]));
    assert_eq!([&member["role"], &member["state"]], ["primary", "alive"]);
    assert_eq!(member["pid"], json!(primary.pid()));

    let mut listener = mpctl(&group, &["listen", "--count", "2"]);
    let scan = format!("01{}", "00".repeat(71));
    let output = run(&group, &tests::mpctl(), &["--json", "request", "bus_vdev_mp", "--hex", &scan]);
    assert!(output.status.success(), "{output:?}");
    let reply = &only(&output)["replies"][0];
    assert_eq!(
        (&reply["pid"], &reply["decoded"]),
        (&json!(primary.pid()), &json!({ "type": "scan_reply", "num": 1 }))
    );
    assert_eq!(line(&mut listener)["decoded"], json!({ "type": "scan_one", "name": "net_null0" }));

    // The same as a C programmer would write it down.
    let vdev = ["--as", "type:int num:int name:char[64]", "--values", "type=1"];
    let output = run(&group, &tests::mpctl(), &[&["--json", "request", "bus_vdev_mp"], &vdev[..]].concat());
    let decoded = &only(&output)["replies"][0]["decoded"];
    assert_eq!([&decoded["type"], &decoded["num"]], [&json!(3), &json!(1)]);

    let output = run(&group, &tests::mpctl(), &["--json", "--timeout", "100ms", "request", "unknown"]);
    assert_eq!(
        (output.status.code(), &only(&output)["outcomes"][0]["outcome"]),
        (Some(1), &json!("timed_out"))
    );
    let pings = only(&run(
        &group,
        &tests::mpctl(),
        &["--json", "ping", "bus_vdev_mp", "--hex", &scan, "--count", "5"],
    ));
    assert_eq!([&pings["received"], &pings["lost"]], [&json!(5), &json!(0)]);
    assert!(listener.wait_end(), "two is enough");

    primary.quit();
    let output = run(&group, &tests::mpctl(), &["send", "told"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(str::from_utf8(&output.stderr).expect("text").starts_with("mpctl: no primary in"), "{output:?}");
}

#[test]
fn mpctl_speaks_the_layout_of_the_group() {
    let group = Group::without_dpdk(Layout::Bytes340);
    let primary = group.peer_340(Role::Primary);
    primary.register("echo", Mode::Echo).expect("the name is free");
    let output =
        run(&group, &tests::mpctl(), &["--json", "request", "echo", "--hex", "0102", "--fd", "/dev/null"]);
    let replies = only(&output)["replies"].clone();
    assert_eq!(replies[0]["hex"], json!("0102"), "{output:?}");
    assert_eq!(replies[0]["fds"][0]["target"], json!("/dev/null"));

    let mut server = mpctl(&group, &["serve", "ask"]);
    let requested = primary.request("ask", &[7; 256], 1, WITHIN).expect("it answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    assert_eq!((requested.replies[0].param.as_slice(), requested.replies[0].fds.len()), (&[7; 256][..], 1));
    assert_eq!(line(&mut server)["hex"], json!("07".repeat(256)));
    interrupt(server);
    primary.quit();
}

#[test]
fn mpctl_listens_without_holding_up_dpdks_memory() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).start();
    let mut listener = mpctl(&group, &["listen", "mp_malloc_sync"]);
    primary.malloc(20 << 20).expect("the listener does not object");
    let request = line(&mut listener);
    assert_eq!([&request["kind"], &request["decoded"]["type"]], ["request", "sync"]);
    interrupt(listener);
    primary.quit();
}
