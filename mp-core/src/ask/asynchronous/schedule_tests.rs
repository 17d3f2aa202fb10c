//! The schedule in time that passes when it is told to: who starts, expires and is due when.

use super::*;

/// A schedule with its clock, which moves when it is told to.
struct Clocked {
    schedule: Schedule<char, u64>,
    now: Instant,
}

impl Clocked {
    /// One with shared slots only.
    fn new(shared: usize) -> Self {
        Self::with(0, shared, shared)
    }

    fn with(own: usize, shared: usize, most: usize) -> Self {
        Self { schedule: Schedule::new(Slots { own, shared, most }), now: Instant::now() }
    }

    fn submit(&mut self, id: u64, timeout: u64) {
        self.submit_to('a', id, timeout);
    }

    fn submit_to(&mut self, peer: char, id: u64, timeout: u64) {
        self.schedule.submit(Id(id), Deadline::after_from(self.now, ms(timeout)), peer, id);
    }

    fn due_again(&mut self, slot: usize, time: u64) {
        self.schedule.due_again(slot, Deadline::after_from(self.now, ms(time)));
    }

    fn next(&mut self) -> Option<Step<u64>> {
        self.schedule.next(self.now)
    }

    /// Starts as many as may start; their slots.
    fn start(&mut self, jobs: impl IntoIterator<Item = u64>) -> Vec<usize> {
        let started = |wanted| match self.next() {
            Some(Step::Start { slot, request }) if request == wanted => slot,
            step => panic!("{step:?} instead of the start of {wanted}"),
        };
        jobs.into_iter().map(started).collect()
    }

    fn idle_for(&self) -> Option<Duration> {
        self.schedule.idle_for(self.now)
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn with_nothing_under_way_there_is_nothing_to_wake_for() {
    let mut clocked = Clocked::new(2);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, None));
    clocked.submit(1, 1000);
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    clocked.due_again(slot, 20);
    clocked.schedule.release(slot);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, None));
}

#[test]
fn they_start_in_order_and_the_rest_wait_for_a_slot() {
    let mut clocked = Clocked::new(2);
    (1..=4).for_each(|id| clocked.submit(id, 1000));
    assert_eq!(clocked.idle_for(), Some(Duration::ZERO));
    let slots = clocked.start([1, 2]);
    assert_ne!(slots[0], slots[1]);
    assert_eq!(clocked.next(), None);
    assert_eq!(clocked.idle_for(), Some(ms(1000)), "until the deadline of those that wait");
    clocked.schedule.release(slots[1]);
    assert_eq!(clocked.start([3]), [slots[1]]);
    clocked.schedule.release(slots[0]);
    clocked.start([4]);
}

#[test]
fn a_deadline_runs_while_its_request_waits() {
    let mut clocked = Clocked::new(1);
    clocked.submit(1, 5000);
    clocked.submit(2, 1000);
    clocked.submit(3, 9000);
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    clocked.due_again(slot, 5000);
    clocked.now += ms(999);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, Some(ms(1))));
    clocked.now += ms(1);
    assert_eq!(clocked.next(), Some(Step::Expire(2)));
    assert_eq!((clocked.next(), clocked.idle_for()), (None, Some(ms(4000))));
    clocked.schedule.release(slot);
    clocked.start([3]);
}

#[test]
fn what_is_due_comes_before_what_may_start_in_order_of_time() {
    let mut clocked = Clocked::new(3);
    (1..=3).for_each(|id| clocked.submit(id, 1000));
    let slots = clocked.start(1..=3);
    clocked.schedule.release(slots[2]);
    clocked.due_again(slots[0], 40);
    clocked.due_again(slots[1], 20);
    clocked.submit(4, 30);
    clocked.submit(5, 1000);
    clocked.now += ms(50);
    assert_eq!(clocked.next(), Some(Step::Advance { slot: slots[1] }));
    assert_eq!(clocked.next(), Some(Step::Expire(4)));
    assert_eq!(clocked.next(), Some(Step::Advance { slot: slots[0] }));
    clocked.start([5]);
    assert_eq!(clocked.next(), None);
}

#[test]
fn only_the_last_word_on_when_a_slot_is_due_counts() {
    let mut clocked = Clocked::new(1);
    clocked.submit(1, 1000);
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    clocked.due_again(slot, 20);
    clocked.due_again(slot, 200);
    clocked.now += ms(100);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, Some(ms(100))));
    clocked.now += ms(100);
    assert_eq!(clocked.next(), Some(Step::Advance { slot }));
    assert_eq!((clocked.next(), clocked.idle_for()), (None, None), "it is told once");
}

