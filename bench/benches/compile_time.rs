//! What 500 derived messages cost the compiler, against the same 500 structs with serde's derives.
//!
//! Two crates that differ in nothing but their derives are generated, and compiled in turns; their dependencies are
//! compiled before the clock runs. Run with `cargo bench -p bench --bench compile_time`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

const MESSAGES: usize = 500;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    generate(&folder.path().join("derived"), "mp-typed", derived_attributes)?;
    generate(&folder.path().join("plain"), "serde", plain_attributes)?;
    println!("{MESSAGES} messages of 6 fields, median of {ROUNDS} rounds");
    for command in ["check", "build"] {
        let (mut derived, mut plain) = (Vec::new(), Vec::new());
        compile(folder.path(), "derived", command)?;
        compile(folder.path(), "plain", command)?;
        for _ in 0..ROUNDS {
            derived.push(compile(folder.path(), "derived", command)?);
            plain.push(compile(folder.path(), "plain", command)?);
        }
        let (derived, plain) = (median(derived), median(plain));
        let ratio = derived.as_secs_f64() / plain.as_secs_f64();
        println!("cargo {command}: mp-typed {derived:.2?}, serde {plain:.2?}, ratio {ratio:.2}");
    }
    Ok(())
}

fn derived_attributes(number: usize) -> String {
    format!("#[derive(mp_typed::Message)]\n#[message(name = \"message_{number}\")]\n")
}

fn plain_attributes(_: usize) -> String {
    "#[derive(serde::Serialize, serde::Deserialize)]\n".to_owned()
}

/// A crate with all the structs, and a use of some of them.
fn generate(folder: &Path, dependency: &str, attributes: fn(usize) -> String) -> Result<(), Box<dyn Error>> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("this package is a member of a workspace")?;
    let source = match dependency {
        "serde" => "\"1\", features = [\"derive\"]".to_owned(),
        member => format!("\"*\", path = {:?}", root.join(member)),
    };
    fs::create_dir_all(folder.join("src"))?;
    fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependency} = {{ version = {source} }}\n\n[workspace]\n",
            folder.file_name().ok_or("a folder has a name")?
        ),
    )?;
    // The same versions of everything as this workspace uses, and no look at the network.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let mut code = String::new();
    for number in 0..MESSAGES {
        write!(
            code,
            "{}pub struct Message{number} {{\n    pub port: u16,\n    pub queue: u32,\n    pub flags: u64,\n    \
             pub up: bool,\n    pub mac: [u8; 6],\n    pub node: Option<u32>,\n}}\n\n",
            attributes(number)
        )?;
    }
    Ok(fs::write(folder.join("src/lib.rs"), code)?)
}

/// Compiles the crate itself once more.
fn compile(folder: &Path, name: &str, command: &str) -> Result<Duration, Box<dyn Error>> {
    let crate_folder = folder.join(name);
    let code = crate_folder.join("src/lib.rs");
    fs::write(&code, fs::read(&code)?)?;
    let start = Instant::now();
    let output = Command::new(env!("CARGO"))
        .args([command, "--quiet", "--offline", "--target-dir"])
        .arg(folder.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(&crate_folder)
        .output()?;
    let time = start.elapsed();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(time)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
