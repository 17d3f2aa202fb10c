//! Every interleaving of a few threads and datagrams, made one after the other.
//!
//! All that threads share is [`Duties`], under one lock; what a thread does
//! between two calls is its own. So the calls, in every order in which threads
//! and the outside can make them, are all interleavings there are. The model
//! below walks through them all and looks at every state.

use std::collections::HashSet;

use Handler::{Quick, Slow, WaitsFor};

use super::*;

/// One thread, between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Thread {
    /// About to call `stand_by`.
    Idle,
    Asleep {
        seen: Seen,
        tick: bool,
    },
    Receiving(ReceiverEpoch),
    Handling {
        item: u8,
        epoch: Option<ReceiverEpoch>,
        turn: bool,
    },
    Left,
}

/// What the handler of a datagram does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Handler {
    Quick,
    /// Ends only when everything that was sent has been received.
    Slow,
    /// Lets others go first, and ends only when that other one has been handled.
    WaitsFor(u8),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    duties: Duties<u8>,
    threads: Vec<Thread>,
    /// Datagrams not received yet: from here on, of all.
    unread: u8,
    started: Vec<u8>,
    ended: Vec<u8>,
    rejected: Vec<u8>,
    closed: bool,
    shut_down: bool,
    /// How many more threads the system lets start.
    spawns: usize,
}

struct Model {
    handlers: Vec<Handler>,
    backlog: usize,
    max_threads: usize,
    spawns: usize,
    /// The role is stopped at some time.
    stops: bool,
}

const QUIET: u32 = 2;

impl Model {
    fn start(&self) -> World {
        let mut world = World {
            duties: Duties::new(self.backlog, self.max_threads),
            threads: Vec::new(),
            unread: 0,
            started: Vec::new(),
            ended: Vec::new(),
            rejected: Vec::new(),
            closed: false,
            shut_down: false,
            spawns: self.spawns,
        };
        world.spawn();
        world.spawn();
        world
    }

    /// Walks through all states that can be reached, and returns how many there are.
    fn check(&self) -> usize {
        let (mut seen, mut open) = (HashSet::new(), vec![self.start()]);
        while let Some(world) = open.pop() {
            if !seen.insert(world.clone()) {
                continue;
            }
            self.assert_sound(&world);
            let next = self.next(&world);
            if next.iter().all(|next| *next == world) {
                self.assert_good_end(&world);
            }
            open.extend(next);
        }
        seen.len()
    }

    /// Every state that one call can lead to.
    fn next(&self, world: &World) -> Vec<World> {
        let mut next = Vec::new();
        for (i, thread) in world.threads.iter().copied().enumerate() {
            match thread {
                Thread::Left => {}
                Thread::Idle => next.push(world.after(|w| {
                    let mut seen = w.duties.begin_standby();
                    let duty = w.duties.stand_by(&mut seen);
                    w.take_up(i, seen, duty);
                })),
                Thread::Asleep { mut seen, tick: true } => next.push(world.after(|w| {
                    let duty = w.duties.ticked(&mut seen, QUIET);
                    w.take_up(i, seen, duty);
                })),
                Thread::Asleep { .. } => {}
                Thread::Receiving(epoch) => next.extend(self.receive(world, i, epoch)),
                Thread::Handling { item, epoch, turn } => {
                    next.extend(self.handle(world, i, item, epoch, turn))
                }
            }
        }
        if self.stops && !world.closed {
            next.push(world.after(|w| {
                w.closed = true;
                w.duties.have_standby_tick();
                w.wake();
                w.rejected.extend(w.duties.close());
            }));
        }
        // Whoever stops does not wait for ever for handlers; and one whose start failed does not
        // even close.
        if self.stops && !world.shut_down {
            next.push(world.after(|w| w.shut_down = true));
        }
        next
    }

    fn receive(&self, world: &World, i: usize, epoch: ReceiverEpoch) -> Option<World> {
        let item = world.unread;
        if usize::from(item) == self.handlers.len() {
            return world.shut_down.then(|| {
                world.after(|w| {
                    w.duties.drained();
                    w.threads[i] = Thread::Idle;
                    w.wake();
                })
            });
        }
        Some(world.after(|w| {
            w.unread += 1;
            if w.duties.wants_standby() {
                w.spawn();
            }
            match w.duties.arrived(item) {
                Admission::Run(item) => {
                    if w.duties.have_standby_tick() {
                        w.wake();
                    }
                    w.begin(i, item, Some(epoch));
                }
                Admission::Waits => {}
                Admission::Rejected(item) => w.rejected.push(item),
            }
        }))
    }

