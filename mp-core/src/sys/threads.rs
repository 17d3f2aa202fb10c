//! How threads of this crate begin: by which name, on which processors, with which signals, and what
//! the user wants done on each first. What they do it does not know.
#![allow(unsafe_code)]

use std::{
    fmt, io,
    mem::MaybeUninit,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::Builder,
};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::room_for_a_thread;

/// What a thread of this library is for.
///
/// None of them handles a signal: all are blocked, but those that tell of a thread's own fault
/// (`SIGSEGV`, `SIGBUS`, `SIGFPE`, `SIGILL`, `SIGTRAP`, `SIGSYS`). Each begins on the processors that
/// the thread had which called `start`, whichever thread it is started by later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThreadRole {
    /// Receives for a member, and runs its handlers: two from its start on, and one more for each
    /// handler that waits for a request of its own, at most 64. Named `mp_handle`.
    Handling,
    /// Makes the asynchronous requests of a role and calls their callbacks: one, from the first on.
    /// Named `mp_async`.
    Asynchronous,
    /// Sends answers that requesters had no room for: one, while there are any. Named
    /// `mp_held_replies`.
    HeldReplies,
    /// Of a [`HandlerPool`](crate::HandlerPool): as many as it has been made with, as they are needed.
    /// Named `mp_pool`.
    Pool,
    /// Wakes whoever awaits changes of a [`Watch`](crate::Watch): one, while somebody does. Named
    /// `mp_watch`.
    Watching,
    /// Closes descriptors that peers sent and nobody keeps: at most eight of the process, while there
    /// are any. Named `mp_close`. For one of these, `mp_close_exit`, which has a table of descriptors
    /// of its own and only exits, nothing is called.
    Closing,
}

impl ThreadRole {
    /// The thread's name, as `ps -T` shows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Handling => "mp_handle",
            Self::Asynchronous => "mp_async",
            Self::HeldReplies => "mp_held_replies",
            Self::Pool => "mp_pool",
            Self::Watching => "mp_watch",
            Self::Closing => "mp_close",
        }
    }
}

/// What the user wants done first on each thread.
pub(crate) type OnStart = Arc<dyn Fn(ThreadRole) + Send + Sync>;

/// How the threads of one role begin.
pub(crate) struct Threads {
    /// Those of the thread that started the role; `None` if the system did not tell.
    processors: Option<CpuSet>,
    on_start: Option<OnStart>,
    has_warned: AtomicBool,
}

/// Of the role started last: how those threads begin that are the whole process's.
static LATEST: Mutex<Weak<Threads>> = Mutex::new(Weak::new());

impl Threads {
    /// Of a role that this thread starts.
    pub(crate) fn of_starter(on_start: Option<OnStart>) -> Arc<Self> {
        let this = Arc::new(Self {
            processors: sched_getaffinity(None).ok(),
            on_start,
            has_warned: AtomicBool::new(false),
        });
        // In a fork of a process with threads it may be locked for good.
        if let Ok(mut latest) = LATEST.try_lock() {
            *latest = Arc::downgrade(&this);
        }
        this
    }

    /// Starts a thread, if there is memory for one.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        role: ThreadRole,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        room_for_a_thread()?;
        let this = Arc::clone(self);
        start(Builder::new(), role, move || {
            this.begin(role);
            run();
        })
    }

    /// On the new thread, before anything else.
    fn begin(&self, role: ThreadRole) {
        if let Some(processors) = &self.processors {
            // They may have been taken from this process since; then it has what there is.
            let _ = sched_setaffinity(None, processors);
        }
        if let Some(on_start) = &self.on_start
            && catch_unwind(AssertUnwindSafe(|| on_start(role))).is_err()
        {
            if self.has_warned.swap(true, Relaxed) {
                tracing::debug!(thread = role.name(), "what is called as a thread starts has panicked");
            } else {
                tracing::error!(
                    thread = role.name(),
                    "what is called as a thread starts has panicked; more are told at debug level"
                );
            }
        }
    }
}

/// Starts a thread that is the whole process's, as those of the role begin that was started last, if
/// that lives.
pub(crate) fn spawn_for_all(
    builder: Builder,
    role: ThreadRole,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    room_for_a_thread()?;
    let latest = LATEST.try_lock().ok().and_then(|latest| latest.upgrade());
    start(builder, role, move || {
        latest.inspect(|threads| threads.begin(role));
        run();
    })
}

fn start(builder: Builder, role: ThreadRole, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // A thread begins with the signals of whoever starts it.
    let _blocked = SignalsBlocked::here();
    builder.name(role.name().into()).spawn(run).map(drop)
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

/// Signals that tell of a fault of the thread that gets them: blocked, they would end the process
/// past its handlers.
const OF_FAULTS: [libc::c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

/// Keeps signals from this thread, until it is dropped there.
struct SignalsBlocked {
    before: libc::sigset_t,
}

impl SignalsBlocked {
    fn here() -> Option<Self> {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: `sigfillset` fills the whole of the set that it is given, from which `sigdelset`
        // takes valid signals. The mask of this thread is all that changes; `before` is filled if
        // `pthread_sigmask` returns 0.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            for signal in OF_FAULTS {
                libc::sigdelset(all.as_mut_ptr(), signal);
            }
            (libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) == 0)
                .then(|| Self { before: before.assume_init() })
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: it is the mask that this thread had, which the kernel wrote.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}
