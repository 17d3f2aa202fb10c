//! Typed messages, requests and file descriptors over DPDK's multi-process IPC.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod c_layout;
mod codec;
mod error;
mod fd;
mod field;
mod message;
mod payload;
mod role;
mod shape;
mod spelled;
mod text;

pub use codec::{Encoded, decode, encode};
pub use error::{DecodeError, DecodeFault, EncodeError, EncodeFault};
pub use message::{Body, Decode, DecodeOwned, Message, Request, Response};
pub use mp_derive::{Message, Payload, Request, Response};
pub use payload::Payload;
pub use role::{
    Actions, Answer, Builder, Client, Joins, Primary, PrimaryHandle, Replies, Reply, ReplyError,
    RequestError, Responder, Role, Secondary, SendError,
};

pub use mp_core::{
    Address, BindError, Credentials, GroupError, Holder, InProcess, Layout, Member, Name, NameError, Outcome,
    Peer, RegisterError, Registration, RegistrationGuard, Rejection, Sent, StartError, Statistics, Trust,
};
