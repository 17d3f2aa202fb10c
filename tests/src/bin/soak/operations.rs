//! The operations: each is done once, its result held against what it must be, and what became of it told in a word.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::{Duration, Instant},
};

use mp_typed::{
    Client, Member, Outcome, Primary, PrimaryHandle, Replies, RequestError, Sealed, Secondary,
    SecondaryHandle, SendError,
    mp_core::{self, inspect},
};

use crate::{
    clock::Clock,
    messages::{
        Dawdle, Dawdled, Echo, Exchange, Half, Halve, Lookup, Note, Odd, Relay, Sender, Set, Settled, Strict,
        Table, older,
    },
    tally::Counter,
    violation,
};

/// How long a request may take, in milliseconds.
static TIMEOUT: AtomicU64 = AtomicU64::new(500);

/// From now on nothing should fail: who is slow, since the machine has other work, has time.
pub(crate) fn be_patient() {
    TIMEOUT.store(5000, Relaxed);
}

/// How long a request may take.
pub(crate) fn timeout() -> Duration {
    Duration::from_millis(TIMEOUT.load(Relaxed))
}

/// How much later than that it may end in a process that ran all the while.
const SLACK: Duration = Duration::from_secs(1);
/// How many asynchronous requests go out at once.
const AT_ONCE: u64 = 16;

/// Who asks.
#[derive(Clone)]
pub(crate) enum Asker {
    Client(Client),
    Secondary(SecondaryHandle),
    Primary(PrimaryHandle),
}

/// Runs `$do` with the peer to ask: a member, or else the primary.
macro_rules! one_peer {
    ($asker:expr, $member:expr, |$peer:ident| $do:expr) => {
        match ($asker, $member) {
            (Asker::Client($peer), None) => $do,
            (Asker::Secondary($peer), None) => $do,
            (Asker::Client(role), Some(member)) => {
                let $peer = role.to(member);
                $do
            }
            (Asker::Secondary(role), Some(member)) => {
                let $peer = role.to(member);
                $do
            }
            (Asker::Primary(role), Some(member)) => {
                let $peer = role.to(member);
                $do
            }
            (Asker::Primary(_), None) => return,
        }
    };
}

/// One thread's operations.
pub(crate) struct Operations<'a> {
    pub(crate) asker: Asker,
    pub(crate) counter: &'a Counter,
    pub(crate) clock: &'a Clock,
    pub(crate) sender: Sender,
    pub(crate) sequence: u64,
    /// Has the definitions of the release before.
    pub(crate) is_older: bool,
}