    fn handle(
        &self,
        world: &World,
        i: usize,
        item: u8,
        epoch: Option<ReceiverEpoch>,
        turn: bool,
    ) -> Vec<World> {
        let handler = self.handlers[usize::from(item)];
        let all_received = usize::from(world.unread) == self.handlers.len();
        let mut next = Vec::new();
        if turn && matches!(handler, WaitsFor(_)) {
            let stepped = world.after(|w| {
                for _ in 0..w.duties.shortage() {
                    w.spawn();
                }
                if w.duties.hand_on_turn() {
                    w.threads[i] = Thread::Handling { item, epoch, turn: false };
                    w.wake();
                }
            });
            if stepped.threads[i] != world.threads[i] {
                return vec![stepped];
            }
            // Nobody can take its place: its request times out in the end.
            next.push(world.after(|w| w.finish(i, item, epoch, turn)));
            return next;
        }
        let may_end = match handler {
            Quick => true,
            // A full backlog, or a thread alone, may keep it from being drained.
            Slow => all_received || world.threads.len() == 1,
            WaitsFor(other) => {
                world.ended.contains(&other) || world.rejected.contains(&other) || self.is_short(world)
            }
        };
        if may_end {
            next.push(world.after(|w| w.finish(i, item, epoch, turn)));
        }
        next
    }

    /// No further thread can start: what waits for another may have to time out.
    fn is_short(&self, world: &World) -> bool {
        world.spawns == 0 || world.threads.iter().filter(|t| **t != Thread::Left).count() >= self.max_threads
    }

    fn assert_sound(&self, world: &World) {
        let receiving = world.threads.iter().filter(|t| matches!(t, Thread::Receiving(_))).count();
        assert!(receiving <= 1, "two receive: {world:?}");
        let turns = world.threads.iter().filter(|t| matches!(t, Thread::Handling { turn: true, .. })).count();
        assert!(turns <= 1, "two have the turn: {world:?}");
        assert!(world.started.is_sorted(), "out of order: {world:?}");
        let threads = world.threads.iter().filter(|t| **t != Thread::Left).count();
        assert!(threads <= self.max_threads, "too many threads: {world:?}");
        let handling = world.threads.iter().filter(|t| matches!(t, Thread::Handling { .. })).count();
        assert_eq!(world.duties.running(), handling, "{world:?}");
        assert_eq!(world.duties.without_handler(), threads - handling, "{world:?}");
        let asleep = world.threads.iter().filter(|t| matches!(t, Thread::Asleep { .. })).count();
        assert!(asleep <= 1, "two stand by: {world:?}");
        let idle = world.threads.iter().filter(|t| **t == Thread::Idle).count() + asleep;
        // Once the socket is shut down and empty there is nothing to receive.
        let somebody_can = receiving == 1 || idle > 0 || threads <= 1 || world.duties.drained;
        assert!(somebody_can, "nobody can receive: {world:?}");
        if let Receiver::Handling(epoch) = world.duties.receiver {
            let is_it =
                |t: &Thread| matches!(t, Thread::Handling { epoch: Some(s), turn: true, .. } if *s == epoch);
            assert!(world.threads.iter().any(is_it), "the receiver has handed on: {world:?}");
        }
    }

    /// Nothing can happen any more unless from outside.
    fn assert_good_end(&self, world: &World) {
        let mut settled: Vec<_> = world.ended.iter().chain(&world.rejected).copied().collect();
        settled.sort_unstable();
        let all: Vec<_> = (0..self.handlers.len() as u8).collect();
        assert_eq!(settled, all, "not everything came to an end: {world:?}");
        if world.shut_down {
            assert!(world.threads.iter().all(|t| *t == Thread::Left), "a thread stays: {world:?}");
        } else {
            assert!(!self.stops || world.closed);
            assert!(
                world.threads.iter().any(|t| matches!(t, Thread::Receiving(_))),
                "nobody receives: {world:?}"
            );
            let ticks = |t: &Thread| matches!(t, Thread::Asleep { tick: true, .. });
            assert!(!world.threads.iter().any(ticks), "it wakes while idle: {world:?}");
        }
    }
}

impl World {
    fn after(&self, step: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        step(&mut world);
        world
    }

