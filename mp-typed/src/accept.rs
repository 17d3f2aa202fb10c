//! Peers that have an earlier definition of a message: `#[message(accepts = ...)]`.

use std::marker::PhantomData;
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
    accept_request_by::<Q, Old, _>(fingerprint, AsAWhole)
}

/// The same where the response becomes the old one in some way.
#[must_use]
pub fn accept_request_by<Q, Old, W>(fingerprint: u64, _: W) -> Option<Accepted<Q>>
where
    Q: Request<Response: DecodeOwned> + From<Old>,
    Old: Request + DecodeOwned,
    W: Way<Q::Response, Old::Response>,
{
    (fingerprint == Old::FINGERPRINT).then_some(Accepted {
        decode: converted::<Q, Old>,
        answer: Some(answer::<Q::Response, Old::Response, W>),
    })
}

/// How a response becomes one of an earlier definition.
pub trait Way<New, Old> {
    /// Makes it of the new one.
    fn convert(new: New) -> Old;
}

/// By its own `From`.
#[derive(Debug)]
pub struct AsAWhole;

/// By those of answer and error: nobody can write one for a `Result`, which is not theirs.
#[derive(Debug)]
pub struct SideBySide;

impl<New, Old: From<New>> Way<New, Old> for AsAWhole {
    fn convert(new: New) -> Old {
        new.into()
    }
}

impl<A, E, OldA: From<A>, OldE: From<E>> Way<Result<A, E>, Result<OldA, OldE>> for SideBySide {
    fn convert(new: Result<A, E>) -> Result<OldA, OldE> {
        new.map(Into::into).map_err(Into::into)
    }
}

/// Two responses, to find the way from one to the other: `(&Between::new()).way()` is side by side if that can
/// be, since that needs one reference less.
#[derive(Debug)]
pub struct Between<New, Old>(PhantomData<fn(New) -> Old>);

impl<New, Old> Between<New, Old> {
    /// Of these types.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only derives call it")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// Side by side, where both are a `Result`.
pub trait SideBySideWay {
    /// The way.
    fn way(&self) -> SideBySide {
        SideBySide
    }
}

/// As a whole, where not.
pub trait WholeWay {
    /// The way.
    fn way(&self) -> AsAWhole {
        AsAWhole
    }
}

impl<A, E, OldA: From<A>, OldE: From<E>> SideBySideWay for Between<Result<A, E>, Result<OldA, OldE>> {}

impl<New, Old> WholeWay for &Between<New, Old> {}

/// Fails to evaluate when the two have not the same name, so that one never comes to the other.
#[track_caller]
pub const fn check_same_name(new: &str, old: &str) {
    assert!(same_text(new, old), "the definition that is accepted has another name");
}

fn converted<T: From<Old>, Old: DecodeOwned>(param: &[u8], fds: Fds) -> Result<T, crate::DecodeError> {
    decode::<Old>(param, fds).map(T::from)
}

/// By way of the value, since all that is there of it may be a form that lends.
fn answer<R: DecodeOwned, Old: Body, W: Way<R, Old>>(
    param: &[u8],
    fds: &[BorrowedFd<'_>],
    send: &mut dyn FnMut(&[u8], &[BorrowedFd<'_>]),
) -> Result<(), Unconverted> {
    let mut copies = Vec::with_capacity(fds.len());
    for fd in fds {
        copies.push(fd.try_clone_to_owned()?);
    }
    let old = W::convert(decode::<R>(param, copies)?);
    let encoded = encode(&old)?;
    send(encoded.param(), encoded.fds());
    Ok(())
}
