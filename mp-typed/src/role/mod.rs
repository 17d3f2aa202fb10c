//! The three roles of `mp-core`, typed: what goes in and comes out are derived messages, encoded on
//! the way out and decoded on the way in.
//!
//! This layer keeps no state of its own. Whatever concerns sockets, threads and deadlines is the
//! core's; whatever concerns bytes is the codec's.

mod actions;
mod builder;
mod roles;
mod verbs;

pub use actions::Actions;
pub use builder::{Builder, Joins, Role};
pub use roles::{Client, Primary, PrimaryHandle, Secondary, SecondaryHandle};
