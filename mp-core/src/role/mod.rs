//! What a user holds: the three roles, and their builder.
//!
//! A role puts the layers below together: its place in the group, the asking side and, if it joins,
//! the answering side. It decides nothing of its own. What several types have as methods of their
//! own is told once, for [`each`] of them.

/// The same items for each of these types: methods of its own, so that a user need import no trait.
/// The items are the invocation's, not the macro's: compile errors about them name no macro.
macro_rules! each {
    ([$($type:ty),*] $items:tt) => { $( each! { $type, $items } )* };
    ($type:ty, { $($items:tt)* }) => { impl $type { $($items)* } };
}

mod asking;
mod builder;
mod client;
mod membership;
mod primary;
mod secondary;
mod target;
mod verbs;

pub use builder::{Builder, Joins, Role, StartError};
pub use client::Client;
pub use primary::{Primary, PrimaryHandle};
pub use secondary::{Secondary, SecondaryHandle};
pub use target::{AllPeers, Asks, OnePeer, Target, Within};
