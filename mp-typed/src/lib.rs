//! Typed messages, requests and file descriptors over DPDK's multi-process IPC.
//!
//! A message is a struct or enum with a derive. Its fields become at most 256 bytes, its `#[fd]`
//! fields at most 8 file descriptors, and the compiler checks that they do.
//!
//! ```
//! use std::os::fd::OwnedFd;
//! use mp_typed::{Message, Payload, Request, Response};
//!
//! #[derive(Message)]                                    // one-way, best effort
//! #[message(name = "link_state")]
//! pub struct LinkState { pub port: u16, pub up: bool }
//!
//! #[derive(Request)]                                    // expects an answer
//! #[message(name = "ring_open", response = Result<Ring, OpenError>)]
//! pub struct OpenRing { pub port: u16, #[message(max_len = 32)] pub label: String }
//!
//! #[derive(Response)]                                   // travels under the request's name
//! pub struct Ring { pub geometry: Geometry, #[fd] pub memory: OwnedFd }
//!
//! #[derive(Response, Debug)]                            // errors are a part of the answer
//! pub enum OpenError { NoSuchPort { ports: u16 }, Busy }
//!
//! #[derive(Payload)]                                    // a value that can be a field
//! pub struct Geometry { pub slots: u32, pub head: [u64; 4] }
//! ```
//!
//! # Attributes
//!
//! | on the type | for | means |
//! | --- | --- | --- |
//! | `#[message(name = "link_state")]` | messages, requests | what receivers register under: a literal or constant, 1 to 63 bytes without NUL |
//! | `#[message(response = Ring)]` | requests | the answer, a type that derives `Response`, or `()`; or `Result<Ring, OpenError>` of two such types |
//! | `#[message(lends = Ring)]` | responses | may be sent where a `Ring` is due, see [`SentAs`] |
//! | `#[message(max_fds = 253)]` | messages, requests, responses | may be received with more than 8 descriptors, as peers in C can send since DPDK 24.11; sending stays at 8 |
//! | `#[message(layout = "C")]` | all; `#[payload(layout = "C")]` for payloads | the payload is this struct as C lays it out, see below |
//! | `#[message(accepts = OldOpenRing)]` | messages, requests | an earlier definition, of which this type is made with `From`, may be received as well |
//! | `#[message(fingerprint = false)]` | messages, requests | definitions are not compared |
//! | `#[message(crate = my::mp_typed)]` | all; `#[payload(crate = ...)]` for payloads | where this crate is, if it goes by another name |
//!
//! | on a field | means |
//! | --- | --- |
//! | `#[fd]` | the field travels as file descriptors, beside the payload |
//! | `#[message(max_len = 32)]` | the bound of a `String`, `&str`, `Vec<T>`, `&[u8]`, map or set, or of an `Option` of these: bytes of text, items of the others; with `#[fd]` the bound of a `Vec` of descriptors |
//! | `#[message(max_size = 32)]` | a foreign type that serde can encode, in at most 32 bytes, for which you vouch; encoding checks it |
//!
//! In a payload the two bounds are `#[payload(max_len = 32)]` and `#[payload(max_size = 32)]`.
//!
//! # Types
//!
//! | field | bytes at most |
//! | --- | --- |
//! | integers, floats, `bool`, `NonZero*`, `Wrapping` | their size; `usize` and `isize` 8 |
//! | `char` | 4 |
//! | `()`, `PhantomData` | 0 |
//! | tuples up to 12, arrays of any length | the sum of their parts |
//! | `Option` | 1 more |
//! | `Result` and your own enums | 4 more than the largest variant |
//! | `Duration`, `SystemTime` | 12 |
//! | `Ipv4Addr`, `Ipv6Addr`, `IpAddr` | 4, 16, 20 |
//! | `SocketAddrV4`, `SocketAddrV6` (without flow and scope), `SocketAddr` | 6, 18, 22 |
//! | text, lists, maps and sets with `max_len` | 8, and that many times the largest item |
//! | `heapless` and `arrayvec` strings and vectors, behind the features of these names | 8, and the capacity times the largest item |
//!
//! An `#[fd]` field is anything that is `AsFd` and `From<OwnedFd>` or `TryFrom<OwnedFd>`:
//! `OwnedFd`, `File`, sockets, pipes, types of yours; or `BorrowedFd<'_>` in a type that is only
//! sent; or `Option` or an array of these, a `Vec` with `max_len`, or a bounded vector of
//! `heapless` or `arrayvec`. A descriptor of another sort than the type stands for is refused: what
//! is no Unix stream socket is no `UnixStream`, and your own `TryFrom` decides, with its own words,
//! for types of yours.
//!
//! A type may have one lifetime, for `&str`, `&[u8]` and `BorrowedFd`. [`decode`] can borrow text
//! and bytes from the datagram; handlers and replies cannot, because they outlive it.
//!
//! # Encoding
//!
//! The bytes are those that bincode makes of a serde struct with the same fields, with integers of
//! fixed size, little-endian. Fields go one after the other, so both sides need the same type:
//! there are no field names, no versions and no optional fields in it; that both have the same
//! is [compared](#two-definitions). A variant is its place in
//! the enum, 0 for the first; a discriminant that says otherwise does not compile. A descriptor
//! counts as `()`. No serde derive is needed; where there is one, its attributes may not change the
//! encoding.
//!
//! Decoding is strict: every byte and every descriptor belongs to a field, or the whole is refused
//! and the descriptors are closed. It allocates what the value owns and nothing else, whatever
//! length the sender claims; see [`DecodeError`].
//!
//! # Features
//!
//! | feature | brings |
//! | --- | --- |
//! | `serde`, on by default | `Sealed`, and `max_size` for foreign types; serde and bincode |
//! | `shared` | `Shared`; vm-memory and zerocopy |
//! | `arrayvec`, `heapless` | the bounded text and lists of these crates |
//!
//! With `default-features = false` plain and C-layout messages are all there, with neither serde nor bincode
//! among the dependencies.
//!
//! # Two definitions
//!
//! Fields swapped, a variant moved, `i32` for `u32`: such bytes decode as something else without an
//! error. So a hash over kinds, order and names of all fields, of a request and its response together,
//! travels with each message: its [fingerprint](Request::FINGERPRINT), made by the compiler. A receiver
//! whose type has another does not look at the message; it counts it as
//! [`Rejection::OtherDefinition`] and warns of the first, and the requester gets
//! [`RequestError::OtherDefinition`] with both. What does not show on the wire does not count: names of
//! types, bounds, whether a field is borrowed. What [`Sealed`] and `Shared` contain and `max_size` stands
//! for is not known to the derive, either: two programs that differ there only are not told apart, so
//! give the message another name, or the content a version of its own.
//!
//! Peers that tell no fingerprint are taken at their word: those in C, types in C layout and with
//! `fingerprint = false`, and names of more than 39 bytes, which leave no room for one.
//!
//! A fleet that is upgraded while it runs has both definitions for a while. The new one accepts the old:
//!
//! ```
//! # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
//! use std::time::Duration;
//! use mp_typed::{Client, Peer, Primary, Request, Response};
//!
//! /// As the previous release has it.
//! #[derive(Request)]
//! #[message(name = "speed_set", response = OldSpeed)]
//! struct OldSetSpeed { port: u16 }
//!
//! #[derive(Response)]
//! struct OldSpeed { mbit: u32 }
//!
//! #[derive(Request)]
//! #[message(name = "speed_set", response = Speed, accepts = OldSetSpeed)]
//! struct SetSpeed { port: u16, mbit: u64 }
//!
//! #[derive(Response)]
//! struct Speed { mbit: u64 }
//!
//! impl From<OldSetSpeed> for SetSpeed {
//!     fn from(old: OldSetSpeed) -> Self {
//!         Self { port: old.port, mbit: 10_000 }
//!     }
//! }
//!
//! impl From<Speed> for OldSpeed {
//!     fn from(new: Speed) -> Self {
//!         Self { mbit: new.mbit.try_into().unwrap_or(u32::MAX) }
//!     }
//! }
//!
//! let primary = Primary::builder("example")
//!     .runtime_dir(dir.path())
//!     .serve(|set: SetSpeed, _: &Peer| Speed { mbit: set.mbit })
//!     .start()?;
//!
//! let client = Client::builder("example").runtime_dir(dir.path()).start()?;
//! assert_eq!(client.request(&OldSetSpeed { port: 1 }, Duration::from_secs(1))?.mbit, 10_000);
//! assert_eq!(client.request(&SetSpeed { port: 1, mbit: 25_000 }, Duration::from_secs(1))?.mbit, 25_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the response is a `Result` in both, answer and error are converted each by its own `From`.
//!
//! [`Layouts`] prints all of a program's definitions, to commit and to compare.
//!
//! # Told to others
//!
//! A member tells what its actions take to whom it trusts, in answer to `mp.describe`
//! ([`mp_core::inspect`]); `mpctl describe` shows it, and `mpctl call` encodes and decodes by it.
//! [`Layouts::to_json`] is the same without a member. Each action is an object:
//!
//! | key | |
//! | --- | --- |
//! | `name` | of the action |
//! | `kind` | `message` or `request`; it and what follows is there of typed actions only |
//! | `fingerprint`, `accepts` | 16 hexadecimal digits, or `null`; and those of earlier definitions that are received, too |
//! | `body`, `response` | what it takes, and what it answers: a type, with `max`, its most bytes; `fds`, the most descriptors sent; `fds_received`, the most received |
//!
//! | type | is |
//! | --- | --- |
//! | `"u16"`, `"Duration"`, `"fd"` | one of those that have a name |
//! | `{"text": 32}`, `{"serde": 32}` | text of at most so many bytes; what only serde knows |
//! | `{"list": type, "max_len": 4}`, `set`, `{"map": [type, type], "max_len": 4}` | so many at most |
//! | `{"array": type, "len": 4}`, `{"tuple": [type, ..]}`, `{"option": type}`, `{"result": [type, type]}` | |
//! | `{"struct": "Ring", "fields": [..]}` | one field after the other; with `"c": {"size", "align"}` as C lays it out |
//! | `{"enum": "Event", "variants": [..]}` | the place of the variant, as a `u32`, then its `fields` |
//! | `{"result": "Result<Ring, OpenError>", "variants": [..]}` | the same, of an answer; a part that is no plain struct `is` a type instead of having `fields` |
//!
//! A field has `name`, `type`, and `max` bytes, or the most `fds`; in C layout its `offset`.
//!
//! # Peers in C
//!
//! With `layout = "C"` the payload is the C struct with these fields, byte for byte: numbers in the
//! machine's order, padding as the C compiler puts it, written as zeros. The fields are numbers,
//! `bool`, arrays of these (text is `[u8; N]`) and structs with `#[derive(Payload)]` and
//! `#[payload(layout = "C")]`; they need no `repr(C)`, and `repr(align(N))` counts as it does in C.
//! A request in C layout has its response in C layout. A packed struct of a little-endian peer is
//! the same type without `layout = "C"`.
//!
//! Nothing in a C struct says which descriptors are there. So a `#[fd]` field is one descriptor or
//! an array of them, and only the last may vary: `Option` of a descriptor or a list of descriptors
//! gets those that are left.
//!
//! ```
//! use mp_typed::{Message, encode};
//!
//! /// `struct { int type; int num; char name[64]; }`
//! #[derive(Message)]
//! #[message(name = "bus_vdev_mp", layout = "C")]
//! struct Vdev { kind: i32, num: i32, name: [u8; 64] }
//!
//! let scan = Vdev { kind: 1, num: 0, name: [0; 64] };
//! assert_eq!(encode(&scan)?.param()[..4], 1_i32.to_ne_bytes());
//! # Ok::<(), mp_typed::EncodeError>(())
//! ```
//!
//! # Mistakes
//!
//! What cannot work does not compile, and the compiler says why, at the token at fault:
//!
//! ```text
//! error[E0080]: evaluation panicked: `StatsReply` does not fit a message: its payload can take 298 bytes, 42 over the limit of 256
//!                 port          2
//!                 name         64
//!                 samples     232
//!  --> src/lib.rs:4:12
//!   |
//! 4 | pub struct StatsReply {
//!   |            ^^^^^^^^^^ evaluation of `_::FITS_IN_ONE_MESSAGE` failed here
//! ```
//!
//! `docs/errors.md` shows the most common mistakes with their errors.
//!
//! # Layers
//!
//! Each module uses those to its left, never one to its right.
//!
//! ```text
//! error ◄─ codec ◄─ kind ◄─ shape ◄─ { payload, fd, c_layout } ◄─ field ◄─ message ◄─ transcode
//!          bytes    names    sizes    what a field may be         of a     the four   a whole
//!                   of all                                        type     traits     message
//!
//! transcode ◄─ { ask, answer } ◄─ role
//!               verbs  handlers   sockets: mp-core's
//! ```

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod accept;
mod answer;
mod ask;
mod c_layout;
mod codec;
mod definition;
mod error;
mod fd;
mod field;
#[cfg(any(doc, doctest))]
pub mod guide;
mod kind;
mod layouts;
mod message;
mod payload;
mod role;
mod schema;
#[cfg(feature = "serde")]
mod sealed;
mod shape;
#[cfg(feature = "shared")]
mod shared;
mod spelled;
mod text;
mod transcode;

