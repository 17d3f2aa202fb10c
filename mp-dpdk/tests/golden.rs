//! Every message against its bytes, written down from DPDK's C structs, and against what is shown of it.

use std::{fs::File, os::fd::OwnedFd};

use mp_core::inspect::DpdkVersion;
use mp_dpdk::*;
use mp_typed::{Body, DecodeOwned, Message, Request, encode};

/// As C lays out a struct of these, which stand at their offsets.
macro_rules! bytes {
    ($($part:expr),* $(,)?) => { [$(Vec::from($part)),*].concat() };
}

fn int(value: i32) -> [u8; 4] {
    value.to_ne_bytes()
}

/// `char field[N]`, as `strlcpy` fills one that was zeroed.
fn chars<const N: usize>(text: &str) -> [u8; N] {
    let mut chars = [0; N];
    chars[..text.len()].copy_from_slice(text.as_bytes());
    chars
}

fn shown(name: &str, param: &[u8]) -> String {
    decode(name, param, None)
        .unwrap_or_else(|| panic!("{name} of {} bytes is known", param.len()))
        .to_string()
}

/// It becomes these bytes, they become it, and this is what is shown of them.
#[track_caller]
fn request<R: Request + DecodeOwned + PartialEq + std::fmt::Debug>(value: R, expected: &[u8], words: &str) {
    assert_eq!(encode(&value).expect("it fits").param(), expected);
    assert_eq!(mp_typed::decode::<R>(expected, []).expect("it is one"), value);
    assert_eq!(shown(R::NAME, expected), words);
}

/// The same for one without descriptors that is an answer.
#[track_caller]
fn answer<R: Body + DecodeOwned + PartialEq + std::fmt::Debug>(
    value: R,
    name: &str,
    expected: &[u8],
    words: &str,
) {
    assert_eq!(mp_typed::decode::<R>(expected, []).expect("it is one"), value);
    assert_eq!(R::MAX_SIZE, expected.len());
    assert_eq!(shown(name, expected), words);
}

fn files(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| File::open("/dev/null").expect("every Unix has it").into()).collect()
}

#[test]
fn vdev() {
    request(VdevScan::new(), &bytes![int(1), int(0), [0; 64]], "type scan_request");
    let found = bytes![int(2), int(1), chars::<64>("net_null0")];
    assert_eq!(encode(&VdevFound::new("net_null0")).expect("it fits").param(), found);
    assert_eq!(VdevFound::NAME, "bus_vdev_mp");
    assert_eq!(shown(VdevFound::NAME, &found), "type scan_one, name net_null0");
    // DPDK leaves the name as it was in its memory.
    let count = bytes![int(3), int(2), [b'?'; 64]];
    let expected = VdevCount { name: [b'?'; 64], ..VdevCount::new(2) };
    answer(expected, VdevScan::NAME, &count, "type scan_reply, num 2");
    assert_eq!(shown(VdevScan::NAME, &bytes![int(9), int(2), chars::<64>("x")]), "type 9, num 2, name x");
}

#[test]
fn hotplug() {
    let detach = HotplugRequest::new(hotplug::DETACH, "vdev:net_null1");
    let param = bytes![int(1), chars::<128>("vdev:net_null1"), int(0)];
    request(detach.clone(), &param, "type detach, devargs vdev:net_null1, result 0");
    let denied = bytes![int(1), chars::<128>("vdev:net_null1"), int(-17)];
    let words = "type detach, devargs vdev:net_null1, result -17, error File exists (os error 17)";
    answer(detach.result(-17), HotplugRequest::NAME, &denied, words);
}

#[test]
fn malloc() {
    let sync = MallocSync { kind: malloc::SYNC, opaque: [7; 7], id: 0x1_0000_0009, result: 1 };
    let opaque = 7_u64.to_ne_bytes().repeat(7);
    let param = bytes![int(2), [0; 4], opaque, 0x1_0000_0009_u64.to_ne_bytes(), int(1), [0; 4]];
    request(sync, &param, "type sync, id 0x100000009, result fail");
    let synced = MallocSynced { kind: 2, opaque: [7; 7], id: 0x1_0000_0009, result: 1 };
    answer(synced, MallocSync::NAME, &param, "type sync, id 0x100000009, result fail");
}

