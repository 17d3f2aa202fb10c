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
mod shape;
mod spelled;
mod text;

pub use codec::{Encoded, decode, encode};
pub use error::{DecodeError, DecodeFault, EncodeError, EncodeFault};
pub use message::{Body, Decode, DecodeOwned, Message, Request, Response};
pub use mp_derive::{Message, Payload, Request, Response};
pub use payload::Payload;
