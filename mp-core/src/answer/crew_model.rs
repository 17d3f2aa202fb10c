//! The threads that receive and handle, in the interleavings there are: their file once more, with
//! loom's primitives for the standard ones, a socket that is a number, and handlers that do what is
//! hard on others. Loom also finds whatever waits for ever: a lost wake-up is a failure.

#[allow(clippy::duplicate_mod, reason = "this copy is loom's")]
#[path = "crew.rs"]
mod crew;

use std::{
    io,
    sync::{self as unseen, Arc, Mutex as Unseen},
};

use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
};

use super::{backlog, duties, running};
use Handler::{Missing, Quick, Slow, WaitsFor};
use Stop::{AtOnce, Impatient, InTheEnd};
use crew::{Bounds, Came, Crew, NotHandled, Work};
use sync::Deadline;

/// What that file shares with.
mod sync {
    use std::{
        ops::{Deref, DerefMut},
        sync::{
            LockResult,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        time::Duration,
    };

    pub(super) use std::sync::PoisonError;

    /// Loom's, with guards that can be let go of and had again.
    pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

    pub(super) struct MutexGuard<'a, T> {
        mutex: &'a Mutex<T>,
        guard: loom::sync::MutexGuard<'a, T>,
    }

    /// Loom's, which knows no time: here a tick is over at any time, also at once.
    #[derive(Default)]
    pub(super) struct Condvar {
        condvar: loom::sync::Condvar,
        notified: AtomicUsize,
    }

    pub(super) struct WaitTimeout(bool);

    /// One that never comes, or one that has come.
    #[derive(Clone, Copy)]
    pub(super) enum Deadline {
        Never,
        Over,
    }

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(MutexGuard { mutex: self, guard })
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.guard
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.guard
        }
    }

    impl Condvar {
        pub(super) fn new() -> Self {
            Self::default()
        }

        pub(super) fn notify_all(&self) {
            self.notified.fetch_add(1, Relaxed);
            self.condvar.notify_all();
        }

        pub(super) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
            let MutexGuard { mutex, guard } = guard;
            let guard = self.condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
            Ok(MutexGuard { mutex, guard })
        }

        pub(super) fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            time: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, WaitTimeout)> {
            if time == Duration::MAX {
                return Ok((self.wait(guard).unwrap_or_else(PoisonError::into_inner), WaitTimeout(false)));
            }
            let (mutex, before) = (guard.mutex, self.notified.load(Relaxed));
            drop(guard);
            let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((guard, WaitTimeout(self.notified.load(Relaxed) == before)))
        }
    }

    impl WaitTimeout {
        pub(super) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Deadline {
        pub(super) fn after(_: Duration) -> Self {
            Self::Never
        }

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

/// What the handler of a datagram does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handler {
    Quick,
    /// Ends only when everything that was sent has been received.
    Slow,
    /// Lets others go first, and ends only when that other one has been handled or rejected.
    WaitsFor(u8),
    /// There is none.
    Missing,
}

/// When and how the role is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// When everything has been handled or rejected.
    InTheEnd,
    /// While anything may be under way, but handlers are waited for.
    AtOnce,
    /// And not even that.
    Impatient,
}

#[derive(Debug, Clone)]
struct Model {
    handlers: Vec<Handler>,
    backlog: usize,
    max_threads: usize,
    /// How many threads the system lets start.
    spawns: usize,
    /// How many changes of thread that nothing calls for are tried in one run.
    preemptions: usize,
}

/// What the threads wait for.
#[derive(Default)]
struct Progress {
    /// Datagrams not received yet: from here on, of all.
    unread: u8,
    shut_down: bool,
}

/// What is only noted, by the way: where a thread notes it is no place to change threads.
#[derive(Default)]
struct Seen {
    receiving: bool,
    turn: bool,
    /// How many had to wait, and how many were handled that were said to have.
    waited: usize,
    handled_late: usize,
    started: Vec<u8>,
    ended: Vec<u8>,
    rejected: Vec<(u8, NotHandled)>,
    threads: usize,
    most_threads: usize,
    spawned: usize,
    handles: Vec<JoinHandle<()>>,
}

