//! What a user holds: the three roles, and their builder.
//!
//! A role puts the layers below together: its place in the group, the asking side and, if it joins,
//! the answering side. It decides nothing of its own. What several types have as methods of their
//! own is told once, for each of them.

/// The same items for each of these types: methods of its own, so that a user need import no trait.
/// Where the types yield different things, beside each list of them stand the aliases by which the
/// items name what they yield. The items are the invocation's, not the macro's: compile errors about
/// them name no macro. `mp-typed` uses it, too.
#[doc(hidden)]
#[macro_export]
macro_rules! __each {
    ([$($type:ty),*] $items:tt) => { $($crate::__each! { @one $type, {} $items })* };
    ($([$($type:ty),*] $yields:tt)* ; $items:tt) => {
        $($crate::__each! { @list [$($type),*] $yields $items })*
    };
    (@list [$($type:ty),*] $yields:tt $items:tt) => { $($crate::__each! { @one $type, $yields $items })* };
    (@one $type:ty, { $($yields:tt)* } { $($items:tt)* }) => {
        const _: () = {
            $($yields)*
            impl $type { $($items)* }
        };
    };
}

mod builder;
mod client;
pub mod inspect;
mod membership;
mod needs;
mod primary;
mod secondary;
mod shared;
mod verbs;

pub use builder::{Builder, Joins, Role, StartError};
pub use client::Client;
pub use primary::{Primary, PrimaryHandle};
pub use secondary::{Secondary, SecondaryHandle};
pub use verbs::Asks;
