//! Compiles the C peers of the real-DPDK suite, when the feature `dpdk` asks for it.
//!
//! What is missing for that fails the suite when it runs, not the build: so the suite can be checked and documented on
//! machines without DPDK.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=dpdk");
    for variable in ["CC", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    if env::var_os("CARGO_FEATURE_DPDK").is_some() {
        let peer = pkg_config(&["--cflags", "--libs", "libdpdk"])
            .and_then(|libdpdk| compile("peer", &["peer.c", "lines.c"], &libdpdk));
        tell("DPDK_PEER", peer);
        let flags = ["-DPEER_340".to_owned()];
        tell("PEER_340", compile("peer340", &["peer.c", "peer340.c", "lines.c"], &flags));
    }
}

/// Tells the crate where a program is, or what is missing for it.
fn tell(variable: &str, program: Result<PathBuf, String>) {
    let (path, missing) = match program {
        Ok(path) => (path.display().to_string(), String::new()),
        Err(missing) => {
            let missing = missing.lines().collect::<Vec<_>>().join(" | ");
            println!("cargo::warning={missing}");
            // It may be there the next time: a file that never is makes this run again.
            println!("cargo::rerun-if-changed=dpdk/missing");
            (String::new(), missing)
        }
    };
    println!("cargo::rustc-env={variable}={path}");
    println!("cargo::rustc-env={variable}_MISSING={missing}");
}

/// What `pkg-config` says about an installed library, as arguments for the compiler.
fn pkg_config(arguments: &[&str]) -> Result<Vec<String>, String> {
    let output = Command::new("pkg-config").args(arguments).output();
    let output = output.map_err(|error| {
        format!("the real-DPDK suite needs pkg-config ({error}); on Debian: apt-get install pkg-config libdpdk-dev")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "the real-DPDK suite needs DPDK's development files; on Debian: apt-get install libdpdk-dev\n{said}"
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect())
}

/// Compiles a program from sources in `dpdk/`.
fn compile(name: &str, sources: &[&str], flags: &[String]) -> Result<PathBuf, String> {
    let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra"]);
    // Iterating over devices and reading the version are still marked experimental in 22.11.
    command.arg("-DALLOW_EXPERIMENTAL_API");
    command.args(sources.iter().map(|source| format!("dpdk/{source}")));
    command.args(flags).arg("-pthread").arg("-o").arg(&program);
    let output = command.output().map_err(|error| {
        format!("the real-DPDK suite needs a C compiler, and `{compiler}` did not start: {error}")
    })?;
    if output.status.success() {
        Ok(program)
    } else {
        Err(format!("{compiler} failed on {sources:?}:\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}
