//! What may come in: receiving a datagram, and every check that applies to any.
//!
//! `answer` reads a member's socket and `ask` the reply sockets through one [`Inbox`], so that what
//! a peer can send is judged in one place: who it is from, whether all of it came, and whether it
//! is what it says. What it counts, and what a handler's [`turn`] is, both sides share. It knows
//! nothing of directories, actions or requests under way.

mod counters;
mod inbox;
mod told;
mod trust;
pub(crate) mod turn;

pub(crate) use counters::Counters;
pub use counters::{Rejection, Statistics};
pub(crate) use inbox::{Arrived, Inbox, Missed, ReceivePolicy};
pub(crate) use told::{Cause, Told};
pub use trust::Trust;
