//! What a type must be to travel: the traits behind the four derives.
//!
//! ```text
//!  Message ──┐
//!  Request ──┼─► Body           bytes and descriptors, how many at most, and how to encode them
//! Response ──┘    ▲
//!                 Decode<'de>   received, perhaps borrowing from the datagram; not for types that borrow descriptors
//!                 ▲
//!                 DecodeOwned   received and kept
//! ```

use std::io;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;

use mp_core::Fds;

use crate::codec::{FdSource, Reader, Writer};
use crate::error::{At, DecodeError, DecodeFault, EncodeError, EncodeFault, Undecoded};
use crate::kind::{FdCount, Field, Form, Kind, Shape, Variant};
use crate::shape;
use crate::text::Text;

/// Bytes and file descriptors that fit one datagram: what messages, requests and responses have in
/// common.
///
/// Implemented by `#[derive(Message)]`, `#[derive(Request)]` and `#[derive(Response)]`; there is no
/// other way.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent",
    label = "not a message, request or response",
    note = "add `#[derive(Message)]` (one-way), `#[derive(Request)]` (expects an answer) or `#[derive(Response)]` (an answer)"
)]
pub trait Body {
    #[doc(hidden)]
    const SHAPE: Shape;

    /// The most bytes that the param of such a value takes, at most 256.
    const MAX_SIZE: usize = shape::max_size(&Self::SHAPE);

    /// The most descriptors that such a value carries, at most 8, or the type's `max_fds`.
    const MAX_FDS: usize = shape::max_fds(&Self::SHAPE);

    #[doc(hidden)]
    fn encode_body<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), At<EncodeFault>>;
}

/// What can leave the host: it has no descriptors.
///
/// Derived along with [`Message`], [`Request`] and [`Response`] for types without `#[fd]` fields; there is no
/// other way. `mp-bridge`, which joins groups of several hosts, refuses all else when it is sent; whoever wants to be
/// sure before asks for this, of a request's response, too.
///
/// # Examples
///
/// ```
/// use mp_typed::{Message, Portable, Request};
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// fn to_all_hosts<M: Message + Portable>(_: &M) {}
/// fn ask_any_host<Q: Request<Response: Portable> + Portable>(_: &Q) {}
///
/// to_all_hosts(&LinkState { port: 0, up: true });
/// ask_any_host(&Ping);
/// ```
///
/// ```compile_fail,E0277
/// use std::fs::File;
/// use mp_typed::{Message, Portable};
///
/// #[derive(Message)]
/// #[message(name = "log_to")]
/// struct LogTo { #[fd] file: File }
///
/// fn to_all_hosts<M: Message + Portable>(_: M) {}
/// to_all_hosts(LogTo { file: File::open("/dev/null").unwrap() });   // a descriptor cannot leave the host
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot leave the host",
    label = "has file descriptors",
    note = "a type with `#[fd]` fields stays on its host; send what they refer to by value"
)]
pub trait Portable: Body {}

impl Portable for () {}

impl<T: Portable, E: Portable> Portable for Result<T, E> where Self: Body {}

/// Fails to evaluate, with a table of all fields, when a value of type `B` might not fit a message.
#[doc(hidden)]
#[track_caller]
pub const fn check<B: Body + ?Sized>() {
    shape::check(&B::SHAPE);
}

/// Fails to evaluate when the response is a `Result` that might not fit a message.
#[doc(hidden)]
#[track_caller]
pub const fn check_response<Q: Request>() {
    shape::check_result(&<Q::Response as Body>::SHAPE);
}

/// Fails to evaluate when a request in C layout has a response that is bytes in another layout.
#[doc(hidden)]
#[track_caller]
pub const fn check_c_response<Q: Request>() {
    shape::check_c_response(&Q::SHAPE, &<Q::Response as Body>::SHAPE);
}

