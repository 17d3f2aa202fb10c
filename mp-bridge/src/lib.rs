//! Joins groups of several hosts into one, over NATS.
//!
//! One host, the *home*, has the group's primary. There the bridge joins once for every member of
//! every other host; on the others it is the primary. So messages, requests, answers and *ignore*s
//! cross hosts as they are, and no program changes. See `docs/bridge.md` for the protocol, what
//! breaks how, and figures.
//!
//! ```text
//!            bridge                 what a user holds
//!              run                  the loop, on one thread
//!      ┌────────┼────────┐
//!    nats     state    local        the server │ what is decided, without I/O │ this host's processes
//!      └────────┼────────┘
//!   frame   subject   names   counters
//! ```

mod bridge;
mod counters;
mod frame;
mod local;
mod names;
mod nats;
mod run;
mod state;
mod subject;

pub use bridge::{Bridge, BridgeError, Builder, Stop, Totals};
pub use counters::Statistics;
pub use local::PlaceError;
pub use nats::ServerError;