impl Operations<'_> {
    /// Does one, chosen at random.
    pub(crate) fn one(&mut self) {
        match fastrand::u8(..100) {
            0..30 => self.echo(),
            30..38 => self.at_once(),
            38..46 => self.callback(),
            46..56 => self.exchange(),
            56..61 => self.lookup(),
            61..69 => self.halve(),
            69..77 => self.note(),
            77..80 => self.dawdle(),
            80..84 => self.relay(),
            84..90 => self.set(),
            90..93 => self.strict(),
            93 => self.status(),
            94 => self.monitor(),
            _ => self.all(),
        }
    }

    /// The primary, or any member.
    fn whom(&self) -> Option<Member> {
        let members = match &self.asker {
            Asker::Client(role) => role.members(),
            Asker::Secondary(role) => role.members(),
            Asker::Primary(role) => role.members(),
        };
        match (&self.asker, members) {
            (Asker::Client(_) | Asker::Secondary(_), _) if fastrand::bool() => None,
            (_, Ok(members)) => fastrand::choice(members),
            (_, Err(_)) => None,
        }
    }

    fn echo(&self) {
        let echo = Echo::new(fastrand::u64(..));
        let member = self.whom();
        self.timed("echo", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&echo, timeout());
                self.judge("echo", answer, |echoed| echoed == echo.answer());
            });
        });
    }

    fn at_once(&self) {
        let all: Vec<_> = (0..AT_ONCE).map(|_| Echo::new(fastrand::u64(..))).collect();
        let member = self.whom();
        self.timed("async", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let asked: Vec<_> = all.iter().map(|echo| peer.request_async(echo, timeout())).collect();
                for (echo, answer) in all.iter().zip(asked) {
                    self.judge("async", pollster::block_on(answer), |echoed| echoed == echo.answer());
                }
            });
        });
    }

    fn callback(&self) {
        let (tell, told) = mpsc::channel();
        let member = self.whom();
        self.timed("callback", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                peer.request_then(Echo::new(fastrand::u64(..)), timeout(), move |echo, answer| {
                    let _ = tell.send((echo.answer(), answer));
                });
            });
            match told.recv_timeout(timeout() + 4 * SLACK) {
                Ok((right, answer)) => self.judge("callback", answer, |echoed| echoed == right),
                Err(error) => violation(&format!("a callback was not called: {error}")),
            }
            if told.recv().is_ok() {
                violation(&"a callback was called twice");
            }
        });
    }

    fn exchange(&self) {
        let nonce = fastrand::u64(..);
        let Ok(exchange) = Exchange::new(nonce) else { return self.counter.count("exchange", "no memory") };
        let member = self.whom();
        self.timed("exchange", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&exchange, timeout());
                self.judge("exchange", answer, |exchanged| exchanged.answers(nonce).unwrap_or(false));
            });
        });
    }

    fn lookup(&self) {
        let (nonce, row) = (fastrand::u64(..), fastrand::u64(..Table::ROWS));
        let Ok(table) = Sealed::new(&Table::new(nonce)) else {
            return self.counter.count("sealed", "no memory");
        };
        let lookup = Lookup { row, table };
        let member = self.whom();
        self.timed("sealed", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&lookup, timeout());
                self.judge("sealed", answer, |answer| answer.value == nonce.wrapping_mul(row + 1));
            });
        });
    }

    fn halve(&self) {
        let number = fastrand::u64(..);
        let right = if number.is_multiple_of(2) { Ok(Half(number / 2)) } else { Err(Odd::Number { number }) };
        let member = self.whom();
        self.timed("result", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&Halve { number }, timeout());
                self.judge("result", answer, |half| half == right);
            });
        });
    }

    fn dawdle(&self) {
        let dawdle = Dawdle { millis: fastrand::u16(..20), nonce: fastrand::u64(..) };
        let member = self.whom();
        self.timed("slow", timeout(), || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&dawdle, timeout());
                self.judge("slow", answer, |dawdled: Dawdled| dawdled.nonce == dawdle.nonce);
            });
        });
    }

    fn relay(&self) {
        let nonce = fastrand::u64(..);
        let member = self.whom();
        // The handler that asks may wait as long.
        let timeout = 2 * timeout();
        self.timed("relay", timeout, || {
            one_peer!(&self.asker, &member, |peer| {
                let answer = peer.request(&Relay { nonce }, timeout);
                self.judge("relay", answer, |echoed| echoed == Echo::new(nonce).answer());
            });
        });
    }

    fn set(&self) {
        let member = self.whom();
        let speed = u64::from(fastrand::u16(..));
        self.timed("accepted", timeout(), || {
            if self.is_older {
                one_peer!(&self.asker, &member, |peer| {
                    let answer = peer.request(&older::Set { port: 1 }, timeout());
                    self.judge("accepted", answer, |settled| settled == older::Settled { speed: 10 });
                });
            } else {
                one_peer!(&self.asker, &member, |peer| {
                    let answer = peer.request(&Set { port: 1, speed }, timeout());
                    // The release before does not know this one's definition.
                    self.judge_or_other("accepted", answer, |settled| settled == Settled { speed });
                });
            }
        });
    }

    fn strict(&self) {
        let member = self.whom();
        self.timed("strict", timeout(), || {
            if self.is_older {
                one_peer!(&self.asker, &member, |peer| {
                    self.judge_or_other(
                        "strict",
                        peer.request(&older::Strict { second: 1, first: 2 }, timeout()),
                        |()| true,
                    );
                });
            } else {
                one_peer!(&self.asker, &member, |peer| {
                    self.judge_or_other(
                        "strict",
                        peer.request(&Strict { first: 1, second: 2 }, timeout()),
                        |()| true,
                    );
                });
            }
        });
    }

    fn note(&mut self) {
        self.sequence += 1;
        let note = Note { from: self.sender, sequence: self.sequence };
        let outcome = match &self.asker {
            Asker::Client(role) => role.send(&note).map(|()| "ok"),
            Asker::Secondary(role) => role.send(&note).map(|()| "ok"),
            Asker::Primary(role) => role.send(&note).map(|sent| {
                sent.outcomes.iter().for_each(|(_, outcome)| self.counter.count("notes", of_one(outcome)));
                "ok"
            }),
        };
        self.counter.count("note", outcome.unwrap_or_else(|error| of_send(&error)));
    }

    /// What goes on in a member, answered whatever goes on in it.
    fn status(&self) {
        let Some(member) = self.whom() else { return };
        self.timed("status", timeout(), || match inspect::status(self.core(&member), timeout()) {
            Ok(text) if text.starts_with('{') => self.counter.count("status", "ok"),
            Ok(text) => violation(&format!("a status that is none: {text}")),
            Err(error) => self.counter.count("status", of_look(&error)),
        });
    }

    /// Comes, looks on for a moment, and goes.
    fn monitor(&self) {
        let Some(member) = self.whom() else { return };
        let until = Instant::now() + Duration::from_millis(50);
        self.timed("monitor", timeout(), || {
            match inspect::monitor(self.core(&member), inspect::Filter::all(), timeout()) {
                Ok(mut monitor) => loop {
                    match monitor.next_within(until.saturating_duration_since(Instant::now())) {
                        Ok(Some(_)) => self.counter.count("copy", "ok"),
                        Ok(None) => return self.counter.count("monitor", "ok"),
                        Err(inspect::MonitorError::Ended) => return self.counter.count("monitor", "gone"),
                        Err(error) => return violation(&error),
                    }
                },
                Err(error) => self.counter.count("monitor", of_look(&error)),
            }
        });
    }

    fn core<'a>(&'a self, member: &'a Member) -> mp_core::OnePeer<'a> {
        match &self.asker {
            Asker::Client(role) => role.core().to(member),
            Asker::Secondary(role) => role.core().to(member),
            Asker::Primary(role) => role.core().to(member),
        }
    }

    /// What only a primary can ask: everybody.
    fn all(&self) {
        let Asker::Primary(role) = &self.asker else { return self.echo() };
        let echo = Echo::new(fastrand::u64(..));
        self.timed("all", timeout(), || {
            let replies = if fastrand::bool() {
                role.request(&echo, timeout())
            } else {
                pollster::block_on(role.request_async(&echo, timeout()))
            };
            match replies {
                Ok(replies) => self.judge_all(&echo, &replies),
                Err(error) => self.counter.count("all", of_request(&error)),
            }
        });
    }

    fn judge_all(&self, echo: &Echo, replies: &Replies<crate::messages::Echoed>) {
        if let Some((_, error)) = replies.undecodable.first() {
            violation(error);
        }
        if replies.replies.iter().any(|reply| reply.response != echo.answer()) {
            violation(&"a reply to another request was taken for one to this");
        }
        let replied = replies.outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Replied).count();
        if replied != replies.received() {
            violation(&format!(
                "{replied} outcomes say that they replied, {} replies came",
                replies.received()
            ));
        }
        replies.outcomes.iter().for_each(|(_, outcome)| self.counter.count("all", of_one(outcome)));
    }

    fn judge<R>(&self, kind: &str, answer: Result<R, RequestError>, is_right: impl FnOnce(R) -> bool) {
        match answer {
            Ok(response) => match is_right(response) {
                true => self.counter.count(kind, "ok"),
                false => violation(&format!("{kind}: the answer is not to this request")),
            },
            Err(error) => self.counter.count(kind, of_request(&error)),
        }
    }

    /// The same of what a peer with another definition has to refuse.
    fn judge_or_other<R>(
        &self,
        kind: &str,
        answer: Result<R, RequestError>,
        is_right: impl FnOnce(R) -> bool,
    ) {
        match answer {
            Err(RequestError::OtherDefinition { .. }) => self.counter.count(kind, "refused.ok"),
            answer => self.judge(kind, answer, is_right),
        }
    }

    /// No call takes much longer than its deadline, unless this whole process stood still meanwhile.
    fn timed(&self, kind: &str, timeout: Duration, operation: impl FnOnce()) {
        let before = Instant::now();
        operation();
        let took = before.elapsed();
        if took > timeout + SLACK && !self.clock.stood_still_since(before) {
            violation(&format!("{kind}: took {took:?} with a deadline of {timeout:?}"));
        }
    }
}

