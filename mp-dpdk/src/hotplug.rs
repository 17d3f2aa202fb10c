//! Devices plugged in and out: `eal_dev_mp_request`, since DPDK 18.11.
//!
//! `struct eal_dev_mp_req` of `lib/eal/common/hotplug_mp.h`, the same in all
//! versions. A secondary asks the primary; that asks every secondary in turn to
//! do the same, the one that asked among them, and then answers. Whoever says
//! no is told to roll back, and so are the others.

use mp_typed::{Request, Response};

use super::{Decoded, field, text};

/// Plug it in (`EAL_DEV_REQ_TYPE_ATTACH`).
pub const ATTACH: i32 = 0;
/// Unplug it (`EAL_DEV_REQ_TYPE_DETACH`).
pub const DETACH: i32 = 1;
/// Undo an attach that failed elsewhere (`EAL_DEV_REQ_TYPE_ATTACH_ROLLBACK`).
pub const ATTACH_ROLLBACK: i32 = 2;
/// Undo a detach that failed elsewhere (`EAL_DEV_REQ_TYPE_DETACH_ROLLBACK`).
pub const DETACH_ROLLBACK: i32 = 3;

/// Asks to plug a device in or out.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "eal_dev_mp_request", response = HotplugResult, layout = "C")]
pub struct HotplugRequest {
    /// [`ATTACH`], [`DETACH`], or from a primary one of the two rollbacks.
    pub kind: i32,
    /// The device as `rte_devargs_parse` reads it, NUL-terminated: its bus, a
    /// colon, its name, and after a comma its arguments. `vdev:net_null1`.
    pub devargs: [u8; 128],
    /// Unused.
    pub result: i32,
}

/// Answers a [`HotplugRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct HotplugResult {
    /// As in the request.
    pub kind: i32,
    /// As in the request.
    pub devargs: [u8; 128],
    /// 0, or a negated `errno`.
    pub result: i32,
}

impl HotplugRequest {
    /// Asks for one of the two, of a device of at most 127 bytes.
    #[must_use]
    pub fn new(kind: i32, devargs: &str) -> Self {
        Self { kind, devargs: field(devargs), result: 0 }
    }

    /// The answer with this result.
    #[must_use]
    pub fn result(&self, result: i32) -> HotplugResult {
        HotplugResult { kind: self.kind, devargs: self.devargs, result }
    }

    pub(super) fn describe(self) -> Decoded {
        let kinds = [
            (ATTACH, "attach"),
            (DETACH, "detach"),
            (ATTACH_ROLLBACK, "attach_rollback"),
            (DETACH_ROLLBACK, "detach_rollback"),
        ];
        Decoded::new()
            .word("type", self.kind, &kinds)
            .text("devargs", text(&self.devargs))
            .result(self.result)
    }
}
