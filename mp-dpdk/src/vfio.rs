//! Descriptors of VFIO.
//!
//! The layout of `eal_vfio_mp_sync` is the same since DPDK 18.05, the meaning of one number is not.
//!
//! | request | 18.05 | 18.08 | 18.11 | 19.02 to 25.07 | 22.11.11, and 25.11 on |
//! | --- | --- | --- | --- | --- | --- |
//! | [`CONTAINER`] | 0x100 | 0x100 | 0x100 | 0x100 | 0x100 |
//! | [`GROUP`] | 0x200 | 0x200 | 0x200 | 0x200 | 0x200 |
//! | [`CLEAR_GROUP`] | 0x300 | | | | |
//! | default container | | | [`X400`] | [`X400`] | |
//! | IOMMU type | | | | [`IOMMU_TYPE`] | [`X400`] |
//!
//! The DPAA2 bus has a name and numbers of its own, and a third request that pointers answer.

use std::os::fd::OwnedFd;

use mp_core::inspect::DpdkVersion;

use crate::{
    Value,
    messages::{messages, words},
};

words! {
    REQUESTS {
        /// Asks for the container (`SOCKET_REQ_CONTAINER`).
        CONTAINER = 0x100 "container",
        /// Asks for a group (`SOCKET_REQ_GROUP`).
        GROUP = 0x200 "group",
        /// Tells to forget a group (`SOCKET_CLR_GROUP`, DPDK 18.05 only).
        CLEAR_GROUP = 0x300 "clear_group",
        /// Asks for the default container, or for the IOMMU type: the version decides.
        X400 = 0x400 "default_container or iommu_type",
        /// Asks for the IOMMU type (`SOCKET_REQ_IOMMU_TYPE`) of 19.02 to 25.07.
        IOMMU_TYPE = 0x800 "iommu_type",
    }
}

words! {
    RESULTS {
        /// All is well, the descriptor is there (`SOCKET_OK`).
        OK = 0 "ok",
        /// The group exists but is not bound to VFIO (`SOCKET_NO_FD`).
        NO_FD = 1 "no_fd",
        /// It failed (`SOCKET_ERR`).
        FAILED = 0xff "error",
    }
}

words! {
    FSLMC_REQUESTS {
        /// Asks for the container (`FSLMC_VFIO_SOCKET_REQ_CONTAINER`).
        FSLMC_CONTAINER = 0x100 "container",
        /// Asks for a group (`FSLMC_VFIO_SOCKET_REQ_GROUP`).
        FSLMC_GROUP = 0x101 "group",
        /// Asks for the memory map (`FSLMC_VFIO_SOCKET_REQ_MEM`): pointers answer.
        FSLMC_MEMORY = 0x102 "memory",
    }
}

messages! {
    /// Asks the primary for a descriptor, or for the IOMMU type.
    ///
    /// `struct vfio_mp_param` of `lib/eal/linux/eal_vfio.h`, sent by `vfio_open_group_fd` and
    /// others of `lib/eal/linux/eal_vfio.c`; since DPDK 18.05.
    request VfioRequest "eal_vfio_mp_sync" =>
    /// Answers a [`VfioRequest`].
    ///
    /// `struct vfio_mp_param`, sent by `vfio_mp_primary` of `lib/eal/linux/eal_vfio_mp_sync.c`.
    VfioReply with {
        /// The container or the group, where that was asked for and is [`OK`].
        #[fd]
        pub fd: Option<OwnedFd>,
    } {
        /// What for.
        request: i32 => by("req", request_in_words),
        /// [`OK`], [`NO_FD`] or [`FAILED`]; unused in the request.
        result: i32 => word("result", RESULTS),
        /// The number of the group, if it is about one; in an answer it may be the IOMMU type.
        group_or_type: i32 => number("group_or_type"),
    }

    /// Asks the primary for a descriptor of the DPAA2 bus.
    ///
    /// `struct vfio_mp_param` of `drivers/bus/fslmc/fslmc_vfio.c`, sent by
    /// `fslmc_vfio_open_group_fd` and others there; since DPDK 24.11.
    request FslmcRequest "fslmc_vfio_mp_sync" =>
    /// Answers a [`FslmcRequest`] for the container or a group.
    ///
    /// `struct vfio_mp_param`, sent by `fslmc_vfio_mp_primary` of `drivers/bus/fslmc/fslmc_vfio.c`.
    FslmcReply with {
        /// What was asked for, if it is [`OK`].
        #[fd]
        pub fd: Option<OwnedFd>,
    } {
        /// [`FSLMC_CONTAINER`] or [`FSLMC_GROUP`].
        request: i32 => word("req", FSLMC_REQUESTS),
        /// [`OK`], [`NO_FD`] or [`FAILED`]; unused in the request.
        result: i32 => word("result", RESULTS),
        /// The number of the group, if it is about one.
        group: i32 => number("group_num"),
    }
}

fn request_in_words(request: i32, version: Option<DpdkVersion>) -> Value {
    match version.map(is_iommu_type) {
        Some(true) if request == X400 => Value::Text("iommu_type".into()),
        Some(false) if request == X400 => Value::Text("default_container".into()),
        _ => Value::of_word(request, REQUESTS),
    }
}

/// Whether [`X400`] asks for the IOMMU type in this version.
fn is_iommu_type(version: DpdkVersion) -> bool {
    let DpdkVersion { year, month, minor, .. } = version;
    (year, month) >= (25, 11) || ((year, month) == (22, 11) && minor >= 11)
}
