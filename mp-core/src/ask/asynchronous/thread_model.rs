//! The start, close and end of the thread for asynchronous requests, in all interleavings of a few
//! steps: its file once more, with loom's primitives for the standard ones. Requests, the bell and
//! what carries them are those of the model that this is part of.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "thread.rs"]
mod thread;

use std::{
    io,
    sync::{
        Arc as Unseen, Mutex as UnseenMutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use loom::{
    sync::Arc,
    thread::{JoinHandle, spawn},
};

use super::{ModelBell, PeerIs, carry, check, oneshot, outcome, submissions};
use crate::ask::RequestError;
use Fails::{Bell, Spawn, Worker};
use Outcome::{Answered, Ended, NotStarted, Stopped};
use Thread::{Panics, Serves, Stops};
use oneshot::{Sender, receiver};
use submissions::{Id, NotTaken, Taken};
use sync::Deadline;

/// What that file shares with.
mod sync {
    use std::time::Duration;

    pub(super) use std::sync::PoisonError;

    // Loom's `wait_timeout` never times out.
    use loom::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };
    pub(super) use loom::{
        sync::{Arc, Condvar, Mutex, MutexGuard},
        thread::{ThreadId, current},
    };

    /// The standard one, seen only by whoever sees that it is full.
    #[derive(Debug)]
    pub(super) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        is_full: AtomicBool,
    }

    impl<T> OnceLock<T> {
        pub(super) fn new() -> Self {
            Self { value: std::sync::OnceLock::new(), is_full: AtomicBool::new(false) }
        }

        pub(super) fn get(&self) -> Option<&T> {
            self.is_full.load(Acquire).then(|| self.value.get()).flatten()
        }

        pub(super) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            let value = self.value.get_or_init(init);
            self.is_full.store(true, Release);
            value
        }
    }

    /// One that never comes, or one that has come.
    #[derive(Clone, Copy)]
    pub(super) enum Deadline {
        Never,
        Over,
    }

    impl Deadline {
        pub(super) fn is_over(self) -> bool {
            matches!(self, Self::Over)
        }

        pub(super) fn left(self) -> Duration {
            match self {
                Self::Never => Duration::MAX,
                Self::Over => Duration::ZERO,
            }
        }
    }
}

type Shared = thread::Shared<Sender<Id>, ModelBell>;

/// What the thread does with the first requests it has.
#[derive(Clone, Copy)]
enum Thread {
    Serves(PeerIs),
    /// Leaves and drops what it has, as an unwinding thread does.
    Panics,
    /// Stops the role from a callback.
    Stops,
}

/// What cannot be had for the first start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    Bell,
    Worker,
    Spawn,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    /// It was taken on, and ended without an answer.
    Ended,
    /// It was not taken on, since the role stops.
    Stopped,
    /// It was not taken on, since the thread could not be started.
    NotStarted,
}

struct World {
    requests: thread::OneThread<Sender<Id>, ModelBell>,
    thread: Thread,
    /// Taken by the one start that fails.
    fails: UnseenMutex<Option<Fails>>,
    started: AtomicUsize,
    handles: UnseenMutex<Vec<JoinHandle<()>>>,
}

impl World {
    fn new(thread: Thread, fails: Option<Fails>) -> Unseen<Self> {
        Unseen::new(Self {
            requests: thread::OneThread::new(8),
            thread,
            fails: UnseenMutex::new(fails),
            started: AtomicUsize::new(0),
            handles: UnseenMutex::default(),
        })
    }

    fn fail(&self, at: Fails) -> io::Result<()> {
        match self.fails.lock().unwrap().take_if(|fails| *fails == at) {
            Some(_) => Err(io::ErrorKind::OutOfMemory.into()),
            None => Ok(()),
        }
    }

    fn started(&self) -> usize {
        self.started.load(Relaxed)
    }

    /// Waits until the thread has ended, if there was one; also whether it has told so.
    fn join(&self) {
        for handle in self.handles.lock().unwrap().drain(..) {
            handle.join().unwrap();
        }
        assert!(self.requests.wait_until_ended(Deadline::Over));
    }
}

impl thread::Start<Sender<Id>, ModelBell> for Unseen<World> {
    type Worker = (Self, Arc<Shared>);

    /// Nobody has seen yet that it is: then all depends on the close.
    fn is_stopped(&self) -> bool {
        false
    }

    fn bell(&self) -> io::Result<ModelBell> {
        self.fail(Bell).map(|()| ModelBell::default())
    }

    fn worker(&self, shared: Arc<Shared>) -> io::Result<Self::Worker> {
        self.fail(Worker).map(|()| (Self::clone(self), shared))
    }

    fn spawn(&self, thread: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.fail(Spawn)?;
        self.started.fetch_add(1, Relaxed);
        let handle = spawn(thread);
        self.handles.lock().unwrap().push(handle);
        Ok(())
    }

