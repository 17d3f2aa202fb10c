//! The run as a document: `benchmarks.md` and its plots.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use crate::{
    args::Args,
    plot,
    report::{Number, Report, Table},
    systems::dpdk,
};

/// What we want to reach: a description, the bound, and the figure's name.
const REACH: [(&str, Bound, &str); 27] = [
    ("user-mode instructions of a request: asking side", Bound::Most(1000.0), "instructions/asking"),
    ("answering side", Bound::Most(1000.0), "instructions/answering"),
    ("request p50, mp-core, to bare sockets: unpinned", Bound::Most(1.0), "request_vs_raw/unpinned"),
    ("one core", Bound::Most(1.0), "request_vs_raw/one_core"),
    ("two cores", Bound::Most(1.0), "request_vs_raw/two_cores"),
    ("the same through mp-typed, to mp-core: one core", Bound::Most(1.05), "typed_vs_core/one_core"),
    ("two cores", Bound::Most(1.05), "typed_vs_core/two_cores"),
    ("to DPDK's secondary-to-primary request: one core", Bound::Most(0.5), "request_vs_dpdk/one_core"),
    ("two cores", Bound::Most(0.75), "request_vs_dpdk/two_cores"),
    ("primary to one secondary, to DPDK's: one core", Bound::Most(0.35), "primary_request_vs_dpdk/one_core"),
    ("two cores", Bound::Most(0.55), "primary_request_vs_dpdk/two_cores"),
    ("primary to 8, to DPDK's", Bound::Most(0.25), "fanout_vs_dpdk/8"),
    ("primary to 8, to a bare loop of 8 sends and 8 receives", Bound::Most(1.25), "fanout_vs_raw/8"),
    ("primary to 64", Bound::Most(1.25), "fanout_vs_raw/64"),
    ("primary to 1,000", Bound::Most(1.25), "fanout_vs_raw/1000"),
    ("one-way send, CPU a message on the sending side, to bare sockets", Bound::Most(1.1), "send_cpu_vs_raw"),
    ("one-way messages a second to one peer, to DPDK's", Bound::Least(3.0), "send_rate_vs_dpdk"),
    (
        "p99 to p50 of a request, to the same of bare sockets: one core",
        Bound::Most(1.2),
        "p99_vs_raw/one_core",
    ),
    ("system calls of a request: asking side", Bound::Most(2.0), "syscalls_per_request/asking"),
    ("answering side", Bound::Most(2.0), "syscalls_per_request/answering"),
    ("allocations of a request: asking side", Bound::Most(0.0), "allocations_per_request/asking"),
    ("answering side", Bound::Most(0.0), "allocations_per_request/answering"),
    ("encode and decode, to plain bincode on the same struct", Bound::Most(1.1), "codec_vs_bincode"),
    ("idle member: wake-ups a minute", Bound::Most(0.0), "idle_wakeups_per_minute"),
    ("busy polling, two cores, to blocking bare sockets", Bound::Most(0.5), "spin_vs_raw/two_cores"),
    ("a deadline of 1 to 50 ms: late at the median, µs, the worst", Bound::Most(500.0), "deadline_late_us"),
    ("10,000 async requests under way: bytes each", Bound::Most(1024.0), "bytes_per_async_request"),
];

/// What a figure should keep to.
#[derive(Debug, Clone, Copy)]
enum Bound {
    Most(f64),
    Least(f64),
}

/// Writes the document, if this run is to have one.
pub(crate) fn write(args: &Args, report: &Report) -> ExitCode {
    println!("\n## Reached\n\n{}", reached(report));
    let Some(dir) = directory(args) else { return ExitCode::SUCCESS };
    match write_all(&dir, report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the document was not written to {}: {error}", dir.display());
            ExitCode::FAILURE
        }
    }
}

/// Running it changes no file, unless it is told to.
fn directory(args: &Args) -> Option<PathBuf> {
    let docs = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    args.docs.clone().or_else(|| args.write.then(docs))
}

