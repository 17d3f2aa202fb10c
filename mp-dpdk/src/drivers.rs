//! What single drivers, libraries and applications say, as far as it has no pointers in it.

use std::os::fd::OwnedFd;

use mp_core::inspect::DpdkVersion;

use crate::{Value, messages::messages};

messages! {
    /// Asks a primary for a shared memory region of a memif device.
    ///
    /// `struct mp_region_msg`, sent by `memif_mp_request_regions` of
    /// `drivers/net/memif/rte_eth_memif.c`; since DPDK 19.08.
    request MemifRegionRequest "memif_mp_send_region" =>
    /// Answers a [`MemifRegionRequest`].
    ///
    /// `struct mp_region_msg`, sent by `memif_mp_send_region` of
    /// `drivers/net/memif/rte_eth_memif.c`.
    MemifRegion with {
        /// Its memory, if there is a region.
        #[fd]
        pub memory: Option<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
        /// Which region, from 0 on.
        index: u16 => number("idx"),
        /// The region's size in bytes, 0 if there is none; unused in the request.
        size: u64 => by("size", size_in_words),
    }

    /// Asks a primary for the sockets of an AF_XDP device.
    ///
    /// `struct ipc_hdr`, sent by `afxdp_mp_request_fds` of `drivers/net/af_xdp/rte_eth_af_xdp.c`;
    /// since DPDK 22.03.
    request AfXdpSockets "afxdp_mp_send_fds" =>
    /// Answers an [`AfXdpSockets`].
    ///
    /// `struct ipc_hdr`, sent by `afxdp_mp_send_fds` of `drivers/net/af_xdp/rte_eth_af_xdp.c`.
    #[message(max_fds = 253)]
    AfXdpSocketFds with {
        /// One socket for each receive queue: up to 8, since DPDK 24.11 up to 253.
        #[fd]
        #[message(max_len = 253)]
        pub sockets: Vec<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
    }

    /// Has a primary do something to an ENA device.
    ///
    /// `struct ena_mp_body`, made by `mp_msg_init` and sent by the macro `ENA_PROXY` of
    /// `drivers/net/ena/ena_ethdev.c`; since DPDK 22.03, kinds 5 and 6 since 23.11.
    request EnaRequest "net_ena_mp" =>
    /// Answers an [`EnaRequest`].
    ///
    /// `struct ena_mp_body`, sent by `ena_mp_primary_handle` of `drivers/net/ena/ena_ethdev.c`.
    #[derive(Clone, PartialEq, Eq)]
    EnaReply {
        /// 0 statistics, 1 ENI statistics, 2 set the MTU, 3 and 4 get and set the indirection
        /// table, 5 customer metrics, 6 SRD statistics.
        kind: i32 => word("type", ENA_KINDS),
        /// The device's port.
        port_id: i32 => number("port_id"),
        /// 0, or a negated `errno`; unused in the request.
        result: i32 => result(),
        /// The MTU to be set; unused in the answer.
        mtu: i32 => number("mtu", if is_mtu(kind)),
    }

    /// Has every secondary start or stop the queues of an HNS3 device.
    ///
    /// `struct hns3_mp_param` of `drivers/net/hns3/hns3_ethdev.h`, sent by `mp_req_on_rxtx` of
    /// `drivers/net/hns3/hns3_mp.c`; since DPDK 19.11, kinds 3 and 4 since 21.11.
    request Hns3Request "net_hns3_mp" =>
    /// Answers an [`Hns3Request`].
    ///
    /// `struct hns3_mp_param`, sent by `mp_secondary_handle` of `drivers/net/hns3/hns3_mp.c`.
    #[derive(Clone, PartialEq, Eq)]
    Hns3Reply {
        /// 1 start and 2 stop both ways, 3 start and 4 stop transmitting.
        kind: i32 => word("type", HNS3_KINDS),
        /// The device's port.
        port_id: i32 => number("port_id"),
        /// 0, or a negated `errno`; unused in the request.
        result: i32 => result(),
    }

    /// Tells every secondary that the virtual function below a NetVSC device goes.
    ///
    /// `struct netvsc_mp_param`, sent by `netvsc_mp_req_vf` of `drivers/net/netvsc/hn_ethdev.c`;
    /// since DPDK 23.11.7, 24.11.5 and 25.11.1.
    request NetvscRequest "net_netvsc_mp" =>
    /// Answers a [`NetvscRequest`].
    ///
    /// `struct netvsc_mp_param`, sent by `netvsc_mp_secondary_handle` of
    /// `drivers/net/netvsc/hn_ethdev.c`.
    #[derive(Clone, PartialEq, Eq)]
    NetvscReply {
        /// 1 remove.
        kind: i32 => word("type", NETVSC_KINDS),
        /// The virtual function's port.
        vf_port: i32 => number("vf_port"),
        /// 0, or a negated `errno`; unused in the request.
        result: i32 => result(),
    }

    /// Has a primary copy the statistics of an SXE2 device to shared memory.
    ///
    /// `struct sxe2_mp_param` of `drivers/net/sxe2/sxe2_mp.h`, sent by `sxe2_mp_request_simple` of
    /// `drivers/net/sxe2/sxe2_mp.c`; since DPDK 26.07.
    request Sxe2Request "sxe2_mp_msg" =>
    /// Answers an [`Sxe2Request`].
    ///
    /// `struct sxe2_mp_param`, sent by `sxe2_mp_primary_handle` of `drivers/net/sxe2/sxe2_mp.c`.
    #[derive(Clone, PartialEq, Eq)]
    Sxe2Reply {
        /// 1 statistics, 2 extended statistics, 3 reset them.
        kind: i32 => word("type", SXE2_KINDS),
        /// The device's port.
        port_id: u32 => number("port_id"),
        /// 0, or a negated `errno`; unused in the request.
        result: i32 => result(),
    }

    /// Has every secondary end, before its primary does.
    ///
    /// `struct testpmd_mp_req`, sent by `pmd_notify_secondary` of `app/test-pmd/testpmd.c`; since
    /// DPDK 25.11.
    request TestpmdRequest "mp_testpmd" =>
    /// Answers a [`TestpmdRequest`], when it is about to end.
    ///
    /// `struct testpmd_mp_resp`, sent by `reply_to_primary` of `app/test-pmd/testpmd.c`.
    #[derive(Clone, PartialEq, Eq)]
    TestpmdReply {
        /// 0 end, the one kind there is; in the answer the result, 0 too.
        kind_or_result: i32 => number("type_or_result"),
    }

    /// Answers a request of `mp_pdump`, whose own payload holds pointers.
    ///
    /// `struct pdump_response`, sent by `pdump_send_response` of `lib/pdump/rte_pdump.c`; since
    /// DPDK 18.05.
    reply PdumpReply "mp_pdump" {
        /// As in the request: 1, or 2 for packets in the pcapng format.
        version: u16 => number("ver"),
        /// As in the request: 1 disable, 2 enable.
        operation: u16 => word("res_op", PDUMP_OPERATIONS),
        /// 0, or a negated `errno`.
        result: i32 => result(),
    }
}

