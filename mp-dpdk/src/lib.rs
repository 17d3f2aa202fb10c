//! DPDK's own messages as types: what its libraries, drivers and applications say to each other.
//!
//! Their payloads are C structs, so each type has `layout = "C"`: the bytes are those that a C
//! compiler lays out for the same fields. Where DPDK's versions differ there is a type for each,
//! and the length of a payload tells which it is. Each type names the struct, the function and the
//! file of DPDK's that it was written from. They are sent and served like messages of one's own,
//! with `mp-typed`; [`decode`] reads any of them for display.
//!
//! ```no_run
//! use std::time::Duration;
//! use mp_dpdk::{VdevCount, VdevScan};
//! use mp_typed::Client;
//!
//! // How many virtual devices has the DPDK application with `--file-prefix packet-app`?
//! let client = Client::builder("packet-app").start()?;
//! let VdevCount { count, .. } = client.request(&VdevScan::new(), Duration::from_secs(1))?;
//! println!("{count}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Messages
//!
//! | name | types | since |
//! | --- | --- | --- |
//! | `bus_vdev_mp` | [`VdevScan`], [`VdevFound`], [`VdevCount`] | 18.05 |
//! | `eal_dev_mp_request` | [`HotplugRequest`], [`HotplugResult`] | 18.11 |
//! | `eal_vfio_mp_sync` | [`VfioRequest`], [`VfioReply`] | 18.05 |
//! | `fslmc_vfio_mp_sync` | [`FslmcRequest`], [`FslmcReply`] | 24.11 |
//! | `mp_malloc_sync` | [`MallocSync`], [`MallocSynced`] | 18.05 |
//! | `tap_mp_sync_queues` | [`TapSyncQueues`], [`TapQueues`]; from 24.07 on [`TapSyncSharedQueues`], [`TapSharedQueues`] | 18.11 |
//! | `tap_mp_req_start_rxtx` | [`TapStart`], from 24.07 on [`TapSharedStart`] | 20.11.5, 21.11.1 |
//! | `memif_mp_send_region` | [`MemifRegionRequest`], [`MemifRegion`] | 19.08 |
//! | `afxdp_mp_send_fds` | [`AfXdpSockets`], [`AfXdpSocketFds`] | 22.03 |
//! | `net_ena_mp` | [`EnaRequest`], [`EnaReply`] | 22.03 |
//! | `net_hns3_mp` | [`Hns3Request`], [`Hns3Reply`] | 19.11 |
//! | `net_netvsc_mp` | [`NetvscRequest`], [`NetvscReply`] | 23.11.7, 24.11.5, 25.11.1 |
//! | `sxe2_mp_msg` | [`Sxe2Request`], [`Sxe2Reply`] | 26.07 |
//! | `mp_testpmd` | [`TestpmdRequest`], [`TestpmdReply`] | 25.11 |
//! | `mp_pdump` | its reply only: [`PdumpReply`] | 18.05 |
//!
//! Not here, since their payloads hold pointers, which mean nothing in a process without DPDK's
//! memory: the requests of `mp_pdump`, `mp_malloc_request` and `mp_malloc_rollback`, and those of
//! the drivers mlx4, mlx5, mana and ipsec_mb. The only right answer to them is *ignore*.

pub mod decoded;
pub mod drivers;
pub mod hotplug;
pub mod malloc;
mod messages;
pub mod tap;
pub mod vdev;
pub mod vfio;

use mp_core::inspect::DpdkVersion;

pub use decoded::{Decoded, Value};
pub use drivers::{
    AfXdpSocketFds, AfXdpSockets, EnaReply, EnaRequest, Hns3Reply, Hns3Request, MemifRegion,
    MemifRegionRequest, NetvscReply, NetvscRequest, PdumpReply, Sxe2Reply, Sxe2Request, TestpmdReply,
    TestpmdRequest,
};
pub use hotplug::{HotplugRequest, HotplugResult};
pub use malloc::{MallocSync, MallocSynced};
pub use tap::{TapQueues, TapSharedQueues, TapSharedStart, TapStart, TapSyncQueues, TapSyncSharedQueues};
pub use vdev::{VdevCount, VdevFound, VdevScan};
pub use vfio::{FslmcReply, FslmcRequest, VfioReply, VfioRequest};

use messages::Row;

/// Reads the payload of a message, request or reply of DPDK's own, for display.
///
/// `None` if the name is not DPDK's, or the payload has another size than DPDK gives it. `version`
/// helps where the same number means different things.
///
/// # Examples
///
/// ```
/// use mp_dpdk::VdevFound;
///
/// let found = VdevFound::new("net_null0");
/// let encoded = mp_typed::encode(&found)?;
/// let decoded = mp_dpdk::decode("bus_vdev_mp", encoded.param(), None).ok_or("known")?;
/// assert_eq!(decoded.to_string(), "type scan_one, name net_null0");
/// assert!(mp_dpdk::decode("link_state", &[1], None).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decode(name: &str, param: &[u8], version: Option<DpdkVersion>) -> Option<Decoded> {
    rows().filter(|(named, _)| *named == name).find_map(|(_, decode)| decode(param, version))
}

/// The names under which DPDK's own messages go, each once: those that [`decode`] knows.
///
/// ```
/// assert!(mp_dpdk::names().any(|name| name == "bus_vdev_mp"));
/// ```
pub fn names() -> impl Iterator<Item = &'static str> {
    let all: std::collections::BTreeSet<_> = rows().map(|(name, _)| *name).collect();
    all.into_iter()
}

fn rows() -> impl Iterator<Item = &'static Row> {
    [vdev::ROWS, hotplug::ROWS, vfio::ROWS, malloc::ROWS, tap::ROWS, drivers::ROWS].into_iter().flatten()
}

/// The text of a NUL-terminated field, as far as it is UTF-8.
#[must_use]
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A NUL-terminated field with this text, cut off where it does not fit, as DPDK's `strlcpy` does.
#[must_use]
pub fn field<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let len = text.len().min(N.saturating_sub(1));
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_is_cut_off_before_its_nul() {
        assert_eq!(field::<4>("abcdef"), *b"abc\0");
        assert_eq!(text(&field::<4>("ab")), "ab");
        assert_eq!(text(b"abcd"), "abcd");
        assert!(field::<0>("ab").is_empty());
    }

    #[test]
    fn what_has_another_size_or_name_is_not_decoded() {
        for len in (0..=256).filter(|len| *len != 72) {
            assert_eq!(decode("bus_vdev_mp", &vec![1; len], None), None, "{len}");
        }
        assert_eq!(decode("mp_pdump", &[0; 112], None), None);
        assert_eq!(decode("echo", &[0; 72], None), None);
    }

    #[test]
    fn whatever_a_peer_sends_is_displayed_without_a_panic() {
        for (name, _) in rows() {
            let decoded =
                |len: usize| [0, 0x80, 0xff].map(|byte| decode(name, &vec![byte; len], None)).into_iter();
            let texts = (0..=256).flat_map(decoded).flatten().map(|decoded| decoded.to_string());
            assert!(texts.count() >= 3, "{name} is decoded at one length at least");
        }
    }
}
