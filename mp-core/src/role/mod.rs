//! What a user holds: the three roles, and their builder.
//!
//! A role puts the layers below together: its place in the group, the asking side and, if it
//! joins, the answering side. It decides nothing of its own. Its verbs are told once for all
//! roles, in `verbs` and `target`.

mod asking;
mod builder;
mod client;
mod in_process;
mod membership;
mod primary;
mod secondary;
mod target;
mod verbs;

pub use builder::{Builder, Joins, Role, StartError};
pub use client::Client;
pub use in_process::InProcess;
pub use primary::{Primary, PrimaryHandle};
pub use secondary::{Secondary, SecondaryHandle};
pub use target::{AllPeers, Asks, OnePeer, Target, Within};
