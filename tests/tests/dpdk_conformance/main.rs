//! Conformance with real DPDK: what was tried, and what came of it, in `docs/conformance.md`.
//!
//! One test, so that nothing else runs beside what is timed.
#![cfg(feature = "dpdk")]

mod harm;

use std::{path::Path, time::Duration};

use tests::dpdk::Document;

const RUST_PEER: &str = env!("CARGO_BIN_EXE_rust_peer");
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn conformance() {
    let document = Document { preamble: PREAMBLE.to_owned(), tables: vec![harm::table()] };
    document.settle(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md"));
}

const PREAMBLE: &str = "\
# Conformance

Written by `cargo test -p tests --features dpdk --test dpdk_conformance`, not by hand. DPDK is Debian's 22.11, with huge
pages and memory that grows.
";
