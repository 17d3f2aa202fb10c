//! Conformance with real DPDK: what was tried, and what came of it, in `docs/conformance.md`.
//!
//! One test, so that nothing else runs beside what is timed.
#![cfg(feature = "dpdk")]

mod churn;
mod harm;
mod pairs;

use std::{path::Path, time::Duration};

use tests::dpdk::{Cell, Document, Table, datagrams_sent};

const RUST_PEER: &str = env!("CARGO_BIN_EXE_rust_peer");
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn conformance() {
    let tables = vec![harm::table(), churn::table(), pairs::table(), pairs::place_table(), datagrams_table()];
    let document = Document { preamble: PREAMBLE.to_owned(), tables };
    document.settle(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md"));
}

const PREAMBLE: &str = "\
# Conformance

Written by `cargo test -p tests --features dpdk --test dpdk_conformance`, not by hand: a run that finds something else
rewrites this file and fails. Times are those of the run that wrote it, on two cores, and are not compared. DPDK is
Debian's 22.11.
";

/// What was recorded of the processes above; each was checked by its group's layout when it ended.
fn datagrams_table() -> Table {
    let sent = datagrams_sent();
    let lengths: Vec<_> = sent.keys().copied().collect();
    assert_eq!(lengths, [332, 340], "{sent:?}");
    let row = |(length, group): (&usize, &str)| {
        vec![Cell::of(group), Cell::of(format!("{length} bytes, each of them"))]
    };
    Table {
        title: "Never one byte too many".to_owned(),
        introduction: "\
Every datagram that left a Rust process while the tables above were made, as `strace` recorded it. One of another length
would end the IPC of a DPDK process for good."
            .to_owned(),
        columns: ["in a group of", "datagrams sent by Rust processes"].map(str::to_owned).into(),
        rows: lengths.iter().zip(["DPDK 22.11", "DPDK 25.11"]).map(row).collect(),
    }
}
