//! Which thread receives, which handles, which leaves: decisions only. No threads, no clock, no
//! I/O: [`Crew`](super::crew::Crew) does what is decided here, and calls each of these functions
//! under one lock.
//!
//! At any time one thread has the receiver's place and one handler has the turn. A thread that has
//! neither is idle; one idle thread stands by, others leave.
//!
//! - Somebody always can receive: the receiver runs a handler itself only while
//!   another thread stands by to take its place, or when it is alone.
//! - What waits is handled in the order it came, by whoever has the turn; a turn
//!   that is free while something waits is taken by the next idle thread.

use std::collections::VecDeque;

use super::backlog::{Admission, Backlog};

/// Who does what.
#[derive(Debug)]
pub(super) struct Duties<T> {
    backlog: Backlog<T>,
    receiver: Receiver,
    epochs: u64,
    /// Counts handlers started, so that a long one shows.
    started: u64,
    /// Handlers under way, those included that let others go first.
    running: usize,
    /// The thread that stands by wakes at every tick.
    ticking: bool,
    /// Threads with nothing to do: asleep, or on their way to it.
    idle: usize,
    threads: usize,
    max_threads: usize,
    /// The socket is shut down and empty.
    drained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Receiver {
    Nobody,
    Receiving(ReceiverEpoch),
    /// It is running a handler, which has the turn.
    Handling(ReceiverEpoch),
}

/// One thread's time in the receiver's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ReceiverEpoch(u64);

/// What an idle thread is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standby<T> {
    Receive(ReceiverEpoch),
    Handle(T),
    /// Sleep until woken and, if `tick`, at most a tick.
    Sleep {
        tick: bool,
    },
    Leave,
}

/// What a thread is to do after a handler.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After<T> {
    /// It still has the turn, and this waits.
    Handle(T),
    /// It is still the receiver.
    Receive,
    StandBy,
}

/// What a thread that stands by has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    started: u64,
    quiet_ticks: u32,
}

impl<T> Duties<T> {
    /// No threads yet; `backlog` is how many may wait.
    pub(super) fn new(backlog: usize, max_threads: usize) -> Self {
        Self {
            backlog: Backlog::new(backlog),
            receiver: Receiver::Nobody,
            epochs: 0,
            started: 0,
            running: 0,
            ticking: false,
            idle: 0,
            threads: 0,
            max_threads,
            drained: false,
        }
    }

    /// Counts a thread that is about to be started, idle; `false` if there are too many.
    pub(super) fn recruit(&mut self) -> bool {
        let room = self.threads < self.max_threads;
        if room {
            self.threads += 1;
            self.idle += 1;
        }
        room
    }

    /// The thread just recruited could not be started.
    pub(super) fn recruit_failed(&mut self) {
        self.threads -= 1;
        self.idle -= 1;
    }

    /// Whether what arrives now would be handled at once.
    pub(super) fn is_free(&self) -> bool {
        self.backlog.is_free()
    }

    /// Whether the receiver wants somebody to stand by before it handles.
    pub(super) fn wants_standby(&self) -> bool {
        self.idle == 0 && self.backlog.is_free()
    }

    /// For the receiver: what to do with something that arrived. Only if it is to wait, `set_aside`
    /// makes it one's own.
    pub(super) fn arrived(&mut self, set_aside: impl FnOnce() -> T) -> Admission {
        let may_handle = self.idle > 0 || self.threads == 1;
        let admission = self.backlog.admit(set_aside, may_handle);
        if let (Admission::Run, Receiver::Receiving(epoch)) = (admission, self.receiver) {
            self.receiver = Receiver::Handling(epoch);
            self.begin();
        }
        admission
    }

    /// From now on the thread that stands by wakes at every tick. Tells whether it is asleep until
    /// then, and must be woken to begin with that.
    pub(super) fn have_standby_tick(&mut self) -> bool {
        !std::mem::replace(&mut self.ticking, true) && self.idle > 0
    }

    /// A handler has ended; `turn` if it had kept its turn. `epoch` is that in which its thread
    /// received it, `None` if it did not.
    pub(super) fn finished(&mut self, epoch: Option<ReceiverEpoch>, turn: bool) -> After<T> {
        self.running -= 1;
        if turn && let Some(next) = self.backlog.next() {
            self.begin();
            return After::Handle(next);
        }
        match (self.receiver, epoch) {
            (Receiver::Handling(current), Some(epoch)) if current == epoch => {
                self.receiver = Receiver::Receiving(epoch);
                After::Receive
            }
            _ => {
                self.idle += 1;
                After::StandBy
            }
        }
    }

