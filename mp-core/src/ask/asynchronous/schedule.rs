//! Who waits, who has a slot, and what is due. No I/O, no clock, no threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::submissions::Id;
use crate::sys::Deadline;

/// Requests in the order they were made: some have one of the slots, and with
/// it a reply socket; the others wait for one, and their deadlines run.
#[derive(Debug)]
pub(super) struct Schedule<J> {
    waiting: BTreeMap<Id, (Deadline, J)>,
    slots: Vec<Option<InSlot>>,
    free: Vec<usize>,
    /// When something is due for each, waiting or placed.
    due: BTreeSet<(Deadline, Id)>,
}

#[derive(Debug, Clone, Copy)]
struct InSlot {
    id: Id,
    due: Option<Deadline>,
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

impl<J> Schedule<J> {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            slots: vec![None; slots],
            free: (0..slots).rev().collect(),
            due: BTreeSet::new(),
        }
    }

    /// Takes one on. Ids are in the order of the requests.
    pub(super) fn submit(&mut self, id: Id, deadline: Deadline, request: J) {
        self.due.insert((deadline, id));
        self.waiting.insert(id, (deadline, request));
    }

    pub(super) fn cancel(&mut self, id: Id) -> Cancelled<J> {
        if let Some((deadline, request)) = self.waiting.remove(&id) {
            self.due.remove(&(deadline, id));
            return Cancelled::Waiting(request);
        }
        self.place_of(id).map_or(Cancelled::Nowhere, Cancelled::InSlot)
    }

    /// What is to be done by now, what is due before what may start.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step<J>> {
        if let Some(&(due, id)) = self.due.first()
            && due.left_at(now).is_zero()
        {
            self.due.pop_first();
            if let Some((_, request)) = self.waiting.remove(&id) {
                return Some(Step::Expire(request));
            }
            if let Some(slot) = self.place_of(id) {
                self.slots[slot] = Some(InSlot { id, due: None });
                return Some(Step::Advance { slot });
            }
        }
        if self.free.is_empty() {
            return None;
        }
        let (id, (deadline, request)) = self.waiting.pop_first()?;
        self.due.remove(&(deadline, id));
        let slot = self.free.pop()?;
        self.slots[slot] = Some(InSlot { id, due: None });
        Some(Step::Start { slot, request })
    }

    /// For how long there is nothing to do; `None` if until something comes.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        if !self.free.is_empty() && !self.waiting.is_empty() {
            return Some(Duration::ZERO);
        }
        self.due.first().map(|(due, _)| due.left_at(now))
    }

    /// When the one at `slot` is to be seen to, whatever was said before.
    pub(super) fn due_again(&mut self, slot: usize, due: Deadline) {
        if let Some(Some(placed)) = self.slots.get_mut(slot) {
            if let Some(before) = placed.due.replace(due) {
                self.due.remove(&(before, placed.id));
            }
            self.due.insert((due, placed.id));
        }
    }

    /// The one at `slot` is over: the slot is free.
    pub(super) fn release(&mut self, slot: usize) {
        if let Some(placed) = self.slots.get_mut(slot).and_then(Option::take) {
            if let Some(due) = placed.due {
                self.due.remove(&(due, placed.id));
            }
            self.free.push(slot);
        }
    }

    /// Gives out all that wait, in order.
    pub(super) fn clear_waiting(&mut self) -> impl Iterator<Item = J> + use<J> {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, (deadline, _)) in &waiting {
            self.due.remove(&(*deadline, *id));
        }
        waiting.into_values().map(|(_, request)| request)
    }

    fn place_of(&self, id: Id) -> Option<usize> {
        self.slots.iter().position(|placed| placed.is_some_and(|placed| placed.id == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schedule with its clock, which moves when it is told to.
    struct Clocked {
        schedule: Schedule<u64>,
        now: Instant,
    }

    impl Clocked {
        fn new(slots: usize) -> Self {
            Self { schedule: Schedule::new(slots), now: Instant::now() }
        }

        fn submit(&mut self, id: u64, timeout: u64) {
            self.schedule.submit(Id(id), Deadline::after_from(self.now, ms(timeout)), id);
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
    fn they_start_in_order_and_the_rest_wait_for_a_place() {
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
    fn only_the_last_word_on_when_a_place_is_due_counts() {
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
    fn the_next_one_at_a_place_inherits_nothing() {
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
    fn cancelling_gives_back_what_waited_and_tells_the_place_of_what_did_not() {
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
        assert_eq!(clocked.schedule.clear_waiting().collect::<Vec<_>>(), [2, 3, 4]);
        clocked.schedule.release(slot);
        assert_eq!((clocked.next(), clocked.idle_for()), (None, None));
    }

    #[test]
    fn ten_thousand_take_their_turns_in_order() {
        let mut clocked = Clocked::new(128);
        (0..10_000).for_each(|id| clocked.submit(id, 60_000));
        let (mut started, mut placed) = (0, std::collections::VecDeque::new());
        while started < 10_000 {
            match clocked.next() {
                Some(Step::Start { slot, request }) => {
                    assert_eq!(request, started);
                    started += 1;
                    placed.push_back(slot);
                    assert!(placed.len() <= 128);
                }
                Some(step) => panic!("{step:?}"),
                None => {
                    let slot = placed.pop_front().expect("none is free, so all are taken");
                    clocked.schedule.release(slot);
                }
            }
        }
    }
}
