//! One place in the file system, beside real DPDK: how its path is spelled, and who has it.
#![cfg(feature = "dpdk")]

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tests::dpdk::{Group, Memory, Mode, Process, Role};

const SECOND: Duration = Duration::from_secs(1);

/// A directory with links in it, and the group's runtime directory through one, as `/run` is another name for `/var/run`.
fn through_a_link(group: &Group) -> (tempfile::TempDir, PathBuf) {
    let links = tempfile::tempdir().expect("a temporary directory");
    symlink(group.base(), links.path().join("link")).expect("it is free");
    let dir = links.path().join("link/dpdk/..").join("dpdk").join(group.file_prefix()).join(".");
    (links, dir)
}

fn rust_at(group: &Group, role: Role, dir: &Path) -> Process {
    group.rust(role, env!("CARGO_BIN_EXE_rust_peer")).at(dir).start()
}

/// DPDK takes an answer only from the very path that it asked: bound through a link, this member made the
/// allocation fail after 10 s.
#[test]
fn a_member_given_another_spelling_does_not_hold_up_a_dpdk_primary() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    let (_links, dir) = through_a_link(&group);
    let secondary = rust_at(&group, Role::Secondary, &dir);
    let client = rust_at(&group, Role::Client, &dir);
    let took = primary.malloc(20 << 20).expect("it is allocated");
    assert!(took < SECOND, "{took:?}");
    for asker in [&secondary, &client] {
        let requested = asker.request("alive", b"?", 0, 5 * SECOND).expect("the primary answers");
        assert_eq!((requested.sent, requested.received), (1, 1));
    }
    secondary.register("here", Mode::Echo).expect("the name is free");
    let requested = primary.request("here", b"?", 0, 5 * SECOND).expect("the secondary answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    client.quit();
    secondary.quit();
    primary.quit();
}

/// On this machine, as on most, `/var/run` is a link to `/run`; DPDK says `/var/run`. Without the primary's own spelling
/// each of these made `rte_malloc` fail after 10 s.
#[test]
fn mpctl_listens_beside_a_dpdk_primary_however_var_run_is_spelled() {
    let group = Group::in_var_run();
    let primary = group.dpdk(Role::Primary).start();
    let (program, prefix) = (tests::mpctl(), group.file_prefix());
    let listeners = [
        (vec!["--runtime-dir".to_owned(), format!("/run/dpdk/{prefix}")], None),
        (vec!["--runtime-dir".to_owned(), format!("/run/./dpdk/../dpdk/{prefix}/.")], None),
        (vec!["--runtime-dir".to_owned(), format!("/var/run/../run/dpdk/{prefix}")], None),
        (vec!["--file-prefix".to_owned(), prefix.to_owned()], Some("/run")),
        (vec!["--file-prefix".to_owned(), prefix.to_owned()], Some("/var/run/.")),
    ]
    .map(|(place, base)| {
        let mut command = Command::new(&program);
        command.arg("--json").args(&place).arg("listen").env_remove("RUNTIME_DIRECTORY");
        command.envs(base.map(|base| ("RUNTIME_DIRECTORY", base)));
        let mut listener = tests::Process::spawn(command);
        let ready = listener.line(|line| line.contains(r#""ready":true"#));
        let bound = format!(r#""socket":"/var/run/dpdk/{prefix}/mp_socket_"#);
        assert!(ready.contains(&bound), "{place:?}, {base:?}: {ready}");
        listener
    });
    let took = primary.malloc(20 << 20).expect("it is allocated");
    assert!(took < SECOND, "{took:?}");
    for mut listener in listeners {
        listener.line(|line| line.contains(r#""name":"mp_malloc_sync""#));
    }
    primary.quit();
}

#[test]
fn a_rust_primary_given_another_spelling_answers_dpdk_secondaries() {
    let group = Group::new(Memory::Huge);
    let first = group.dpdk(Role::Primary).start();
    let secondary = group.dpdk(Role::Secondary).start();
    first.kill();
    let (_links, dir) = through_a_link(&group);
    let primary = rust_at(&group, Role::Primary, &dir);
    primary.register("here", Mode::Echo).expect("the name is free");
    let requested = secondary.request("here", b"?", 0, 5 * SECOND).expect("the primary answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    secondary.quit();
    primary.quit();
}

/// A DPDK primary takes the socket of whoever has it.
#[test]
fn a_rust_primary_that_dpdk_has_replaced_sends_nothing_more() {
    let group = Group::new(Memory::Huge);
    group.make_runtime_dir();
    let rust = rust_at(&group, Role::Primary, &group.runtime_dir());
    rust.send("anybody", &[], 0).expect("nobody to send to is no error");
    let primary = group.dpdk(Role::Primary).start();
    let secondary = group.dpdk(Role::Secondary).start();
    secondary.register("stray", Mode::Print).expect("the name is free");
    secondary.register("alive", Mode::Echo).expect("the name is free");
    let refused = rust.send("stray", &[], 0).expect_err("it is not the primary any more");
    assert!(refused.text.contains("another primary has taken this one's place"), "{refused:?}");
    rust.request("stray", &[], 0, SECOND).expect_err("it is not the primary any more");
    // What came first would have been told first.
    primary.send("stray", b"the primary's", 0).expect("it is sent");
    assert_eq!(secondary.next_arrival().param, b"the primary's");
    rust.quit();
    let requested = primary.request("alive", &[], 0, 5 * SECOND).expect("its IPC lives");
    assert_eq!((requested.sent, requested.received), (1, 1));
    secondary.quit();
    primary.quit();
}
