//! What comes under one name, to be read instead of handled: by a thread that waits, or by a task.
//!
//! The thread that receives puts it into a [`Queue`] and goes on, whatever handlers run and whoever
//! reads. What cannot be taken in it gets back, to be counted and answered *ignore*.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_core::Stream;

use super::{
    Arrival, Describe, RegisterError, RegistrationGuard, Responder,
    arrival::SetAside,
    crew::NotHandled,
    queue::{Next, Queue},
    registry::{Action, Aside, Registry},
};
use crate::{
    receive::{Counters, Rejection, turn},
    sys::{Deadline, ForkGuard, Peer},
    wire::{Kind, Message, Name, Reason, Why},
};

/// What comes under one name from now on, in order, to be read: a stream for tasks, an iterator that
/// blocks for threads.
///
/// It is a [`Stream`], and `.next().await` needs no extension trait. `for` on it, or on `&mut` of
/// it, blocks until something comes; [`next_within`](Self::next_within) has a deadline. All of them
/// end (`None`) when the role is stopped or dropped: messages that have come by then are still
/// read, requests that nobody has read are answered *ignore*. The child of a fork has no more of it.
///
/// Nobody waits for the reader: what comes while as many wait as its bound says is dropped and
/// counted, and a request answered *ignore*. It takes no turn among the handlers either, so however
/// much comes, other actions are called. A request that has waited here and whose requester has
/// given up meanwhile is not given out; that is counted, too
/// ([`requests_given_up`](crate::Statistics::requests_given_up)).
///
/// Dropping it removes the action. From inside a handler, waiting for it lets other handlers go
/// first.
///
/// # Examples
///
/// ```
/// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
/// use std::{thread, time::Duration};
/// use mp_core::{Client, Message, Name, Primary};
///
/// let (note, echo) = (Name::new("note")?, Name::new("echo")?);
/// let primary = Primary::builder("example").runtime_dir(dir.path()).start()?;
/// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
///
/// // A thread:
/// let notes = primary.messages(note, 16)?;
/// client.send(&Message::new(note).with_param("hello")?)?;
/// for (message, peer) in notes {
///     assert_eq!((&*message.param, peer.pid()), (&b"hello"[..], std::process::id()));
///     break;
/// }
///
/// // A task:
/// let mut echoes = primary.requests(echo, 16)?;
/// let asking = thread::spawn(move || client.request(&Message::new(echo), Duration::from_secs(5)));
/// pollster::block_on(async {
///     if let Some((request, _, responder)) = echoes.next().await {
///         let _ = responder.reply(&request.param, &[]);
///     }
/// });
/// assert!(asking.join().expect("no panic").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Incoming<T> {
    queue: Arc<Queue<Waiting, NotHandled>>,
    make: Box<Make<T>>,
    /// `None` once it is dropped.
    registration: Option<RegistrationGuard>,
    counters: Arc<Counters>,
    made_in: ForkGuard,
}

/// The messages of one name: see [`Incoming`].
pub type Messages = Incoming<(Message, Peer)>;

/// The requests of one name, each with the one who answers it: see [`Incoming`].
pub type Requests = Incoming<(Message, Peer, Responder)>;

