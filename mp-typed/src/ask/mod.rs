//! Sending and asking over types: values are encoded on the way out, and what comes back is decoded.
//! Each verb is told here once, whoever is asked; whom a role asks, and how, is the core's.

mod future;
mod replies;
mod verbs;

pub use future::{Asked, RepliesFuture, ResponseFuture};
pub use replies::{Replies, Reply};
pub use verbs::{Decodes, OnePeer, WithPeer, Within};
pub(crate) use verbs::{request, request_async, request_then, send};
