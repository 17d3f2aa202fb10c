//! DPDK's multi-process IPC on the wire, without linking DPDK.

/// The longest message name, in bytes, without its NUL.
pub const MAX_NAME: usize = 63;
/// The largest payload of a message, in bytes.
pub const MAX_PARAM: usize = 256;
/// The most file descriptors that a message sent from here carries.
pub const MAX_FDS: usize = 8;
