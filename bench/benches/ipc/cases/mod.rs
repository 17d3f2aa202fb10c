//! What is measured, and beside what.

mod codec;
mod counted;
mod deadline;
mod fan_out;
mod felt;
mod request;
mod throughput;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    args::{Args, Case},
    child::{Children, Side},
    document,
    place::Placement,
    report::Report,
    serve,
    systems::{System, dpdk},
};

type Run = fn(&Args, &mut Report);

pub(crate) fn run(args: &Args) -> ExitCode {
    serve::raise_file_limit();
    end_after(Duration::from_secs(args.limit));
    let mut report = Report::default();
    if let dpdk::Dpdk::Missing(why) = dpdk::here() {
        report.missing("dpdk", why);
    }
    if !cfg!(feature = "bench-peers") {
        report.missing("peers", "build with --features bench-peers");
    }
    let cases: [(Case, Run); 7] = [
        (Case::Request, request::run),
        (Case::FanOut, fan_out::run),
        (Case::Throughput, throughput::run),
        (Case::Codec, codec::run),
        (Case::Counted, counted::run),
        (Case::Deadline, deadline::run),
        (Case::Felt, felt::run),
    ];
    for (case, run) in cases {
        if args.wants(case) {
            run(args, &mut report);
        }
    }
    document::write(args, &report)
}

/// A run that hangs must end. Children end when their standard input does.
fn end_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        eprintln!("the benchmark was not done after {limit:?}");
        process::exit(1);
    });
}

/// A directory where processes meet, private and of its own.
#[derive(Debug)]
struct Meeting {
    dir: TempDir,
    /// DPDK's file-prefix is its last part, and must be unique on this machine.
    path: PathBuf,
}

impl Meeting {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let private = fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().permissions(private.clone()).tempdir().expect("a directory");
        let count = COUNT.fetch_add(1, Relaxed);
        let path = dir.path().join(format!("mpbench_{}_{count}", process::id()));
        fs::create_dir(&path).expect("a directory");
        fs::set_permissions(&path, private).expect("its own directory");
        Self { dir, path }
    }

    fn path(&self) -> &Path {
        debug_assert!(self.path.starts_with(self.dir.path()));
        &self.path
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        // DPDK leaves its memory to whoever comes next.
        let prefix = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in fs::read_dir("/dev/hugepages").into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().starts_with(&format!("{prefix}map_")) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// Both sides of a system, running.
#[derive(Debug)]
struct Pair {
    system: System,
    asking: Children,
    answering: Children,
    // Removed when the processes have ended.
    _meeting: Meeting,
}

impl Pair {
    fn start(system: System, placement: Placement) -> Self {
        Self::start_under(&[], &[], system, placement)
    }

    /// The same, each side under a tool, or under none.
    fn start_under(
        asking_tool: &[&str],
        answering_tool: &[&str],
        system: System,
        placement: Placement,
    ) -> Self {
        let meeting = Meeting::new();
        let side = |side| {
            let start = || {
                let tool = if side == Side::Asking { asking_tool } else { answering_tool };
                Children::start_under(tool, system, side, meeting.path(), 1)
            };
            match side {
                Side::Asking => placement.asking(start),
                Side::Answering => placement.answering(start),
            }
        };
        let (asking, answering);
        if system.asking_starts() {
            (asking, answering) = (side(Side::Asking), side(Side::Answering));
        } else {
            answering = side(Side::Answering);
            asking = side(Side::Asking);
        }
        Self { system, asking, answering, _meeting: meeting }
    }
}
