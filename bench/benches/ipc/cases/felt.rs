//! What users feel: joining and leaving, an idle member, building.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use mp_core::{Client, MessageRef, Name, Primary, Secondary};

use super::{Meeting, Pair};
use crate::{
    args::Args,
    place::Placement,
    report::{Number, Report, Table},
    samples::median,
    systems::System,
};

/// How long after the last request a member goes on waking, and some more.
const SETTLING: Duration = Duration::from_secs(3);

pub(super) fn run(args: &Args, report: &mut Report) {
    let mut table = Table::new(["", ""]);
    let mut row = |name: &str, title: &str, value: f64| {
        report.count(name, value);
        table.row([title.to_owned(), Number(value).to_string()]);
    };
    let [join, leave, first] = joining(args);
    row("join_us", "joining as a secondary, µs", join);
    row("leave_us", "leaving, µs", leave);
    row("first_request_us", "a client's start and first request, µs", first);

    let mut pair = Pair::start(System::Core, Placement::Unpinned);
    let bare = Pair::start(System::Raw, Placement::Unpinned);
    pair.asking.tell("ask 0 200");
    thread::sleep(SETTLING);
    let pid = pair.answering.pids().next().expect("it is one process");
    let watched = Duration::from_secs(if args.quick { 2 } else { 20 });
    let before = switches(pid);
    thread::sleep(watched);
    let wakeups = (switches(pid) - before) * 60.0 / watched.as_secs_f64();
    row("idle_wakeups_per_minute", "an idle member: wake-ups a minute", wakeups);
    let bare = bare.answering.pids().next().expect("it is one process");
    let memory = private_kib(pid) - private_kib(bare);
    row("idle_member_kib", "an idle member: memory beyond that of a bare socket's process, KiB", memory);
    if let Some((seconds, kib)) = (!args.quick).then(build).flatten() {
        row("quickstart_build_s", "`quickstart`: clean release build, s", seconds);
        row("quickstart_kib", "`quickstart`: stripped program, KiB", kib);
    }
    report.section("What users feel", table.finish());
}

/// Microseconds: joining, leaving, a client's first request.
fn joining(args: &Args) -> [f64; 3] {
    let meeting = Meeting::new();
    let dir = meeting.path();
    let ping = Name::from_static("ping");
    let builder = Primary::builder("bench").runtime_dir(dir);
    let serve = builder.serve(ping, |request| _ = request.reply(&[], &[]));
    let primary = serve.start().expect("there is no other primary");
    let micros = |start: Instant| start.elapsed().as_nanos() as f64 / 1000.0;
    let (mut join, mut leave, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.times(100) {
        let start = Instant::now();
        let secondary = Secondary::builder("bench").runtime_dir(dir).start().expect("the group is there");
        join.push(micros(start));
        let start = Instant::now();
        drop(secondary);
        leave.push(micros(start));
        let start = Instant::now();
        let client = Client::builder("bench").runtime_dir(dir).start().expect("the group is there");
        let request = MessageRef::new(&ping, &[], &[]).expect("it fits");
        client.request(request, Duration::from_secs(5)).expect("an answer");
        first.push(micros(start));
    }
    drop(primary);
    [join, leave, first].map(median)
}

/// How often the process's threads have been given a core.
fn switches(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a child has threads").flatten();
    let statuses = threads.map(|thread| fs::read_to_string(thread.path().join("status")).unwrap_or_default());
    let count = |status: String| {
        let lines = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        lines.filter_map(|(_, count)| count.trim().parse::<f64>().ok()).sum::<f64>()
    };
    statuses.map(count).sum()
}

/// What the process has of memory for itself.
fn private_kib(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(f64::NAN)
}

/// Seconds and KiB; `None` if there is no such program, or it does not build.
fn build() -> Option<(f64, f64)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let target = tempfile::tempdir().ok()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "examples", "--bin", "quickstart", "--offline"]);
    command.args(["--config", "profile.release.strip=true", "--target-dir"]).arg(target.path());
    command.current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let built = command.status().ok()?.success();
    let seconds = start.elapsed().as_secs_f64();
    let program = target.path().join("release/quickstart");
    let size = fs::metadata(program).ok()?.len() as f64 / 1024.0;
    built.then_some((seconds, size))
}
