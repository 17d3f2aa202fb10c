//! DPDK, in a C program that understands what the other children do.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::System;
use crate::child::Side;

/// What there is of DPDK on this machine.
#[derive(Debug, Clone)]
pub(crate) enum Dpdk {
    /// All of it, and this version.
    Here { program: PathBuf, version: String },
    /// Why there is none.
    Missing(String),
}

/// Looked for, and the program compiled, once.
pub(crate) fn here() -> &'static Dpdk {
    static HERE: OnceLock<Dpdk> = OnceLock::new();
    HERE.get_or_init(|| match compile() {
        Ok((program, version)) => Dpdk::Here { program, version },
        Err(why) => Dpdk::Missing(why),
    })
}

pub(crate) fn is_available() -> bool {
    matches!(here(), Dpdk::Here { .. })
}

/// The program and its first arguments; the directory follows.
pub(crate) fn program(system: System, side: Side) -> (PathBuf, Vec<String>) {
    let Dpdk::Here { program, .. } = here() else { unreachable!("{system} is not available") };
    let primary = (system == System::DpdkPrimary) == (side == Side::Asking);
    let role = if primary { "primary" } else { "secondary" };
    let side = if side == Side::Asking { "asking" } else { "answering" };
    (program.clone(), vec![side.to_owned(), role.to_owned()])
}

fn compile() -> Result<(PathBuf, String), String> {
    let version = output(Command::new("pkg-config").args(["--modversion", "libdpdk"]))?;
    let flags = output(Command::new("pkg-config").args(["--cflags", "--libs", "libdpdk"]))?;
    huge_pages()?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench_dpdk");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=gnu11", "-O2", "-Wall", "-Wextra"]);
    compiler.arg(manifest.join("benches/ipc/dpdk.c")).args(flags.split_whitespace());
    output(compiler.arg("-o").arg(&program))?;
    Ok((program, version.trim().to_owned()))
}

/// C secondaries do not start without.
fn huge_pages() -> Result<(), String> {
    let meminfo = fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
    let free = meminfo.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
    match free.and_then(|free| free.trim().parse::<u64>().ok()) {
        Some(16..) => Ok(()),
        _ => Err("it needs 16 free huge pages; as root: echo 64 > /proc/sys/vm/nr_hugepages".to_owned()),
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_owned();
    let output = command.output().map_err(|error| format!("{name:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{name:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