fn of_request(error: &RequestError) -> &'static str {
    match error {
        RequestError::NoPrimary { .. } => "no primary",
        RequestError::Ignored { why } => why.reason().name(),
        RequestError::TimedOut { .. } => "timed out",
        RequestError::Gone => "gone",
        RequestError::QueueFull { .. } => "queue full",
        RequestError::NotAsked { .. } => "not asked",
        RequestError::Stopped => "stopped",
        RequestError::Superseded { .. } => "superseded",
        error => {
            violation(error);
            "violation"
        }
    }
}

fn of_send(error: &SendError) -> &'static str {
    match error {
        SendError::NoPrimary { .. } => "no primary",
        SendError::Gone => "gone",
        SendError::QueueFull { .. } => "queue full",
        SendError::Stopped => "stopped",
        SendError::Superseded { .. } => "superseded",
        error => {
            violation(error);
            "violation"
        }
    }
}

fn of_look(error: &inspect::InspectError) -> &'static str {
    match error {
        inspect::InspectError::Refused { .. } => "refused",
        inspect::InspectError::Silent { .. } => "timed out",
        inspect::InspectError::NotKnown { .. } | inspect::InspectError::Unusable { .. } => {
            violation(error);
            "violation"
        }
        _ => "failed",
    }
}

fn of_one(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent | Outcome::Replied => "ok",
        Outcome::Ignored { why } => why.reason().name(),
        Outcome::TimedOut => "timed out",
        Outcome::Gone => "gone",
        Outcome::QueueFull => "queue full",
        Outcome::BufferFull => "buffer full",
        Outcome::Superseded => "superseded",
        outcome => {
            violation(&format!("a member {outcome}"));
            "violation"
        }
    }
}

/// The roles whose asking sides these are.
pub(crate) enum Role {
    Client(Client),
    Secondary(Secondary),
    Primary(Primary),
}

impl Role {
    pub(crate) fn asker(&self) -> Asker {
        match self {
            Self::Client(role) => Asker::Client(role.clone()),
            Self::Secondary(role) => Asker::Secondary(role.handle()),
            Self::Primary(role) => Asker::Primary(role.handle()),
        }
    }

    /// Leaves in order.
    pub(crate) fn stop(&self, timeout: Duration) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Secondary(role) => role.stop(timeout),
            Self::Primary(role) => role.stop(timeout),
        }
    }
}