#[test]
fn the_next_one_in_a_slot_inherits_nothing() {
    let mut clocked = Clocked::new(1);
    clocked.submit(1, 1000);
    clocked.submit(2, 1000);
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    clocked.due_again(slot, 20);
    clocked.schedule.release(slot);
    clocked.start([2]);
    clocked.due_again(slot, 500);
    clocked.now += ms(100);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, Some(ms(400))));
    assert_eq!(clocked.schedule.cancel(Id(1)), Cancelled::Nowhere);
}

#[test]
fn cancelling_gives_back_what_waited_and_tells_the_slot_of_what_did_not() {
    let mut clocked = Clocked::new(1);
    (1..=3).for_each(|id| clocked.submit(id, 1000 * id));
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    assert_eq!(clocked.schedule.cancel(Id(2)), Cancelled::Waiting(2));
    assert_eq!(clocked.schedule.cancel(Id(2)), Cancelled::Nowhere);
    assert_eq!(clocked.schedule.cancel(Id(1)), Cancelled::InSlot(slot));
    assert_eq!(clocked.idle_for(), Some(ms(3000)), "the deadline of 3");
    clocked.schedule.release(slot);
    clocked.start([3]);
    assert_eq!(clocked.schedule.cancel(Id(9)), Cancelled::Nowhere);
}

#[test]
fn at_the_end_it_gives_out_all_that_wait() {
    let mut clocked = Clocked::new(1);
    (1..=4).for_each(|id| clocked.submit(id, 1000));
    let [slot] = clocked.start([1])[..] else { unreachable!() };
    assert_eq!(clocked.schedule.clear_waiting(), [2, 3, 4]);
    clocked.schedule.release(slot);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, None));
}

#[test]
fn however_many_wait_for_some_peers_another_has_slots_of_its_own() {
    let mut clocked = Clocked::with(2, 3, 100);
    (0..100).for_each(|id| clocked.submit_to('a', id, 1000));
    (100..200).for_each(|id| clocked.submit_to('b', id, 1000));
    // Two of its own and all that are shared; then two for the other.
    let of_a = clocked.start(0..5);
    let of_b = clocked.start([100, 101]);
    assert_eq!(clocked.next(), None);
    (200..203).for_each(|id| clocked.submit_to('c', id, 1000));
    assert_eq!(clocked.idle_for(), Some(Duration::ZERO));
    let of_c = clocked.start([200, 201]);
    assert_eq!(clocked.next(), None);
    clocked.schedule.release(of_c[1]);
    assert_eq!(clocked.start([202]), [of_c[1]]);
    // A shared one goes to whoever has waited longest.
    clocked.schedule.release(of_a[4]);
    clocked.start([5]);
    clocked.schedule.release(of_b[0]);
    clocked.start([102]);
    assert_eq!(clocked.next(), None);
}

#[test]
fn there_are_never_more_slots_than_the_most() {
    let mut clocked = Clocked::with(2, 2, 5);
    for (id, peer) in (0..).zip(['a', 'a', 'b', 'b', 'c', 'c']) {
        clocked.submit_to(peer, id, 1000);
    }
    let slots = clocked.start(0..5);
    assert_eq!((clocked.next(), slots.iter().max()), (None, Some(&4)));
    clocked.schedule.release(slots[0]);
    assert_eq!(clocked.start([5]), [slots[0]]);
}

#[test]
fn those_that_wait_for_one_peer_are_given_out_and_no_others() {
    let mut clocked = Clocked::with(1, 0, 100);
    for (id, peer) in (0..).zip(['a', 'a', 'b', 'a', 'b']) {
        clocked.submit_to(peer, id, 1000);
    }
    let slots = clocked.start([0, 2]);
    assert_eq!(clocked.schedule.take_waiting_for(&'a'), [1, 3]);
    assert_eq!(clocked.schedule.take_waiting_for(&'a'), []);
    slots.into_iter().for_each(|slot| clocked.schedule.release(slot));
    let [slot] = clocked.start([4])[..] else { unreachable!() };
    clocked.schedule.release(slot);
    assert_eq!((clocked.next(), clocked.idle_for()), (None, None));
    assert!(clocked.schedule.peers.is_empty(), "it remembers nobody for good");
}

#[test]
fn ten_thousand_take_their_turns_in_order() {
    let mut clocked = Clocked::new(128);
    (0..10_000).for_each(|id| clocked.submit(id, 60_000));
    let (mut started, mut in_slot) = (0, std::collections::VecDeque::new());
    while started < 10_000 {
        match clocked.next() {
            Some(Step::Start { slot, request }) => {
                assert_eq!(request, started);
                started += 1;
                in_slot.push_back(slot);
                assert!(in_slot.len() <= 128);
            }
            Some(step) => panic!("{step:?}"),
            None => {
                let slot = in_slot.pop_front().expect("none is free, so all are taken");
                clocked.schedule.release(slot);
            }
        }
    }
}
