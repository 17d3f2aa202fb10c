//! The three roles of `mp-core`, typed: what goes in and comes out are derived
//! messages, encoded on the way out and decoded on the way in.
//!
//! This layer keeps no state of its own. Whatever concerns sockets, threads and
//! deadlines is the core's; whatever concerns bytes is the codec's.

mod actions;
mod builder;
mod client;
mod error;
mod future;
mod member;
mod replies;
mod responder;
mod target;
mod verbs;

pub use actions::Actions;
pub use builder::{Builder, Joins, Role};
pub use client::Client;
pub use error::{ReplyError, RequestError, SendError};
pub use future::{Asked, RepliesFuture, ResponseFuture};
pub use member::{Primary, PrimaryHandle, Secondary, SecondaryHandle};
pub use replies::{Replies, Reply};
pub use responder::{Answer, Responder};
pub use target::{Decodes, OnePeer, Within};

use mp_core::{MessageRef, Name};

use crate::transcode::{self, Encoded};
use crate::{Body, EncodeError};

/// The name of a message type as the core wants it. The derive has checked it.
const fn name(name: &'static str) -> Name {
    Name::from_static(name)
}

/// What an encoded value is to the core.
fn message<'a>(name: &'a Name, encoded: &'a Encoded<'_>) -> MessageRef<'a> {
    // The derive's checks at compile time are that every value fits.
    MessageRef::new(name, encoded.param(), encoded.fds()).expect("a derived message fits")
}

fn encode<T: Body>(value: &T) -> Result<Encoded<'_>, EncodeError> {
    transcode::encode(value)
}
