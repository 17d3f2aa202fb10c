//! A guide, page by page: how to do what one usually wants to.
//!
//! Every example on these pages is compiled and run by the tests.
//!
//! | page | |
//! | --- | --- |
//! | [`from_rte_mp`] | each of DPDK's functions with its place here; the five usual shapes, in C and in Rust |
//! | [`designing_messages`] | what fits 256 bytes, what to do with what does not, how definitions change |
//! | [`descriptors`] | files, sockets, sealed values, shared memory |
//! | [`asynchronous`] | futures, callbacks, runtimes, ending orderly |
//! | [`many_workers`] | a supervisor: who is there, configuration, restarts, upgrades |
//! | [`testing`] | unit tests without another process, and failures on demand |
//! | [`beside_dpdk`] | a process that joins the group of a running DPDK application |
//! | [`deployment`] | users, containers, services, threads |
//! | [`beyond_one_host`] | groups of several hosts |
//! | [`when_something_hangs`] | what to look at, in which order |

/// The pages are files, so that they can be read in the repository, too.
macro_rules! pages {
    ($($page:ident)*) => {$(
        #[doc = include_str!(concat!("../guide/", stringify!($page), ".md"))]
        pub mod $page {}
    )*};
}

pages! {
    from_rte_mp designing_messages descriptors asynchronous many_workers testing beside_dpdk deployment beyond_one_host
    when_something_hangs
}