struct World {
    model: Model,
    progress: Mutex<Progress>,
    changed: Condvar,
    seen: Arc<Unseen<Seen>>,
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("nothing panics")
    }

    fn seen(&self) -> unseen::MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics")
    }

    fn handler(&self, item: u8) -> Handler {
        self.model.handlers[usize::from(item)]
    }

    fn wait_until(&self, condition: impl Fn(&Self, &Progress) -> bool) {
        let mut progress = self.lock();
        while !condition(self, &progress) {
            progress = self.changed.wait(progress).expect("nothing panics");
        }
    }

    fn is_all_read(&self, progress: &Progress) -> bool {
        usize::from(progress.unread) == self.model.handlers.len()
    }

    fn is_settled(&self, item: u8) -> bool {
        let seen = self.seen();
        seen.ended.contains(&item) || seen.rejected.iter().any(|(rejected, _)| *rejected == item)
    }

    fn is_all_settled(&self) -> bool {
        let seen = self.seen();
        seen.ended.len() + seen.rejected.len() == self.model.handlers.len()
    }

    /// Has those look who wait for `item`, or for all.
    fn has_settled(&self, item: u8) {
        if self.is_all_settled() || self.model.handlers.contains(&WaitsFor(item)) {
            drop(self.lock());
            self.changed.notify_all();
        }
    }

    /// No further thread can start: what waits for another may have to time out.
    fn is_short(&self) -> bool {
        let seen = self.seen();
        seen.spawned >= self.model.spawns || seen.threads >= self.model.max_threads
    }
}

/// Where a datagram arrives.
#[derive(Debug, Default)]
struct Room {
    /// It has been received into before: what comes first is for nobody.
    used: bool,
    item: u8,
}

impl Work for World {
    type Arrival = Room;
    type Brief = u8;

    fn buffer() -> Box<Room> {
        Box::default()
    }

    fn receive(crew: &Crew<Self>, into: &mut Room, may_wait: bool) -> Came {
        let this = &crew.work;
        if !std::mem::replace(&mut into.used, true) {
            return Came::Nothing;
        }
        assert!(!std::mem::replace(&mut this.seen().receiving, true), "two receive");
        let mut progress = this.lock();
        while this.is_all_read(&progress) && !progress.shut_down {
            if !may_wait {
                this.seen().receiving = false;
                return Came::Empty;
            }
            progress = this.changed.wait(progress).expect("nothing panics");
        }
        this.seen().receiving = false;
        if this.is_all_read(&progress) {
            return Came::Closed;
        }
        progress.unread += 1;
        if this.is_all_read(&progress) && this.model.handlers.contains(&Slow) {
            this.changed.notify_all();
        }
        into.item = progress.unread - 1;
        Came::Arrival
    }

    fn shut_down(&self) {
        self.lock().shut_down = true;
        self.changed.notify_all();
    }

    fn is_handled(&self, Room { item, .. }: &Room) -> bool {
        self.handler(*item) != Missing
    }

    fn brief(Room { item, .. }: &Room) -> u8 {
        *item
    }

    fn handle(crew: &Arc<Crew<Self>>, arrival: &mut Room, has_waited: bool) -> bool {
        let this = &crew.work;
        this.seen().handled_late += usize::from(has_waited);
        if !this.is_handled(arrival) {
            this.reject_and_ignore(arrival, NotHandled::NoAction);
            return true;
        }
        let Room { item, .. } = *arrival;
        assert!(!std::mem::replace(&mut this.seen().turn, true), "two have the turn");
        this.seen().started.push(item);
        let mut kept = true;
        match this.handler(item) {
            // Alone, its thread cannot be relieved.
            Slow if this.seen().threads > 1 => this.wait_until(|this, progress| this.is_all_read(progress)),
            WaitsFor(other) => {
                this.seen().turn = false;
                kept = !crew.hand_on_turn();
                this.seen().turn |= kept;
                // If nobody can take its place, its request times out in the end.
                if !kept && !this.is_short() {
                    this.wait_until(|this, _| this.is_settled(other));
                }
            }
            _ => {}
        }
        if kept {
            this.seen().turn = false;
        }
        this.seen().ended.push(item);
        this.has_settled(item);
        kept
    }

    fn count_waiting(&self) {
        self.seen().waited += 1;
    }

    fn reject_and_ignore(&self, &mut Room { item, .. }: &mut Room, why: NotHandled) {
        self.seen().rejected.push((item, why));
        self.has_settled(item);
    }

