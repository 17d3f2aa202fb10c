//! A program without default features: plain and C-layout messages, with neither serde nor bincode in its
//! dependencies; and what the compiler says where such a program needs them.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Mine, and those of my dependencies, all of them: `cargo tree` of a program that has only `mp-typed` in it.
/// The smaller the better; a larger one wants a reason.
const MOST_CRATES: usize = 20;

const PROGRAM: &str = r#"
use std::{env, error::Error, time::Duration};
use mp_typed::{Client, Message, Peer, Primary, Request, Response};

#[derive(Message)]
#[message(name = "link_state")]
struct LinkState { port: u16, up: bool, #[message(max_len = 8)] label: String }

#[derive(Request)]
#[message(name = "double", layout = "C", response = Doubled)]
struct Double { number: u32 }

#[derive(Response)]
#[message(layout = "C")]
struct Doubled { number: u64 }

fn main() -> Result<(), Box<dyn Error>> {
    let dir = env::args().nth(1).ok_or("where?")?;
    let (told, links) = std::sync::mpsc::channel();
    let primary = Primary::builder("minimal")
        .runtime_dir(&dir)
        .on(move |link: LinkState, _: &Peer| drop(told.send(link)))
        .serve(|double: Double, _: &Peer| Doubled { number: u64::from(double.number) * 2 })
        .start()?;
    let client = Client::builder("minimal").runtime_dir(&dir).start()?;
    client.send(&LinkState { port: 7, up: true, label: "eth0".into() })?;
    let link = links.recv_timeout(Duration::from_secs(10))?;
    let doubled = client.request(&Double { number: 21 }, Duration::from_secs(10))?;
    println!("port {} of {} is up: {}; {}", link.port, link.label, link.up, doubled.number);
    assert!(primary.stop(Duration::from_secs(10)));
    Ok(())
}
"#;

#[test]
fn mp_typed_without_default_features_has_neither_serde_nor_bincode() {
    let tree = cargo(&workspace(), &["tree", "-p", "mp-typed", "--no-default-features", "-e", "normal"]);
    assert!(!tree.contains("serde") && !tree.contains("bincode"), "{tree}");
    let tree = cargo(&workspace(), &["tree", "-p", "mp-typed", "-e", "normal"]);
    assert!(tree.contains("serde") && tree.contains("bincode"), "this test looks at something else: {tree}");
}

#[test]
fn a_minimal_program_builds_and_runs() {
    let program = Program::new("minimal", PROGRAM);
    let private = Permissions::from_mode(0o700);
    let dir = tempfile::Builder::new().permissions(private).tempdir().expect("a directory");
    let built = program.cargo(&["build"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let ran = Command::new(program.target.join("debug/minimal")).arg(dir.path()).output().expect("it starts");
    assert_eq!(text(&ran.stdout), "port 7 of eth0 is up: true; 42\n", "{}", text(&ran.stderr));

    let tree =
        text(&program.cargo(&["tree", "-e", "normal,build", "--prefix", "none", "--no-dedupe"]).stdout);
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("mp-core") && crates.len() <= MOST_CRATES, "{}: {crates:?}", crates.len());
}

#[test]
fn what_needs_serde_says_so_where_it_is_not_there() {
    let max_size = "
        #[derive(mp_typed::Message)] #[message(name = \"log\")]
        pub struct Log { #[message(max_size = 32)] pub text: String }
        fn main() {}";
    let said = Program::new("without_max_size", max_size).fails_to_build();
    assert!(said.contains("mp-typed is built without its feature `serde`"), "{said}");
    assert!(said.contains("needs the feature `serde`") && said.contains("features = [\"serde\"]"), "{said}");
    assert_eq!(
        said.matches("\nerror").count() + usize::from(said.starts_with("error")),
        2,
        "one, and the end: {said}"
    );

    let sealed = "
        use mp_typed::{Response, Sealed};
        #[derive(Response)]
        pub struct Routes { #[fd] pub table: Sealed<u32> }
        fn main() {}";
    let said = Program::new("without_sealed", sealed).fails_to_build();
    assert!(said.contains("Sealed") && said.contains("`serde` feature"), "{said}");
}

/// A package of its own outside of this workspace, built offline, without default features.
struct Program {
    dir: tempfile::TempDir,
    target: PathBuf,
}

impl Program {
    fn new(name: &str, main: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mp_typed = workspace().join("mp-typed");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n\
             mp-typed = {{ path = {mp_typed:?}, default-features = false }}\n\n[workspace]\n"
        );
        fs::create_dir(dir.path().join("src")).expect("a folder");
        fs::write(dir.path().join("Cargo.toml"), manifest).expect("written");
        fs::write(dir.path().join("src/main.rs"), main).expect("written");
        // The versions that are here, so that nothing is looked for elsewhere.
        fs::copy(workspace().join("Cargo.lock"), dir.path().join("Cargo.lock")).expect("copied");
        // Kept from run to run: then only the program itself is built anew.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("minimal");
        Self { dir, target }
    }

    fn cargo(&self, args: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).args(["--quiet", "--offline"]).current_dir(&self.dir);
        cargo.env("CARGO_TARGET_DIR", &self.target).output().expect("cargo can be run")
    }

    fn fails_to_build(&self) -> String {
        let built = self.cargo(&["check"]);
        assert!(!built.status.success(), "it builds");
        text(&built.stderr)
    }
}

#[track_caller]
fn cargo(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(args).arg("--offline").current_dir(dir).output();
    let output = output.expect("cargo can be run");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
