//! What a datagram is like, and what the DPDK of this machine makes of it.

use mp_core::Layout;

/// Every layout that there has been.
pub const LAYOUTS: [Layout; 2] = [Layout::Bytes332, Layout::Bytes340];

/// The layout of the DPDK that the suite was compiled with, by its own headers.
///
/// # Panics
/// If there is none, or it has a third one.
#[must_use]
pub fn layout_of_this_dpdk() -> Layout {
    let length = this_dpdk().1;
    let known = LAYOUTS.into_iter().find(|layout| layout.len() == length);
    known.unwrap_or_else(|| {
        panic!("this DPDK's datagrams have {length} bytes, a layout that is not known yet")
    })
}

/// The version of the DPDK that the suite was compiled with: `22.11.11`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn dpdk_version() -> &'static str {
    this_dpdk().0
}

/// Whether this DPDK keeps a device that was detached in the list of those it knows, as it does from 26.07 on; it then
/// crashes when it is asked to detach it once more.
///
/// # Panics
/// If there is no DPDK.
#[must_use]
pub fn keeps_detached_devices() -> bool {
    dpdk_version() >= "26.07"
}

fn this_dpdk() -> (&'static str, usize) {
    let missing = env!("DPDK_WIRE_MISSING");
    assert!(missing.is_empty(), "{missing}");
    let (version, length) = env!("DPDK_WIRE").split_once(' ').expect("`dpdk/probe.c` prints two words");
    (version, length.parse().expect("`dpdk/probe.c` prints a number"))
}