#[test]
fn vfio() {
    use vfio::{FAILED, FSLMC_GROUP, GROUP, NO_FD, OK};

    let param = bytes![int(GROUP), int(0), int(12)];
    let group = VfioRequest { request: 0x200, result: 0, group_or_type: 12 };
    request(group, &param, "req group, result ok, group_or_type 12");
    let reply = mp_typed::decode::<VfioReply>(&param, files(1)).expect("it is one");
    assert_eq!((reply.request, reply.result, reply.group_or_type, reply.fd.is_some()), (GROUP, OK, 12, true));
    let none = bytes![int(GROUP), int(1), int(12)];
    let reply = mp_typed::decode::<VfioReply>(&none, []).expect("it is one");
    assert_eq!((reply.result, reply.fd.is_none()), (NO_FD, true));

    let param = bytes![int(0x101), int(0xff), int(3)];
    let group = FslmcRequest { request: FSLMC_GROUP, result: FAILED, group: 3 };
    request(group, &param, "req group, result error, group_num 3");
    let reply = mp_typed::decode::<FslmcReply>(&param, files(1)).expect("it is one");
    assert_eq!((reply.group, reply.fd.is_some()), (3, true));
}

#[test]
fn the_version_tells_what_a_vfio_request_is_for() {
    let param = bytes![int(vfio::X400), int(0), int(0)];
    let of = |version: Option<(u8, u8, u8)>| {
        let version = version.map(|(year, month, minor)| DpdkVersion { year, month, minor, release: 99 });
        match decode("eal_vfio_mp_sync", &param, version).expect("it is known").fields() {
            [("req", Value::Text(text)), ..] => text.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of(Some((22, 11, 11))), "iommu_type");
    assert_eq!(of(Some((22, 11, 10))), "default_container");
    assert_eq!(of(Some((25, 7, 0))), "default_container");
    assert_eq!(of(Some((25, 11, 0))), "iommu_type");
    assert_eq!(of(None), "default_container or iommu_type");
}

#[test]
fn tap() {
    let separate = bytes![chars::<64>("net_tap0"), int(0), int(0)];
    let words = "port_name net_tap0, rxq_count 0, txq_count 0";
    request(TapSyncQueues::new("net_tap0"), &separate, words);
    let separate = bytes![chars::<64>("net_tap0"), int(2), int(1)];
    let queues = mp_typed::decode::<TapQueues>(&separate, files(3)).expect("it is one");
    assert_eq!((queues.rx_count, queues.tx_count, queues.queues.len()), (2, 1, 3));
    let start = mp_typed::decode::<TapStart>(&separate, files(3)).expect("it is one");
    assert_eq!((start.rx_count, start.tx_count, start.queues.len()), (2, 1, 3));
    assert_eq!(encode(&start).expect("it fits").param(), separate);
    assert_eq!(shown(TapStart::NAME, &separate), "port_name net_tap0, rxq_count 2, txq_count 1");

    let shared = bytes![chars::<64>("net_tap0"), int(0)];
    request(TapSyncSharedQueues::new("net_tap0"), &shared, "port_name net_tap0, q_count 0");
    let shared = bytes![chars::<64>("net_tap0"), int(2)];
    let queues = mp_typed::decode::<TapSharedQueues>(&shared, files(2)).expect("it is one");
    assert_eq!((queues.count, queues.queues.len()), (2, 2));
    let start = mp_typed::decode::<TapSharedStart>(&shared, files(2)).expect("it is one");
    assert_eq!((start.count, start.queues.len()), (2, 2));
    assert_eq!(encode(&start).expect("it fits").param(), shared);
    assert_eq!(shown(TapSharedStart::NAME, &shared), "port_name net_tap0, q_count 2");
}

/// As `testpmd` of DPDK 22.11.11 sent it: what is behind the name's NUL is what was in its memory.
#[test]
#[cfg(target_endian = "little")]
fn a_reply_of_a_real_tap_device() {
    let mut param = *b"net_tap0\0et_tap0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x17\xe4\xcc\x96\xe0\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\
        \x01\0\0\0\x01\0\0\0";
    assert_eq!(shown("tap_mp_sync_queues", &param), "port_name net_tap0, rxq_count 1, txq_count 1");
    let queues = mp_typed::decode::<TapQueues>(&param, files(2)).expect("it is one");
    assert_eq!((text(&queues.port_name).as_str(), queues.queues.len()), ("net_tap0", 2));
    param[..8].copy_from_slice(b"net\x1btap0");
    assert!(shown("tap_mp_sync_queues", &param).starts_with(r"port_name net\u{1b}tap0,"));
}

#[test]
fn memif() {
    let param = bytes![chars::<64>("net_memif0"), 0x0102_u16.to_ne_bytes(), [0; 6], 0_u64.to_ne_bytes()];
    request(MemifRegionRequest::new("net_memif0", 0x0102), &param, "port_name net_memif0, idx 258, size 0");
    let param = bytes![chars::<64>("net_memif0"), 1_u16.to_ne_bytes(), [0; 6], 4096_u64.to_ne_bytes()];
    let region = mp_typed::decode::<MemifRegion>(&param, files(1)).expect("it is one");
    assert_eq!((region.index, region.size, region.memory.is_some()), (1, 4096, true));
    let param = bytes![chars::<64>("net_memif0"), 1_u16.to_ne_bytes(), [0; 6], u64::MAX.to_ne_bytes()];
    let words = "port_name net_memif0, idx 1, size 9223372036854775807";
    assert_eq!(shown("memif_mp_send_region", &param), words);
}

#[test]
fn af_xdp() {
    let param = chars::<64>("net_af_xdp0");
    request(AfXdpSockets::new("net_af_xdp0"), &param, "port_name net_af_xdp0");
    assert_eq!(mp_typed::decode::<AfXdpSocketFds>(&param, files(3)).expect("it is one").sockets.len(), 3);
}

/// Since 24.11 DPDK takes up to 253 along; TAP has up to 64 queues.
#[test]
fn more_descriptors_come_than_older_dpdks_send() {
    let param = chars::<64>("net_af_xdp0");
    let sockets = mp_typed::decode::<AfXdpSocketFds>(&param, files(253)).expect("it is one").sockets;
    assert_eq!(sockets.len(), 253);
    let param = bytes![chars::<64>("net_tap0"), int(64)];
    let queues = mp_typed::decode::<TapSharedQueues>(&param, files(64)).expect("it is one").queues;
    assert_eq!(queues.len(), 64);
    assert_eq!(mp_typed::decode::<TapSharedStart>(&param, files(9)).expect("it is one").queues.len(), 9);
}

#[test]
fn ena() {
    let param = bytes![int(2), int(4), int(0), int(9000)];
    let words = "type mtu_set, port_id 4, result 0, mtu 9000";
    request(EnaRequest { kind: 2, port_id: 4, result: 0, mtu: 9000 }, &param, words);
    let param = bytes![int(6), int(4), int(-5), int(9000)];
    let words = "type srd_stats_get, port_id 4, result -5, error Input/output error (os error 5)";
    answer(EnaReply { kind: 6, port_id: 4, result: -5, mtu: 9000 }, EnaRequest::NAME, &param, words);
}

#[test]
fn hns3() {
    let param = bytes![int(4), int(1), int(0)];
    let words = "type stop_tx, port_id 1, result 0";
    request(Hns3Request { kind: 4, port_id: 1, result: 0 }, &param, words);
    answer(Hns3Reply { kind: 4, port_id: 1, result: 0 }, Hns3Request::NAME, &param, words);
}

#[test]
fn netvsc() {
    let param = bytes![int(1), int(3), int(0)];
    let words = "type vf_remove, vf_port 3, result 0";
    request(NetvscRequest { kind: 1, vf_port: 3, result: 0 }, &param, words);
    answer(NetvscReply { kind: 1, vf_port: 3, result: 0 }, NetvscRequest::NAME, &param, words);
}

#[test]
fn sxe2() {
    let param = bytes![int(2), u32::MAX.to_ne_bytes(), int(0)];
    let words = "type get_xstats, port_id 4294967295, result 0";
    request(Sxe2Request { kind: 2, port_id: u32::MAX, result: 0 }, &param, words);
    answer(Sxe2Reply { kind: 2, port_id: u32::MAX, result: 0 }, Sxe2Request::NAME, &param, words);
}

#[test]
fn testpmd() {
    request(TestpmdRequest { kind_or_result: 0 }, &int(0), "type_or_result 0");
    answer(TestpmdReply { kind_or_result: 0 }, TestpmdRequest::NAME, &int(0), "type_or_result 0");
}

#[test]
fn pdump() {
    let param = bytes![2_u16.to_ne_bytes(), 1_u16.to_ne_bytes(), int(0)];
    let reply = PdumpReply { version: 2, operation: 1, result: 0 };
    answer(reply, PdumpReply::NAME, &param, "ver 2, res_op disable, result 0");
}
