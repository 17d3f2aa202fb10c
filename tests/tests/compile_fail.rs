//! What must not compile, and what the compiler then says: one error per mistake, at the token at
//! fault.
//!
//! The errors are stored beside the cases, in the words of one compiler, which
//! `compile-fail/compiler.txt` names. Another compiler says some of it otherwise, so nothing is
//! compared then, and a line says so. To store what the compiler at hand says, run this with
//! `TRYBUILD=overwrite`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[test]
fn mistakes_are_errors_that_teach() {
    let here = compiler();
    if env::var_os("TRYBUILD").is_some_and(|what| what == "overwrite") {
        fs::write(stored(), format!("{here}\n")).expect("the file can be written");
    }
    if let Some(why) = not_compared(&here, &fs::read_to_string(stored()).expect("the file is there")) {
        // Past the test harness, which keeps what tests print to itself.
        let _ = writeln!(io::stderr(), "{why}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}

#[test]
fn errors_are_compared_only_with_those_of_the_same_compiler() {
    assert_eq!(not_compared("rustc 1.95.0", "rustc 1.95.0\n"), None);
    assert_eq!(
        not_compared("rustc 1.97.0-nightly", "rustc 1.95.0\n").as_deref(),
        Some(
            "the stored compile errors are those of rustc 1.95.0, this is rustc 1.97.0-nightly: they are not compared"
        )
    );
}

#[test]
fn a_compiler_is_known_by_its_release() {
    assert_eq!(
        release("rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nrelease: 1.95.0\n"),
        "rustc 1.95.0"
    );
    assert_eq!(release("rustc 1.97.0-nightly (0123abcde 2026-06-01)\n"), "rustc 1.97.0-nightly");
    assert!(compiler().starts_with("rustc 1."));
}

/// Why the errors of the compiler `here` are not held against the stored ones.
fn not_compared(here: &str, stored: &str) -> Option<String> {
    let stored = stored.trim();
    (stored != here).then(|| {
        format!("the stored compile errors are those of {stored}, this is {here}: they are not compared")
    })
}

fn stored() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile-fail/compiler.txt")
}

/// The compiler that the cases are compiled with.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("there is a compiler");
    release(&String::from_utf8_lossy(&output.stdout))
}

/// Program and release, without the commit, which differs between builders.
fn release(version: &str) -> String {
    version.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