    /// How many more threads it takes for all duties, if the handler that has the turn lets others
    /// go first.
    pub(super) fn shortage(&self) -> usize {
        let receiver = matches!(self.receiver, Receiver::Handling(_));
        let wanted = usize::from(receiver) + usize::from(self.backlog.is_waiting());
        wanted.saturating_sub(self.idle)
    }

    /// The handler that has the turn lets others go first. `false` if it cannot: it is the
    /// receiver's, and nobody could take that place.
    pub(super) fn hand_on_turn(&mut self) -> bool {
        if matches!(self.receiver, Receiver::Handling(_)) {
            if self.idle == 0 {
                return false;
            }
            self.receiver = Receiver::Nobody;
        }
        self.backlog.end_turn();
        true
    }

    /// What a thread sees that begins to stand by.
    pub(super) fn begin_standby(&self) -> Seen {
        Seen { started: self.started, quiet_ticks: 0 }
    }

    /// For an idle thread, when it comes and whenever it was woken.
    pub(super) fn stand_by(&mut self, seen: &mut Seen) -> Standby<T> {
        *seen = self.begin_standby();
        self.duty()
    }

    /// For an idle thread that slept for a tick: `quiet` is how many ticks without traffic it takes
    /// to sleep without waking.
    pub(super) fn ticked(&mut self, seen: &mut Seen, quiet: u32) -> Standby<T> {
        if self.started != seen.started {
            *seen = self.begin_standby();
        } else if matches!(self.receiver, Receiver::Handling(_)) {
            // One handler has run for a whole tick: this thread receives instead of its thread.
            self.receiver = Receiver::Nobody;
        } else {
            seen.quiet_ticks += 1;
            self.ticking = seen.quiet_ticks < quiet && !self.drained;
        }
        self.duty()
    }

    fn duty(&mut self) -> Standby<T> {
        if self.receiver == Receiver::Nobody && !self.drained {
            self.idle -= 1;
            self.epochs += 1;
            let epoch = ReceiverEpoch(self.epochs);
            self.receiver = Receiver::Receiving(epoch);
            return Standby::Receive(epoch);
        }
        if let Some(item) = self.backlog.take_over() {
            self.idle -= 1;
            self.begin();
            return Standby::Handle(item);
        }
        if self.drained || self.idle > 1 {
            self.idle -= 1;
            self.threads -= 1;
            return Standby::Leave;
        }
        Standby::Sleep { tick: self.ticking }
    }

    /// A thread that was recruited for a while, and is idle or the receiver, leaves.
    pub(super) fn leave(&mut self) {
        match std::mem::replace(&mut self.receiver, Receiver::Nobody) {
            Receiver::Nobody => self.idle -= 1,
            Receiver::Receiving(_) | Receiver::Handling(_) => {}
        }
        self.threads -= 1;
    }

    /// No more handlers are started. Returns what waits for one.
    pub(super) fn close(&mut self) -> VecDeque<T> {
        self.backlog.close()
    }

    /// The receiver has found the socket shut down and empty; it is idle now.
    pub(super) fn drained(&mut self) {
        self.receiver = Receiver::Nobody;
        self.drained = true;
        self.idle += 1;
    }

    /// Whether what comes is rejected.
    pub(super) fn is_closed(&self) -> bool {
        self.backlog.is_closed()
    }

    /// How many handlers are under way.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// How many threads there are that run no handler.
    pub(super) fn without_handler(&self) -> usize {
        self.threads - self.running
    }

    /// How many threads there are, how many of them have nothing to do, how much waits and how much
    /// may.
    pub(super) fn counts(&self) -> (usize, usize, (usize, usize)) {
        (self.threads, self.idle, self.backlog.fill())
    }

    fn begin(&mut self) {
        self.started += 1;
        self.running += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_idle_the_receiver_handles_and_nobody_is_woken() {
        let mut duties = Duties::new(9, 8);
        assert!(duties.recruit() && duties.recruit());
        let mut seen = duties.begin_standby();
        let Standby::Receive(epoch) = duties.stand_by(&mut seen) else { panic!("it receives") };
        assert_eq!(duties.stand_by(&mut seen), Standby::Sleep { tick: false });
        for item in 0..100 {
            assert!(!duties.wants_standby());
            assert_eq!(duties.arrived(|| item), Admission::Run);
            assert_eq!(duties.have_standby_tick(), item == 0, "only the first wakes who stands by");
            assert_eq!(duties.finished(Some(epoch), true), After::Receive);
        }
    }
}
