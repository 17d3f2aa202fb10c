//! What single drivers and libraries say, as far as it has no pointers in it.

use std::os::fd::OwnedFd;

use mp_typed::{Request, Response};

use super::{Decoded, field, text};

/// Asks a primary for a shared memory region of a memif device.
///
/// `struct mp_region_msg` of `drivers/net/memif/rte_eth_memif.c`, since DPDK 19.08.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "memif_mp_send_region", response = MemifRegion, layout = "C")]
pub struct MemifRegionRequest {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
    /// Which region, from 0 on.
    pub index: u16,
    /// Unused.
    pub size: u64,
}

/// Answers a [`MemifRegionRequest`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct MemifRegion {
    /// As in the request.
    pub port_name: [u8; 64],
    /// As in the request.
    pub index: u16,
    /// The region's size in bytes; 0 if there is none.
    pub size: u64,
    /// Its memory, if there is a region.
    #[fd]
    pub memory: Option<OwnedFd>,
}

/// Asks a primary for the sockets of an AF_XDP device.
///
/// `struct ipc_hdr` of `drivers/net/af_xdp/rte_eth_af_xdp.c`, since DPDK 22.03.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "afxdp_mp_send_fds", response = AfXdpSocketFds, layout = "C")]
pub struct AfXdpSockets {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
}

/// Answers an [`AfXdpSockets`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct AfXdpSocketFds {
    /// As in the request.
    pub port_name: [u8; 64],
    /// One socket for each receive queue.
    #[fd]
    #[message(max_len = 8)]
    pub sockets: Vec<OwnedFd>,
}

/// Has a primary do something to an ENA device.
///
/// `struct ena_mp_body` of `drivers/net/ena/ena_ethdev.c`, since DPDK 22.03;
/// types 5 and 6 since 23.11.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "net_ena_mp", response = EnaReply, layout = "C")]
pub struct EnaRequest {
    /// 0 statistics, 1 ENI statistics, 2 set the MTU, 3 and 4 get and set the
    /// indirection table, 5 customer metrics, 6 SRD statistics.
    pub kind: i32,
    /// The device's port.
    pub port_id: i32,
    /// Unused.
    pub result: i32,
    /// The MTU to be set.
    pub mtu: i32,
}

/// Answers an [`EnaRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct EnaReply {
    /// As in the request.
    pub kind: i32,
    /// As in the request.
    pub port_id: i32,
    /// 0, or a negated `errno`.
    pub result: i32,
    /// Unused.
    pub mtu: i32,
}

/// Has every secondary start or stop the queues of an HNS3 device.
///
/// `struct hns3_mp_param` of `drivers/net/hns3/hns3_ethdev.h`, since DPDK 19.11;
/// types 3 and 4 since 21.11.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "net_hns3_mp", response = Hns3Reply, layout = "C")]
pub struct Hns3Request {
    /// 1 start and 2 stop both ways, 3 start and 4 stop transmitting.
    pub kind: i32,
    /// The device's port.
    pub port_id: i32,
    /// Unused.
    pub result: i32,
}

/// Answers an [`Hns3Request`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct Hns3Reply {
    /// As in the request.
    pub kind: i32,
    /// As in the request.
    pub port_id: i32,
    /// 0, or a negated `errno`.
    pub result: i32,
}

/// Tells every secondary that the virtual function below a NetVSC device goes.
///
/// `struct netvsc_mp_param` of `drivers/net/netvsc/hn_ethdev.c`, since DPDK
/// 23.11.7, 24.11.5 and 25.11.1.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "net_netvsc_mp", response = NetvscReply, layout = "C")]
pub struct NetvscRequest {
    /// 1 remove.
    pub kind: i32,
    /// The virtual function's port.
    pub vf_port: i32,
    /// Unused.
    pub result: i32,
}

