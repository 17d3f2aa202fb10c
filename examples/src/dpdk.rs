//! Messages that DPDK itself speaks, as types.
//!
//! Their payloads are C structs, so each has `layout = "C"`: the bytes are those
//! that a C compiler lays out for the same fields.

use mp_typed::{Message, Request, Response};

/// What a `bus_vdev_mp` message is about (`enum vdev_mp_req_type`).
pub mod vdev {
    /// Asks for the virtual devices.
    pub const SCAN_REQUEST: i32 = 1;
    /// Tells one of them.
    pub const SCAN_ONE: i32 = 2;
    /// Ends the list.
    pub const SCAN_REPLY: i32 = 3;
}

/// Asks a primary for its virtual devices: it sends a [`VdevFound`] for each to
/// every secondary, and answers with their number.
///
/// `bus_vdev_mp` of DPDK's vdev bus (`drivers/bus/vdev/vdev.c`).
#[derive(Debug, Request)]
#[message(name = "bus_vdev_mp", response = VdevCount, layout = "C")]
pub struct VdevScan {
    /// [`vdev::SCAN_REQUEST`].
    pub kind: i32,
    /// Unused.
    pub count: i32,
    /// Unused.
    pub name: [u8; 64],
}

/// Answers a [`VdevScan`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct VdevCount {
    /// [`vdev::SCAN_REPLY`].
    pub kind: i32,
    /// How many devices there are.
    pub count: i32,
    /// Unused.
    pub name: [u8; 64],
}

/// Tells a secondary of one virtual device.
#[derive(Debug, Message)]
#[message(name = "bus_vdev_mp", layout = "C")]
pub struct VdevFound {
    /// [`vdev::SCAN_ONE`].
    pub kind: i32,
    /// Unused.
    pub count: i32,
    /// The device's name, NUL-terminated.
    pub name: [u8; 64],
}

impl VdevScan {
    /// The one way to ask.
    #[must_use]
    pub fn new() -> Self {
        Self { kind: vdev::SCAN_REQUEST, count: 0, name: [0; 64] }
    }
}

impl Default for VdevScan {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a NUL-terminated field, as far as it is UTF-8.
#[must_use]
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}
