//! What the tests share.

#[cfg(feature = "dpdk")]
pub mod dpdk;
