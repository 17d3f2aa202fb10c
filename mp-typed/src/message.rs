//! What a type must be to travel: the traits behind the four derives.
//!
//! ```text
//!            Body  = Encode side: bytes and descriptors, and what they can take at most
//!   Message ──┤ Decode<'de> = the receiving side; absent for types that borrow descriptors
//!   Request ──┤
//!  Response ──┘
//! ```

use crate::codec::{Reader, Writer};
use crate::error::{At, DecodeFault, EncodeFault};
use crate::shape::{self, Shape};

/// Bytes and file descriptors that fit one datagram: what messages, requests and responses have in common.
///
/// Implemented by `#[derive(Message)]`, `#[derive(Request)]` and `#[derive(Response)]`; there is no other way.
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

    /// The most descriptors that such a value carries, at most 8.
    const MAX_FDS: usize = shape::max_fds(&Self::SHAPE);

    #[doc(hidden)]
    fn encode_body<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), At<EncodeFault>>;
}

/// A [`Body`] that can be received, possibly borrowing text and bytes from the datagram.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be sent but not received",
    label = "cannot be received",
    note = "a type that borrows descriptors is for sending only: receive an owned twin with the same fields, `OwnedFd` in place of `BorrowedFd`"
)]
pub trait Decode<'de>: Body + Sized {
    #[doc(hidden)]
    fn decode_body(src: &mut Reader<'de>) -> Result<Self, At<DecodeFault>>;
}

/// A [`Body`] that can be received and kept: it borrows nothing from the datagram.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be sent but not received",
    label = "cannot be received",
    note = "a received value is kept longer than its datagram, so it cannot borrow: receive an owned twin with the same fields, `String` in place of `&str`, `OwnedFd` in place of `BorrowedFd`"
)]
// Implemented by the derives rather than for all that fit, because then the compiler gives the advice above.
pub trait DecodeOwned: for<'de> Decode<'de> {}

/// A one-way message: best effort, nobody answers. DPDK's `rte_mp_sendmsg`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a one-way message",
    label = "not a message",
    note = "add `#[derive(Message)]` and `#[message(name = \"...\")]`; a request is sent with `request` and received with `serve`"
)]
pub trait Message: Body {
    /// The name under which receivers register their action: 1 to 63 bytes.
    const NAME: &'static str;
}

/// A question that expects an answer. DPDK's `rte_mp_request_sync` and `rte_mp_request_async`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "not a request",
    note = "add `#[derive(Request)]` and `#[message(name = \"...\", response = SomeResponse)]`; a one-way message is sent with `send` and received with `on`"
)]
pub trait Request: Body {
    /// The name under which receivers register their action, and under which the answer comes back: 1 to 63 bytes.
    const NAME: &'static str;

    /// The answer.
    type Response: Response;
}

/// The answer to a [`Request`], sent under the request's name. DPDK's `rte_mp_reply`.
///
/// `()` is a response too: an empty one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response",
    label = "not a response",
    note = "add `#[derive(Response)]` to `{Self}`; for an answer without content use `()`"
)]
pub trait Response: Body {}

#[diagnostic::do_not_recommend]
impl Body for () {
    const SHAPE: Shape = Shape::EMPTY;

    fn encode_body<'a>(&'a self, _: &mut Writer<'a>) -> Result<(), At<EncodeFault>> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl Decode<'_> for () {
    fn decode_body(_: &mut Reader<'_>) -> Result<Self, At<DecodeFault>> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl DecodeOwned for () {}

#[diagnostic::do_not_recommend]
impl Response for () {}
