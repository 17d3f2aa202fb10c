//! Compiles the C peers of the real-DPDK suite, when the feature `dpdk` asks for it.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=dpdk");
    if env::var_os("CARGO_FEATURE_DPDK").is_some() {
        let libdpdk = pkg_config(&["--cflags", "--libs", "libdpdk"]);
        compile("DPDK_PEER", "peer", &["peer.c", "lines.c"], &libdpdk);
        compile("PEER_340", "peer340", &["peer.c", "peer340.c", "lines.c"], &["-DPEER_340".to_owned()]);
    }
}

/// What `pkg-config` says about an installed library, as arguments for the compiler.
fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("pkg-config").args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("the feature `dpdk` needs pkg-config, which did not start: {error}; on Debian: apt-get install pkg-config libdpdk-dev")
    });
    assert!(
        output.status.success(),
        "the feature `dpdk` needs DPDK's development files; on Debian: apt-get install libdpdk-dev\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let flags = String::from_utf8(output.stdout).expect("pkg-config prints text");
    flags.split_whitespace().map(str::to_owned).collect()
}

/// Compiles a program from sources in `dpdk/`, and tells the crate its path as `variable`.
fn compile(variable: &str, name: &str, sources: &[&str], flags: &[String]) {
    let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra"]);
    // Iterating over devices and reading the version are still marked experimental in 22.11.
    command.arg("-DALLOW_EXPERIMENTAL_API");
    command.args(sources.iter().map(|source| format!("dpdk/{source}")));
    command.args(flags).arg("-pthread").arg("-o").arg(&program);
    let output = command.output().unwrap_or_else(|error| {
        panic!("the feature `dpdk` needs a C compiler, and `{compiler}` did not start: {error}")
    });
    assert!(
        output.status.success(),
        "{compiler} failed on {sources:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("cargo::rustc-env={variable}={}", program.display());
}
