//! What askers and the thread for asynchronous requests share, in all interleavings of a few steps.
//!
//! The two files with all that is shared between them are compiled once more here, with loom's
//! primitives instead of the standard ones; how that thread starts and ends, `thread_model` has. So
//! no flag is needed: it runs with all tests, or alone by `cargo test -p mp-core
//! asynchronous::model`. Loom also finds whatever waits for ever, as after a lost wake-up.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "oneshot.rs"]
mod oneshot;
#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "submissions.rs"]
mod submissions;
#[path = "thread_model.rs"]
mod thread_model;

/// The primitives that those two files use.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
}

use std::{future::poll_fn, task::Poll};

use loom::{
    future::block_on,
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
};

use oneshot::{Receiver, Sender, receiver};
use submissions::{Bell, Id, NotTaken, Submissions, Taken};

/// Stands in for the eventfd.
#[derive(Default)]
struct ModelBell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell for ModelBell {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl ModelBell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// Whether the model's peer replies, or is silent until the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PeerIs {
    Replying,
    Silent,
}

type ModelHandover = Arc<Submissions<Sender<Id>, ModelBell>>;

/// What the thread does, without I/O. Returns how many requests it had, and how many of them were
/// cancelled.
fn carry(submissions: &Submissions<Sender<Id>, ModelBell>, peer: PeerIs) -> (usize, usize) {
    let (mut taken, mut under_way) = (Taken::default(), Vec::new());
    let (mut had, mut cancelled) = (0, 0);
    while !taken.closed {
        // With nothing under way there is no socket to wait for.
        match under_way.is_empty() {
            true => submissions.wait(),
            false => submissions.bell.wait(),
        }
        submissions.take(&mut taken);
        had += taken.submitted.len();
        under_way.append(&mut taken.submitted);
        for id in taken.cancelled.drain(..) {
            if let Some(at) = under_way.iter().position(|(other, _)| *other == id) {
                submissions.ended();
                under_way.remove(at);
                cancelled += 1;
            }
        }
        if peer == PeerIs::Replying {
            for (id, request) in under_way.drain(..) {
                submissions.ended();
                request.complete(id);
            }
        }
    }
    for _ in under_way {
        submissions.ended();
    }
    (had, cancelled)
}

fn start(bound: usize, peer: PeerIs) -> (ModelHandover, JoinHandle<(usize, usize)>) {
    let submissions = Arc::new(Submissions::new(bound, ModelBell::default()));
    let shared = Arc::clone(&submissions);
    (submissions, thread::spawn(move || carry(&shared, peer)))
}

fn submit(submissions: &ModelHandover) -> Result<(Id, Receiver<Id>), NotTaken> {
    let (sender, receiver) = receiver();
    submissions.submit(sender).map(|id| (id, receiver)).map_err(|(_, why)| why)
}

fn outcome(receiver: &Receiver<Id>) -> Option<Id> {
    block_on(poll_fn(|context| receiver.poll(context)))
}

/// What dropping a future does.
fn cancel(submissions: &ModelHandover, id: Id, receiver: Receiver<Id>) {
    if receiver.is_open() {
        submissions.cancel(id);
    }
}

/// Loom's search, of all interleavings with few changes of thread that are not called for: all of
/// them are too many, and few suffice to show nearly any fault. `LOOM_MAX_PREEMPTIONS=3` allows one
/// more, for some seconds more.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}

#[test]
fn a_request_that_meets_the_end_is_not_taken_answered_or_ended_but_never_lost() {
    for peer in [PeerIs::Replying, PeerIs::Silent] {
        check(move || {
            let (submissions, async_requests) = start(8, peer);
            let shared = Arc::clone(&submissions);
            let asker = thread::spawn(move || match submit(&shared) {
                Ok((id, receiver)) => {
                    assert!(outcome(&receiver).is_none_or(|answered| answered == id));
                    1
                }
                Err(why) => {
                    assert_eq!(why, NotTaken::Closed);
                    0
                }
            });
            submissions.close();
            let (had, _) = async_requests.join().unwrap();
            assert_eq!(asker.join().unwrap(), had);
        });
    }
}

#[test]
fn two_who_ask_at_once_each_get_their_own_answer() {
    check(|| {
        let (submissions, async_requests) = start(8, PeerIs::Replying);
        let shared = Arc::clone(&submissions);
        let ask = |submissions: &ModelHandover| {
            let (id, receiver) = submit(submissions).unwrap();
            assert_eq!(outcome(&receiver), Some(id));
            assert!(!receiver.is_open());
        };
        let other = thread::spawn(move || ask(&shared));
        ask(&submissions);
        other.join().unwrap();
        submissions.close();
        assert_eq!(async_requests.join().unwrap(), (2, 0));
    });
}

#[test]
fn who_hears_of_an_end_can_make_another_within_the_bound() {
    check(|| {
        let (submissions, async_requests) = start(1, PeerIs::Replying);
        for _ in 0..2 {
            let (id, receiver) = submit(&submissions).unwrap();
            assert_eq!(outcome(&receiver), Some(id));
        }
        submissions.close();
        assert_eq!(async_requests.join().unwrap(), (2, 0));
    });
}

#[test]
fn cancelling_while_the_answer_comes_ends_it_once_and_makes_room() {
    for peer in [PeerIs::Replying, PeerIs::Silent] {
        check(move || {
            let (submissions, async_requests) = start(1, peer);
            let (id, receiver) = submit(&submissions).unwrap();
            assert!(matches!(submit(&submissions), Err(NotTaken::TooMany { bound: 1 }) | Ok(_)));
            cancel(&submissions, id, receiver);
            submissions.close();
            let (had, cancelled) = async_requests.join().unwrap();
            assert!(had >= 1 && cancelled <= had);
        });
    }
}

#[test]
fn a_waker_that_changes_while_the_value_comes_is_not_missed() {
    check(|| {
        let (sender, receiver) = receiver();
        let other = thread::spawn(move || sender.complete(7));
        // Each `block_on` has a waker of its own; the first gives up after one poll.
        let early = block_on(poll_fn(|context| Poll::Ready(receiver.poll(context))));
        match early {
            Poll::Ready(value) => assert_eq!(value, Some(7)),
            Poll::Pending => assert_eq!(block_on(poll_fn(|context| receiver.poll(context))), Some(7)),
        }
        other.join().unwrap();
    });
}

#[test]
fn whoever_waits_hears_that_there_will_be_no_value() {
    check(|| {
        let (sender, receiver) = receiver::<()>();
        let other = thread::spawn(move || drop(sender));
        assert_eq!(block_on(poll_fn(|context| receiver.poll(context))), None);
        other.join().unwrap();
    });
}
