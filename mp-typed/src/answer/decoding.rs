//! What came, as a value; or why it is none, which is told once for each kind of fault.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use mp_core::{Fds, Name, Rejection};

use crate::{
    error::{DecodeError, DecodeErrorKind, Definition},
    message::{Accepted, ConvertAnswer, DecodeOwned},
    transcode,
};

/// What came, and how to answer it if its sender has an earlier definition.
pub(super) struct Decoded<T> {
    pub(super) value: T,
    pub(super) answer: Option<ConvertAnswer>,
}

/// Why what came is no value.
pub(super) enum Unfit {
    Undecodable(DecodeError),
    OtherDefinition { theirs: u64 },
}

impl From<DecodeError> for Unfit {
    fn from(error: DecodeError) -> Self {
        Self::Undecodable(error)
    }
}

/// `ours` is the fingerprint of `T`. Who tells none, as a peer in C, is believed to have the same.
pub(super) fn decode<T: DecodeOwned>(
    param: &[u8],
    fds: Fds,
    theirs: u64,
    ours: u64,
    accepts: fn(u64) -> Option<Accepted<T>>,
) -> Result<Decoded<T>, Unfit> {
    if theirs == ours || theirs == 0 || ours == 0 {
        return Ok(Decoded { value: transcode::decode(param, fds)?, answer: None });
    }
    let Some(Accepted { decode, answer }) = accepts(theirs) else {
        return Err(Unfit::OtherDefinition { theirs });
    };
    Ok(Decoded { value: decode(param, fds)?, answer })
}

/// The ways in which arrivals of one action could not be decoded, each warned of once: the first
/// tells somebody that the peer has another definition, a thousand more tell no more.
#[derive(Default)]
pub(super) struct Warned {
    undecodable: Mutex<Vec<DecodeErrorKind>>,
    definition: AtomicBool,
}

impl Warned {
    pub(super) fn reject(&self, name: &Name, unfit: &Unfit, ours: &dyn Fn() -> Definition) -> Rejection {
        match unfit {
            Unfit::Undecodable(error) => self.undecodable(name, error),
            Unfit::OtherDefinition { theirs } => {
                self.other_definition(name, *theirs, ours);
                Rejection::OtherDefinition
            }
        }
    }

    fn other_definition(&self, name: &Name, theirs: u64, ours: &dyn Fn() -> Definition) {
        let theirs = format_args!("{theirs:016x}");
        if self.definition.swap(true, Relaxed) {
            tracing::debug!(%name, %theirs, "its sender has another definition");
        } else {
            tracing::warn!(
                %name, %theirs, ours = %ours(),
                "its sender has another definition; more of this kind are told at debug level"
            );
        }
    }

    fn undecodable(&self, name: &Name, error: &DecodeError) -> Rejection {
        if self.is_first(error.kind()) {
            tracing::warn!(%error, %name, "could not decode; more of this kind are told at debug level");
        } else {
            tracing::debug!(%error, %name, "could not decode");
        }
        Rejection::Undecodable
    }

    /// There are no more kinds than the type has fields and fields have faults.
    fn is_first(&self, kind: DecodeErrorKind) -> bool {
        let mut warned = self.undecodable.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !warned.contains(&kind);
        if is_first {
            warned.push(kind);
        }
        is_first
    }
}