pub use answer::{Answer, Messages, Requests, Responder};
pub use ask::{Asked, Decodes, OnePeer, Replies, RepliesFuture, Reply, ResponseFuture, WithPeer, Within};
pub use error::{
    DecodeError, DecodeFault, Definition, EncodeError, EncodeFault, ReplyError, RequestError, SendError,
};
pub use layouts::Layouts;
pub use message::{Body, Decode, DecodeOwned, Message, Portable, Request, Response, SentAs};
pub use mp_derive::{Message, Payload, Request, Response};
pub use payload::Payload;
pub use role::{Actions, Builder, Client, Joins, Primary, PrimaryHandle, Role, Secondary, SecondaryHandle};
#[cfg(feature = "serde")]
pub use sealed::{Sealed, SealedError};
#[cfg(feature = "shared")]
pub use shared::{Access, Element, ReadOnly, ReadWrite, Shared, SharedError};
pub use transcode::{Encoded, decode, encode};

pub use mp_core::{
    Address, BindError, Blocking, Change, Changes, Credentials, GroupError, HandlerPool, Holder, InProcess,
    Incoming, Layout, Member, Name, NameError, Outcome, Peer, Reason, RegisterError, Registration,
    RegistrationGuard, Rejection, Sent, StartError, Statistics, Task, ThreadRole, Trust, Watch, Why,
};

/// The same without types, in the version that this crate builds on.
pub use mp_core;
