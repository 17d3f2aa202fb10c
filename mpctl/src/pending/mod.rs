//! Who waits for whom in a group, from what its members say of themselves. Decisions only.
//!
//! A request is answered by a handler, found by the request's number; a handler that makes a request
//! waits for that one's answer, found by its thread. Where such a chain comes back to a process that it
//! began in or passed, those wait for each other: a circle.

mod chain;
mod lines;

pub(crate) use lines::lines;
