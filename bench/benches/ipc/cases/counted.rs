//! What is counted, and so the same on any machine: system calls, allocations
//! and instructions a request.
//!
//! Each count is the difference between two runs of different lengths, so that
//! starting and ending do not count.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::Pair;
use crate::{
    args::Args,
    place::Placement,
    report::{Number, Report, Table},
    systems::System,
};

/// Counted on the asking and the answering side.
type Sides = (f64, f64);

pub(super) fn run(args: &Args, report: &mut Report) {
    let mut table = Table::new([
        "system",
        "system calls: asking",
        "answering",
        "allocations: asking",
        "answering",
        "instructions: asking",
        "answering",
    ]);
    let strace = has("strace");
    let counter = Counter::here();
    for system in System::available() {
        if system.spins() || system == System::RawAgain {
            continue;
        }
        let is_ours = matches!(system, System::Core | System::CorePrimary | System::Typed);
        let is_c = matches!(system, System::Dpdk | System::DpdkPrimary);
        let is_raw = matches!(system, System::Raw | System::RawConnected);
        let calls = strace.then(|| syscalls(args, system));
        let allocations = (!is_c).then(|| allocations(args, system));
        let instructions =
            counter.filter(|_| is_ours || is_raw).map(|counter| instructions(args, counter, system));
        let suffix = match system {
            System::Core => "",
            System::CorePrimary => "/primary",
            System::Typed => "/typed",
            _ => {
                row(&mut table, system, calls, allocations, instructions);
                continue;
            }
        };
        for (name, sides) in [
            ("syscalls_per_request", calls),
            ("allocations_per_request", allocations),
            ("instructions", instructions),
        ] {
            if let Some((asking, answering)) = sides {
                report.count(format!("{name}/asking{suffix}"), asking);
                report.count(format!("{name}/answering{suffix}"), answering);
            }
        }
        row(&mut table, system, calls, allocations, instructions);
    }
    if !strace {
        report.missing("syscalls_per_request", "strace is not installed");
    }
    if counter.is_none() {
        report.missing("instructions", "neither valgrind nor a perf that can count them is installed");
    }
    report.section("Counted, for one request", table.finish());
}

fn row(
    table: &mut Table,
    system: System,
    calls: Option<Sides>,
    allocations: Option<Sides>,
    instructions: Option<Sides>,
) {
    let mut cells = vec![system.title().to_owned()];
    for sides in [calls, allocations, instructions] {
        let cell = |of: fn(Sides) -> f64| sides.map_or("-".to_owned(), |s| Number(of(s)).to_string());
        cells.extend([cell(|sides| sides.0), cell(|sides| sides.1)]);
    }
    table.row(cells);
}

fn has(tool: &str) -> bool {
    let mut command = Command::new(tool);
    let command = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn allocations(args: &Args, system: System) -> Sides {
    let mut pair = Pair::start(system, Placement::Unpinned);
    pair.asking.tell("ask 0 100");
    let mut count = |requests| {
        let mut now = || (pair.asking.tell("usage")[1], pair.answering.tell("usage")[1]);
        let before = now();
        pair.asking.tell(&format!("ask_exactly 0 {requests}"));
        let mut now = || (pair.asking.tell("usage")[1], pair.answering.tell("usage")[1]);
        let after = now();
        (after.0 - before.0, after.1 - before.1)
    };
    per_request(args.times(1000), &mut count)
}

fn syscalls(args: &Args, system: System) -> Sides {
    let dir = tempfile::tempdir().expect("a directory");
    let files = [dir.path().join("asking"), dir.path().join("answering")];
    let texts = files.each_ref().map(|file| file.to_str().expect("a path of ASCII"));
    let tools = texts.map(|file| ["strace", "-f", "-c", "-U", "calls", "-o", file]);
    let mut count = |requests| {
        let mut pair = Pair::start_under(&tools[0], &tools[1], system, Placement::Unpinned);
        pair.asking.tell(&format!("ask_exactly 0 {requests}"));
        drop(pair);
        (total_calls(&files[0]), total_calls(&files[1]))
    };
    per_request(args.times(1000), &mut count)
}

/// The last line of `strace -c` is the total.
fn total_calls(file: &Path) -> f64 {
    let text = fs::read_to_string(file).expect("strace has written its summary");
    let total = text.lines().rfind(|line| line.trim_end().ends_with("total"));
    let number = total.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no total in what strace wrote: {text}"))
}

/// What counts instructions. Neither is disturbed by what else the machine does.
#[derive(Debug, Clone, Copy)]
enum Counter {
    Callgrind,
    /// Where the processor may be asked, which in many virtual machines it may not.
    Perf,
}

impl Counter {
    fn here() -> Option<Self> {
        let perf_counts = || {
            let mut perf = Command::new("perf");
            perf.args(["stat", "-x,", "-e", EVENT, "true"]).stdout(Stdio::null());
            perf.output().is_ok_and(|told| perf_count(&String::from_utf8_lossy(&told.stderr)).is_some())
        };
        if has("valgrind") { Some(Self::Callgrind) } else { perf_counts().then_some(Self::Perf) }
    }

    /// The tool, to write what it counts into that file.
    fn tool(self, file: &Path) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Callgrind => {
                &["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"]
            }
            Self::Perf => &["perf", "stat", "-x,", "-e", EVENT],
        };
        let mut tool: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        tool.extend(match self {
            Self::Callgrind => vec![format!("--log-file={}", file.display())],
            Self::Perf => vec!["-o".to_owned(), file.display().to_string()],
        });
        tool
    }

    fn count_in(self, file: &Path) -> f64 {
        let text = fs::read_to_string(file).expect("the tool has written what it counted");
        let count = match self {
            Self::Callgrind => {
                text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
            }
            Self::Perf => perf_count(&text),
        };
        count.unwrap_or_else(|| panic!("no count in what the tool wrote: {text}"))
    }
}

/// Instructions in user mode.
const EVENT: &str = "instructions:u";

fn perf_count(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(EVENT))?;
    line.split(',').next()?.parse().ok()
}

/// From start to end, both sides of so many requests; and so again of more.
fn instructions(args: &Args, counter: Counter, system: System) -> Sides {
    let dir = tempfile::tempdir().expect("a directory");
    let files = [dir.path().join("asking"), dir.path().join("answering")];
    let tools = files.each_ref().map(|file| counter.tool(file));
    let [asking, answering] =
        tools.each_ref().map(|tool| tool.iter().map(String::as_str).collect::<Vec<_>>());
    let mut count = |requests| {
        let mut pair = Pair::start_under(&asking, &answering, system, Placement::Unpinned);
        pair.asking.tell(&format!("ask_plainly {requests}"));
        drop(pair);
        (counter.count_in(&files[0]), counter.count_in(&files[1]))
    };
    per_request(args.times(1000), &mut count)
}

/// What `2 * more` requests add to what starting, ending and `more` take.
fn per_request(more: usize, count: &mut dyn FnMut(usize) -> Sides) -> Sides {
    let (few, many) = (count(more), count(3 * more));
    // Whole calls are counted, with a few now and then that are not a request's.
    let each = |few: f64, many: f64| ((many - few) / (2 * more) as f64 * 20.0).round().max(0.0) / 20.0;
    (each(few.0, many.0), each(few.1, many.1))
}
