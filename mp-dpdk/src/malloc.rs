//! Memory that grows or shrinks.
//!
//! A primary whose heap has changed asks every member to bring its memory map up to date. A process
//! without DPDK's memory has nothing to do, and answers *ignore*, which `mp-core` does by itself:
//! the types are here to name what is seen.

use crate::messages::{messages, words};

words! {
    KINDS {
        /// Asks a primary for memory (`REQ_TYPE_ALLOC`, in `mp_malloc_request`).
        ALLOCATE = 0 "allocate",
        /// Gives memory back (`REQ_TYPE_FREE`, in `mp_malloc_request`).
        FREE = 1 "free",
        /// Asks to bring the memory map up to date (`REQ_TYPE_SYNC`).
        SYNC = 2 "sync",
    }
}

const RESULTS: &[(i32, &str)] = &[(0, "success"), (1, "fail")];

messages! {
    /// Asks a member to bring its memory map up to date.
    ///
    /// `struct malloc_mp_req` of `lib/eal/common/malloc_mp.h`, sent by `request_sync` and
    /// `handle_request` of `lib/eal/common/malloc_mp.c`; since DPDK 18.05, the same in all
    /// versions.
    request MallocSync "mp_malloc_sync" =>
    /// Answers a [`MallocSync`].
    ///
    /// `struct malloc_mp_req`, sent by `handle_sync` of `lib/eal/common/malloc_mp.c`.
    #[derive(Clone, PartialEq, Eq)]
    MallocSynced {
        /// [`SYNC`].
        kind: i32 => word("type", KINDS),
        /// A union that is unused here; elsewhere it may hold a pointer.
        opaque: [u64; 7],
        /// Which request of the primary's it is. It is random, and shown as whoever compares two
        /// wants to see it.
        id: u64 => hex("id"),
        /// 0 if it succeeded, 1 if not; unused in the request.
        result: i32 => word("result", RESULTS),
    }
}
