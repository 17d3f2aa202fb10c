//! What the documents promise names the tests that show it: each must be there.

use std::{fs, path::Path};

#[test]
fn every_test_that_the_comparison_names_exists() {
    assert_names_tests("docs/features.md", 30);
}

#[test]
fn every_test_that_the_deployment_guide_names_exists() {
    assert_names_tests("docs/deployment.md", 25);
}

#[test]
fn every_test_that_the_trust_model_names_exists() {
    assert_names_tests("SECURITY.md", 12);
    // Each row names one.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("it is there");
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| who | to whom")) {
        assert!(row.contains("---") || row.split('`').any(is_test_name), "{row}");
    }
}

fn is_test_name(word: &str) -> bool {
    word.matches('_').count() >= 3
}

fn assert_names_tests(document: &str, at_least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let table = fs::read_to_string(root.join(document)).expect("it is there");
    let mut tests = String::new();
    for dir in ["tests/tests", "mp-core/src", "mp-typed/src", "mp-dpdk", "mp-bridge", "mpctl/src"] {
        read_below(&root.join(dir), &mut tests);
    }
    let named = table.split('`').skip(1).step_by(2).filter(|word| is_test_name(word));
    let mut count = 0;
    for name in named {
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
        count += 1;
    }
    assert!(count > at_least, "only {count} tests are named in {document}");
    for link in table.lines().filter_map(|line| line.split_once("]: ../")) {
        assert!(root.join(link.1).exists(), "{}", link.1);
    }
}

#[test]
fn every_test_that_the_comparison_of_tools_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let text = fs::read_to_string(root.join("docs/mpctl.md")).expect("the manual");
    let mut tests = String::new();
    read_below(&root.join("tests/tests/mpctl"), &mut tests);
    read_below(&root.join("mpctl/src"), &mut tests);
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let words = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let is_name =
        |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let mut count = 0;
    for name in words.filter(is_name).filter(|word| word.matches('_').count() >= 3) {
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
        count += 1;
    }
    assert!(count > 25, "only {count} tests are named");
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
