//! The public surface of the published crates, item by item, against what `docs/public-api` says: so that a change of it
//! shows in a diff, and nobody makes one without noticing.
//!
//! The list is made of what rustdoc says as JSON, which a stable compiler does when it is told to take itself for a nightly
//! one. Its format differs between compilers, so another than the stored errors are of (`compile-fail/compiler.txt`)
//! compares nothing, and a line says so. To write the lists anew, run this with `UPDATE_EXPECT=1`.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use expect_test::expect_file;

#[test]
fn the_public_surface_is_the_one_on_record() {
    let compiled =
        fs::read_to_string(root().join("tests/tests/compile-fail/compiler.txt")).expect("the file is there");
    let here = compiler();
    if !here.starts_with(compiled.trim()) {
        // Past the test harness, which keeps what tests print to itself.
        let _ = writeln!(
            io::stderr(),
            "the public surface is compared by {} only, this is {here}",
            compiled.trim()
        );
        return;
    }
    expect_file![root().join("docs/public-api/mp-core.txt")].assert_eq(&surface("mp-core"));
    expect_file![root().join("docs/public-api/mp-derive.txt")].assert_eq(&surface("mp-derive"));
    expect_file![root().join("docs/public-api/mp-typed.txt")].assert_eq(&surface("mp-typed"));
    expect_file![root().join("docs/public-api/mp-dpdk.txt")].assert_eq(&surface("mp-dpdk"));
}

/// Every public item of a package with all its features, one a line.
fn surface(package: &str) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public-api");
    let done = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "-p", package, "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTDOCFLAGS")
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(done.success(), "rustdoc failed on {package}");
    let json = target.join("doc").join(package.replace('-', "_")).with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_auto_derived_impls(true)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build()
        .unwrap_or_else(|error| panic!("{package}: {error}"));
    format!("{api}")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above").to_owned()
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("there is a compiler");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
