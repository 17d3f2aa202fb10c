//! Conformance with real DPDK: what was tried, and what came of it, in `docs/conformance.md`.
//!
//! One test, so that nothing else runs beside what is timed.
#![cfg(feature = "dpdk")]

mod churn;
mod harm;
mod pairs;

use std::{collections::BTreeSet, path::Path, time::Duration};

use tests::dpdk::{Cell, Document, Layout, Table, datagrams_sent, dpdk_version, layout_of_this_dpdk};

const RUST_PEER: &str = env!("CARGO_BIN_EXE_rust_peer");
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn conformance() {
    let tables = vec![harm::table(), churn::table(), pairs::table(), pairs::place_table(), datagrams_table()];
    let document = Document {
        preamble: PREAMBLE.to_owned(),
        of: format!("{}, whose datagrams have {} bytes", dpdk_version(), layout_of_this_dpdk().len()),
        tables,
    };
    document.settle(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md"));
}

const PREAMBLE: &str = "\
# Conformance

Written by `cargo test -p tests --features dpdk --test dpdk_conformance`, not by hand: a run that finds something else
rewrites this file and fails. Times are those of the run that wrote it, on two cores, and are not compared. Another
DPDK, chosen with `PKG_CONFIG_PATH`, must be found to do the same.
";

/// What was recorded of the processes above; each was checked by its group's layout when it ended.
fn datagrams_table() -> Table {
    let sent = datagrams_sent();
    let expected = BTreeSet::from([layout_of_this_dpdk(), Layout::Bytes340].map(Layout::len));
    assert!(sent.keys().eq(&expected), "{sent:?}, where {expected:?} are the rule");
    let row = |(group, length): (&str, &str)| vec![Cell::of(group), Cell::of(length)];
    Table {
        title: "Never one byte too many".to_owned(),
        introduction: "\
Every datagram that left a Rust process while the tables above were made, as `strace` recorded it. One of another length
would end the IPC of a DPDK process for good."
            .to_owned(),
        columns: ["in a group of", "datagrams sent by Rust processes"].map(str::to_owned).into(),
        rows: [
            ("DPDK", "as long as DPDK's own, each of them"),
            ("the C program of 340 bytes", "340 bytes, each of them"),
        ]
        .map(row)
        .into(),
    }
}
