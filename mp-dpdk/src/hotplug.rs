//! Devices plugged in and out.
//!
//! A secondary asks the primary; that asks every secondary in turn to do the same, the one that
//! asked among them, and then answers. Whoever says no is told to roll back, and so are the others.

use crate::messages::{messages, words};

words! {
    KINDS {
        /// Plug it in (`EAL_DEV_REQ_TYPE_ATTACH`).
        ATTACH = 0 "attach",
        /// Unplug it (`EAL_DEV_REQ_TYPE_DETACH`).
        DETACH = 1 "detach",
        /// Undo an attach that failed elsewhere (`EAL_DEV_REQ_TYPE_ATTACH_ROLLBACK`).
        ATTACH_ROLLBACK = 2 "attach_rollback",
        /// Undo a detach that failed elsewhere (`EAL_DEV_REQ_TYPE_DETACH_ROLLBACK`).
        DETACH_ROLLBACK = 3 "detach_rollback",
    }
}

messages! {
    /// Asks to plug a device in or out.
    ///
    /// `struct eal_dev_mp_req` of `lib/eal/common/hotplug_mp.h`, sent by
    /// `eal_dev_hotplug_request_to_primary` and `eal_dev_hotplug_request_to_secondary` of
    /// `lib/eal/common/hotplug_mp.c`; since DPDK 18.11, the same in all versions.
    request HotplugRequest "eal_dev_mp_request" =>
    /// Answers a [`HotplugRequest`].
    ///
    /// `struct eal_dev_mp_req`, sent by `handle_primary_request` and, for a primary,
    /// `send_response_to_secondary` of `lib/eal/common/hotplug_mp.c`.
    #[derive(Clone, PartialEq, Eq)]
    HotplugResult {
        /// [`ATTACH`], [`DETACH`], or from a primary one of the two rollbacks.
        kind: i32 => word("type", KINDS),
        /// The device as `rte_devargs_parse` reads it, NUL-terminated: its bus, a colon, its name,
        /// and after a comma its arguments. `vdev:net_null1`.
        devargs: [u8; 128] => text("devargs"),
        /// 0, or a negated `errno`; unused in the request.
        result: i32 => result(),
    }
}

impl HotplugRequest {
    /// Asks for one of the two, of a device of at most 127 bytes.
    #[must_use]
    pub fn new(kind: i32, devargs: &str) -> Self {
        Self { kind, devargs: crate::field(devargs), result: 0 }
    }

    /// The answer with this result.
    #[must_use]
    pub fn result(&self, result: i32) -> HotplugResult {
        HotplugResult { kind: self.kind, devargs: self.devargs, result }
    }
}