    fn spawn(&self, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut seen = self.seen();
        if seen.spawned == self.model.spawns {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        seen.spawned += 1;
        seen.threads += 1;
        seen.most_threads = seen.most_threads.max(seen.threads);
        let of_all = Arc::clone(&self.seen);
        drop(seen);
        let handle = thread::spawn(move || {
            run();
            of_all.lock().expect("nothing panics").threads -= 1;
        });
        self.seen().handles.push(handle);
        Ok(())
    }
}

impl Model {
    fn of(handlers: &[Handler]) -> Self {
        // Loom has five threads, of which one stops the role.
        Self { handlers: handlers.to_vec(), backlog: 9, max_threads: 4, spawns: 4, preemptions: 1 }
    }

    fn check(&self, stop: Stop) {
        let model = self.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(model.preemptions));
        builder.check(move || model.run(stop));
    }

    fn run(&self, stop: Stop) {
        let world = World {
            model: self.clone(),
            progress: Mutex::default(),
            changed: Condvar::new(),
            seen: Arc::default(),
        };
        let seen = Arc::clone(&world.seen);
        let bounds = Bounds { backlog: self.backlog, threads: self.max_threads, linger: 2 };
        let Ok(crew) = Crew::start_with(world, bounds, || {}) else {
            assert!(self.spawns < 2);
            return join_all(&seen);
        };
        match stop {
            InTheEnd => {
                crew.work.wait_until(|world, _| world.is_all_settled());
                crew.close();
                assert!(crew.wait_for_handlers_but(0, Deadline::Never));
                let seen = crew.look(std::time::Instant::now());
                assert!(seen.handlers.is_empty() && seen.idle <= seen.threads, "{seen:?}");
                assert_eq!(seen.backlog, (0, self.backlog));
                crew.shut_down(Deadline::Never);
            }
            AtOnce => {
                crew.close();
                assert!(crew.wait_for_handlers_but(0, Deadline::Never));
                crew.shut_down(Deadline::Never);
            }
            Impatient => {
                crew.close();
                crew.wait_for_handlers_but(0, Deadline::Over);
                crew.shut_down(Deadline::Over);
            }
        }
        join_all(&seen);
        let seen = crew.work.seen();
        self.assert_good_end(&seen, stop);
        assert!(seen.most_threads <= self.max_threads, "{} threads", seen.most_threads);
    }

    /// Two threads that dispatch as they like, while a third stops the role or not.
    fn check_dispatch(&self, stop: Stop) {
        let model = self.clone();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(model.preemptions));
        builder.check(move || {
            let (progress, changed, seen) = (Mutex::default(), Condvar::new(), Arc::default());
            let crew = Crew::without_threads(World { model: model.clone(), progress, changed, seen }, || {});
            let dispatch = |crew: &Arc<Crew<World>>| {
                let mut room = World::buffer();
                (0..2).map(|_| crew.dispatch(&mut room, 2)).sum::<usize>()
            };
            let other = Arc::clone(&crew);
            let other = thread::spawn(move || dispatch(&other));
            if stop == InTheEnd {
                dispatch(&crew);
            }
            let most = other.join().expect("nothing panics");
            assert!(most <= 4, "{most} of at most two at a time");
            // What they have left, as the role does that stops.
            crew.close();
            crew.work.shut_down();
            let mut room = World::buffer();
            crew.dispatch(&mut room, usize::MAX);
            assert_eq!(crew.dispatch(&mut room, usize::MAX), 0, "it is at its end");
            crew.shut_down(Deadline::Never);
            model.assert_good_end(&crew.work.seen(), AtOnce);
        });
    }

    fn assert_good_end(&self, seen: &Seen, stop: Stop) {
        assert!(seen.started.is_sorted(), "out of order: {:?}", seen.started);
        let all_late = seen.waited == seen.handled_late;
        assert!(all_late || stop != InTheEnd && seen.handled_late < seen.waited, "not told that it waited");
        let mut settled: Vec<_> = seen.ended.clone();
        settled.extend(seen.rejected.iter().map(|(item, _)| *item));
        settled.sort_unstable();
        let all: Vec<_> = (0..self.handlers.len() as u8).collect();
        assert_eq!(settled, all, "not everything came to an end, once");
        for (item, why) in &seen.rejected {
            match why {
                NotHandled::NoAction => assert_eq!(self.handlers[usize::from(*item)], Missing),
                NotHandled::Stopping => assert_ne!(stop, InTheEnd),
                NotHandled::Overloaded => assert!(self.backlog < self.handlers.len()),
            }
        }
    }
}

