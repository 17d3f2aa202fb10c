//! Compiles the C peers of the real-DPDK suite, when the feature `dpdk` asks for it, and finds out what that DPDK is.
//!
//! The DPDK is the one that `pkg-config` finds: point `PKG_CONFIG_PATH` at another one's `pkgconfig` directory to have
//! the suite run against that.
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
        let libdpdk = pkg_config(&["--cflags", "--libs", "libdpdk"]).and_then(with_its_place);
        let peer = libdpdk.clone().and_then(|flags| compile("peer", &["peer.c", "lines.c"], &flags));
        tell("DPDK_PEER", peer.map(|path| path.display().to_string()));
        tell("DPDK_WIRE", libdpdk.and_then(|flags| compile("probe", &["probe.c"], &flags)).and_then(output));
        let flags = ["-DPEER_340".to_owned()];
        let peer = compile("peer340", &["peer.c", "peer340.c", "lines.c"], &flags);
        tell("PEER_340", peer.map(|path| path.display().to_string()));
    }
}

/// A DPDK that is not where the loader looks is found where it was linked: by an RPATH, not a RUNPATH, so that its
/// libraries and drivers find each other, too.
fn with_its_place(mut flags: Vec<String>) -> Result<Vec<String>, String> {
    let place = pkg_config(&["--variable=libdir", "libdpdk"])?;
    flags.extend(place.iter().map(|libdir| format!("-Wl,--disable-new-dtags,-rpath,{libdir}")));
    Ok(flags)
}

/// What a program prints.
fn output(program: PathBuf) -> Result<String, String> {
    let output = Command::new(&program).output().map_err(|error| format!("{program:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(format!("{program:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Tells the crate what was found, or what is missing for it.
fn tell(variable: &str, found: Result<String, String>) {
    let (value, missing) = match found {
        Ok(value) => (value, String::new()),
        Err(missing) => {
            let missing = missing.lines().collect::<Vec<_>>().join(" | ");
            println!("cargo::warning={missing}");
            // It may be there the next time: a file that never is makes this run again.
            println!("cargo::rerun-if-changed=dpdk/missing");
            (String::new(), missing)
        }
    };
    println!("cargo::rustc-env={variable}={value}");
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
