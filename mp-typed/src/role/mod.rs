//! The three roles of `mp-core`, typed: what goes in and comes out are derived messages, encoded on
//! the way out and decoded on the way in.
//!
//! This layer keeps no state of its own. Whatever concerns sockets, threads and deadlines is the
//! core's; whatever concerns bytes is the codec's.

/// The same items for each of these types, as methods of its own. The items are the invocation's,
/// not the macro's: compile errors about them name no macro.
macro_rules! each {
    ([$($type:ty),*] $items:tt) => { $( each! { $type, $items } )* };
    ($type:ty, { $($items:tt)* }) => { impl $type { $($items)* } };
}

mod actions;
mod builder;
mod future;
mod replies;
mod responder;
mod roles;
mod target;
mod verbs;

pub use actions::Actions;
pub use builder::{Builder, Joins, Role};
pub use future::{Asked, RepliesFuture, ResponseFuture};
pub use replies::{Replies, Reply};
pub use responder::{Answer, Responder};
pub use roles::{Client, Primary, PrimaryHandle, Secondary, SecondaryHandle};
pub use target::{Decodes, OnePeer, Within};

use mp_core::{MessageRef, Name};

use crate::{
    error::{ReplyError, RequestError, SendError},
    transcode::{Encoded, encode},
};

/// The name of a message type as the core wants it. The derive has checked it.
const fn name(name: &'static str) -> Name {
    Name::from_static(name)
}

/// What an encoded value is to the core.
fn message<'a>(name: &'a Name, encoded: &'a Encoded<'_>) -> MessageRef<'a> {
    // The derive's checks at compile time are that every value fits.
    MessageRef::new(name, encoded.param(), encoded.fds()).expect("a derived message fits")
}
