//! Which requests wait, which have a slot, and what is due. No I/O, no clock, no threads.

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
    /// For each peer, however many others are asked: so one that is stuck leaves room for the
    /// others.
    pub(super) own: usize,
    /// For requests beyond a peer's own slots, whoever comes first.
    pub(super) shared: usize,
    /// In all: once so many are taken, requests wait even if their peer has slots of its own left.
    pub(super) most: usize,
}

/// Requests in the order they were made: some have one of the slots, and with it a reply socket;
/// the others wait for one, and their deadlines run.
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
    /// When something is due for each, whether it waits or has a slot.
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

/// Where a request was that is not wanted any more.
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
#[path = "schedule_tests.rs"]
mod tests;
