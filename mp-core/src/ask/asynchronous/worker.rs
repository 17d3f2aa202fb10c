//! The courier's thread, which does what [`Schedule`] says.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    Shared,
    queues::Queues,
    request::{Job, To},
    schedule::{Cancelled, Schedule, Step},
    submissions::Taken,
    watcher::{Ready, Watcher},
};
use crate::{
    ask::{
        Desk, RequestError,
        one::Undelivered,
        reply_socket::Line,
        under_way::{Ended, Round},
    },
    group::Roster,
    receive::Inbox,
    sys::{Address, Deadline},
    wire::MessageRef,
};

/// How many reply sockets there are at most, each for one request at a time.
pub(super) const PLACES: usize = 128;

/// What the thread has in hand.
pub(super) struct Carrier {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    watcher: Watcher,
    schedule: Schedule<Box<Job>>,
    queues: Queues,
    places: Vec<Place>,
    inbox: Inbox,
    taken: Taken<Box<Job>>,
}

/// Room for one request that has been sent, or waits for room in a queue.
#[derive(Default)]
struct Place {
    under_way: Option<(Round, Box<Job>)>,
    /// A line whose request is over, for the next one.
    kept: Option<Line>,
    /// The one peer in whose queue the request waits for room.
    queues_for: Option<Address>,
}

impl Carrier {
    pub(super) fn new(desk: Arc<Desk>, shared: Arc<Shared>) -> Result<Self, Errno> {
        let watcher = Watcher::new(PLACES, &shared.handover.bell)?;
        Ok(Self {
            desk,
            shared,
            watcher,
            schedule: Schedule::new(PLACES),
            queues: Queues::default(),
            places: (0..PLACES).map(|_| Place::default()).collect(),
            inbox: Inbox::new(),
            taken: Taken::default(),
        })
    }

    /// Serves until the role stops.
    pub(super) fn run(mut self) {
        let mut ready = Vec::new();
        while !self.taken.closed {
            self.do_what_is_due();
            if let Err(errno) = self.watcher.wait(self.schedule.idle_for(Instant::now()), &mut ready) {
                // Nothing that this thread does leads there.
                tracing::error!(%errno, "waiting for replies failed");
                self.shared.handover.close();
                self.take_in();
            }
            for ready in ready.drain(..) {
                match ready {
                    Ready::Bell => self.take_in(),
                    Ready::Place(place) => self.advance(place),
                }
            }
        }
        self.end_all();
    }

    fn take_in(&mut self) {
        self.shared.handover.bell.reset();
        let mut taken = std::mem::take(&mut self.taken);
        self.shared.handover.take(&mut taken);
        for (id, job) in taken.submitted.drain(..) {
            self.schedule.submit(id, job.deadline, job);
        }
        for id in taken.cancelled.drain(..) {
            match self.schedule.cancel(id) {
                Cancelled::Waiting(job) => {
                    self.shared.handover.ended();
                    drop(job);
                }
                // Its line goes with it, since an answer may still come.
                Cancelled::Placed(place) => {
                    drop(self.vacate(place));
                    self.pass_on(place);
                }
                Cancelled::Nowhere => {}
            }
        }
        self.taken = taken;
    }

    /// Not for long without looking at the sockets.
    fn do_what_is_due(&mut self) {
        for _ in 0..PLACES {
            match self.schedule.next(Instant::now()) {
                Some(Step::Start { place, job }) => self.start(place, job),
                Some(Step::Advance { place }) => self.advance(place),
                Some(Step::Expire(job)) => {
                    self.shared.handover.ended();
                    let timeout = job.timeout;
                    job.fail(RequestError::NotAsked { timeout });
                }
                None => break,
            }
        }
        for place in 0..self.places.len() {
            self.give_back(place);
        }
    }

    fn start(&mut self, place: usize, mut job: Box<Job>) {
        let round = match &job.to {
            To::One(to, _) => self.ask_one(place, to, &job).map(Some),
            To::All(roster, _) => self.ask_all(place, roster, &job),
        };
        match round {
            Ok(Some(mut round)) => {
                if round.unsent() == 0 {
                    job.close_fds();
                } else if let To::One(to, _) = &job.to {
                    self.queues.join(to, place);
                    self.places[place].queues_for = Some(to.clone());
                }
                let due = round.due(Instant::now());
                self.places[place].under_way = Some((round, job));
                self.go_on(place, Ok(due));
                self.pass_on(place);
            }
            Ok(None) => {
                self.schedule.release(place);
                self.shared.handover.ended();
                job.end(&self.desk, Ended::default());
            }
            Err(error) => {
                self.schedule.release(place);
                self.shared.handover.ended();
                job.fail(error);
            }
        }
    }

    /// Sends to one peer. A connection to a primary that has gone is made anew,
    /// once: another may have taken its place.
    fn ask_one(&mut self, place: usize, to: &Address, job: &Job) -> Result<Round, RequestError> {
        let message = MessageRef::from(&job.message);
        let kept = self.kept_line(place, Some(to));
        if let Some(line) = kept.or_else(|| self.desk.kept_line(Some(to))) {
            if self.is_to_queue(to, &line) {
                return Ok(Self::queued(line, job, &message));
            }
            let round = self.send(place, Round::to_one(line, job.exchange(1), &message), &message)?;
            if !round.is_gone() {
                return Ok(round);
            }
            self.watcher.unwatch(place, round.line());
            self.desk.forget(to);
        }
        let line = (self.desk.line_to(to))
            .map_err(|none| Undelivered::from(none).of_request(&self.desk, to, job.timeout))?;
        if self.is_to_queue(to, &line) {
            return Ok(Self::queued(line, job, &message));
        }
        self.send(place, Round::to_one(line, job.exchange(1), &message), &message)
    }

