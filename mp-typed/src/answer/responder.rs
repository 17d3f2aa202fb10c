//! The one answer to a request, and what a handler may return for it.

use std::{fmt::Display, marker::PhantomData, os::fd::BorrowedFd};

use mp_core::{Reason, Why};

use super::unanswered::Unanswered;
use crate::{
    error::ReplyError,
    message::{ConvertAnswer, Response, SentAs, Unconverted},
    transcode::encode,
};

/// The one answer to a request, of the type that the request declares. It may be kept, sent to
/// another thread, and used after the handler returned.
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
    /// Of a requester that has an earlier definition.
    convert: Option<ConvertAnswer>,
    response: PhantomData<fn(&R)>,
}

impl<R: Response> Responder<R> {
    pub(super) fn new(core: mp_core::Responder, convert: Option<ConvertAnswer>) -> Self {
        Self { core, convert, response: PhantomData }
    }

    /// Sends the response. `Ok` says that it is in the requester's queue, or will be as soon as
    /// there is room. A response that [lends](SentAs) what it sends will do.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]
    ///
    /// Implements `rte_mp_reply`.
    #[doc(alias = "rte_mp_reply")]
    pub fn reply<A: SentAs<R>>(self, response: &A) -> Result<(), ReplyError> {
        reply(self.core, self.convert, response)
    }

    /// Answers with what a handler has returned.
    pub(super) fn settle<K>(self, answer: impl Answer<R, K>, name: &str, unanswered: &Unanswered) {
        match answer.into_response() {
            Ok(response) => {
                if let Err(error) = self.reply(&response) {
                    unanswered.undelivered(name, &error);
                }
            }
            Err(why) => {
                unanswered.failed(name, &why);
                self.ignore(why);
            }
        }
    }

    /// Whether anybody still waits for the answer, as far as can be known: see
    /// [`mp_core::Responder::is_wanted`].
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.core.is_wanted()
    }

    /// Declines: tells the requester to ignore this process, and why, which it sees as
    /// [`RequestError::Ignored`](crate::RequestError::Ignored). A text does for words of one's own;
    /// a [`Why`] has a [`Reason`] besides.
    pub fn ignore(self, why: impl Into<Why>) {
        self.core.ignore(why);
    }
}

/// The one answer that a request of the core has: given while its handler runs, or later.
pub(super) trait RawAnswer {
    fn reply(self, param: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), mp_core::ReplyError>;

    fn ignore(self, why: Why);
}

macro_rules! raw_answer {
    ($($answer:ty),*) => {$(
        impl RawAnswer for $answer {
            fn reply(self, param: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), mp_core::ReplyError> {
                self.reply(param, fds)
            }

            fn ignore(self, why: Why) {
                self.ignore(why);
            }
        }
    )*};
}

raw_answer! { mp_core::Request<'_>, mp_core::Responder }

/// Sends the response; in the definition that the requester has, if `convert` knows it.
pub(super) fn reply<R: Response, A: SentAs<R>>(
    core: impl RawAnswer,
    convert: Option<ConvertAnswer>,
    response: &A,
) -> Result<(), ReplyError> {
    match encode(response) {
        Ok(encoded) => match convert {
            None => Ok(core.reply(encoded.param(), encoded.fds())?),
            Some(convert) => converted(core, convert, encoded.param(), encoded.fds()),
        },
        Err(error) => {
            core.ignore(Why::new(Reason::HandlerFailed, &error));
            Err(error.into())
        }
    }
}

/// Replies in the definition that the requester has.
fn converted(
    core: impl RawAnswer,
    convert: ConvertAnswer,
    param: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<(), ReplyError> {
    let (mut core, mut replied) = (Some(core), Ok(()));
    let result = convert(param, fds, &mut |param, fds| {
        if let Some(core) = core.take() {
            replied = core.reply(param, fds);
        }
    });
    if let (Err(why), Some(core)) = (&result, core) {
        core.ignore(Why::new(Reason::HandlerFailed, why));
    }
    match result {
        Ok(()) => Ok(replied?),
        Err(Unconverted::Encode(error)) => Err(error.into()),
        Err(Unconverted::Decode(error)) => Err(ReplyError::Io(error.into())),
        Err(Unconverted::Io(error)) => Err(ReplyError::Io(error)),
    }
}

/// How a handler's [`Answer`] is made up. A parameter that the compiler finds by itself; it keeps
/// the implementations apart.
pub(crate) mod kind {
    /// It is what is sent, be it a `Result`.
    #[derive(Debug)]
    pub enum Whole {}
    /// A `Result` of what is sent, and of an error that only the *ignore* tells of.
    #[derive(Debug)]
    pub enum OrIgnore {}
}

/// What a request handler may return: the response, a form of it that [lends](SentAs) what it
/// sends, or a `Result` of either.
///
/// Where the request's response is a `Result` itself, of two types that derive [`Response`], the
/// error is sent like any answer. Any other error is traced, and the requester told to ignore this
/// process, with the error's text: see [`RequestError::Ignored`](crate::RequestError::Ignored).
#[diagnostic::on_unimplemented(
    message = "a handler of this request cannot answer with `{Self}`",
    label = "this handler returns `{Self}`",
    note = "it returns the request's response, `{R}`, or a form of it that lends (`#[message(lends = {R})]`), or a `Result` of either with an error that can be displayed, which the requester sees as the text of an *ignore*",
    note = "for an error that arrives as a value, derive `Response` for it too and write `response = Result<Answer, Error>` on the request"
)]
pub trait Answer<R, Kind> {
    /// What is sent.
    #[doc(hidden)]
    type Body: SentAs<R>;

    /// The response, or why there is none.
    #[doc(hidden)]
    fn into_response(self) -> Result<Self::Body, Why>;
}

#[diagnostic::do_not_recommend]
impl<R: Response, A: SentAs<R>> Answer<R, kind::Whole> for A {
    type Body = A;

    fn into_response(self) -> Result<A, Why> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<R, A: SentAs<R>, E: Display> Answer<R, kind::OrIgnore> for Result<A, E> {
    type Body = A;

    fn into_response(self) -> Result<A, Why> {
        self.map_err(|error| Why::new(Reason::HandlerFailed, error))
    }
}
