//! The programs of other packages, for tests that run them, and a test in a process of its own.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc::channel,
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::WITHIN;

/// Builds a program of the `examples` package as Cargo built this test, and tells where it is.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    build("examples", "--bin", name)
}

/// The same for one that takes more than the package's dependencies: those of its tests.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn example_of_a_runtime(name: &str) -> PathBuf {
    build("examples", "--example", name)
}

/// The same for `mpctl`.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn mpctl() -> PathBuf {
    build("mpctl", "--bin", "mpctl")
}

/// The same for `peer` of this package, which its own tests have without building it.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn peer() -> PathBuf {
    build("tests", "--bin", "peer")
}

/// Runs the test that calls this, once more and alone, in a process of its own, for what it changes
/// there or may end with it. `true` in that process, where the test goes on.
///
/// # Panics
///
/// If it fails there.
#[must_use]
pub fn in_a_child(test: &str, environment: &[(&str, &str)]) -> bool {
    const ALONE: &str = "MP_TESTS_ALONE";
    if env::var(ALONE).is_ok_and(|alone| alone == test) {
        return true;
    }
    let own = env::current_exe().expect("a test knows its path");
    let mut child = Command::new(own);
    child.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, test);
    let output = child.envs(environment.iter().copied()).output().expect("it can be run");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{}: {said}", output.status);
    false
}

fn build(package: &str, kind: &str, program: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("it is in a profile's `deps`");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, kind, program, "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "building `{program}` of the package `{package}`");
    directory.join(if kind == "--example" { "examples" } else { "" }).join(program)
}

/// Runs a program without arguments and input to its end.
///
/// # Panics
///
/// If it does not start, or does not end within [`WITHIN`]; it is killed then.
#[must_use]
pub fn run(program: &Path) -> Output {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("{program:?} does not start: {error}"));
    let pid = Pid::from_child(&child);
    let (done, output) = channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    match output.recv_timeout(WITHIN) {
        Ok(output) => output.expect("its output can be read"),
        Err(_) => {
            // Nobody has waited for it, so the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
            panic!("{program:?} does not end");
        }
    }
}
