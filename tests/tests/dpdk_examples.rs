//! The examples that talk to DPDK, against DPDK.
#![cfg(feature = "dpdk")]

use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

use tests::dpdk::{Group, Memory, Role};

/// Builds a program of the `examples` package as Cargo built this test, and tells where it is.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("it is in a profile's `deps`");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "examples", "--bin", name, "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "building the example `{name}`");
    directory.join(name)
}

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
