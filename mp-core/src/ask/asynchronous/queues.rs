//! Which requests wait for room at the same peer, and which of them is next. No I/O.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use crate::sys::Address;

/// The slots that wait for room in the queue of one peer, in the order in which their requests were
/// made. Only the first of them tries: otherwise all would, whenever the peer has read one
/// datagram, and the last might be served before the first.
#[derive(Debug, Default)]
pub(super) struct Queues(HashMap<Address, VecDeque<usize>>);

impl Queues {
    /// The slot that has waited longest for room at `peer`.
    pub(super) fn first(&self, peer: &Address) -> Option<usize> {
        self.0.get(peer)?.front().copied()
    }

    pub(super) fn join(&mut self, peer: &Address, slot: usize) {
        self.0.entry(peer.clone()).or_default().push_back(slot);
    }

    /// Takes `slot` out. If it was the first, tells which is the first now.
    pub(super) fn leave(&mut self, peer: &Address, slot: usize) -> Option<usize> {
        let Entry::Occupied(mut queue) = self.0.entry(peer.clone()) else { return None };
        let slots = queue.get_mut();
        let was_first = slots.front() == Some(&slot);
        slots.retain(|other| *other != slot);
        let first = slots.front().copied();
        if first.is_none() {
            queue.remove();
        }
        first.filter(|_| was_first)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn peer(name: &str) -> Address {
        Address::new(Path::new(name)).expect("it fits")
    }

    #[test]
    fn each_peers_queue_keeps_its_order() {
        let (a, b) = (peer("a"), peer("b"));
        let mut queues = Queues::default();
        assert_eq!(queues.first(&a), None);
        queues.join(&a, 1);
        queues.join(&b, 2);
        queues.join(&a, 3);
        assert_eq!((queues.first(&a), queues.first(&b)), (Some(1), Some(2)));
        assert_eq!(queues.leave(&a, 1), Some(3), "it is the first now");
        assert_eq!(queues.leave(&a, 3), None);
        assert_eq!((queues.first(&a), queues.first(&b)), (None, Some(2)));
    }

    #[test]
    fn one_that_gives_up_further_back_changes_nothing_for_the_first() {
        let a = peer("a");
        let mut queues = Queues::default();
        (1..=3).for_each(|slot| queues.join(&a, slot));
        assert_eq!(queues.leave(&a, 2), None);
        assert_eq!(queues.leave(&a, 7), None, "it did not wait");
        assert_eq!(queues.leave(&a, 1), Some(3));
    }
}
