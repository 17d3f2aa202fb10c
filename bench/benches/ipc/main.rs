//! What a request, a broadcast and a message cost, beside the bare sockets and
//! beside what one would use instead: `cargo bench -p bench --bench ipc`.
//!
//! With `--features bench-peers` other libraries are measured too; with libdpdk
//! and a C compiler installed, DPDK. Neither root nor huge pages are needed,
//! except for the figures of DPDK's own secondaries.
//!
//! This program starts itself again for every process it measures: a
//! [`child`](crate::child) is one side of one [`system`](crate::systems), told
//! over its standard input what to do. The [`cases`](crate::cases) decide what
//! is measured beside what, always in turns, so that each ratio comes from
//! figures taken within the same second.
//!
//! ```text
//! main ─► cases ─► child ═══ standard input and output ═══► serve ─► systems
//!           └────► samples, report ─► document, plot
//! ```

mod allocations;
mod args;
mod cases;
mod child;
mod document;
mod place;
mod plot;
mod report;
mod samples;
mod serve;
mod systems;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Side};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.side {
        Some(Side::Asking(part)) => serve::asking(&part),
        Some(Side::Answering(part)) => serve::answering(&part),
        None => return cases::run(&args),
    }
    ExitCode::SUCCESS
}