    /// Whether others wait for room at that very peer. That at its address there
    /// was another before, whose queue was full, says nothing of this one's.
    fn is_to_queue(&self, to: &Address, line: &Line) -> bool {
        let first = self.queues.first(to).and_then(|place| self.places[place].under_way.as_ref());
        first.is_some_and(|(round, _)| round.line().has_peer_of(line))
    }

    /// Sends to all members; `None` if there are none.
    fn ask_all(&mut self, place: usize, roster: &Roster, job: &Job) -> Result<Option<Round>, RequestError> {
        let members = roster.members(&self.desk.group)?;
        if members.is_empty() {
            return Ok(None);
        }
        let line = match self.kept_line(place, None) {
            Some(line) => line,
            None => self.desk.open_line(roster.layout)?,
        };
        let message = MessageRef::from(&job.message);
        let exchange = job.exchange(members.len());
        self.send(place, Round::to_all(line, members, exchange, &message), &message).map(Some)
    }

    fn queued(line: Line, job: &Job, message: &MessageRef<'_>) -> Round {
        let mut round = Round::to_one(line, job.exchange(1), message);
        round.queue_up();
        round
    }

    fn send(
        &mut self,
        place: usize,
        mut round: Round,
        message: &MessageRef<'_>,
    ) -> Result<Round, RequestError> {
        match round.send_to_all(&self.desk, message.fds()) {
            Ok(()) => Ok(round),
            Err(errno) => {
                self.watcher.unwatch(place, round.line());
                Err(errno.into())
            }
        }
    }

    /// The line that the last request here left, if it leads there.
    fn kept_line(&mut self, place: usize, to: Option<&Address>) -> Option<Line> {
        if self.places[place].kept.as_ref().is_some_and(|line| !line.leads_to(to)) {
            self.give_back(place);
        }
        self.places[place].kept.take()
    }

    /// Does what can be done at once for the request at `place`.
    fn advance(&mut self, place: usize) {
        self.advance_one(place);
        self.pass_on(place);
    }

    fn advance_one(&mut self, place: usize) {
        let Some(Place { under_way: Some((round, job)), queues_for, .. }) = self.places.get_mut(place) else {
            return;
        };
        let is_its_turn = queues_for.as_ref().is_none_or(|peer| self.queues.first(peer) == Some(place));
        let waited = round.unsent();
        let message = MessageRef::from(&job.message);
        let due = round.advance(&self.desk, &mut self.inbox, message.fds(), is_its_turn);
        drop(message);
        if waited > 0 && round.unsent() == 0 {
            job.close_fds();
        }
        self.go_on(place, due);
    }

    /// If the request at `place` does not wait for room any more, sends those
    /// behind it, as far as there is room.
    fn pass_on(&mut self, mut place: usize) {
        loop {
            let slot = &mut self.places[place];
            if slot.under_way.as_ref().is_some_and(|(round, _)| round.unsent() > 0) {
                return;
            }
            let Some(peer) = slot.queues_for.take() else { return };
            let Some(next) = self.queues.leave(&peer, place) else { return };
            self.advance_one(next);
            place = next;
        }
    }

    /// Ends the request, or waits for what comes next.
    fn go_on(&mut self, place: usize, due: Result<Option<Duration>, RequestError>) {
        let due = match due {
            Ok(Some(time)) => self.watch(place).map(|()| Some(time)).map_err(RequestError::from),
            due => due,
        };
        match due {
            Ok(Some(time)) => self.schedule.due_again(place, Deadline::after(time)),
            Ok(None) => {
                if let Some((round, job)) = self.leave(place) {
                    let (line, ended) = round.into_parts();
                    if ended.is_owed {
                        self.watcher.unwatch(place, &line);
                    } else {
                        self.places[place].kept = Some(line);
                    }
                    job.end(&self.desk, ended);
                }
            }
            Err(error) => {
                if let Some(job) = self.vacate(place) {
                    job.fail(error);
                }
            }
        }
    }

    /// Frees the place, its line closed.
    fn vacate(&mut self, place: usize) -> Option<Box<Job>> {
        let (round, job) = self.leave(place)?;
        self.watcher.unwatch(place, round.line());
        Some(job)
    }

    fn leave(&mut self, place: usize) -> Option<(Round, Box<Job>)> {
        let left = self.places[place].under_way.take()?;
        self.schedule.release(place);
        self.shared.handover.ended();
        Some(left)
    }

    fn watch(&mut self, place: usize) -> Result<(), Errno> {
        let Place { under_way, queues_for, .. } = &self.places[place];
        let Some((round, _)) = under_way else { return Ok(()) };
        let is_first = queues_for.as_ref().is_some_and(|peer| self.queues.first(peer) == Some(place));
        self.watcher.watch(place, round, is_first)
    }

    /// Lets others have the line that was kept for the next request here.
    fn give_back(&mut self, place: usize) {
        if let Some(line) = self.places[place].kept.take() {
            self.watcher.unwatch(place, &line);
            self.desk.pool.give_back(line);
        }
    }

    fn end_all(&mut self) {
        for place in 0..self.places.len() {
            if let Some(job) = self.vacate(place) {
                job.fail(RequestError::Stopped);
            }
        }
        for job in self.schedule.clear_waiting() {
            self.shared.handover.ended();
            job.fail(RequestError::Stopped);
        }
    }
}