const ENA_SET_MTU: i32 = 2;
const ENA_KINDS: &[(i32, &str)] = &[
    (0, "dev_stats_get"),
    (1, "eni_stats_get"),
    (ENA_SET_MTU, "mtu_set"),
    (3, "ind_tbl_get"),
    (4, "ind_tbl_set"),
    (5, "customer_metrics_get"),
    (6, "srd_stats_get"),
];
const HNS3_KINDS: &[(i32, &str)] = &[(1, "start_rxtx"), (2, "stop_rxtx"), (3, "start_tx"), (4, "stop_tx")];
const NETVSC_KINDS: &[(i32, &str)] = &[(1, "vf_remove")];
const SXE2_KINDS: &[(i32, &str)] = &[(1, "get_stats"), (2, "get_xstats"), (3, "reset_stats")];
const PDUMP_OPERATIONS: &[(i32, &str)] = &[(1, "disable"), (2, "enable")];

fn is_mtu(kind: i32) -> bool {
    kind == ENA_SET_MTU
}

fn size_in_words(size: u64, _: Option<DpdkVersion>) -> Value {
    Value::Number(i64::try_from(size).unwrap_or(i64::MAX))
}

impl MemifRegionRequest {
    /// Asks for a region of the device with this name.
    #[must_use]
    pub fn new(port_name: &str, index: u16) -> Self {
        Self { port_name: crate::field(port_name), index, size: 0 }
    }
}

impl AfXdpSockets {
    /// Asks for the sockets of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: crate::field(port_name) }
    }
}