/// A [`Body`] that can be received, possibly borrowing text and bytes from the datagram.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be sent but not received",
    label = "cannot be received",
    note = "a type that borrows descriptors is for sending only: receive an owned twin with the same fields, `OwnedFd` in place of `BorrowedFd`"
)]
pub trait Decode<'de>: Body + Sized {
    #[doc(hidden)]
    fn decode_body(src: &mut Reader<'de>, fds: &mut FdSource) -> Result<Self, Undecoded>;
}

/// A [`Body`] that can be received and kept: it borrows nothing from the datagram.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be sent but not received",
    label = "cannot be received",
    note = "a received value is kept longer than its datagram, so it cannot borrow: receive an owned twin with the same fields, `String` in place of `&str`, `OwnedFd` in place of `BorrowedFd`"
)]
// Implemented by the derives rather than for all that fit, because then the compiler gives the
// advice above.
pub trait DecodeOwned: for<'de> Decode<'de> {}

/// A one-way message: best effort, nobody answers. DPDK's `rte_mp_sendmsg`.
///
/// ```
/// use mp_typed::Message;
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// pub struct LinkState { pub port: u16, pub up: bool }
///
/// assert_eq!(LinkState::NAME, "link_state");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a one-way message",
    label = "not a message",
    note = "add `#[derive(Message)]` and `#[message(name = \"...\")]`; a request is sent with `request` and received with `serve`"
)]
pub trait Message: Body {
    /// The name under which receivers register their action: 1 to 63 bytes.
    const NAME: &'static str;

    /// Tells this definition from others of the name: a hash over kinds, order and names of all
    /// fields. 0, for none, in C layout and with `#[message(fingerprint = false)]`.
    const FINGERPRINT: u64 = shape::fingerprint(&Self::SHAPE, None);

    /// The fingerprints of earlier definitions that may be received as well.
    #[doc(hidden)]
    const ACCEPTS: &'static [u64] = &[];

    #[doc(hidden)]
    #[must_use]
    fn accepts(_fingerprint: u64) -> Option<Accepted<Self>>
    where
        Self: Sized,
    {
        None
    }
}

/// A question that expects an answer. DPDK's `rte_mp_request_sync` and `rte_mp_request_async`.
///
/// ```
/// use mp_typed::{Request, Response};
///
/// #[derive(Request)]
/// #[message(name = "speed_get", response = Speed)]
/// pub enum GetSpeed { Port(u16), Highest }
///
/// #[derive(Response)]
/// pub struct Speed { pub mbit: u32 }
///
/// /// Answered without content: that it was handled is all there is to say.
/// #[derive(Request)]
/// #[message(name = "speed_set", response = ())]
/// pub struct SetSpeed { pub port: u16, pub mbit: u32 }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "not a request",
    note = "add `#[derive(Request)]` and `#[message(name = \"...\", response = SomeResponse)]`; a one-way message is sent with `send` and received with `on`"
)]
pub trait Request: Body {
    /// The name under which receivers register their action, and under which the answer comes back:
    /// 1 to 63 bytes.
    const NAME: &'static str;

    /// The answer.
    type Response: Response;

    /// Tells this definition from others of the name: a hash over kinds, order and names of all
    /// fields, of the request and its response together. 0, for none, if either is in C layout,
    /// and with `#[message(fingerprint = false)]`.
    const FINGERPRINT: u64 = shape::fingerprint(&Self::SHAPE, Some(&<Self::Response as Body>::SHAPE));

    /// The fingerprints of earlier definitions that may be received as well.
    #[doc(hidden)]
    const ACCEPTS: &'static [u64] = &[];

    #[doc(hidden)]
    #[must_use]
    fn accepts(_fingerprint: u64) -> Option<Accepted<Self>>
    where
        Self: Sized,
    {
        None
    }
}

/// How to serve a peer that has an earlier definition.
#[doc(hidden)]
#[derive(Debug)]
pub struct Accepted<T> {
    /// Decodes its message, and converts it.
    pub(crate) decode: fn(&[u8], Fds) -> Result<T, DecodeError>,
    /// Converts the answer to its request.
    pub(crate) answer: Option<ConvertAnswer>,
}

