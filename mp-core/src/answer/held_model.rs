//! The answers put aside and their thread, in the interleavings there are: their file once more,
//! with loom's primitives for the standard ones, and requesters of which it is known how many times
//! they have no room. Loom also finds whatever waits for ever: a lost wake-up is a failure.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "held.rs"]
mod held;

use std::{
    io,
    sync::{Arc, Mutex as Unseen, MutexGuard as UnseenGuard},
};

use loom::thread::{self, JoinHandle};

use super::ReplyError;
use held::{Delivery, HeldAnswer, HeldAnswers, Queue};
use sync::Deadline;

/// What that file shares with.
mod sync {
    use std::{sync::atomic::Ordering::Relaxed, time::Duration};

    pub(super) use std::sync::{PoisonError, atomic::Ordering::SeqCst};

    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicUsize};

    /// Loom knows no time, and its waits have no end: one that never comes, or one that has come
    /// when it has been looked at so many times.
    #[derive(Debug)]
    pub(super) enum Deadline {
        Never,
        Looks(std::sync::atomic::AtomicUsize),
    }

    impl Deadline {
        pub(super) fn is_over(&self) -> bool {
            match self {
                Self::Never => false,
                Self::Looks(left) => left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err(),
            }
        }

        pub(super) fn left(&self) -> Duration {
            Duration::MAX
        }
    }
}

/// To whom it is, who answers, and which of theirs it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    to: usize,
    by: usize,
    number: usize,
}

/// A requester that never has room.
const NEVER: usize = usize::MAX;

#[derive(Debug, Clone)]
struct Model {
    /// How many times each requester has no room.
    full: Vec<usize>,
    /// To whom each of two threads answers.
    answers: [Vec<usize>; 2],
    /// How many rounds an answer is kept, if not for ever.
    kept: Option<usize>,
    /// How many threads the system lets start.
    spawns: usize,
    /// How many changes of thread that nothing calls for are tried in one run.
    preemptions: usize,
}

/// What is only noted, by the way: where a thread notes it is no place to change threads.
#[derive(Default)]
struct Seen {
    full: Vec<usize>,
    sent: Vec<Answer>,
    given_up: Vec<Answer>,
    refused: Vec<Answer>,
    /// A thread has been started and has not found the queue empty.
    is_served: bool,
    spawned: usize,
    handles: Vec<JoinHandle<()>>,
}

struct World {
    model: Model,
    held: HeldAnswers<usize, Answer>,
    seen: Unseen<Seen>,
}

impl World {
    fn seen(&self) -> UnseenGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics")
    }

    /// `false` if the requester has no room.
    fn send(&self, answer: Answer) -> bool {
        let mut seen = self.seen();
        match &mut seen.full[answer.to] {
            0 => {
                seen.sent.push(answer);
                true
            }
            &mut NEVER => false,
            times => {
                *times -= 1;
                false
            }
        }
    }

    /// As a reply port does.
    fn answer(self: &Arc<Self>, answer: Answer) {
        if !self.held.has(&answer.to) && self.send(answer) {
            return;
        }
        let deadline = self.model.kept.map_or(Deadline::Never, |rounds| Deadline::Looks(rounds.into()));
        let held = HeldAnswer { to: answer.to, answer, is_ignore: false, deadline };
        if self.held.push(held, || self.start()).is_err() {
            self.seen().refused.push(answer);
        }
    }

    fn answer_all_of(self: &Arc<Self>, by: usize) {
        let all = self.model.answers[by].iter().enumerate();
        all.for_each(|(number, to)| self.answer(Answer { to: *to, by, number }));
    }

    fn start(self: &Arc<Self>) -> Result<(), ReplyError> {
        {
            let mut seen = self.seen();
            assert!(!seen.is_served, "there is a thread already");
            if seen.spawned == self.model.spawns {
                return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
            }
            seen.spawned += 1;
            seen.is_served = true;
        }
        let mut postman = Postman(Arc::clone(self));
        let handle = thread::spawn(move || Arc::clone(&postman.0).held.run(&mut postman));
        self.seen().handles.push(handle);
        Ok(())
    }

    /// Waits until all threads have ended that were started.
    fn join_all(&self) {
        loop {
            let Some(handle) = self.seen().handles.pop() else { break };
            handle.join().expect("nothing panics");
        }
    }

    fn assert_good_end(&self) {
        let seen = self.seen();
        assert!(!seen.is_served, "a thread left while there was something");
        let mut ended = [&*seen.sent, &*seen.given_up, &*seen.refused].concat();
        ended.sort_unstable();
        let mut all: Vec<_> = (0..2).flat_map(|by| self.model.of(by)).collect();
        all.sort_unstable();
        assert_eq!(ended, all, "not every answer came to an end, once");
        for answer in &all {
            let alike = seen.sent.iter().filter(|sent| (sent.to, sent.by) == (answer.to, answer.by));
            assert!(alike.is_sorted_by_key(|sent| sent.number), "out of order: {:?}", seen.sent);
        }
        assert!(seen.refused.is_empty() || seen.spawned == self.model.spawns, "refused without need");
        assert!(seen.given_up.iter().all(|_| self.model.kept.is_some()), "given up without need");
        assert!(seen.sent.iter().all(|sent| self.model.full[sent.to] != NEVER));
    }
}

