//! Queues of TAP devices.
//!
//! Up to DPDK 24.03 receive and transmit queues have descriptors of their own; from 24.07 on a pair
//! shares one, and the struct is shorter.

use std::os::fd::OwnedFd;

use crate::messages::messages;

messages! {
    /// Asks a primary for a device's queues, up to DPDK 24.03.
    ///
    /// `struct ipc_queues`, sent by `tap_mp_attach_queues` of `drivers/net/tap/rte_eth_tap.c`;
    /// since DPDK 18.11.
    request TapSyncQueues "tap_mp_sync_queues" =>
    /// Answers a [`TapSyncQueues`].
    ///
    /// `struct ipc_queues`, sent by `tap_mp_sync_queues` of `drivers/net/tap/rte_eth_tap.c`.
    TapQueues with {
        /// The receive queues' descriptors, then the transmit queues'.
        #[fd]
        #[message(max_len = 8)]
        pub queues: Vec<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
        /// How many receive queues there are; unused in the request.
        rx_count: i32 => number("rxq_count"),
        /// How many transmit queues there are; unused in the request.
        tx_count: i32 => number("txq_count"),
    }

    /// Asks a primary for a device's queues, from DPDK 24.07 on.
    ///
    /// `struct ipc_queues`, sent by `tap_mp_attach_queues` of `drivers/net/tap/rte_eth_tap.c`.
    request TapSyncSharedQueues "tap_mp_sync_queues" =>
    /// Answers a [`TapSyncSharedQueues`].
    ///
    /// `struct ipc_queues`, sent by `tap_mp_sync_queues` of `drivers/net/tap/rte_eth_tap.c`.
    #[message(max_fds = 64)]
    TapSharedQueues with {
        /// A descriptor for each pair: up to 8, since DPDK 24.11 up to 64.
        #[fd]
        #[message(max_len = 64)]
        pub queues: Vec<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
        /// How many pairs of queues there are; unused in the request.
        count: i32 => number("q_count"),
    }

    /// Tells every secondary the queues of a device that starts, up to DPDK 24.03.
    ///
    /// `struct ipc_queues`, sent by `tap_mp_req_on_rxtx` of `drivers/net/tap/rte_eth_tap.c` and
    /// taken by `tap_mp_req_start_rxtx`; since DPDK 20.11.5 and 21.11.1.
    message TapStart "tap_mp_req_start_rxtx" with {
        /// The transmit queues' descriptors, then the receive queues'.
        #[fd]
        #[message(max_len = 8)]
        pub queues: Vec<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
        /// How many receive queues there are.
        rx_count: i32 => number("rxq_count"),
        /// How many transmit queues there are.
        tx_count: i32 => number("txq_count"),
    }

    /// Tells every secondary the queues of a device that starts, from DPDK 24.07 on.
    ///
    /// `struct ipc_queues`, sent by `tap_mp_req_on_rxtx` of `drivers/net/tap/rte_eth_tap.c` and
    /// taken by `tap_mp_req_start_rxtx`.
    #[message(max_fds = 64)]
    message TapSharedStart "tap_mp_req_start_rxtx" with {
        /// A descriptor for each pair: up to 8, since DPDK 24.11 up to 64.
        #[fd]
        #[message(max_len = 64)]
        pub queues: Vec<OwnedFd>,
    } {
        /// The device's name, NUL-terminated.
        port_name: [u8; 64] => text("port_name"),
        /// How many pairs of queues there are.
        count: i32 => number("q_count"),
    }
}

impl TapSyncQueues {
    /// Asks for the queues of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: crate::field(port_name), rx_count: 0, tx_count: 0 }
    }
}

impl TapSyncSharedQueues {
    /// Asks for the queues of the device with this name.
    #[must_use]
    pub fn new(port_name: &str) -> Self {
        Self { port_name: crate::field(port_name), count: 0 }
    }
}
