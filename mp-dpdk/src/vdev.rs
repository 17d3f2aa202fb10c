//! Virtual devices.

use crate::messages::{messages, words};

words! {
    KINDS {
        /// Asks for the virtual devices (`VDEV_SCAN_REQ`).
        SCAN_REQUEST = 1 "scan_request",
        /// Tells one of them (`VDEV_SCAN_ONE`).
        SCAN_ONE = 2 "scan_one",
        /// Ends the list (`VDEV_SCAN_REP`).
        SCAN_REPLY = 3 "scan_reply",
    }
}

messages! {
    /// Asks a primary for its virtual devices: it sends a [`VdevFound`] for each to every
    /// secondary, and answers with their number.
    ///
    /// `struct vdev_param`, sent by `vdev_scan` and answered by `vdev_action` of
    /// `drivers/bus/vdev/vdev.c`; since DPDK 18.05, the same in all versions.
    request VdevScan "bus_vdev_mp" =>
    /// Answers a [`VdevScan`].
    ///
    /// `struct vdev_param`, sent by `vdev_action` of `drivers/bus/vdev/vdev.c`.
    #[derive(Clone, PartialEq, Eq)]
    VdevCount {
        /// [`SCAN_REQUEST`]; in the answer [`SCAN_REPLY`].
        kind: i32 => word("type", KINDS),
        /// How many devices there are; unused in the request.
        count: i32 => number("num", if has_count(kind)),
        /// Unused.
        name: [u8; 64] => text("name", if has_name(kind)),
    }

    /// Tells a secondary of one virtual device.
    ///
    /// `struct vdev_param`, sent by `vdev_action` of `drivers/bus/vdev/vdev.c`, and taken by the
    /// same.
    #[derive(Clone, PartialEq, Eq)]
    message VdevFound "bus_vdev_mp" {
        /// [`SCAN_ONE`].
        kind: i32 => word("type", KINDS),
        /// 1.
        count: i32 => number("num", if has_count(kind)),
        /// The device's name, NUL-terminated.
        name: [u8; 64] => text("name", if has_name(kind)),
    }
}

// What DPDK leaves unset is whatever was in its memory: only what the kind gives a meaning is
// shown.

fn has_count(kind: i32) -> bool {
    !matches!(kind, SCAN_REQUEST | SCAN_ONE)
}

fn has_name(kind: i32) -> bool {
    !matches!(kind, SCAN_REQUEST | SCAN_REPLY)
}

impl VdevScan {
    /// The one way to ask.
    #[must_use]
    pub fn new() -> Self {
        Self { kind: SCAN_REQUEST, count: 0, name: [0; 64] }
    }
}

impl Default for VdevScan {
    fn default() -> Self {
        Self::new()
    }
}

impl VdevCount {
    /// Ends a list of `count` devices.
    #[must_use]
    pub fn new(count: i32) -> Self {
        Self { kind: SCAN_REPLY, count, name: [0; 64] }
    }
}

impl VdevFound {
    /// Tells of the device with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { kind: SCAN_ONE, count: 1, name: crate::field(name) }
    }
}
