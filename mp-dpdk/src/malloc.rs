//! Memory that grows or shrinks: `mp_malloc_sync`, since DPDK 18.05.
//!
//! `struct malloc_mp_req` of `lib/eal/common/malloc_mp.h`. A primary whose heap
//! has changed asks every member to bring its memory map up to date. A process
//! without DPDK's memory has nothing to do, and answers *ignore*, which this
//! library does by itself: the types are here to name what is seen.

use mp_typed::{Request, Response};

use super::Decoded;

/// Asks a primary for memory (`REQ_TYPE_ALLOC`, in `mp_malloc_request`).
pub const ALLOCATE: i32 = 0;
/// Gives memory back (`REQ_TYPE_FREE`, in `mp_malloc_request`).
pub const FREE: i32 = 1;
/// Asks to bring the memory map up to date (`REQ_TYPE_SYNC`).
pub const SYNC: i32 = 2;

/// Asks a member to bring its memory map up to date.
#[derive(Debug, Clone, PartialEq, Eq, Request)]
#[message(name = "mp_malloc_sync", response = MallocSynced, layout = "C")]
pub struct MallocSync {
    /// [`SYNC`].
    pub kind: i32,
    /// A union that is unused here; elsewhere it may hold a pointer.
    pub opaque: [u64; 7],
    /// Which request of the primary's it is.
    pub id: u64,
    /// Unused.
    pub result: i32,
}

/// Answers a [`MallocSync`].
#[derive(Debug, Clone, PartialEq, Eq, Response)]
#[message(layout = "C")]
pub struct MallocSynced {
    /// As in the request.
    pub kind: i32,
    /// Unused.
    pub opaque: [u64; 7],
    /// As in the request.
    pub id: u64,
    /// 0 if it succeeded, 1 if not.
    pub result: i32,
}

impl MallocSync {
    pub(super) fn describe(self) -> Decoded {
        let kinds = [(ALLOCATE, "allocate"), (FREE, "free"), (SYNC, "sync")];
        Decoded::new()
            .word("type", self.kind, &kinds)
            // It is random, and shown as whoever compares two wants to see it.
            .text("id", format!("{:#x}", self.id))
            .word("result", self.result, &[(0, "success"), (1, "fail")])
    }
}
