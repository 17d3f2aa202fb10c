//! Real DPDK processes, and Rust processes beside them, driven by tests.
//!
//! ```text
//! a test ─► Group ─► Process ─ lines on stdin and stdout ─► dpdk/peer.c on DPDK, or bin/rust_peer.rs on mp-core
//! ```
//!
//! A [`Group`] is a temporary runtime directory with a file-prefix of its own. Its [`Process`]es all speak the protocol
//! of `dpdk/lines.h`, whatever they are written in, so that a test can put either in either place. Every wait here ends:
//! a peer that hangs or crashes fails the test, with what it printed.
//!
//! Which DPDK that is, and what its datagrams are like, the suite takes from the `libdpdk` that `pkg-config` finds.
//! Point `PKG_CONFIG_PATH` at another one's to try that: what a test says of DPDK holds for every version that it knows.

mod answer;
mod commands;
pub mod exchange;
mod group;
mod hand;
mod huge_pages;
mod layout;
mod lines;
mod process;
mod record;
mod table;

pub use answer::{Answer, Content, Event, FileId, Refused, Requested};
pub use commands::Mode;
pub use group::{DpdkBuilder, Group, Memory, Role, RustBuilder};
pub use hand::{Golden, Hand, Handed, Kind};
pub use layout::{LAYOUTS, dpdk_version, keeps_detached_devices, layout_of_this_dpdk};
pub use mp_core::Layout;
pub use process::Process;
pub use record::{Recording, datagrams_sent};
pub use table::{Cell, Document, Table};
