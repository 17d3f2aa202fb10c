//! Handlers of typed messages and requests, as actions of the core: what came is decoded, and a
//! request answered with a value. Which names have which actions, the roles know.

mod decoding;
mod handlers;
mod responder;
mod streams;
mod unanswered;

pub(crate) use handlers::{message, on, on_async, request, serve, serve_async, serve_later};
pub use responder::{Answer, Responder};
pub use streams::{Messages, Requests};