/// What an arrival is to the reader, or that it is of no use.
type Make<T> = dyn Fn(Arrival<'_>) -> Result<T, Rejection> + Send + Sync;

/// What has not been read yet.
struct Waiting {
    arrival: Box<SetAside>,
    since: Instant,
}

impl Messages {
    pub(crate) fn messages(
        registry: &Arc<Registry>,
        name: Name,
        bound: usize,
    ) -> Result<Self, RegisterError> {
        Self::new(registry, name, bound, Kind::Message, None, |arrival| match arrival {
            Arrival::Message(mut message) => Ok((message.take_message(), message.peer().clone())),
            Arrival::Request(_) => Err(Rejection::NoAction),
        })
    }
}

impl Requests {
    pub(crate) fn requests(
        registry: &Arc<Registry>,
        name: Name,
        bound: usize,
    ) -> Result<Self, RegisterError> {
        Self::new(registry, name, bound, Kind::Request, None, |arrival| match arrival {
            Arrival::Request(mut request) => {
                let (message, peer) = (request.take_message(), request.peer().clone());
                Ok((message, peer, request.defer()))
            }
            Arrival::Message(_) => Err(Rejection::NoAction),
        })
    }
}

impl<T> Incoming<T> {
    /// Takes in what is of this kind, message or request. `make` is called by the reader.
    pub(crate) fn new(
        registry: &Arc<Registry>,
        name: Name,
        bound: usize,
        kind: Kind,
        describe: Option<Describe>,
        make: impl Fn(Arrival<'_>) -> Result<T, Rejection> + Send + Sync + 'static,
    ) -> Result<Self, RegisterError> {
        let queue = Arc::new(Queue::new(bound));
        let counters = Arc::clone(registry.counters());
        let inlet = Inlet {
            name,
            kind,
            queue: Arc::clone(&queue),
            counters: Arc::clone(&counters),
            has_warned: AtomicBool::new(false),
            made_in: ForkGuard::here(),
        };
        let registration = registry.register_described(name, Action::Aside(Arc::new(inlet)), describe)?;
        let (make, made_in) = (Box::new(make), ForkGuard::here());
        Ok(Self { queue, make, registration: Some(registration.until_dropped()), counters, made_in })
    }

    /// The next that comes; `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Waits for the next that comes; `None` if none does in that time, or it has
    /// [ended](Self::is_ended).
    pub fn next_within(&mut self, timeout: Duration) -> Option<T> {
        self.next_by(Some(Deadline::after(timeout)))
    }

    /// Whether nothing more comes and everything has been read.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        !self.made_in.is_here() || self.queue.is_ended()
    }

    fn next_by(&mut self, deadline: Option<Deadline>) -> Option<T> {
        if !self.made_in.is_here() {
            return None;
        }
        loop {
            let next = match self.queue.try_next() {
                Next::Late => {
                    turn::let_others_go_first();
                    self.queue.next(deadline)
                }
                next => next,
            };
            let Next::Item(waiting) = next else { return None };
            if let Some(made) = self.made(waiting) {
                return Some(made);
            }
        }
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        if !self.made_in.is_here() {
            return Poll::Ready(None);
        }
        loop {
            match self.queue.poll(context) {
                Poll::Ready(Some(waiting)) => {
                    if let Some(made) = self.made(waiting) {
                        return Poll::Ready(Some(made));
                    }
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    turn::let_others_go_first();
                    return Poll::Pending;
                }
            }
        }
    }

    /// `None` if it is of no use to the reader, or nobody waits for its answer any more.
    fn made(&self, Waiting { arrival, since }: Waiting) -> Option<T> {
        let mut arrival = arrival.still_wanted(since, &self.counters)?;
        (self.make)(arrival.give_out()?).map_err(|rejection| self.counters.reject(rejection)).ok()
    }
}

impl<T> Stream for Incoming<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll(context)
    }
}

/// Blocks until something comes or the role stops.
///
/// Of `&mut` only, so that the names of iterators and of streams, which are the same, do not get in
/// each other's way.
impl<T> Iterator for &mut Incoming<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.next_by(None)
    }
}

impl<T> IntoIterator for Incoming<T> {
    type Item = T;
    type IntoIter = Blocking<T>;

    fn into_iter(self) -> Blocking<T> {
        Blocking(self)
    }
}

/// An iterator that blocks until something comes or the role stops: what `for` makes of an
/// [`Incoming`].
#[derive(Debug)]
pub struct Blocking<T>(Incoming<T>);

impl<T> Iterator for Blocking<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next_by(None)
    }
}

impl<T> Drop for Incoming<T> {
    fn drop(&mut self) {
        let registration = self.registration.take();
        if !self.made_in.is_here() {
            // Threads that only the parent has may have held the locks.
            std::mem::forget(registration);
            return;
        }
        self.queue.close(NotHandled::NoAction);
        drop(registration);
        let why = Why::new(Reason::NoAction, "nobody reads its requests any more");
        ignore_all(&self.queue, Rejection::NoAction, &why, &self.counters);
    }
}

impl<T> fmt::Debug for Incoming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// Where it comes in: the action.
struct Inlet {
    name: Name,
    kind: Kind,
    queue: Arc<Queue<Waiting, NotHandled>>,
    counters: Arc<Counters>,
    has_warned: AtomicBool,
    made_in: ForkGuard,
}

impl Aside for Inlet {
    fn take(&self, arrival: Box<SetAside>) -> Result<(), (Box<SetAside>, NotHandled)> {
        if arrival.kind() != Some(self.kind) {
            return Err((arrival, NotHandled::NoAction));
        }
        let waiting = Waiting { arrival, since: Instant::now() };
        self.queue.push(waiting, NotHandled::Overloaded).map_err(|(waiting, why)| {
            if why == NotHandled::Overloaded && !self.has_warned.swap(true, Relaxed) {
                tracing::warn!(
                    name = %self.name,
                    "more has come than was read, and is dropped; more of this kind is told at debug level"
                );
            }
            (waiting.arrival, why)
        })
    }

    fn stop(&self) {
        self.queue.close(NotHandled::Stopping);
        if self.kind == Kind::Request {
            ignore_all(&self.queue, Rejection::BacklogFull, &Reason::Stopping.into(), &self.counters);
        }
    }
}

/// The action is gone, and so nothing more comes.
impl Drop for Inlet {
    fn drop(&mut self) {
        if self.made_in.is_here() {
            self.queue.close(NotHandled::NoAction);
        }
    }
}

/// Drops what nobody has read; requests are answered.
fn ignore_all(queue: &Queue<Waiting, NotHandled>, rejection: Rejection, why: &Why, counters: &Counters) {
    for Waiting { mut arrival, .. } in queue.drain() {
        counters.reject(rejection);
        if let Some(Arrival::Request(request)) = arrival.give_out() {
            request.ignore(why.clone());
        }
    }
}
