use std::{fmt::Display, marker::PhantomData};

use super::{ReplyError, encode};
use crate::Response;

/// The one answer to a request, of the type that the request declares. It may be
/// kept, sent to another thread, and used after the handler returned.
///
/// Dropped unanswered, it tells the requester to ignore this process.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::{thread, time::Duration};
/// use mp_typed::{Client, Peer, Primary, Request, Responder, Response};
///
/// #[derive(Request)]
/// #[message(name = "square", response = Squared)]
/// struct Square(u32);
///
/// #[derive(Response)]
/// struct Squared(u64);
///
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve_later(|request: Square, _: &Peer, responder: Responder<Squared>| {
///         thread::spawn(move || responder.reply(&Squared(u64::from(request.0).pow(2))));
///     })
///     .start()?;
///
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
/// assert_eq!(client.request(&Square(7), Duration::from_secs(1))?.0, 49);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Responder<R> {
    core: mp_core::Responder,
    response: PhantomData<fn(&R)>,
}

impl<R: Response> Responder<R> {
    pub(super) fn new(core: mp_core::Responder) -> Self {
        Self { core, response: PhantomData }
    }

    /// Sends the response. `Ok` says that it is in the requester's queue, or
    /// will be as soon as there is room.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]
    ///
    /// Implements `rte_mp_reply`.
    pub fn reply(self, response: &R) -> Result<(), ReplyError> {
        let encoded = encode(response)?;
        Ok(self.core.reply(encoded.param(), encoded.fds())?)
    }
}

/// What a request handler may return: the response, or a `Result` of it.
///
/// An error is traced, and the requester told to ignore this process.
#[diagnostic::on_unimplemented(
    message = "a handler of this request cannot answer with `{Self}`",
    label = "this handler returns `{Self}`",
    note = "it returns the request's response, `{R}`, or `Result<{R}, E>` with an `E` that can be displayed"
)]
pub trait Answer<R> {
    /// The response, if there is one.
    #[doc(hidden)]
    fn into_response(self) -> Option<R>;
}

impl<R: Response> Answer<R> for R {
    fn into_response(self) -> Option<R> {
        Some(self)
    }
}

impl<R: Response, E: Display> Answer<R> for Result<R, E> {
    fn into_response(self) -> Option<R> {
        self.inspect_err(
            |error| tracing::warn!(%error, "a handler failed; the requester is told to ignore this process"),
        )
        .ok()
    }
}
