//! Who waits, who has a slot, and what is due. No I/O, no clock, no threads.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    time::{Duration, Instant},
};

use super::submissions::Id;
use crate::sys::Deadline;

/// How many slots there are, and whose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    /// For each peer, however many others are asked: so one that is stuck leaves room for the others.
    pub(super) own: usize,
    /// For those beyond that, whoever comes first.
    pub(super) shared: usize,
    /// In all: beyond that even a peer's own have to wait.
    pub(super) most: usize,
}

/// Requests in the order they were made: some have one of the slots, and with
/// it a reply socket; the others wait for one, and their deadlines run.
#[derive(Debug)]
pub(super) struct Schedule<K, J> {
    waiting: BTreeMap<Id, Waiting<K, J>>,
    peers: HashMap<K, Share>,
    /// Of each peer that has fewer than its own slots, the request that has waited longest.
    entitled: BTreeSet<Id>,
    slots: Vec<Option<InSlot<K>>>,
    free: Vec<usize>,
    /// How many of the shared slots nobody has.
    shared_left: usize,
    limits: Slots,
    /// When something is due for each, waiting or in_slot.
    due: BTreeSet<(Deadline, Id)>,
}

#[derive(Debug)]
struct Waiting<K, J> {
    deadline: Deadline,
    peer: K,
    request: J,
}

#[derive(Debug, Clone)]
struct InSlot<K> {
    id: Id,
    peer: K,
    due: Option<Deadline>,
}

/// What one peer has.
#[derive(Debug, Default)]
struct Share {
    slots: usize,
    waiting: BTreeSet<Id>,
    entitled: Option<Id>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<J> {
    /// It is this one's turn: it has the slot until [`Schedule::release`].
    Start { slot: usize, request: J },
    /// See to the one at this slot; then [`Schedule::due_again`] or `release`.
    Advance { slot: usize },
    /// Its deadline passed before its turn came.
    Expire(J),
}

/// Where one was that is not wanted any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled<J> {
    Waiting(J),
    /// At this slot, to be released.
    InSlot(usize),
    /// It is over already.
    Nowhere,
}

impl<K: Clone + Eq + Hash, J> Schedule<K, J> {
    pub(super) fn new(limits: Slots) -> Self {
        Self {
            waiting: BTreeMap::new(),
            peers: HashMap::new(),
            entitled: BTreeSet::new(),
            slots: Vec::new(),
            free: Vec::new(),
            shared_left: limits.shared,
            limits,
            due: BTreeSet::new(),
        }
    }

    /// Takes one on, to be made to `peer`. Ids are in the order of the requests.
    pub(super) fn submit(&mut self, id: Id, deadline: Deadline, peer: K, request: J) {
        self.due.insert((deadline, id));
        self.peers.entry(peer.clone()).or_default().waiting.insert(id);
        self.entitle(&peer);
        self.waiting.insert(id, Waiting { deadline, peer, request });
    }

    pub(super) fn cancel(&mut self, id: Id) -> Cancelled<J> {
        match self.take_out(id) {
            Some(waiting) => Cancelled::Waiting(waiting.request),
            None => self.slot_of(id).map_or(Cancelled::Nowhere, Cancelled::InSlot),
        }
    }

    /// What is to be done by now, what is due before what may start.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step<J>> {
        if let Some(&(due, id)) = self.due.first()
            && due.left_at(now).is_zero()
        {
            self.due.pop_first();
            if let Some(waiting) = self.take_out(id) {
                return Some(Step::Expire(waiting.request));
            }
            if let Some(slot) = self.slot_of(id) {
                if let Some(in_slot) = &mut self.slots[slot] {
                    in_slot.due = None;
                }
                return Some(Step::Advance { slot });
            }
        }
        let id = self.startable()?;
        let Waiting { peer, request, .. } = self.take_out(id)?;
        let slot = self.occupy(id, peer);
        Some(Step::Start { slot, request })
    }

    /// For how long there is nothing to do; `None` if until something comes.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        if self.startable().is_some() {
            return Some(Duration::ZERO);
        }
        self.due.first().map(|(due, _)| due.left_at(now))
    }

    /// When the one at `slot` is to be seen to, whatever was said before.
    pub(super) fn due_again(&mut self, slot: usize, due: Deadline) {
        if let Some(Some(in_slot)) = self.slots.get_mut(slot) {
            if let Some(before) = in_slot.due.replace(due) {
                self.due.remove(&(before, in_slot.id));
            }
            self.due.insert((due, in_slot.id));
        }
    }

    /// The one at `slot` is over: the slot is free.
    pub(super) fn release(&mut self, slot: usize) {
        let Some(in_slot) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        if let Some(due) = in_slot.due {
            self.due.remove(&(due, in_slot.id));
        }
        self.free.push(slot);
        if let Some(share) = self.peers.get_mut(&in_slot.peer) {
            self.shared_left += usize::from(share.slots > self.limits.own);
            share.slots -= 1;
        }
        self.entitle(&in_slot.peer);
    }

    /// Gives out all that wait for a slot to ask `peer`, in order.
    pub(super) fn take_waiting_for(&mut self, peer: &K) -> Vec<J> {
        let ids = self.peers.get(peer).map(|share| share.waiting.clone()).unwrap_or_default();
        ids.into_iter().filter_map(|id| Some(self.take_out(id)?.request)).collect()
    }

    /// Gives out all that wait, in order.
    pub(super) fn clear_waiting(&mut self) -> Vec<J> {
        let ids: Vec<_> = self.waiting.keys().copied().collect();
        ids.into_iter().filter_map(|id| Some(self.take_out(id)?.request)).collect()
    }

    /// The one that has waited longest of those for which there is a slot.
    fn startable(&self) -> Option<Id> {
        if self.slots.len() - self.free.len() >= self.limits.most {
            None
        } else if self.shared_left > 0 {
            self.waiting.keys().next().copied()
        } else {
            self.entitled.first().copied()
        }
    }

    fn occupy(&mut self, id: Id, peer: K) -> usize {
        let share = self.peers.entry(peer.clone()).or_default();
        share.slots += 1;
        self.shared_left -= usize::from(share.slots > self.limits.own);
        self.entitle(&peer);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(InSlot { id, peer, due: None });
        slot
    }

    /// It does not wait any more.
    fn take_out(&mut self, id: Id) -> Option<Waiting<K, J>> {
        let waiting = self.waiting.remove(&id)?;
        self.due.remove(&(waiting.deadline, id));
        if let Some(share) = self.peers.get_mut(&waiting.peer) {
            share.waiting.remove(&id);
        }
        self.entitle(&waiting.peer);
        Some(waiting)
    }

    /// Notes who of those that wait for `peer` may have one of its own slots, after any change.
    fn entitle(&mut self, peer: &K) {
        let Some(share) = self.peers.get_mut(peer) else { return };
        let now = share.waiting.first().copied().filter(|_| share.slots < self.limits.own);
        let before = std::mem::replace(&mut share.entitled, now);
        if before != now {
            before.iter().for_each(|id| _ = self.entitled.remove(id));
            self.entitled.extend(now);
        }
        if share.slots == 0 && share.waiting.is_empty() {
            self.peers.remove(peer);
        }
    }

    fn slot_of(&self, id: Id) -> Option<usize> {
        self.slots.iter().position(|in_slot| in_slot.as_ref().is_some_and(|in_slot| in_slot.id == id))
    }
}

#[cfg(test)]
mod tests {
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
}
