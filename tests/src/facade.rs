//! `mp-typed` behind another crate, as a framework would have it: re-exported, and with a macro
//! that makes messages.

pub use mp_typed as ipc;

/// A message whose type is partly this crate's, partly the caller's.
#[macro_export]
macro_rules! facade_message {
    ($(#[$doc:meta])* $name:ident, $wire:literal, $ty:ty) => {
        $(#[$doc])*
        #[derive($crate::facade::ipc::Message)]
        #[message(name = $wire, crate = $crate::facade::ipc)]
        pub(crate) struct $name {
            pub(crate) number: u32,
            pub(crate) theirs: $ty,
            #[message(max_len = 4)]
            pub(crate) text: String,
            #[fd]
            pub(crate) fd: Option<std::os::fd::OwnedFd>,
        }
    };
}
