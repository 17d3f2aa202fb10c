//! Beside real DPDK of another user, in a container, and in a directory that is shared: who reaches whom.
#![cfg(feature = "dpdk")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use tests::{
    Process, StartFailed,
    dpdk::{Group, Memory, Mode, Role},
    users::{ALICE, SHARED, as_user, in_container, is_root},
};

const WITHIN: Duration = Duration::from_secs(5);

fn peer(role: &str, dir: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peer"));
    command.arg(role).arg("--dir").arg(dir).args(options);
    command
}

/// DPDK starts a lookup of all sockets: what root makes must be the primary's user's.
#[test]
fn root_beside_a_dpdk_primary_of_another_user_asks_it_and_answers_it() {
    if !is_root() {
        return;
    }
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).by(ALICE).start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    let dir = group.runtime_dir();
    let Err(StartFailed(error)) = Process::start(peer("secondary", &dir, &[])) else { panic!("it started") };
    assert!(error.contains(&format!("beside_user({ALICE})")) && error.contains("setpriv"), "{error}");
    let mut sidecar =
        Process::start(peer("secondary", &dir, &["--beside-user", &ALICE.to_string()])).expect("it starts");
    assert!(sidecar.call("ask alive 5000 hi").ends_with(" hi"));
    let requested = primary.request("echo", b"hi", 0, WITHIN).expect("the sidecar answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    assert!(sidecar.finish());
    primary.quit();
}

#[test]
fn a_sidecar_in_a_container_beside_a_dpdk_primary_asks_it_and_answers_it() {
    if !is_root() {
        return;
    }
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    let dir = group.runtime_dir();
    let mut sidecar = Process::start(in_container(&dir, &peer("secondary", &dir, &[]))).expect("it starts");
    assert!(sidecar.call("ask alive 5000 hi").ends_with(" hi"));
    let requested = primary.request("echo", b"hi", 0, WITHIN).expect("the sidecar answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    assert!(sidecar.finish());
    primary.quit();
}

/// DPDK shares nothing: its `config` and sockets stay its user's, whatever the directory's mode.
#[test]
fn in_a_shared_directory_dpdk_is_reached_by_root_only() {
    if !is_root() {
        return;
    }
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    let dir = group.runtime_dir();
    for above in [group.base(), &group.base().join("dpdk")] {
        fs::set_permissions(above, fs::Permissions::from_mode(0o711)).expect("root may");
    }
    let sharing = ["--share-with-group", &SHARED.to_string()];
    let mut root = Process::start(peer("secondary", &dir, &sharing)).expect("it shares the directory");
    assert!(root.call("ask alive 5000 hi").ends_with(" hi"));
    let requested = primary.request("echo", b"hi", 0, WITHIN).expect("the secondary answers");
    assert_eq!((requested.sent, requested.received), (1, 1));
    let mut alice =
        Process::start(as_user(ALICE, SHARED, &peer("client", &dir, &sharing))).expect("it is in the group");
    let refused = alice.call("ask alive 1000 hi");
    assert!(refused.contains("Refused") || refused.contains("config"), "{refused}");
    assert!(root.finish());
    primary.quit();
}