    fn spawn(&mut self) {
        if self.duties.recruit() {
            if self.spawns == 0 {
                return self.duties.recruit_failed();
            }
            self.spawns -= 1;
            self.threads.push(Thread::Idle);
        }
    }

    /// Wakes all that are asleep.
    fn wake(&mut self) {
        for thread in &mut self.threads {
            if matches!(thread, Thread::Asleep { .. }) {
                *thread = Thread::Idle;
            }
        }
    }

    fn take_up(&mut self, i: usize, seen: Seen, duty: Standby<u8>) {
        match duty {
            Standby::Receive(epoch) => self.threads[i] = Thread::Receiving(epoch),
            Standby::Handle(item) => self.begin(i, item, None),
            Standby::Sleep { tick } => self.threads[i] = Thread::Asleep { seen, tick },
            Standby::Leave => self.threads[i] = Thread::Left,
        }
    }

    fn begin(&mut self, i: usize, item: u8, epoch: Option<ReceiverEpoch>) {
        self.started.push(item);
        self.threads[i] = Thread::Handling { item, epoch, turn: true };
    }

    fn finish(&mut self, i: usize, item: u8, epoch: Option<ReceiverEpoch>, turn: bool) {
        self.ended.push(item);
        match (self.duties.finished(epoch, turn), epoch) {
            (After::Handle(next), _) => self.begin(i, next, epoch),
            (After::Receive, Some(epoch)) => self.threads[i] = Thread::Receiving(epoch),
            (After::Receive, None) => unreachable!("it was never the receiver"),
            (After::StandBy, _) => self.threads[i] = Thread::Idle,
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("duties", &self.duties)
            .field("threads", &self.threads)
            .field("unread", &self.unread)
            .field("started", &self.started)
            .field("ended", &self.ended)
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

fn model(handlers: &[Handler]) -> Model {
    Model { handlers: handlers.to_vec(), backlog: 9, max_threads: 8, spawns: 8, stops: false }
}

/// Each of three datagrams with each kind of handler, waiting for each that comes later.
fn all_handlers() -> impl Iterator<Item = Vec<Handler>> {
    let first = [Quick, Slow, WaitsFor(1), WaitsFor(2)];
    let second = [Quick, Slow, WaitsFor(2)];
    let third = [Quick, Slow];
    first.into_iter().flat_map(move |a| {
        second.into_iter().flat_map(move |b| third.into_iter().map(move |c| vec![a, b, c]))
    })
}

#[test]
fn everything_is_handled_in_order_whatever_handlers_do() {
    for handlers in all_handlers() {
        model(&handlers).check();
    }
}

#[test]
fn everything_comes_to_an_end_when_the_role_stops_at_any_time() {
    for handlers in all_handlers() {
        Model { stops: true, ..model(&handlers) }.check();
    }
}

#[test]
fn with_a_short_backlog_what_is_too_much_is_rejected() {
    for handlers in all_handlers() {
        Model { backlog: 1, stops: true, ..model(&handlers) }.check();
        Model { backlog: 0, ..model(&handlers) }.check();
    }
}

#[test]
fn somebody_receives_also_when_no_more_threads_can_start() {
    for handlers in all_handlers() {
        for max_threads in 1..=3 {
            Model { max_threads, stops: true, ..model(&handlers) }.check();
            Model { spawns: max_threads, ..model(&handlers) }.check();
        }
    }
}

#[test]
fn a_chain_of_waiting_handlers_unwinds() {
    let states = model(&[WaitsFor(1), WaitsFor(2), WaitsFor(3), Quick]).check();
    assert!(states > 100, "{states} states are too few to be all");
}

#[test]
fn while_idle_the_receiver_handles_and_nobody_is_woken() {
    let mut duties = Duties::new(9, 8);
    assert!(duties.recruit() && duties.recruit());
    let mut seen = duties.begin_standby();
    let Standby::Receive(epoch) = duties.stand_by(&mut seen) else { panic!("it receives") };
    assert_eq!(duties.stand_by(&mut seen), Standby::Sleep { tick: false });
    for item in 0..100 {
        assert!(!duties.wants_standby());
        assert_eq!(duties.arrived(item), Admission::Run(item));
        assert_eq!(duties.have_standby_tick(), item == 0, "only the first wakes who stands by");
        assert_eq!(duties.finished(Some(epoch), true), After::Receive);
    }
}
