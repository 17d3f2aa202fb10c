//! What the tests share: members in processes of their own, and sockets
//! that send what no member would.
//!
//! [`Group`] makes a runtime directory and starts [`Process`]es in it, each the
//! program `peer` of this package, driven line by line. [`RawSocket`] and
//! [`Lie`] speak the wire without `mp-core`, from the facts of the C structs.
//! [`example`] builds a program of the `examples` package, [`mpctl`] the tool.

#[cfg(feature = "dpdk")]
pub mod dpdk;
pub mod facade;
mod group;
mod process;
mod program;
mod raw;
pub mod users;

pub use group::Group;
pub use process::{Process, StartFailed, WITHIN, eventually};
pub use program::{example, example_of_a_runtime, in_a_child, mpctl, peer, run};
pub use raw::{Lie, NO_ACTION, OUT_OF_DESCRIPTORS, OVERLOADED, RawDatagram, RawSocket, bind_108, open_fds};

/// A [`Group`] whose processes run this package's program `peer`.
///
/// Only an integration test is told by Cargo where that is.
#[macro_export]
macro_rules! group {
    () => {
        $crate::Group::new(env!("CARGO_BIN_EXE_peer"))
    };
}

/// The code of the READMEs compiles as it stands there.
#[cfg(doctest)]
mod readmes {
    #[doc = include_str!("../../README.md")]
    mod workspace {}
    #[doc = include_str!("../../mp-typed/README.md")]
    mod mp_typed {}
    #[doc = include_str!("../../mp-dpdk/README.md")]
    mod mp_dpdk {}
}
