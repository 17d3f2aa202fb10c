//! Being a member: a socket in the group, its threads, and leaving in order.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    answer::{Actions, Dispatcher, EventLoop, Messages, RegisterError, ReplyPort, Requests},
    ask::{Asking, DROP_TIMEOUT, NotRunning, Requester},
    group::{BindError, Bound, Group},
    role::{Builder, Primary, PrimaryHandle, Role, Secondary, SecondaryHandle, StartError, shared::Shared},
    sys::{Address, Deadline, Timer},
    wire::Name,
};

/// A role's place in its group. Dropping it leaves.
#[derive(Debug)]
pub(crate) struct Membership {
    requester: Arc<Requester>,
    port: Arc<ReplyPort>,
    actions: Actions,
    dispatcher: Arc<Dispatcher>,
    /// `None` if it has threads.
    event_loop: Option<EventLoop>,
    stage: Mutex<Stage>,
    left: Condvar,
}

/// How far it is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Joined,
    /// Some thread is about it.
    Leaving,
    /// Whether all handlers and callbacks had ended in time.
    Left(bool),
}

impl Membership {
    /// Receives and handles from now on. Just before the first handler can run calls `in_place`,
    /// which puts there what handlers use; if this fails, it does not.
    pub(crate) fn start(
        requester: Arc<Requester>,
        port: Arc<ReplyPort>,
        actions: Actions,
        backlog: usize,
        in_place: impl FnOnce(),
    ) -> Result<Self, StartError> {
        let (registry, policy) = (Arc::clone(&actions.0), requester.policy().clone());
        let group = requester.group().clone();
        let started = if port.has_threads() {
            Dispatcher::start(Arc::clone(&port), registry, policy, group, backlog, in_place)
                .map(|dispatcher| (dispatcher, None))
        } else {
            EventLoop::of(&port).map_err(io::Error::from).map(|event_loop| {
                let port = Arc::clone(&port);
                let dispatcher = Dispatcher::start_without_threads(port, registry, policy, group, in_place);
                (dispatcher, Some(event_loop))
            })
        };
        let (dispatcher, event_loop) = started.inspect_err(|_| {
            requester.group().leave(&port.bound, Deadline::after(DROP_TIMEOUT));
        })?;
        tracing::debug!(address = %port.bound.address, "joined");
        let (stage, left) = (Mutex::new(Stage::Joined), Condvar::new());
        Ok(Self { requester, port, actions, dispatcher, event_loop, stage, left })
    }

    /// Leaves the group, within `timeout` for all of it; tells whether all handlers and callbacks
    /// have ended. While another thread is about it, waits for that and tells the same; once it is
    /// done, waits for those that had not ended.
    pub(crate) fn leave(&self, timeout: Duration) -> bool {
        // A fork's copy has neither the threads nor the place in the group.
        if !self.port.bound.is_ours() {
            return true;
        }
        let deadline = Deadline::after(timeout);
        let mut stage = self.stage();
        match *stage {
            Stage::Joined => {
                *stage = Stage::Leaving;
                drop(stage);
                let ended = self.leave_by(deadline);
                *self.stage() = Stage::Left(ended);
                self.left.notify_all();
                ended
            }
            Stage::Leaving => {
                drop(stage);
                self.await_left(deadline)
            }
            Stage::Left(_) => {
                drop(stage);
                self.dispatcher.wait_for_handlers(deadline)
                    & self.actions.0.wait_for_pools(deadline)
                    & self.requester.wait_until_ended(deadline)
            }
        }
    }

