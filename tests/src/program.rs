//! The programs of other packages, for tests that run them.

use std::{env, path::PathBuf, process::Command};

/// Builds a program of the `examples` package as Cargo built this test, and tells where it is.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    build("examples", name)
}

/// The same for `mpctl`.
///
/// # Panics
///
/// If it does not build.
#[must_use]
pub fn mpctl() -> PathBuf {
    build("mpctl", "mpctl")
}

fn build(package: &str, program: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("it is in a profile's `deps`");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", program, "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "building `{program}` of the package `{package}`");
    directory.join(program)
}
