//! The layers are what the crate docs draw: no import points up, sideways or round.
//!
//! Read from the sources: every `crate::` and `super::` path outside of test modules is an arrow
//! from its file's module to the one that it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// mp-core's layers; each knows those in the rows below it, and none beside it.
const LAYERS: [&[&str]; 6] =
    [&["role"], &["answer", "ask"], &["group", "receive"], &["look"], &["sys"], &["wire"]];

fn sources(krate: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(krate).join("src")
}

/// All sources below a folder, with their paths.
fn files(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}

/// Without comments, and without what follows the first `#[cfg(test)]` on a `mod`.
fn code(text: &str) -> String {
    let mut lines = Vec::new();
    let mut all = text.lines().peekable();
    while let Some(line) = all.next() {
        let is_tests =
            line.trim() == "#[cfg(test)]" && all.peek().is_some_and(|next| next.contains("mod tests"));
        if is_tests {
            break;
        }
        lines.push(line.split_once("//").map_or(line, |(code, _)| code));
    }
    lines.join("\n")
}

/// The module that a file is, as its names from the crate's root.
fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(src).expect("below it").with_extension("");
    let mut names: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

/// The first names that a path leads to: `crate::wire::Name` to `wire`, `crate::{sys::A, wire::B}` to both.
fn heads(rest: &str) -> Vec<String> {
    let ident =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = rest.strip_prefix('{') else { return vec![ident(rest)] };
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => {}
        }
        if depth == 0 && c != ',' {
            item.push(c);
        }
    }
    items.push(item);
    items.iter().map(|item| ident(item.trim())).filter(|head| !head.is_empty()).collect()
}

/// The crate's top-level names that a file refers to.
fn references(module: &[String], code: &str) -> BTreeSet<String> {
    let squeezed: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    for (at, _) in squeezed.match_indices("crate::") {
        let is_word =
            squeezed[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '#');
        // `pub(in crate::x)` and `$crate::` of macros are no imports of ours either.
        if !is_word && !squeezed[..at].ends_with('$') {
            found.extend(heads(&squeezed[at + "crate::".len()..]));
        }
    }
    // `super::` leads out of a file's folder only from a file directly below the root.
    if module.len() == 1 {
        for (at, _) in squeezed.match_indices("super::") {
            found.extend(heads(&squeezed[at + "super::".len()..]));
        }
    }
    found.remove("self");
    found
}

/// For each top-level module of a crate, those it refers to.
fn arrows(krate: &str) -> BTreeMap<String, BTreeSet<(String, PathBuf)>> {
    let src = sources(krate);
    let mut arrows: BTreeMap<String, BTreeSet<(String, PathBuf)>> = BTreeMap::new();
    for (path, text) in files(&src) {
        let module = module_of(&src, &path);
        let Some(from) = module.first() else { continue };
        for to in references(&module, &code(&text)) {
            if to != *from {
                arrows.entry(from.clone()).or_default().insert((to, path.clone()));
            }
        }
    }
    arrows
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&layer))
}

#[test]
fn mp_cores_folders_are_its_layers() {
    let mut folders: Vec<_> = fs::read_dir(sources("mp-core"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut expected: Vec<_> = LAYERS.concat().iter().map(ToString::to_string).collect();
    expected.push("lib.rs".into());
    expected.sort();
    assert_eq!(folders, expected);
}

#[test]
fn no_import_of_mp_core_points_up_or_sideways() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (from, to) in arrows("mp-core") {
        let above = rank(&from).expect("a layer");
        for (to, file) in to {
            seen += 1;
            match rank(&to) {
                Some(below) if below > above => {}
                Some(_) => wrong.push(format!("{from} -> {to}, in {}", file.display())),
                None => wrong.push(format!("{to} does not name its layer, in {}", file.display())),
            }
        }
    }
    assert!(seen > 30, "only {seen} arrows were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The modules in an order in which each refers only to earlier ones; or those that are in a circle.
fn order(krate: &str) -> Result<Vec<String>, Vec<String>> {
    let mut left: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in arrows(krate) {
        let to = to.into_iter().map(|(to, _)| to);
        left.entry(from).or_default().extend(to);
    }
    let known: BTreeSet<String> = left.keys().cloned().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let free =
            left.iter().find(|(_, to)| !to.iter().any(|to| left.contains_key(to) && known.contains(to)));
        let Some(free) = free.map(|(from, _)| from.clone()) else { return Err(left.into_keys().collect()) };
        left.remove(&free);
        ordered.push(free);
    }
    Ok(ordered)
}

#[test]
fn no_imports_go_round_in_a_circle() {
    for krate in ["mp-core", "mp-derive", "mp-typed"] {
        if let Err(circle) = order(krate) {
            panic!("{krate}: among these modules there is a circle: {circle:?}");
        }
    }
}

#[test]
fn a_wrong_arrow_would_be_seen() {
    let module = ["wire".to_owned(), "name".to_owned()];
    let code = code(
        "use crate::{\n    ask::{One, Two},\n    sys::Address, // crate::role::No\n};\nfn f() -> crate::answer::Responder {}\n",
    );
    let found: Vec<_> = references(&module, &code).into_iter().collect();
    assert_eq!(found, ["answer", "ask", "sys"]);
    assert_eq!(
        references(&["codec".to_owned()], "use super::shape::Shape;").into_iter().collect::<Vec<_>>(),
        ["shape"]
    );
}

#[test]
fn every_file_begins_with_what_it_knows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let packages = ["mp-core", "mp-derive", "mp-typed", "mp-dpdk", "mpctl", "mp-bridge", "examples"];
    let all: Vec<_> = packages.iter().flat_map(|package| files(&root.join(package).join("src"))).collect();
    let silent: Vec<_> =
        all.iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "without a head: {silent:?}");
    assert!(all.len() > 150, "only {} files were found", all.len());
}