/// Gets an encoded response, and hands on the same in an earlier definition.
pub(crate) type ConvertAnswer =
    fn(&[u8], &[BorrowedFd<'_>], &mut dyn FnMut(&[u8], &[BorrowedFd<'_>])) -> Result<(), Unconverted>;

/// Why a response has no form in an earlier definition.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unconverted {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The answer to a [`Request`], sent under the request's name. DPDK's `rte_mp_reply`.
///
/// `()` is a response too: an empty one. And so is a `Result` of two responses, where what can go wrong
/// is a part of the answer, descriptors and all; it needs no derive of its own.
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::time::Duration;
/// use mp_typed::{Client, Peer, Primary, Request, Response};
///
/// #[derive(Request)]
/// #[message(name = "speed_get", response = Result<Speed, NoSuchPort>)]
/// struct GetSpeed { port: u16 }
///
/// #[derive(Response, Debug, PartialEq)]
/// struct Speed { mbit: u32 }
///
/// #[derive(Response, Debug, PartialEq)]
/// struct NoSuchPort { ports: u16 }
///
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(|get: GetSpeed, _: &Peer| -> Result<Speed, NoSuchPort> {
///         if get.port < 2 { Ok(Speed { mbit: 40_000 }) } else { Err(NoSuchPort { ports: 2 }) }
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// let ask = |port| client.request(&GetSpeed { port }, Duration::from_secs(1));
/// assert_eq!(ask(1)?, Ok(Speed { mbit: 40_000 }));
/// assert_eq!(ask(2)?, Err(NoSuchPort { ports: 2 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A response may have a form that lends what it sends:
///
/// ```
/// use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
/// use mp_typed::{Body, Response, encode};
///
/// #[derive(Response)]
/// pub struct Ring { pub slots: u32, #[fd] pub memory: OwnedFd }
///
/// /// The same on the wire, for a sender that keeps its descriptor.
/// #[derive(Response)]
/// #[message(lends = Ring)]
/// pub struct LentRing<'a> { pub slots: u32, #[fd] pub memory: BorrowedFd<'a> }
///
/// let null = std::fs::File::open("/dev/null")?;
/// let lent = LentRing { slots: 8, memory: null.as_fd() };
/// assert_eq!(encode(&lent)?.param(), [8, 0, 0, 0]);
/// assert_eq!((Ring::MAX_SIZE, Ring::MAX_FDS), (LentRing::MAX_SIZE, LentRing::MAX_FDS));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response",
    label = "not a response",
    note = "add `#[derive(Response)]` to `{Self}`; for an answer without content use `()`; for an answer or an error `Result<_, _>`, where both derive `Response`"
)]
pub trait Response: Body {}

/// A type whose values may be sent as the response `R`: `R` itself, and forms of it that lend what
/// they send.
///
/// Derived with `#[message(lends = R)]`, which checks that both are the same on the wire: fields of
/// the same names and sizes, with as many descriptors, in the same order and layout.
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::fs::File;
/// use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
/// use std::time::Duration;
/// use mp_typed::{Client, Peer, Primary, Request, Responder, Response};
///
/// #[derive(Request)]
/// #[message(name = "ring_open", response = Ring)]
/// struct OpenRing;
///
/// #[derive(Response)]
/// struct Ring { slots: u32, #[fd] memory: OwnedFd }
///
/// #[derive(Response)]
/// #[message(lends = Ring)]
/// struct LentRing<'a> { slots: u32, #[fd] memory: BorrowedFd<'a> }
///
/// let memory = File::open("/dev/zero")?; // stays here, and is lent to each who asks
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve_later(move |_: OpenRing, _: &Peer, responder: Responder<Ring>| {
///         let _ = responder.reply(&LentRing { slots: 8, memory: memory.as_fd() });
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// assert_eq!(client.request(&OpenRing, Duration::from_secs(1))?.slots, 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as `{R}`",
    label = "not the response to this request",
    note = "the request is answered with its response, `{R}`, or with a form of it that lends what it sends: `#[derive(Response)]` with `#[message(lends = {R})]`"
)]
pub trait SentAs<R>: Body {}