    fn run((world, shared): Self::Worker) {
        let submissions = &shared.submissions;
        if let Serves(peer) = world.thread {
            carry(submissions, peer);
            return;
        }
        let mut taken = Taken::default();
        submissions.wait();
        submissions.take(&mut taken);
        if let Stops = world.thread {
            assert!(world.requests.is_thread_here());
            world.requests.close();
            assert!(world.requests.wait_until_ended(Deadline::Never));
            taken.submitted.drain(..).for_each(|(id, request)| request.complete(id));
        }
    }
}

fn ask(world: &Unseen<World>) -> Outcome {
    let shared = match world.requests.shared(world) {
        Ok(shared) => shared,
        Err(RequestError::Stopped) => return Stopped,
        Err(_) => return NotStarted,
    };
    assert!(shared.is_ours());
    let (sender, receiver) = receiver();
    match shared.submissions.submit(sender) {
        Ok(id) => outcome(&receiver).map_or(Ended, |answered| {
            assert_eq!(answered, id);
            Answered
        }),
        Err((_, why)) => {
            assert_eq!(why, NotTaken::Closed);
            Stopped
        }
    }
}

fn spawn_asker(world: &Unseen<World>) -> JoinHandle<Outcome> {
    let world = Unseen::clone(world);
    spawn(move || ask(&world))
}

/// Two ask at once.
fn ask_twice(world: &Unseen<World>) -> [Outcome; 2] {
    let other = spawn_asker(world);
    [ask(world), other.join().unwrap()]
}

#[test]
fn two_who_ask_first_at_once_start_one_thread() {
    check(|| {
        let world = World::new(Serves(PeerIs::Replying), None);
        assert_eq!(ask_twice(&world), [Answered; 2]);
        assert_eq!(world.started(), 1);
        assert!(!world.requests.is_thread_here());
        world.requests.close();
        assert!(world.requests.wait_until_ended(Deadline::Never));
        world.join();
    });
}

#[test]
fn a_first_request_that_meets_the_close_has_an_ending_and_nothing_is_taken_on_after_it() {
    for peer in [PeerIs::Replying, PeerIs::Silent] {
        check(move || {
            let world = World::new(Serves(peer), None);
            let asker = spawn_asker(&world);
            world.requests.close();
            let started = world.started();
            assert_eq!(ask(&world), Stopped);
            assert!(world.requests.wait_until_ended(Deadline::Never));
            let outcome = asker.join().unwrap();
            assert_eq!(world.started(), started, "a thread was started after the close");
            match outcome {
                Answered => assert!(peer == PeerIs::Replying && started == 1),
                Ended => assert_eq!(started, 1),
                Stopped => {}
                NotStarted => panic!("nothing fails"),
            }
            world.join();
        });
    }
}

#[test]
fn all_who_wait_for_the_end_hear_of_it_whenever_it_is_closed() {
    for thread in [Serves(PeerIs::Replying), Stops] {
        check(move || {
            let world = World::new(thread, None);
            assert_eq!(ask(&world), Answered);
            let other = Unseen::clone(&world);
            let waiter = spawn(move || assert!(other.requests.wait_until_ended(Deadline::Never)));
            world.requests.close();
            // Whoever has no time is not kept.
            world.requests.wait_until_ended(Deadline::Over);
            assert!(world.requests.wait_until_ended(Deadline::Never));
            assert!(world.requests.wait_until_ended(Deadline::Over));
            waiter.join().unwrap();
            world.join();
        });
    }
}

#[test]
fn when_the_start_fails_who_asked_is_told_and_the_next_tries_again() {
    for fails in [Bell, Worker, Spawn] {
        check(move || {
            let world = World::new(Serves(PeerIs::Replying), Some(fails));
            let outcomes = ask_twice(&world);
            assert!(matches!(outcomes, [Answered, NotStarted] | [NotStarted, Answered]), "{outcomes:?}");
            assert_eq!(world.started(), 1);
            world.requests.close();
            assert!(world.requests.wait_until_ended(Deadline::Never));
            world.join();
        });
    }
}

#[test]
fn a_start_that_fails_while_it_is_closed_keeps_nobody_waiting() {
    for fails in [Bell, Worker, Spawn] {
        check(move || {
            let world = World::new(Serves(PeerIs::Replying), Some(fails));
            let asker = spawn_asker(&world);
            world.requests.close();
            assert!(world.requests.wait_until_ended(Deadline::Never));
            assert!(matches!(asker.join().unwrap(), NotStarted | Stopped));
            assert_eq!(world.started(), 0);
            world.join();
        });
    }
}

#[test]
fn when_the_thread_panics_nobody_waits_for_it_for_ever() {
    check(|| {
        let world = World::new(Panics, None);
        let outcomes = ask_twice(&world);
        assert!(matches!(outcomes, [Ended, Ended | Stopped] | [Stopped, Ended]), "{outcomes:?}");
        assert!(world.requests.wait_until_ended(Deadline::Never));
        assert_eq!(ask(&world), Stopped);
        world.requests.close();
        assert_eq!(world.started(), 1);
        world.join();
    });
}
