//! Who waits, who has a place, and what is due. No I/O, no clock, no threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::handover::Id;
use crate::deadline::Deadline;

/// Requests in the order they were made: some have one of the places, and with
/// it a reply socket; the others wait for one, and their deadlines run.
#[derive(Debug)]
pub(super) struct Schedule<J> {
    waiting: BTreeMap<Id, (Deadline, J)>,
    places: Vec<Option<Placed>>,
    free: Vec<usize>,
    /// When something is due for each, waiting or placed.
    due: BTreeSet<(Deadline, Id)>,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    id: Id,
    due: Option<Deadline>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<J> {
    /// It is this one's turn: it has the place until [`Schedule::release`].
    Start { place: usize, job: J },
    /// See to the one at this place; then [`Schedule::due_again`] or `release`.
    Advance { place: usize },
    /// Its deadline passed before its turn came.
    Expire(J),
}

/// Where one was that is not wanted any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled<J> {
    Waiting(J),
    /// At this place, to be released.
    Placed(usize),
    /// It is over already.
    Nowhere,
}

impl<J> Schedule<J> {
    pub(super) fn new(places: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            places: vec![None; places],
            free: (0..places).rev().collect(),
            due: BTreeSet::new(),
        }
    }

    /// Takes one on. Ids are in the order of the requests.
    pub(super) fn submit(&mut self, id: Id, deadline: Deadline, job: J) {
        self.due.insert((deadline, id));
        self.waiting.insert(id, (deadline, job));
    }

    pub(super) fn cancel(&mut self, id: Id) -> Cancelled<J> {
        if let Some((deadline, job)) = self.waiting.remove(&id) {
            self.due.remove(&(deadline, id));
            return Cancelled::Waiting(job);
        }
        self.place_of(id).map_or(Cancelled::Nowhere, Cancelled::Placed)
    }

    /// What is to be done by now, what is due before what may start.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step<J>> {
        if let Some(&(due, id)) = self.due.first()
            && due.left_at(now).is_zero()
        {
            self.due.pop_first();
            if let Some((_, job)) = self.waiting.remove(&id) {
                return Some(Step::Expire(job));
            }
            if let Some(place) = self.place_of(id) {
                self.places[place] = Some(Placed { id, due: None });
                return Some(Step::Advance { place });
            }
        }
        if self.free.is_empty() {
            return None;
        }
        let (id, (deadline, job)) = self.waiting.pop_first()?;
        self.due.remove(&(deadline, id));
        let place = self.free.pop()?;
        self.places[place] = Some(Placed { id, due: None });
        Some(Step::Start { place, job })
    }

    /// For how long there is nothing to do; `None` if until something comes.
    pub(super) fn idle_for(&self, now: Instant) -> Option<Duration> {
        if !self.free.is_empty() && !self.waiting.is_empty() {
            return Some(Duration::ZERO);
        }
        self.due.first().map(|(due, _)| due.left_at(now))
    }

    /// When the one at `place` is to be seen to, whatever was said before.
    pub(super) fn due_again(&mut self, place: usize, due: Deadline) {
        if let Some(Some(placed)) = self.places.get_mut(place) {
            if let Some(before) = placed.due.replace(due) {
                self.due.remove(&(before, placed.id));
            }
            self.due.insert((due, placed.id));
        }
    }

    /// The one at `place` is over: the place is free.
    pub(super) fn release(&mut self, place: usize) {
        if let Some(placed) = self.places.get_mut(place).and_then(Option::take) {
            if let Some(due) = placed.due {
                self.due.remove(&(due, placed.id));
            }
            self.free.push(place);
        }
    }

    /// Gives out all that wait, in order.
    pub(super) fn clear_waiting(&mut self) -> impl Iterator<Item = J> + use<J> {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, (deadline, _)) in &waiting {
            self.due.remove(&(*deadline, *id));
        }
        waiting.into_values().map(|(_, job)| job)
    }

    fn place_of(&self, id: Id) -> Option<usize> {
        self.places.iter().position(|placed| placed.is_some_and(|placed| placed.id == id))
    }
}
