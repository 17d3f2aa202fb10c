//! Descriptors of VFIO: `eal_vfio_mp_sync`, and `fslmc_vfio_mp_sync`.
//!
//! `struct vfio_mp_param` of `lib/eal/linux/eal_vfio.h`: the layout is the same
//! since DPDK 18.05, the meaning of one number is not.
//!
//! | request | 18.05 | 18.08 | 18.11 | 19.02 to 25.07 | 22.11.11, and 25.11 on |
//! | --- | --- | --- | --- | --- | --- |
//! | [`CONTAINER`] | 0x100 | 0x100 | 0x100 | 0x100 | 0x100 |
//! | [`GROUP`] | 0x200 | 0x200 | 0x200 | 0x200 | 0x200 |
//! | [`CLEAR_GROUP`] | 0x300 | | | | |
//! | default container | | | [`X400`] | [`X400`] | |
//! | IOMMU type | | | | [`IOMMU_TYPE`] | [`X400`] |
//!
//! The DPAA2 bus (`drivers/bus/fslmc/fslmc_vfio.c`, since 24.11) has a name and
//! numbers of its own, and a third request that pointers answer.

use std::os::fd::OwnedFd;

use mp_core::inspect::DpdkVersion;
use mp_typed::{Request, Response};

use super::Decoded;

/// Asks for the container (`SOCKET_REQ_CONTAINER`).
pub const CONTAINER: i32 = 0x100;
/// Asks for a group (`SOCKET_REQ_GROUP`).
pub const GROUP: i32 = 0x200;
/// Tells to forget a group (`SOCKET_CLR_GROUP`, DPDK 18.05 only).
pub const CLEAR_GROUP: i32 = 0x300;
/// Asks for the default container, or for the IOMMU type: the version decides.
pub const X400: i32 = 0x400;
/// Asks for the IOMMU type (`SOCKET_REQ_IOMMU_TYPE`) of 19.02 to 25.07.
pub const IOMMU_TYPE: i32 = 0x800;

/// All is well, the descriptor is there (`SOCKET_OK`).
pub const OK: i32 = 0;
/// The group exists but is not bound to VFIO (`SOCKET_NO_FD`).
pub const NO_FD: i32 = 1;
/// It failed (`SOCKET_ERR`).
pub const FAILED: i32 = 0xff;

/// Asks for the container (`FSLMC_VFIO_SOCKET_REQ_CONTAINER`).
pub const FSLMC_CONTAINER: i32 = 0x100;
/// Asks for a group (`FSLMC_VFIO_SOCKET_REQ_GROUP`).
pub const FSLMC_GROUP: i32 = 0x101;
/// Asks for the memory map (`FSLMC_VFIO_SOCKET_REQ_MEM`): pointers answer.
pub const FSLMC_MEMORY: i32 = 0x102;

/// Asks the primary for a descriptor, or for the IOMMU type.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "eal_vfio_mp_sync", response = VfioReply, layout = "C")]
pub struct VfioRequest {
    /// What for.
    pub request: i32,
    /// Unused.
    pub result: i32,
    /// The number of the group, if it is about one.
    pub group: i32,
}

/// Answers a [`VfioRequest`].
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct VfioReply {
    /// As in the request.
    pub request: i32,
    /// [`OK`], [`NO_FD`] or [`FAILED`].
    pub result: i32,
    /// The number of the group, or the IOMMU type.
    pub group_or_type: i32,
    /// The container or the group, where that was asked for and is [`OK`].
    #[fd]
    pub fd: Option<OwnedFd>,
}

/// Asks the primary for a descriptor of the DPAA2 bus.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "fslmc_vfio_mp_sync", response = FslmcReply, layout = "C")]
pub struct FslmcRequest {
    /// [`FSLMC_CONTAINER`] or [`FSLMC_GROUP`].
    pub request: i32,
    /// Unused.
    pub result: i32,
    /// The number of the group, if it is about one.
    pub group: i32,
}

/// Answers a [`FslmcRequest`] for the container or a group.
#[derive(Debug, Response)]
#[message(layout = "C")]
pub struct FslmcReply {
    /// As in the request.
    pub request: i32,
    /// [`OK`], [`NO_FD`] or [`FAILED`].
    pub result: i32,
    /// As in the request.
    pub group: i32,
    /// What was asked for, if it is [`OK`].
    #[fd]
    pub fd: Option<OwnedFd>,
}

const RESULTS: [(i32, &str); 3] = [(OK, "ok"), (NO_FD, "no_fd"), (FAILED, "error")];

impl VfioRequest {
    pub(super) fn describe(self, version: Option<DpdkVersion>) -> Decoded {
        let x400 = match version.map(is_iommu_type) {
            Some(true) => "iommu_type",
            Some(false) => "default_container",
            None => "default_container or iommu_type",
        };
        let requests = [
            (CONTAINER, "container"),
            (GROUP, "group"),
            (CLEAR_GROUP, "clear_group"),
            (X400, x400),
            (IOMMU_TYPE, "iommu_type"),
        ];
        Decoded::new()
            .word("req", self.request, &requests)
            .word("result", self.result, &RESULTS)
            .number("group_or_type", self.group)
    }
}

impl FslmcRequest {
    pub(super) fn describe(self) -> Decoded {
        let requests = [(FSLMC_CONTAINER, "container"), (FSLMC_GROUP, "group"), (FSLMC_MEMORY, "memory")];
        Decoded::new()
            .word("req", self.request, &requests)
            .word("result", self.result, &RESULTS)
            .number("group_num", self.group)
    }
}

/// Whether [`X400`] asks for the IOMMU type in this version.
fn is_iommu_type(version: DpdkVersion) -> bool {
    let DpdkVersion { year, month, minor, .. } = version;
    (year, month) >= (25, 11) || ((year, month) == (22, 11) && minor >= 11)
}