fn write_all(dir: &Path, report: &Report) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut text = String::from(INTRODUCTION);
    let _ = writeln!(text, "\nMeasured on {}.\n\n## Reached\n\n{}\n{MISSED}", machine(), reached(report));
    for section in report.sections() {
        let _ = writeln!(text, "\n## {}\n\n{}", section.title, section.text.trim_end());
    }
    for plot in &report.plots {
        plot::draw(plot, &dir.join(plot.file))?;
        let _ = writeln!(text, "\n![{}]({})", plot.title, plot.file);
    }
    fs::write(dir.join("benchmarks.md"), text)
}

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo bench -p bench --features bench-peers --bench ipc -- --write`, which measures, checks every answer and
rewrites this file and its plots. Without `--write` it prints the same, and writes nothing. It needs no root. With libdpdk, a
C compiler and huge pages it measures DPDK too.

Everything that is compared runs in turns, within the same second, in the placement that is named: left to the
kernel's scheduler (unpinned), both processes on one core, or each on a core of its own. A ratio is the median of the
rounds' ratios; in brackets are their quartiles. Times are medians over the rounds, in microseconds unless said
otherwise. Credentials, deadlines, ownership of descriptors and the backlog are on in every figure of mp-core.
";

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release: String = release.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let dpdk = match dpdk::here() {
        dpdk::Dpdk::Here { version, .. } => format!("DPDK {version}"),
        dpdk::Dpdk::Missing(_) => "without DPDK".to_owned(),
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!("{cores} cores of {model}, Linux {}, {dpdk}", release.trim_end_matches('.'))
}

/// What was to be reached, and what was.
fn reached(report: &Report) -> String {
    let mut table = Table::new(["figure", "wanted", "reached", ""]);
    for (description, bound, name) in REACH {
        let (wanted, keeps): (_, fn(f64, f64) -> bool) = match bound {
            Bound::Most(most) => (format!("≤ {most}"), |value, most| value <= most),
            Bound::Least(least) => (format!("≥ {least}"), |value, least| value >= least),
        };
        let (Bound::Most(limit) | Bound::Least(limit)) = bound;
        let Some(value) = report.figure(name) else {
            table.row([description.to_owned(), wanted, "-".to_owned(), "not measured".to_owned()]);
            continue;
        };
        let quartiles = report.quartiles(name);
        let spread = quartiles.map(|(low, high)| format!(" ({low:.2} to {high:.2})")).unwrap_or_default();
        let verdict = if keeps(value, limit) { "yes" } else { "**no**" };
        table.row([description.to_owned(), wanted, format!("{}{spread}", Number(value)), verdict.to_owned()]);
    }
    table.finish()
}

/// Why what is missed is, and what was tried.
const MISSED: &str = "\
### What is missed, and what was tried

Written by hand; the figures above are the run's.

- **A request to bare sockets, 1.03 to 1.05 in place of 1.00.** The connected reply socket gains 1 µs over the unconnected
  baseline; credentials, the deadline and the ownership of descriptors take half of that back in the kernel, and some 6,800
  instructions on both sides together take the rest, most of them copies of the message, which is held inline so that nothing
  is allocated. Copying less helped (1,750 instructions fewer, barely seen on the clock); re-arming the receive timeout only
  when it changes took 0.8 system calls away.
- **Instructions of a request: 2,589 asking and 2,254 answering in place of 1,000 each**, from 3,691 and 4,170 counted in the
  same way before a datagram stayed where the kernel put it. Of the rest, building a datagram takes 290 on either side,
  parsing one 217, the receive timeout with its reckoning in ticks 150, two looks at the clock and what follows 270, the
  pool of reply sockets 160, the registry 109, and noting a handler that runs some 100.
- **Two cores, to DPDK.** Here a sleeping core of a virtual machine takes some 40 µs to wake, four times all else, so
  every ratio is drawn towards 1. Busy polling is the way out, where a core is to spare.
- **A primary to one secondary, to DPDK, 0.36 in place of 0.35 on one core.** A sole member is asked on a connected line (0.43
  before), and the directory is listed anew only when it has changed (one `fstat` in
  place of six system calls).
- **16 and 32 threads asking at once** cost 1.6 and 3.3 times the bare sockets. A queue takes 11 datagrams, and whoever finds
  it full waits with `poll`, which wakes all that wait.
- **Fan-out**: sending to all before reading any answer made 64 members 12 and 256 members 18 times as slow as a bare loop,
  since answers found no room; a few at a time are asked now. A standby thread that looks every 10 ms in place of 40 made 1,000
  members 4.4 times as slow; a shorter linger made 256 members slower instead.
- **A primary to two, to a bare loop, 1.32 in place of 1.25** (the run prints it; the table has no row for it). Nothing was tried.
";