/// What the thread has.
struct Postman(Arc<World>);

impl Delivery for Postman {
    type To = usize;
    type Answer = Answer;

    fn look(&mut self) {}

    fn give_up(&mut self, answer: &Answer) {
        self.0.seen().given_up.push(*answer);
    }

    fn send_each(&mut self, queue: &mut Queue<usize, Answer>) {
        assert!(self.0.seen().is_served, "a thread goes on that should have ended");
        for to in 0..self.0.model.full.len() {
            queue.send_to(&to, |answer| self.0.send(*answer));
        }
        self.0.seen().is_served = queue.requesters().next().is_some();
    }

    fn wait(&mut self) {
        thread::yield_now();
    }
}

impl Model {
    fn of_full(full: &[usize], first: &[usize], second: &[usize]) -> Self {
        let answers = [first.to_vec(), second.to_vec()];
        // Loom has five threads, of which two answer.
        Self { full: full.to_vec(), answers, kept: None, spawns: 3, preemptions: 2 }
    }

    fn of(&self, by: usize) -> impl Iterator<Item = Answer> {
        let all = self.answers[by].iter().enumerate();
        all.map(move |(number, to)| Answer { to: *to, by, number })
    }

    /// Runs it in all interleavings; `then` looks at each end.
    fn check(&self, then: impl Fn(&Seen) + Send + Sync + 'static) {
        let model = self.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(model.preemptions));
        builder.check(move || {
            let world = model.world();
            let other = Arc::clone(&world);
            let other = thread::spawn(move || other.answer_all_of(1));
            world.answer_all_of(0);
            // The other may put aside more, or not yet have begun.
            world.held.wait_until_empty(Deadline::Never);
            other.join().expect("nothing panics");
            world.held.wait_until_empty(Deadline::Never);
            assert!((0..model.full.len()).all(|to| !world.held.has(&to)), "something is left");
            world.join_all();
            world.assert_good_end();
            then(&world.seen());
        });
    }

    fn world(&self) -> Arc<World> {
        let seen = Unseen::new(Seen { full: self.full.clone(), ..Seen::default() });
        Arc::new(World { model: self.clone(), held: HeldAnswers::new(), seen })
    }
}

#[test]
fn each_answer_that_had_no_room_is_sent_once_and_in_order() {
    for full in [[1, 0], [2, 0], [1, 1], [1, 2], [3, 1]] {
        for (first, second) in [([0, 0], [0]), ([0, 0], [1]), ([0, 1], [0]), ([0, 1], [1])] {
            Model::of_full(&full, &first, &second).check(|seen| assert_eq!(seen.sent.len(), 3));
        }
    }
}

#[test]
fn what_finds_no_room_for_too_long_is_given_up_and_holds_up_nobody() {
    for kept in 0..3 {
        for (first, second) in [([0, 0], [1]), ([0, 1], [0]), ([0, 1], [1])] {
            let model = Model::of_full(&[NEVER, 1], &first, &second);
            Model { kept: Some(kept), ..model }.check(move |seen| {
                assert!(seen.given_up.iter().filter(|answer| answer.to == 0).count() > 0);
                assert!(kept < 2 || seen.sent.iter().any(|sent| sent.to == 1));
            });
        }
    }
}

#[test]
fn a_thread_that_cannot_start_is_an_error_and_leaves_nothing_behind() {
    for spawns in 0..3 {
        for (first, second) in [([0, 0], [0]), ([0, 0], [1]), ([0, 1], [1])] {
            let model = Model::of_full(&[2, 1], &first, &second);
            Model { spawns, ..model }.check(move |seen| {
                assert!(spawns > 0 || !seen.refused.is_empty() && seen.spawned == 0);
            });
        }
    }
}

#[test]
fn the_thread_ends_with_the_last_answer_and_the_next_one_starts_another() {
    loom::model(|| {
        let world = Model::of_full(&[1, 1], &[0, 1], &[]).world();
        for (of_first, answer) in world.model.of(0).enumerate() {
            world.answer(answer);
            assert_eq!(world.seen().spawned, of_first + 1);
            world.held.wait_until_empty(Deadline::Never);
            assert_eq!(world.seen().sent.len(), of_first + 1);
        }
        world.join_all();
        world.assert_good_end();
    });
}

#[test]
fn whoever_waits_for_nothing_is_let_go_while_answers_wait() {
    loom::model(|| {
        let world = Model { kept: Some(1), ..Model::of_full(&[NEVER], &[0], &[]) }.world();
        world.answer_all_of(0);
        world.held.wait_until_empty(Deadline::Looks(0.into()));
        world.join_all();
        world.assert_good_end();
    });
}