#[diagnostic::do_not_recommend]
impl SentAs<()> for () {}

/// What may be sent in the place of its parts.
#[diagnostic::do_not_recommend]
impl<R, E, A: SentAs<R>, F: SentAs<E>> SentAs<Result<R, E>> for Result<A, F> {}

/// Fails to evaluate when a value of `B` and one of `R` may not be the same on the wire.
#[doc(hidden)]
#[track_caller]
pub const fn check_sent_as<B: Body, R: Response>() {
    shape::check_same(&B::SHAPE, &R::SHAPE);
}

#[diagnostic::do_not_recommend]
impl Body for () {
    const SHAPE: Shape = Shape::EMPTY;

    fn encode_body<'a>(&'a self, _: &mut Writer<'a>) -> Result<(), At<EncodeFault>> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl Decode<'_> for () {
    fn decode_body(src: &mut Reader<'_>, _: &mut FdSource) -> Result<Self, Undecoded> {
        src.end()
    }
}

#[diagnostic::do_not_recommend]
impl DecodeOwned for () {}

#[diagnostic::do_not_recommend]
impl Response for () {}

/// The fields of a response within a `Result`: its own, or itself as one where it is no plain struct.
const fn within(part: &'static Shape) -> Field {
    Field {
        name: part.type_name,
        kind: Kind::Type(part),
        size: shape::max_size(part),
        fds: shape::max_fds(part),
        count: FdCount::Ambiguous,
        offset: 0,
    }
}

/// The shape of a `Result` of two responses.
struct OfResult<R, E>(PhantomData<(R, E)>);

impl<R: Body, E: Body> OfResult<R, E> {
    const NAME: &'static Text<256> =
        &Text::empty().str("Result<").str(R::SHAPE.type_name).str(", ").str(E::SHAPE.type_name).str(">");
    const OK: &'static [Field] = match R::SHAPE.form {
        Form::Struct => R::SHAPE.variants[0].fields,
        _ => &[within(&R::SHAPE)],
    };
    const ERR: &'static [Field] = match E::SHAPE.form {
        Form::Struct => E::SHAPE.variants[0].fields,
        _ => &[within(&E::SHAPE)],
    };
    const SHAPE: Shape = Shape {
        type_name: Self::NAME.as_str(),
        form: Form::Result,
        variants: &[Variant { name: "Ok", fields: Self::OK }, Variant { name: "Err", fields: Self::ERR }],
        max_fds: match (R::SHAPE.max_fds, E::SHAPE.max_fds) {
            (Some(ok), Some(err)) => Some(if ok > err { ok } else { err }),
            (Some(max_fds), None) | (None, Some(max_fds)) => Some(max_fds),
            (None, None) => None,
        },
    };
}

#[diagnostic::do_not_recommend]
impl<R: Body, E: Body> Body for Result<R, E> {
    const SHAPE: Shape = OfResult::<R, E>::SHAPE;

    fn encode_body<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), At<EncodeFault>> {
        match self {
            Ok(value) => out.variant(0).map_err(At::from).and_then(|()| value.encode_body(out)),
            Err(error) => out.variant(1).map_err(At::from).and_then(|()| error.encode_body(out)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<'de, R: Decode<'de>, E: Decode<'de>> Decode<'de> for Result<R, E> {
    fn decode_body(src: &mut Reader<'de>, fds: &mut FdSource) -> Result<Self, Undecoded> {
        match src.variant()? {
            0 => R::decode_body(src, fds).map(Ok),
            1 => E::decode_body(src, fds).map(Err),
            other => Err(DecodeFault::UnknownVariant(other).into()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<R: DecodeOwned, E: DecodeOwned> DecodeOwned for Result<R, E> {}

impl<R: Response, E: Response> Response for Result<R, E> {}
