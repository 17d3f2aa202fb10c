//! What a message is, and how it lies in a datagram. No I/O happens here.
//!
//! This layer knows DPDK's two datagram layouts, the limits on names, params and file descriptors,
//! and how to tell a well-formed datagram from a broken one. It knows nothing of sockets,
//! directories or who is asking; every layer above builds on it, and it builds on none.

mod datagram;
mod fds;
mod layout;
mod message;
mod name;
mod param;
mod tag;
mod why;

pub use datagram::Malformed;
pub(crate) use datagram::{Datagram, Header, Kind};
pub(crate) use fds::{Care, OwnedFds};
pub use fds::{Fds, FdsError, FdsIntoIter};
pub use layout::Layout;
pub(crate) use layout::MAX_DATAGRAM;
pub(crate) use message::check_size;
pub use message::{Message, MessageError, MessageRef};
pub use name::{Name, NameError};
pub use param::{Param, ParamError};
pub(crate) use tag::{Origin, Tag};
pub use why::{Reason, Why};

/// The longest message name, in bytes, without the NUL that ends it on the wire.
pub const MAX_NAME: usize = 63;

/// The largest param, in bytes (`RTE_MP_MAX_PARAM_LEN`).
pub const MAX_PARAM: usize = 256;

/// The most file descriptors a message sent from here carries (DPDK's `RTE_MP_MAX_FD_NUM` up to
/// 24.07, which every peer understands).
pub const MAX_FDS: usize = 8;

/// The most file descriptors the kernel passes in one datagram (`SCM_MAX_FD`), and so the most that
/// a received message can hold.
pub(crate) const KERNEL_MAX_FDS: usize = 253;
