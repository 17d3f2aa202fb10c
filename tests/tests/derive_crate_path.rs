//! A crate path that leads nowhere is one error, and it tells of `crate = ...`.
//!
//! The compiler is called as Cargo calls it, with `mp-typed` under the name that a `Cargo.toml`
//! would give it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// All four derives, in every way in which generated code names something of the crate.
const TYPES: &str = r#"
    #[derive(ipc::Message)]
    #[message(name = "a" ATTRIBUTE)]
    pub struct A { pub number: u32, #[message(max_len = 4)] pub text: String, #[fd] pub fd: std::os::fd::OwnedFd }
"#;

#[test]
fn a_renamed_crate_that_the_type_names_compiles() {
    assert_eq!(errors("ipc", ", crate = ipc"), Vec::<String>::new());
    assert_eq!(errors("ipc", ", crate = ::ipc"), Vec::<String>::new());
}

#[test]
fn a_renamed_crate_is_one_error_that_tells_the_name() {
    assert_eq!(
        errors("ipc", ""),
        ["`mp-typed` goes by the name `ipc` in this crate: add `crate = ipc` to `#[message(...)]`"]
    );
}

#[test]
fn a_crate_behind_another_is_one_error_that_tells_of_the_key() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let facade = folder.path().join("libfacade.rlib");
    let source = folder.path().join("facade.rs");
    fs::write(&source, "pub use mp_typed as ipc;").expect("there is room for a file");
    let ours = ours();
    let output = rustc(&source)
        .args(["--crate-type=rlib", "--crate-name=facade", "-o"])
        .arg(&facade)
        .arg(extern_("mp_typed", &ours))
        .output()
        .expect("there is a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let errors = |attribute| compile("facade", &facade, &format!("use facade::ipc;{}", types(attribute)));
    assert_eq!(errors(", crate = facade::ipc"), Vec::<String>::new());
    let said = errors("");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`#[message(crate = path::to::mp_typed)]`"), "{said:?}");
}

#[test]
fn a_wrong_path_is_one_error() {
    assert_eq!(errors("ipc", ", crate = nowhere").len(), 1);
    assert_eq!(errors("ipc", ", crate = ipc::nowhere").len(), 1);
    assert_eq!(errors("ipc", ", crate = std::net").len(), 1);
}

fn types(attribute: &str) -> String {
    TYPES.replace(" ATTRIBUTE", attribute)
}

/// The errors in [`TYPES`] with this attribute, in a crate that has `mp-typed` under this name.
fn errors(name: &str, attribute: &str) -> Vec<String> {
    compile(name, &ours(), &types(attribute))
}

fn compile(name: &str, file: &Path, code: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let source = folder.path().join("user.rs");
    fs::write(&source, code).expect("there is room for a file");
    let output = rustc(&source)
        .args(["--crate-type=rlib", "--emit=metadata", "--out-dir"])
        .arg(folder.path())
        .arg(extern_(name, file))
        .output()
        .expect("there is a compiler");
    let said = String::from_utf8(output.stderr).expect("it speaks UTF-8");
    let is_error = |line: &&str| line.starts_with("error") && !line.starts_with("error: aborting");
    let errors = said.lines().filter(is_error).filter_map(|line| line.split_once(": "));
    let errors: Vec<_> = errors.map(|(_, text)| text.to_owned()).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{said}");
    errors
}

fn rustc(source: &Path) -> Command {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let mut search = std::ffi::OsString::from("-Ldependency=");
    search.push(deps());
    rustc.arg(source).args(["--edition=2024", "--color=never"]).arg(search);
    rustc
}

fn extern_(name: &str, file: &Path) -> String {
    format!("--extern={name}={}", file.display())
}

/// Where Cargo has put the crates that this test was made of.
fn deps() -> PathBuf {
    let test = env::current_exe().expect("a process knows its program");
    test.parent().expect("a program is in a folder").to_owned()
}

/// `mp-typed` as it was last compiled.
fn ours() -> PathBuf {
    let files = fs::read_dir(deps()).expect("the folder is there").flatten().map(|entry| entry.path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libmp_typed-") && name.ends_with(".rlib")
    };
    let age = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    files.filter(is_ours).max_by_key(age).expect("this test uses the crate")
}
