//! Messages that DPDK itself speaks, as types.
//!
//! Their payloads are C structs, so each type has `layout = "C"`: the bytes are
//! those that a C compiler lays out for the same fields. Where DPDK's versions
//! differ there is a type for each, and the length of a payload tells which it
//! is. [`decode`] reads any of them for display.
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
//! | `mp_pdump` | its reply only: [`PdumpReply`] | 18.05 |
//!
//! Not here, since their payloads hold pointers, which mean nothing in a process
//! without DPDK's memory: the requests of `mp_pdump`, `mp_malloc_request` and
//! `mp_malloc_rollback`, and those of the drivers mlx4, mlx5, mana and ipsec_mb.
//! The only right answer to them is *ignore*.

pub mod decoded;
pub mod drivers;
pub mod hotplug;
pub mod malloc;
pub mod tap;
pub mod vdev;
pub mod vfio;

use mp_core::inspect::DpdkVersion;
use mp_typed::{DecodeOwned, Message, Request};

pub use decoded::{Decoded, Value};
pub use drivers::{
    AfXdpSocketFds, AfXdpSockets, EnaReply, EnaRequest, Hns3Reply, Hns3Request, MemifRegion,
    MemifRegionRequest, NetvscReply, NetvscRequest, PdumpReply, Sxe2Reply, Sxe2Request,
};
pub use hotplug::{HotplugRequest, HotplugResult};
pub use malloc::{MallocSync, MallocSynced};
pub use tap::{TapQueues, TapSharedQueues, TapSharedStart, TapStart, TapSyncQueues, TapSyncSharedQueues};
pub use vdev::{VdevCount, VdevFound, VdevScan};
pub use vfio::{FslmcReply, FslmcRequest, VfioReply, VfioRequest};

/// Reads the payload of a message, request or reply of DPDK's own, for display.
///
/// `None` if the name is not DPDK's, or the payload has another size than DPDK
/// gives it. `version` helps where the same number means different things.
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
    match name {
        VdevScan::NAME => read(param, VdevFound::describe),
        HotplugRequest::NAME => read(param, HotplugRequest::describe),
        VfioRequest::NAME => read(param, |request: VfioRequest| request.describe(version)),
        FslmcRequest::NAME => read(param, FslmcRequest::describe),
        MallocSync::NAME => read(param, MallocSync::describe),
        TapSyncQueues::NAME | TapStart::NAME => {
            read(param, TapSyncQueues::describe).or_else(|| read(param, TapSyncSharedQueues::describe))
        }
        MemifRegionRequest::NAME => read(param, MemifRegionRequest::describe),
        AfXdpSockets::NAME => read(param, AfXdpSockets::describe),
        EnaRequest::NAME => read(param, EnaRequest::describe),
        Hns3Request::NAME => read(param, Hns3Request::describe),
        NetvscRequest::NAME => read(param, NetvscRequest::describe),
        Sxe2Request::NAME => read(param, Sxe2Request::describe),
        PdumpReply::NAME => read(param, PdumpReply::describe),
        _ => None,
    }
}

fn read<T: DecodeOwned>(param: &[u8], describe: impl FnOnce(T) -> Decoded) -> Option<Decoded> {
    mp_typed::decode(param, []).ok().map(describe)
}

