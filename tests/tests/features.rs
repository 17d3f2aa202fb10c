//! The feature comparison names tests: each must be there.

use std::{fs, path::Path};

#[test]
fn every_test_that_the_comparison_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let table = fs::read_to_string(root.join("docs/features.md")).expect("the comparison");
    let mut tests = String::new();
    for dir in ["tests/tests", "mp-core/src", "mp-typed/src", "mp-dpdk"] {
        read_below(&root.join(dir), &mut tests);
    }
    let named = table.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() >= 3);
    let mut count = 0;
    for name in named {
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
        count += 1;
    }
    assert!(count > 30, "only {count} tests are named");
    for link in table.lines().filter_map(|line| line.split_once("]: ../")) {
        assert!(root.join(link.1).exists(), "{}", link.1);
    }
}

/// Adds the text of every Rust file below a folder.
fn read_below(folder: &Path, text: &mut String) {
    for file in fs::read_dir(folder).expect("a folder").flatten() {
        let path = file.path();
        if path.is_dir() {
            read_below(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &fs::read_to_string(path).expect("text");
        }
    }
}