    fn leave_by(&self, deadline: Deadline) -> bool {
        // Keep our name until handlers end: a requester that finds our socket file missing assumes
        // that we died. And until it is gone peers may send, and are answered.
        self.dispatcher.close();
        self.actions.0.stop();
        let ended = self.dispatcher.wait_for_handlers(deadline) & self.actions.0.wait_for_pools(deadline);
        self.requester.group().leave(&self.port.bound, deadline);
        self.requester.stop();
        self.dispatcher.shut_down(deadline);
        if let Some(event_loop) = &self.event_loop {
            // What has come is answered all the same.
            event_loop.drain(&self.dispatcher);
        }
        self.port.flush(deadline);
        self.requester.policy().look.tap.close();
        let ended = ended & self.requester.wait_until_ended(deadline);
        self.actions.0.clear();
        let group = self.requester.group();
        if self.port.bound.address != *group.primary() {
            group.clean_up(deadline);
        }
        tracing::debug!(address = %self.port.bound.address, "left");
        ended
    }

    /// Waits until the thread that is about it has left. From inside a handler or a callback it
    /// does not: that thread waits for this one.
    fn await_left(&self, deadline: Deadline) -> bool {
        let waited_for = self.dispatcher.is_handling_here()
            || self.actions.0.is_handling_here()
            || self.requester.is_calling_back_here();
        let mut stage = self.stage();
        loop {
            match *stage {
                Stage::Left(ended) => return ended,
                _ if waited_for || deadline.is_over() => return false,
                _ => {
                    let woken = self.left.wait_timeout(stage, deadline.left());
                    stage = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // A fork's copy has locks that nobody may ever release; and who was stopped before has been
        // waited for as long as whoever stopped it liked.
        if self.port.bound.is_ours() && *self.stage() == Stage::Joined && !self.leave(DROP_TIMEOUT) {
            tracing::warn!("a handler is still running; its thread goes on until it ends");
        }
    }
}

/// A member: its place in the group, and what it shares with its handles.
#[derive(Debug)]
pub(crate) struct Joined<A> {
    // Left first: handlers may ask until then.
    membership: Membership,
    pub(super) shared: Shared<A>,
}

impl<A: AsRef<Asking>> Joined<A> {
    /// Joins: `bind` takes the place in the group, from which it also asks. If that fails, the
    /// handles made before are without an asking side for good.
    pub(super) fn start<R: Role<Asking = A>>(
        Builder { mut setup, handle: shared }: Builder<R>,
        bind: impl FnOnce(&Group, Asking) -> Result<(Arc<Bound>, A), BindError>,
    ) -> Result<Self, StartError> {
        let join = || {
            let group = setup.group()?;
            setup.needs_primary.wait(&group)?;
            let asking = setup.asking(&group);
            let join = || {
                let actions = setup.actions(group.make()?.has_dpdk())?;
                let requester = Arc::clone(&asking.requester);
                let (bound, asking) = bind(&group, asking)?;
                let timer = setup.without_threads.then(Timer::new).transpose();
                let timer = timer.inspect_err(|_| group.leave(&bound, Deadline::after(DROP_TIMEOUT)));
                let timer = timer.map_err(io::Error::from)?;
                let port = ReplyPort::new(bound, requester.policy(), timer);
                Membership::start(requester, port, actions, setup.backlog, || shared.started(asking))
            };
            join().inspect_err(|_| group.clean_up(Deadline::after(DROP_TIMEOUT)))
        };
        let membership = join().inspect_err(|_| shared.start_failed())?;
        Ok(Self { membership, shared })
    }

    pub(super) fn get(&self) -> Result<&A, NotRunning> {
        self.shared.get()
    }

    pub(super) fn one(&self) -> Result<&Asking, NotRunning> {
        self.shared.one()
    }
}

__each! { [Primary, Secondary] {
    /// Registers and unregisters actions while it runs.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        &self.0.membership.actions
    }

    /// The messages of this name that come from now on, to be read: see [`Actions::messages`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn messages(&self, name: Name, bound: usize) -> Result<Messages, RegisterError> {
        self.actions().messages(name, bound)
    }

    /// The requests of this name that come from now on, to be read and answered: see
    /// [`Actions::requests`].
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the name is taken, is DPDK's own, or the role is stopped.
    pub fn requests(&self, name: Name, bound: usize) -> Result<Requests, RegisterError> {
        self.actions().requests(name, bound)
    }

    /// Becomes readable when there is something for [`dispatch`](Self::dispatch), for a member with
    /// [`without_threads`](crate::Builder::without_threads): to be put into an event loop, which need
    /// only ever wait for reading. It is level-triggered; where the loop is told of changes only, call
    /// `dispatch` until it returns 0.
    ///
    /// # Panics
    ///
    /// If it has threads.
    #[must_use]
    pub fn poll_fd(&self) -> BorrowedFd<'_> {
        let event_loop = self.0.membership.event_loop.as_ref();
        event_loop.expect("a member has this only if it was built `without_threads`").as_fd()
    }

    /// Receives what has come and runs its handlers, on this thread; tells how many datagrams there
    /// were. It never waits, and returns after 64, so that an event loop sees to others, too.
    ///
    /// Handlers run one after the other here, and hold up the caller as long as they take; meanwhile
    /// nothing is received, and peers find this member's queue full: be quick, answer later through the
    /// [`Responder`](crate::Responder), or leave it to a pool or a stream. What waits for others inside
    /// a handler keeps its turn. Answers that their requesters have no room for are kept, and tried again
    /// by this, for which [`poll_fd`](Self::poll_fd) becomes readable every 10 ms while there are any.
    ///
    /// It does nothing inside a handler, or while another thread is about it.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the member has threads.
    ///
    /// # Examples
    ///
    /// ```
    /// # let dir = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir()?;
    /// use std::time::Duration;
    /// use mp_core::{Client, Message, Name, Primary};
    ///
    /// let echo = Name::new("echo")?;
    /// let primary = Primary::builder("example")
    ///     .runtime_dir(dir.path())
    ///     .without_threads()
    ///     .serve(echo, |request| {
    ///         let param = request.param().to_vec();
    ///         let _ = request.reply(&param, &[]);
    ///     })
    ///     .start()?;
    ///
    /// let client = Client::builder("example").runtime_dir(dir.path()).start()?;
    /// let reply = client.request_async(&Message::new(echo), Duration::from_secs(5));
    /// // As soon as `primary.poll_fd()` is readable:
    /// while primary.dispatch()? == 0 { std::thread::yield_now(); }
    /// pollster::block_on(reply)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dispatch(&self) -> io::Result<usize> {
        let membership = &self.0.membership;
        match &membership.event_loop {
            Some(_) if !membership.port.bound.is_ours() => Ok(0),
            Some(event_loop) => Ok(event_loop.dispatch(&membership.dispatcher)),
            None => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this member receives on threads of its own: build it `without_threads`",
            )),
        }
    }

    /// Where it is bound: a primary at `mp_socket`, a secondary at `mp_socket_<pid>_<hex>`.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0.membership.port.bound.address
    }

    /// Leaves the group, within `timeout` for all of it. Requests that wait are answered *ignore*,
    /// and so are those that still come; what has begun is finished. It waits until handlers and
    /// callbacks that run have ended (not for the one that calls this), for the directory lock, and
    /// for requesters to make room for answers held back for them. Tells whether all handlers and
    /// callbacks have ended; those that have not go on to their end.
    ///
    /// While another thread is stopping it, waits for that, and tells what that tells, but `false`
    /// if `timeout` passes first, and at once from inside a handler or callback, for which the
    /// other waits. Once it is stopped, waits for those that had not ended.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.0.membership.leave(timeout)
    }
} }

macro_rules! handles {
    ($($role:ident, $handle:ident;)*) => {$(
        impl $role {
            /// Its asking side, to be moved elsewhere.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle(self.0.shared.clone())
            }
        }

        impl Builder<$role> {
            /// The asking side of the role to be, for use inside its handlers.
            #[must_use]
            pub fn handle(&self) -> $handle {
                $handle(self.handle.clone())
            }
        }
    )*};
}

handles! { Primary, PrimaryHandle; Secondary, SecondaryHandle; }