/// The text of a NUL-terminated field, as far as it is UTF-8.
#[must_use]
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A NUL-terminated field with this text, cut off where it does not fit, as
/// DPDK's `strlcpy` does.
#[must_use]
pub fn field<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let len = text.len().min(N.saturating_sub(1));
    field[..len].copy_from_slice(&text.as_bytes()[..len]);
    field
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use mp_typed::{Body, encode};

    use super::*;

    fn version(year: u8, month: u8, minor: u8) -> Option<DpdkVersion> {
        Some(DpdkVersion { year, month, minor, release: 99 })
    }

    /// As C lays out a struct of these.
    fn bytes(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    fn int(value: i32) -> [u8; 4] {
        value.to_ne_bytes()
    }

    #[test]
    fn sizes_are_those_of_the_c_structs() {
        let sizes = [
            (VdevScan::MAX_SIZE, 72),
            (VdevFound::MAX_SIZE, 72),
            (VdevCount::MAX_SIZE, 72),
            (HotplugRequest::MAX_SIZE, 136),
            (HotplugResult::MAX_SIZE, 136),
            (VfioRequest::MAX_SIZE, 12),
            (VfioReply::MAX_SIZE, 12),
            (FslmcRequest::MAX_SIZE, 12),
            (FslmcReply::MAX_SIZE, 12),
            (MallocSync::MAX_SIZE, 80),
            (MallocSynced::MAX_SIZE, 80),
            (TapSyncQueues::MAX_SIZE, 72),
            (TapQueues::MAX_SIZE, 72),
            (TapStart::MAX_SIZE, 72),
            (TapSyncSharedQueues::MAX_SIZE, 68),
            (TapSharedQueues::MAX_SIZE, 68),
            (TapSharedStart::MAX_SIZE, 68),
            (MemifRegionRequest::MAX_SIZE, 80),
            (MemifRegion::MAX_SIZE, 80),
            (AfXdpSockets::MAX_SIZE, 64),
            (AfXdpSocketFds::MAX_SIZE, 64),
            (EnaRequest::MAX_SIZE, 16),
            (EnaReply::MAX_SIZE, 16),
            (Hns3Request::MAX_SIZE, 12),
            (Hns3Reply::MAX_SIZE, 12),
            (NetvscRequest::MAX_SIZE, 12),
            (NetvscReply::MAX_SIZE, 12),
            (Sxe2Request::MAX_SIZE, 12),
            (Sxe2Reply::MAX_SIZE, 12),
            (PdumpReply::MAX_SIZE, 8),
        ];
        for (i, (size, expected)) in sizes.into_iter().enumerate() {
            assert_eq!(size, expected, "of type {i}");
        }
    }

    #[test]
    fn fields_lie_where_c_puts_them() {
        let request = HotplugRequest::new(hotplug::DETACH, "vdev:net_null1");
        let devargs = [&b"vdev:net_null1"[..], &[0; 114]].concat();
        assert_eq!(encode(&request).unwrap().param(), bytes(&[&int(1), &devargs, &int(0)]));

        let region = MemifRegionRequest { port_name: [b'm'; 64], index: 0x0102, size: 3 };
        let expected = bytes(&[&[b'm'; 64], &0x0102_u16.to_ne_bytes(), &[0; 6], &3_u64.to_ne_bytes()]);
        assert_eq!(encode(&region).unwrap().param(), expected);

        let sync = MallocSync { kind: malloc::SYNC, opaque: [7; 7], id: 9, result: 1 };
        let opaque = 7_u64.to_ne_bytes().repeat(7);
        let expected = bytes(&[&int(2), &[0; 4], &opaque, &9_u64.to_ne_bytes(), &int(1), &[0; 4]]);
        assert_eq!(encode(&sync).unwrap().param(), expected);
    }

    #[test]
    fn a_reply_takes_the_descriptors_that_came() {
        let fd = || File::open("/dev/null").expect("every Unix has it").into();
        let param = bytes(&[&int(vfio::GROUP), &int(vfio::OK), &int(12)]);
        assert!(mp_typed::decode::<VfioReply>(&param, [fd()]).unwrap().fd.is_some());
        assert!(mp_typed::decode::<VfioReply>(&param, []).unwrap().fd.is_none());

        let param = bytes(&[&field::<64>("net_tap0"), &int(1), &int(1)]);
        let queues = mp_typed::decode::<TapQueues>(&param, [fd(), fd()]).unwrap();
        assert_eq!((queues.queues.len(), queues.rx_count, queues.tx_count), (2, 1, 1));
    }

    #[test]
    fn payloads_are_told_in_words() {
        let of = |name: &str, param: &[u8]| decode(name, param, None).map(|decoded| decoded.to_string());
        let scan = encode(&VdevScan::new()).unwrap().param().to_vec();
        assert_eq!(of("bus_vdev_mp", &scan).unwrap(), "type scan_request");
        let count = bytes(&[&int(3), &int(2), &[b'?'; 64]]);
        assert_eq!(of("bus_vdev_mp", &count).unwrap(), "type scan_reply, num 2");
        let denied = bytes(&[&int(0), &field::<128>("vdev:net_null1"), &int(-17)]);
        assert_eq!(
            of("eal_dev_mp_request", &denied).unwrap(),
            "type attach, devargs vdev:net_null1, result -17, error File exists (os error 17)"
        );
        let separate = bytes(&[&field::<64>("net_tap0"), &int(2), &int(1)]);
        let shared = bytes(&[&field::<64>("net_tap0"), &int(2)]);
        assert_eq!(
            of("tap_mp_sync_queues", &separate).unwrap(),
            "port_name net_tap0, rxq_count 2, txq_count 1"
        );
        assert_eq!(of("tap_mp_req_start_rxtx", &shared).unwrap(), "port_name net_tap0, q_count 2");
        let mtu = bytes(&[&int(2), &int(4), &int(0), &int(9000)]);
        assert_eq!(of("net_ena_mp", &mtu).unwrap(), "type mtu_set, port_id 4, mtu 9000, result 0");
        let pdump = bytes(&[&2_u16.to_ne_bytes(), &2_u16.to_ne_bytes(), &int(0)]);
        assert_eq!(of("mp_pdump", &pdump).unwrap(), "ver 2, res_op enable, result 0");
    }

    #[test]
    fn the_version_tells_what_a_vfio_request_is_for() {
        let param = bytes(&[&int(vfio::X400), &int(0), &int(0)]);
        let of = |version| match decode("eal_vfio_mp_sync", &param, version).unwrap().fields() {
            [("req", Value::Text(text)), ..] => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(of(version(22, 11, 11)), "iommu_type");
        assert_eq!(of(version(22, 11, 10)), "default_container");
        assert_eq!(of(version(25, 7, 0)), "default_container");
        assert_eq!(of(version(25, 11, 0)), "iommu_type");
        assert_eq!(of(None), "default_container or iommu_type");
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
        let names = [
            "bus_vdev_mp",
            "eal_dev_mp_request",
            "eal_vfio_mp_sync",
            "fslmc_vfio_mp_sync",
            "mp_malloc_sync",
            "tap_mp_sync_queues",
            "memif_mp_send_region",
            "afxdp_mp_send_fds",
            "net_ena_mp",
            "net_hns3_mp",
            "net_netvsc_mp",
            "sxe2_mp_msg",
            "mp_pdump",
        ];
        for name in names {
            let decoded =
                |len: usize| [0, 0x80, 0xff].map(|byte| decode(name, &vec![byte; len], None)).into_iter();
            let texts = (0..=256).flat_map(decoded).flatten().map(|decoded| decoded.to_string());
            assert!(texts.count() >= 3, "{name} is decoded at one length at least");
        }
    }
}
