//! Bridges between hosts, against a real NATS server: `apt-get install nats-server`.
//!
//! A host here is a runtime directory with a bridge of its own; in `namespaces` it is a network
//! namespace, too.

mod breaks;
mod common;
mod crossing;
mod limits;
mod namespaces;
