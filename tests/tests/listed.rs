//! The list of these tests in `tests/README.md`: made of what each file says of itself, so that it cannot go stale.
//!
//! To write it anew, run this test with `UPDATE_EXPECT=1`.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use expect_test::expect_file;

/// What a test needs that not every machine has. Where root is told, others see as much of it as they may.
const NEEDS: [(&str, &str); 8] = [
    ("c_layout", "the feature `dpdk`, of which a C compiler only"),
    ("lies", "for one test root, which becomes another user"),
    ("containers", "root, and namespaces"),
    ("limits", "for some tests root, or user namespaces"),
    ("systemd", "root"),
    ("users", "root, which becomes other users"),
    ("mpctl", "nothing; root looks as another user, too"),
    ("compile_fail", "nothing; for the stored outputs the compiler that they are of"),
];
const DPDK: &str = "the feature `dpdk`: DPDK, a C compiler, strace, root or huge pages";

const HEAD: &str = "\
# Tests

<!-- Written by tests/tests/listed.rs from the heads of these files; do not edit. -->

`cargo test` runs those that need no DPDK. `cargo test -p tests --features dpdk` (`cargo test-dpdk`) runs the others, too,
against the DPDK that `pkg-config` finds; `PKG_CONFIG_PATH` chooses another. `.ci/run` is all there is.

`src` has what they share: processes of a group that obey commands (`process`, and the program `bin/peer`), sockets that
say what no member would (`raw`), programs of other packages (`program`), and DPDK processes (`dpdk`, and the C programs in
`dpdk/`, whose Rust counterpart is `bin/rust_peer.rs`). Unit tests of single decisions stand beside the code.

| file | needs | shows |
| --- | --- | --- |
";

#[test]
fn every_file_of_tests_is_listed_with_what_it_shows() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(&tests).expect("a folder").flatten() {
        let path = entry.path();
        let name = path.file_stem().expect("a name").to_str().expect("text").to_owned();
        let (file, link) = match path.is_dir() {
            true => (path.join("main.rs"), format!("{name}/main.rs")),
            false => (path.clone(), format!("{name}.rs")),
        };
        // The cases of `compile_fail.rs` are no tests of their own.
        if let Ok(text) = fs::read_to_string(file) {
            let usual = if text.contains("#![cfg(feature = \"dpdk\")]") { DPDK } else { "nothing" };
            let needs = NEEDS.iter().find(|(test, _)| *test == name).map_or(usual, |(_, needs)| needs);
            let row = format!("| [{name}](tests/{link}) | {needs} | {} |", first_paragraph(&text));
            assert!(!row.ends_with("|  |"), "{name} has no `//!` head");
            rows.insert(name, row);
        }
    }
    let mut list = HEAD.to_owned();
    rows.values().for_each(|row| writeln!(list, "{row}").expect("a String takes it"));
    expect_file!["../README.md"].assert_eq(&list);
}

fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
