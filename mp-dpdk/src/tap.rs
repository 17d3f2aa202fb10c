//! Queues of TAP devices: `tap_mp_sync_queues`, since DPDK 18.11, and
//! `tap_mp_req_start_rxtx`, since 20.11.5 and 21.11.1.
//!
//! `struct ipc_queues` of `drivers/net/tap/rte_eth_tap.c`. Up to 24.03 receive
//! and transmit queues have descriptors of their own; from 24.07 on a pair
//! shares one, and the struct is shorter.

use std::os::fd::OwnedFd;

use mp_typed::{Message, Request, Response};

use super::{Decoded, field, text};

/// Asks a primary for a device's queues, up to DPDK 24.03.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "tap_mp_sync_queues", response = TapQueues, layout = "C")]
pub struct TapSyncQueues {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
    /// Unused.
    pub rx_count: i32,
    /// Unused.
    pub tx_count: i32,
}

/// Answers a [`TapSyncQueues`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct TapQueues {
    /// As in the request.
    pub port_name: [u8; 64],
    /// How many receive queues there are.
    pub rx_count: i32,
    /// How many transmit queues there are.
    pub tx_count: i32,
    /// The receive queues' descriptors, then the transmit queues'.
    #[fd]
    #[message(max_len = 8)]
    pub queues: Vec<OwnedFd>,
}

/// Tells every secondary the queues of a device that starts, up to DPDK 24.03.
#[derive(Debug, Message)]
#[message(name = "tap_mp_req_start_rxtx", layout = "C")]
pub struct TapStart {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
    /// How many receive queues there are.
    pub rx_count: i32,
    /// How many transmit queues there are.
    pub tx_count: i32,
    /// The transmit queues' descriptors, then the receive queues'.
    #[fd]
    #[message(max_len = 8)]
    pub queues: Vec<OwnedFd>,
}

/// Asks a primary for a device's queues, from DPDK 24.07 on.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "tap_mp_sync_queues", response = TapSharedQueues, layout = "C")]
pub struct TapSyncSharedQueues {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
    /// Unused.
    pub count: i32,
}

/// Answers a [`TapSyncSharedQueues`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct TapSharedQueues {
    /// As in the request.
    pub port_name: [u8; 64],
    /// How many pairs of queues there are.
    pub count: i32,
    /// A descriptor for each.
    #[fd]
    #[message(max_len = 8)]
    pub queues: Vec<OwnedFd>,
}

/// Tells every secondary the queues of a device that starts, from DPDK 24.07 on.
#[derive(Debug, Message)]
#[message(name = "tap_mp_req_start_rxtx", layout = "C")]
pub struct TapSharedStart {
    /// The device's name, NUL-terminated.
    pub port_name: [u8; 64],
    /// How many pairs of queues there are.
    pub count: i32,
    /// A descriptor for each.
    #[fd]
    #[message(max_len = 8)]
    pub queues: Vec<OwnedFd>,
}

impl TapSyncQueues {
    /// Asks for the queues of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: field(port_name), rx_count: 0, tx_count: 0 }
    }

    pub(super) fn describe(self) -> Decoded {
        Decoded::new()
            .text("port_name", text(&self.port_name))
            .number("rxq_count", self.rx_count)
            .number("txq_count", self.tx_count)
    }
}

impl TapSyncSharedQueues {
    /// Asks for the queues of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: field(port_name), count: 0 }
    }

    pub(super) fn describe(self) -> Decoded {
        Decoded::new().text("port_name", text(&self.port_name)).number("q_count", self.count)
    }
}