/// Waits until all threads have ended, also those that start meanwhile.
fn join_all(seen: &Unseen<Seen>) {
    loop {
        let Some(handle) = seen.lock().expect("nothing panics").handles.pop() else { break };
        handle.join().expect("nothing panics");
    }
    assert_eq!(seen.lock().expect("nothing panics").threads, 0, "a thread stays");
}

/// Each of three datagrams with each kind of handler, waiting for each that comes later.
fn of_three() -> impl Iterator<Item = Model> {
    let first = [Quick, Slow, WaitsFor(1), WaitsFor(2)];
    let second = [Quick, Slow, WaitsFor(2)];
    let third = [Quick, Slow];
    let handlers = first
        .into_iter()
        .flat_map(move |a| second.into_iter().flat_map(move |b| third.into_iter().map(move |c| [a, b, c])));
    handlers.map(|handlers| Model::of(&handlers))
}

/// Two datagrams, each with each kind of handler.
fn of_two() -> impl Iterator<Item = Model> {
    let handlers = [Quick, Slow, WaitsFor(1)].into_iter().flat_map(|a| [Quick, Slow].map(|b| [a, b]));
    handlers.map(|handlers| Model::of(&handlers))
}

#[test]
fn everything_is_handled_in_order_whatever_handlers_do() {
    of_two().for_each(|model| model.check(InTheEnd));
    for model in of_three() {
        // With three threads and more there are too many interleavings to change unasked, too.
        let waits = model.handlers.iter().any(|handler| matches!(handler, WaitsFor(_)));
        Model { preemptions: usize::from(!waits), ..model }.check(InTheEnd);
    }
}

#[test]
fn everything_comes_to_an_end_when_the_role_stops_at_any_time() {
    of_two().chain(of_three()).for_each(|model| model.check(AtOnce));
}

#[test]
fn everything_comes_to_an_end_also_when_whoever_stops_the_role_waits_for_nothing() {
    of_two().chain(of_three()).for_each(|model| model.check(Impatient));
}

#[test]
fn with_a_short_backlog_what_is_too_much_is_rejected() {
    for backlog in 0..2 {
        for stop in [InTheEnd, AtOnce] {
            of_three().for_each(|model| Model { backlog, preemptions: 0, ..model }.check(stop));
        }
    }
}

#[test]
fn somebody_receives_also_when_no_more_threads_can_start() {
    for most in 1..=3 {
        for stop in [InTheEnd, Impatient] {
            of_three().for_each(|model| Model { spawns: most, preemptions: 0, ..model }.check(stop));
        }
        of_three()
            .for_each(|model| Model { max_threads: most.max(2), preemptions: 0, ..model }.check(AtOnce));
    }
}

#[test]
fn two_threads_that_change_where_nothing_calls_for_it_lose_nothing() {
    for stop in [InTheEnd, AtOnce, Impatient] {
        Model { preemptions: 2, spawns: 2, ..Model::of(&[Quick]) }.check(stop);
    }
    for stop in [AtOnce, Impatient] {
        Model { preemptions: 2, spawns: 2, ..Model::of(&[Slow, Quick]) }.check(stop);
    }
}

#[test]
fn without_threads_whoever_dispatches_is_the_only_one_and_nothing_is_lost() {
    for stop in [InTheEnd, AtOnce] {
        for handlers in [&[Quick, Quick][..], &[Quick, Missing, Quick], &[Slow, Quick], &[WaitsFor(1), Quick]]
        {
            Model { backlog: 0, max_threads: 1, spawns: 0, preemptions: 2, ..Model::of(handlers) }
                .check_dispatch(stop);
        }
    }
}

#[test]
fn a_chain_of_waiting_handlers_unwinds() {
    for stop in [InTheEnd, AtOnce] {
        Model { preemptions: 0, ..Model::of(&[WaitsFor(1), WaitsFor(2), Quick, Quick]) }.check(stop);
    }
}

#[test]
fn what_nobody_handles_is_rejected_also_behind_others() {
    for stop in [InTheEnd, AtOnce] {
        Model::of(&[Slow, Missing, Quick]).check(stop);
        Model::of(&[Missing, Quick]).check(stop);
    }
}
