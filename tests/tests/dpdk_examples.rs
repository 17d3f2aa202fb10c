//! The examples that talk to DPDK, against DPDK.
#![cfg(feature = "dpdk")]

use std::process::Output;

use tests::{
    dpdk::{Group, Memory, Role},
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
    assert_eq!(lines(&group.run(&vdevs, &["--file-prefix", group.file_prefix()])), ["net_null0"]);
    primary.quit();

    let output = group.run(&vdevs, &["--file-prefix", group.file_prefix()]);
    assert!(!output.status.success(), "{output:?}");
    let error = str::from_utf8(&output.stderr).expect("text");
    assert!(error.contains("no primary"), "{error}");
}
