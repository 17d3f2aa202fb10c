//! Looking in: which groups there are and who is in each, and what goes on in a member.
//!
//! [`groups`] and [`Group`] look from outside: nothing is sent, bound, locked or removed, and no member
//! notices. What is told may be over a moment later. Members in C show only this.
//!
//! ```
//! for group in mp_core::inspect::groups() {
//!     let alive = group.members.iter().filter(|member| member.alive).count();
//!     println!("{}: {alive} alive", group.dir.display());
//! }
//! ```
//!
//! [`describe`], [`status`] and [`monitor`] ask a member itself. Every [`Primary`](crate::Primary) and
//! [`Secondary`](crate::Secondary) answers whomever its [`Trust`](crate::Trust) policy allows, unless its
//! builder said [`without_inspection`](crate::Builder::without_inspection). The thread that receives
//! answers, so they are answered while handlers are slow or stuck. A [`Client`](crate::Client) has no
//! socket to be asked at: what it waits for is seen as a handler that runs where it asks.
//!
//! ```
//! # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
//! use std::time::Duration;
//! use mp_core::{Client, Primary, inspect};
//!
//! let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
//! let client = Client::builder("example").runtime_dir(dir.path()).start()?;
//! let status = inspect::status(&client, Duration::from_secs(1))?;
//! assert!(status.starts_with("{\"mp.status\":1,\"pid\":"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The interface
//!
//! Three requests, of names that nobody else can register (all names that begin with `mp.` are
//! reserved). The param begins with the version that is asked for, a `u16`, little-endian: 1 is the only
//! one so far, and whoever is asked for another answers *ignore*, with words that say which it knows.
//! So the version changes only where a key changes its meaning; readers skip keys that they do not know.
//!
//! | request | param | answer |
//! | --- | --- | --- |
//! | `mp.describe` | version | version, and the JSON below in a sealed memfd |
//! | `mp.status` | version | version, and the JSON below in a sealed memfd |
//! | `mp.monitor` | version, kinds (a bit for each of message, request, reply, *ignore*), 0, a name (`ring_*` for all that begin so), and one end of a pair of `SOCK_SEQPACKET` sockets | version; from then on a [`Record`] for each datagram comes out of the other end |
//!
//! `mp.describe`:
//!
//! | key | |
//! | --- | --- |
//! | `mp.describe` | the version |
//! | `pid`, `version`, `socket`, `role` | the process, its version of this library, where it is bound, `primary` or `secondary` |
//! | `actions` | for each its `name`; if it takes a type of `mp-typed`, what that crate's documentation says |
//!
//! `mp.status`:
//!
//! | key | |
//! | --- | --- |
//! | `mp.status` | the version |
//! | `pid`, `version`, `socket`, `role` | as above |
//! | `uptime_ms` | since the role was started |
//! | `layout`, `dpdk` | the length of the group's datagrams, and the DPDK version that made the group, or `null` |
//! | `threads` | `all` that receive and handle, and how many of these are `idle` |
//! | `backlog` | how many datagrams are `waiting` for a handler, and the `bound` |
//! | `held_answers` | answers that wait for requesters who do not read |
//! | `handlers` | those that run, the oldest first: `name`, `kind` (`message` or `request`), `age_ms`, `pid` of the sender, `thread`, `sequence` (the request's number, if told) |
//! | `requests` | those under way for more than 20 ms, the oldest first: `name`, `to` (sockets of those who owe an answer), `age_ms`, `timeout_ms`, `thread`, `kind` (`blocking` or `async`), `waits_for` (`answer`, or `room` in a queue), `sequence` |
//! | `monitors` | `pid`, records `sent` and `dropped` |
//! | `counters`, `rejected` | those of [`Statistics`](crate::Statistics), by their names; of the rejections those that happened |
//!
//! `age_ms` of a handler may be short by 40 ms. A request in `requests` that a handler makes has that
//! handler's `thread`; a request's `sequence` is that of the handler which it waits for.
//!
//! A monitor never holds up the member: what its socket has no room for is dropped, and each record tells
//! how many before it were. Descriptors are told by kind and size, never passed on. At most 8 may monitor
//! one role at a time; one ends when its socket is closed.

mod questions;

pub use crate::{
    group::inspect::{Base, BaseRule, DpdkVersion, Group, Member, Role, Survey, groups, survey},
    look::{Content, DatagramKind, Direction, Filter, Record},
    sys::FdKind,
};
pub use questions::{InspectError, Monitor, MonitorError, describe, monitor, status};
