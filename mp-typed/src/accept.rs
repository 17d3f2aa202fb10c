//! Peers that have an earlier definition of a message: `#[message(accepts = ...)]`.

use std::os::fd::BorrowedFd;

use mp_core::Fds;

use crate::message::{Accepted, Body, DecodeOwned, Message, Request, Unconverted};
use crate::shape::same_text;
use crate::{decode, encode};

/// How `M` is made of an `Old`, if `fingerprint` is of that.
#[must_use]
pub fn accept_message<M, Old>(fingerprint: u64) -> Option<Accepted<M>>
where
    M: Message + From<Old>,
    Old: Message + DecodeOwned,
{
    (fingerprint == Old::FINGERPRINT).then_some(Accepted { decode: converted::<M, Old>, answer: None })
}

/// How `Q` is made of an `Old`, and its response becomes the old one, if `fingerprint` is of that.
#[must_use]
pub fn accept_request<Q, Old>(fingerprint: u64) -> Option<Accepted<Q>>
where
    Q: Request<Response: DecodeOwned> + From<Old>,
    Old: Request<Response: From<Q::Response>> + DecodeOwned,
{
    (fingerprint == Old::FINGERPRINT).then_some(Accepted {
        decode: converted::<Q, Old>,
        answer: Some(answer::<Q::Response, Old::Response>),
    })
}

/// Fails to evaluate when the two have not the same name, so that one never comes to the other.
#[track_caller]
pub const fn check_same_name(new: &str, old: &str) {
    assert!(same_text(new, old), "the definition that is accepted has another name");
}

fn converted<T: From<Old>, Old: DecodeOwned>(param: &[u8], fds: Fds) -> Result<T, crate::DecodeError> {
    decode::<Old>(param, fds).map(T::from)
}

/// By way of the value, since all that is there of it may be a form that lends.
fn answer<R: DecodeOwned, Old: Body + From<R>>(
    param: &[u8],
    fds: &[BorrowedFd<'_>],
    send: &mut dyn FnMut(&[u8], &[BorrowedFd<'_>]),
) -> Result<(), Unconverted> {
    let mut copies = Vec::with_capacity(fds.len());
    for fd in fds {
        copies.push(fd.try_clone_to_owned()?);
    }
    let old = Old::from(decode::<R>(param, copies)?);
    let encoded = encode(&old)?;
    send(encoded.param(), encoded.fds());
    Ok(())
}
