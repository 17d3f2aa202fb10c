//! What a run is asked for on its command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::systems::System;

/// Measures this project's IPC beside the bare sockets, DPDK and other libraries.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Only these cases.
    #[arg(long = "case", value_enum)]
    pub(crate) cases: Vec<Case>,
    /// Fewer and shorter rounds: for a look, not for the docs.
    #[arg(long)]
    pub(crate) quick: bool,
    /// How many rounds each comparison takes.
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// Writes `docs/benchmarks.md` and its plots, from a full run of all cases. Without it no file
    /// of the repository is touched.
    #[arg(long, conflicts_with_all = ["cases", "quick"])]
    pub(crate) write: bool,
    /// Writes the same there instead, from whatever has run.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) docs: Option<PathBuf>,
    /// Ends the run after that many seconds, finished or not.
    #[arg(long, default_value_t = 900)]
    pub(crate) limit: u64,
    /// Cargo passes it to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    pub(crate) side: Option<Side>,
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// A request to one peer, with 0, 1 and 8 descriptors.
    Request,
    /// A primary and N members.
    FanOut,
    /// One-way messages; threads asking at once.
    Throughput,
    /// Encoding and decoding.
    Codec,
    /// System calls, allocations and instructions, counted.
    Counted,
    /// How late calls give up.
    Deadline,
    /// What users feel: joining, leaving, idling, building.
    Felt,
}

impl Args {
    pub(crate) fn wants(&self, case: Case) -> bool {
        self.cases.is_empty() || self.cases.contains(&case)
    }

    /// How many rounds a comparison takes.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 5 } else { 15 })
    }

    /// A number of repetitions, fewer in a quick run.
    pub(crate) fn times(&self, full: usize) -> usize {
        if self.quick { (full / 4).max(1) } else { full }
    }
}

/// One of the processes that are measured. Not for users.
#[derive(Debug, Subcommand)]
#[command(hide = true)]
pub(crate) enum Side {
    /// Asks and sends, as its standard input says.
    Asking(Part),
    /// Answers until its standard input ends.
    Answering(Part),
}

/// Which system a process is a side of.
#[derive(Debug, clap::Args)]
pub(crate) struct Part {
    #[arg(value_enum)]
    pub(crate) system: System,
    /// The directory where its processes meet.
    pub(crate) dir: PathBuf,
}
