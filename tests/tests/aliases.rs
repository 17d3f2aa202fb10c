//! Who looks for one of DPDK's names in the docs finds what implements it.

use std::{fs, path::Path};

/// DPDK's functions and types in a line of a doc.
fn dpdk_names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter_map(|code| code.split(' ').next_back()).filter(|name| name.starts_with("rte_mp_"))
}

/// Checks every item of a folder; returns how many names it found.
fn check(dir: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            count += check(&path);
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("/// Implements ")) {
            let attributes: Vec<_> =
                lines[at..].iter().take_while(|line| line.starts_with(['/', '#'])).collect();
            for name in dpdk_names(line) {
                let alias = format!("#[doc(alias = \"{name}\")]");
                assert!(
                    attributes.iter().any(|line| **line == alias),
                    "{}: {line}: no {alias}",
                    path.display()
                );
                count += 1;
            }
        }
    }
    count
}

#[test]
fn whatever_implements_a_function_or_type_of_dpdk_is_found_by_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let count: usize = ["mp-core/src", "mp-typed/src"].map(|dir| check(&root.join(dir))).iter().sum();
    assert!(count > 20, "only {count} names");
}