/// Answers a [`NetvscRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct NetvscReply {
    /// As in the request.
    pub kind: i32,
    /// As in the request.
    pub vf_port: i32,
    /// 0, or a negated `errno`.
    pub result: i32,
}

/// Has a primary copy the statistics of an SXE2 device to shared memory.
///
/// `struct sxe2_mp_param` of `drivers/net/sxe2/sxe2_mp.h`, since DPDK 26.07.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "sxe2_mp_msg", response = Sxe2Reply, layout = "C")]
pub struct Sxe2Request {
    /// 1 statistics, 2 extended statistics, 3 reset them.
    pub kind: i32,
    /// The device's port.
    pub port_id: u32,
    /// Unused.
    pub result: i32,
}

/// Answers an [`Sxe2Request`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct Sxe2Reply {
    /// As in the request.
    pub kind: i32,
    /// As in the request.
    pub port_id: u32,
    /// 0, or a negated `errno`.
    pub result: i32,
}

/// Answers a request of `mp_pdump`, whose own payload holds pointers.
///
/// `struct pdump_response` of `lib/pdump/rte_pdump.c`, since DPDK 18.05.
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct PdumpReply {
    /// As in the request: 1, or 2 for packets in the pcapng format.
    pub version: u16,
    /// As in the request: 1 disable, 2 enable.
    pub operation: u16,
    /// 0, or a negated `errno`.
    pub result: i32,
}

impl MemifRegionRequest {
    /// Asks for a region of the device with this name.
    #[must_use]
    pub fn new(port_name: &str, index: u16) -> Self {
        Self { port_name: field(port_name), index, size: 0 }
    }

    pub(super) fn describe(self) -> Decoded {
        Decoded::new()
            .text("port_name", text(&self.port_name))
            .number("idx", self.index)
            .number("size", i64::try_from(self.size).unwrap_or(i64::MAX))
    }
}

impl AfXdpSockets {
    /// Asks for the sockets of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: field(port_name) }
    }

    pub(super) fn describe(self) -> Decoded {
        Decoded::new().text("port_name", text(&self.port_name))
    }
}

impl EnaRequest {
    pub(super) fn describe(self) -> Decoded {
        const SET_MTU: i32 = 2;
        let kinds = [
            (0, "dev_stats_get"),
            (1, "eni_stats_get"),
            (SET_MTU, "mtu_set"),
            (3, "ind_tbl_get"),
            (4, "ind_tbl_set"),
            (5, "customer_metrics_get"),
            (6, "srd_stats_get"),
        ];
        let decoded = Decoded::new().word("type", self.kind, &kinds).number("port_id", self.port_id);
        let decoded = if self.kind == SET_MTU { decoded.number("mtu", self.mtu) } else { decoded };
        decoded.result(self.result)
    }
}

impl Hns3Request {
    pub(super) fn describe(self) -> Decoded {
        let kinds = [(1, "start_rxtx"), (2, "stop_rxtx"), (3, "start_tx"), (4, "stop_tx")];
        Decoded::new().word("type", self.kind, &kinds).number("port_id", self.port_id).result(self.result)
    }
}

impl NetvscRequest {
    pub(super) fn describe(self) -> Decoded {
        Decoded::new()
            .word("type", self.kind, &[(1, "vf_remove")])
            .number("vf_port", self.vf_port)
            .result(self.result)
    }
}

impl Sxe2Request {
    pub(super) fn describe(self) -> Decoded {
        let kinds = [(1, "get_stats"), (2, "get_xstats"), (3, "reset_stats")];
        Decoded::new().word("type", self.kind, &kinds).number("port_id", self.port_id).result(self.result)
    }
}

impl PdumpReply {
    /// The name it comes under.
    pub const NAME: &'static str = "mp_pdump";

    pub(super) fn describe(self) -> Decoded {
        Decoded::new()
            .number("ver", self.version)
            .word("res_op", self.operation.into(), &[(1, "disable"), (2, "enable")])
            .result(self.result)
    }
}
