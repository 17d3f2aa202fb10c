//! The feature comparison names tests: each must be there.

use std::{fs, path::Path};

#[test]
fn every_test_that_the_comparison_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let table = fs::read_to_string(root.join("docs/features.md")).expect("the comparison");
    let mut tests = String::new();
    for dir in ["tests/tests", "mp-core/src/ask", "mp-core/src/answer", "mp-core/src/sys/discard"] {
        for file in fs::read_dir(root.join(dir)).expect("a folder").flatten() {
            if file.path().extension().is_some_and(|extension| extension == "rs") {
                tests += &fs::read_to_string(file.path()).expect("text");
            }
        }
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
