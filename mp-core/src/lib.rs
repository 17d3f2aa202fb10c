//! DPDK's multi-process IPC on the wire, without linking DPDK.
//!
//! Processes of one host meet in a runtime directory and exchange small named
//! messages with file descriptors over Unix datagram sockets. This crate takes
//! part as DPDK does, so that a process in Rust can join the group of a running
//! DPDK application, or form one of its own. Messages here are raw: a [`Name`],
//! a [`Param`] of at most 256 bytes, and [`Fds`]. The crate `mp-typed` builds
//! typed messages on it.
//!
//! # Roles
//!
//! | role | joins | sends to |
//! | --- | --- | --- |
//! | [`Primary`] | as `mp_socket` | every secondary |
//! | [`Secondary`] | as `mp_socket_<pid>_<hex>` | the primary |
//! | [`Client`] | no | the primary |
//!
//! # Layers
//!
//! ```text
//!            role                  Primary, Secondary, Client and their builder
//!      ┌───────┴───────┐
//!   answer            ask          receiving and actions; requests and sending
//!      └───────┬───────┘
//!      ┌───────┴───────┐
//!    group          receive        the directory and its members; what may come in
//!      └───────┬───────┘
//!             look                 what others may see of this process
//!             sys                  sockets, clock, fork
//!             wire                 datagrams, without I/O
//! ```
//!
//! Each layer knows those below it and nothing above. [`inspect`] looks into groups
//! without taking part. See the [DPDK guide] for what it all means to a DPDK
//! application.
//!
//! # Whose answer it is
//!
//! An answer counts for the very request that it answers, however late it comes and however
//! many there are. Behind the name of a request, where C peers do not look, is its number; peers
//! that use this crate carry it back, and so do C peers that send back the bytes they got.
//! Other answers are rejected as [`Rejection::Late`], and the socket to which they came is not
//! used again. Nobody but the peer can send to a socket on which that one peer is asked; where
//! many are asked at once, an answer counts by its sender's whole address.
//!
//! A C peer that writes its answers anew leaves the number out, and names of more than 39 bytes
//! have no room for one. Then the socket is emptied before it is used again, which leaves one
//! case: a peer that answers a request *twice*, and the second time only after the next request
//! of that name to that peer has been made. That is then answered with what was meant for the
//! one before. DPDK's own actions answer once.
//!
//! # What is traced
//!
//! Through the crate `tracing`, with the module paths of `mp_core` as targets: filter by the crate. An
//! *error* is a handler, callback or waker that panicked, or a wait that failed. A *warning* is what an
//! operator must see, once per cause: dropped privileges, another spelling of the directory, a socket
//! left behind, limits that are too low, a handler that does not end. At *debug* level are joining,
//! leaving, each datagram that is rejected, each answer that was not delivered, and the spans
//! `mp_request` (`name`, `to`), `mp_request_all` (`name`, `members`) and `mp_handle` (`name`, `pid`).
//! These levels, spans and fields are an interface; texts and modules are not.
//!
//! # After a fork
//!
//! A role belongs to the process that started it. The child of a fork has a copy
//! of it without its threads, and that copy is inert: its calls fail with
//! `Stopped`, responders with [`ReplyError::Forked`], and dropping it sends and
//! removes nothing. The child may start roles of its own. As ever after a fork of
//! a process with threads, it must not wait for locks that others may have held;
//! to fork before starting a role, or to `exec` after it, is simplest.
//!
//! [DPDK guide]: https://doc.dpdk.org/guides/prog_guide/multi_proc_support.html

mod answer;
mod ask;
mod group;
mod look;
mod receive;
mod role;
mod sys;
mod wire;

pub use answer::{
    Actions, Arrival, Blocking, HandlerPool, Incoming, Messages, Received, RegisterError, Registration,
    RegistrationGuard, ReplyError, Request, Requests, Responder, Task,
};
pub use ask::{
    AllPeers, Asked, OnePeer, Outcome, Replies, RepliesFuture, Reply, ReplyFuture, RequestError, SendError,
    Sent, Within,
};
pub use group::{BindError, Change, Changes, GroupError, Holder, InProcess, Member, Watch};
pub use receive::{Rejection, Statistics, Trust};
pub use role::{
    Builder, Client, Joins, Primary, PrimaryHandle, Role, Secondary, SecondaryHandle, StartError, inspect,
};
pub use sys::{Address, Credentials, PathTooLong, Peer, ThreadRole};
pub use wire::{
    Fds, FdsError, FdsIntoIter, Layout, MAX_FDS, MAX_NAME, MAX_PARAM, Malformed, Message, MessageError,
    MessageRef, Name, NameError, Param, ParamError, Reason, Why,
};

/// For `mp-typed`, which has the same verbs over types. No part of the interface.
#[doc(hidden)]
pub mod __typed {
    pub use crate::{
        answer::Describe,
        ask::Target,
        look::Json,
        role::Asks,
        sys::{copies_of_slow, received},
    };
}
