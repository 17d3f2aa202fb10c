//! Virtual devices: `bus_vdev_mp`, since DPDK 18.05.
//!
//! `struct vdev_param` of `drivers/bus/vdev/vdev.c`, the same in all versions.

use mp_typed::{Message, Request, Response};

use super::{Decoded, field, text};

/// Asks for the virtual devices (`VDEV_SCAN_REQ`).
pub const SCAN_REQUEST: i32 = 1;
/// Tells one of them (`VDEV_SCAN_ONE`).
pub const SCAN_ONE: i32 = 2;
/// Ends the list (`VDEV_SCAN_REP`).
pub const SCAN_REPLY: i32 = 3;

/// Asks a primary for its virtual devices: it sends a [`VdevFound`] for each to
/// every secondary, and answers with their number.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "bus_vdev_mp", response = VdevCount, layout = "C")]
pub struct VdevScan {
    /// [`SCAN_REQUEST`].
    pub kind: i32,
    /// Unused.
    pub count: i32,
    /// Unused.
    pub name: [u8; 64],
}

/// Answers a [`VdevScan`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct VdevCount {
    /// [`SCAN_REPLY`].
    pub kind: i32,
    /// How many devices there are.
    pub count: i32,
    /// Unused.
    pub name: [u8; 64],
}

/// Tells a secondary of one virtual device.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[message(name = "bus_vdev_mp", layout = "C")]
pub struct VdevFound {
    /// [`SCAN_ONE`].
    pub kind: i32,
    /// 1.
    pub count: i32,
    /// The device's name, NUL-terminated.
    pub name: [u8; 64],
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
        Self { kind: SCAN_ONE, count: 1, name: field(name) }
    }

    /// Any payload of this layout. What DPDK leaves unset is whatever was in its
    /// memory, so only what the type gives a meaning is told.
    pub(super) fn describe(self) -> Decoded {
        let kinds = [(SCAN_REQUEST, "scan_request"), (SCAN_ONE, "scan_one"), (SCAN_REPLY, "scan_reply")];
        let decoded = Decoded::new().word("type", self.kind, &kinds);
        match self.kind {
            SCAN_REQUEST => decoded,
            SCAN_ONE => decoded.text("name", text(&self.name)),
            SCAN_REPLY => decoded.number("num", self.count),
            _ => decoded.number("num", self.count).text("name", text(&self.name)),
        }
    }
}
