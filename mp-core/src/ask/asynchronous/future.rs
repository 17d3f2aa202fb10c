//! What whoever asked without blocking awaits, or drops. How the outcome comes to be, it does not
//! know.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    Shared,
    oneshot::{Receiver, receiver},
    submissions::Id,
};
use crate::{
    ask::{Replies, Reply, RequestError},
    receive::turn,
};

/// What comes back from a request, to come.
///
/// It is of no particular executor, and needs none to make progress: the request goes out when it
/// is made, whether this is polled or not. Dropping this cancels the request; a reply that comes
/// later is not taken for another's, and its descriptors are closed.
///
/// Polled from inside a handler without the reply being there, it lets other handlers go first,
/// since the handler is going to wait.
///
/// # Panics
///
/// Polling it again after it was ready panics.
///
/// # Examples
///
/// The first reply to come wins, and the other request is cancelled:
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
/// use mp_core::{Client, Message, Name, Primary};
///
/// let (quick, slow) = (Name::new("quick")?, Name::new("slow")?);
/// let kept = std::sync::Mutex::new(Vec::new());
/// let primary = Primary::builder("example")
///     .runtime_dir(dir.path())
///     .serve(quick, |request| {
///         let _ = request.reply(b"here", &[]);
///     })
///     .serve(slow, move |request| kept.lock().unwrap().push(request.defer()))
///     .start()?;
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
///
/// let mut slow = pin!(client.request_async(&Message::new(slow), Duration::from_secs(5)));
/// let mut quick = pin!(client.request_async(&Message::new(quick), Duration::from_secs(5)));
/// let first = pollster::block_on(poll_fn(|context| match slow.as_mut().poll(context) {
///     Poll::Ready(reply) => Poll::Ready(reply),
///     Poll::Pending => quick.as_mut().poll(context),
/// }))?;
/// assert_eq!(&*first.message.param, b"here");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Implements the outcome of `rte_mp_request_async`.
#[doc(alias = "rte_mp_request_async")]
#[must_use = "dropping it cancels the request"]
pub struct Asked<T> {
    /// `None` once the outcome has been given out.
    receiver: Option<Receiver<Result<T, RequestError>>>,
    ticket: Option<Ticket>,
}

/// The reply of one peer, to come.
pub type ReplyFuture = Asked<Reply>;

/// The replies of all peers, to come: ready when every peer has answered or gone, or the deadline
/// has passed.
pub type RepliesFuture = Asked<Replies>;

/// What it takes to cancel a request.
pub(super) struct Ticket {
    pub(super) id: Id,
    pub(super) shared: Arc<Shared>,
}

impl<T> Asked<T> {
    /// Without a ticket, the outcome is there already.
    pub(super) fn new(receiver: Receiver<Result<T, RequestError>>, ticket: Option<Ticket>) -> Self {
        Self { receiver: Some(receiver), ticket }
    }

    /// Of a request that was not made.
    pub(crate) fn failed(error: RequestError) -> Self {
        let (sender, receiver) = receiver();
        sender.complete(Err(error));
        Self::new(receiver, None)
    }
}

impl<T> Future for Asked<T> {
    type Output = Result<T, RequestError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let receiver = self.receiver.as_ref().expect("a future is not polled again after it was ready");
        match receiver.poll(context) {
            Poll::Ready(outcome) => {
                self.receiver = None;
                Poll::Ready(outcome.unwrap_or(Err(RequestError::Stopped)))
            }
            Poll::Pending => {
                turn::let_others_go_first();
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        if let (Some(receiver), Some(ticket)) = (&self.receiver, &self.ticket)
            && ticket.shared.is_ours()
            && receiver.is_open()
        {
            ticket.shared.submissions.cancel(ticket.id);
        }
    }
}

impl<T> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}
