//! What other hosts send to processes here, which the bridge's loop cannot wait for: what finds no
//! room in a queue is tried again for a while, in order, and then dropped.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mp_core::{Client, Member, Message, Reason, Reply, RequestError, SendError, Why};
use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use crate::{
    counters::Counters,
    frame::{Answer, Content},
    names::descriptors,
};

/// As long as a one-way message waits at home.
const SEND_TIMEOUT: Duration = Duration::from_millis(100);
/// What may wait for one that does not read.
const BOUND: usize = 256;

/// The primary, or a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) client: &'a Client,
    pub(super) member: Option<&'a Member>,
}

impl Whom<'_> {
    fn send_now(self, message: &Message) -> Result<(), SendError> {
        match self.member {
            Some(member) => self.client.to(member).within(Duration::ZERO).send(message),
            None => self.client.within(Duration::ZERO).send(message),
        }
    }

    fn ask(
        self,
        message: &Message,
        timeout: Duration,
        then: impl FnOnce(Message, Result<Reply, RequestError>) + Send + 'static,
    ) {
        match self.member {
            Some(member) => self.client.to(member).request_then(message, timeout, then),
            None => self.client.request_then(message, timeout, then),
        }
    }
}

#[derive(Debug)]
pub(super) struct Outbox {
    counters: Arc<Counters>,
    events: UnboundedSender<Event>,
    patience: Duration,
    /// By member; 0 is the primary.
    waiting: BTreeMap<u64, VecDeque<Item>>,
}

#[derive(Debug)]
struct Item {
    message: Message,
    until: Instant,
    /// Of a request: its session and number.
    request: Option<(u64, u64)>,
}

impl Outbox {
    pub(super) fn new(counters: Arc<Counters>, events: UnboundedSender<Event>, patience: Duration) -> Self {
        Self { counters, events, patience, waiting: BTreeMap::new() }
    }

    pub(super) fn send(&mut self, member: u64, to: Whom<'_>, content: Content, now: Instant) {
        let item = Item { message: content.into_message(), until: now + SEND_TIMEOUT, request: None };
        self.put(member, to, item);
    }

    pub(super) fn ask(
        &mut self,
        member: u64,
        to: Whom<'_>,
        request: (u64, u64),
        content: Content,
        now: Instant,
    ) {
        let item =
            Item { message: content.into_message(), until: now + SEND_TIMEOUT, request: Some(request) };
        self.put(member, to, item);
    }

    /// Nobody is there under this number.
    pub(super) fn nobody(&self, request: Option<(u64, u64)>) {
        match request {
            Some((session, id)) => {
                let _ = self.events.send(Event::Answered { session, id, answer: Answer::gone() });
            }
            None => self.counters.dropped.add(),
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whom something waits for.
    pub(super) fn members(&self) -> Vec<u64> {
        self.waiting.keys().copied().collect()
    }

    /// Drops what waits for one that has gone.
    pub(super) fn forget(&mut self, member: u64) {
        for item in self.waiting.remove(&member).into_iter().flatten() {
            self.nobody(item.request);
        }
    }

    /// Tries again what waits for this one.
    pub(super) fn retry(&mut self, member: u64, to: Whom<'_>, now: Instant) {
        let Some(mut waiting) = self.waiting.remove(&member) else { return };
        while let Some(item) = waiting.pop_front() {
            let is_over = item.until <= now;
            if let Err(item) = self.deliver(to, item) {
                if is_over {
                    self.nobody(item.request);
                    continue;
                }
                waiting.push_front(item);
                break;
            }
        }
        if !waiting.is_empty() {
            self.waiting.insert(member, waiting);
        }
    }

    fn put(&mut self, member: u64, to: Whom<'_>, item: Item) {
        if let Some(waiting) = self.waiting.get_mut(&member) {
            match waiting.len() < BOUND {
                true => waiting.push_back(item),
                false => self.overloaded(item.request),
            }
        } else if let Err(item) = self.deliver(to, item) {
            self.waiting.insert(member, [item].into());
        }
    }

    fn overloaded(&self, request: Option<(u64, u64)>) {
        let Some((session, id)) = request else { return self.counters.dropped.add() };
        let answer = Answer::Ignore(Reason::Overloaded.into());
        let _ = self.events.send(Event::Answered { session, id, answer });
    }

    /// Gives back a message for which there is no room.
    fn deliver(&self, to: Whom<'_>, item: Item) -> Result<(), Item> {
        let Some((session, id)) = item.request else {
            return match to.send_now(&item.message) {
                Ok(()) => Ok(()),
                Err(SendError::QueueFull { .. }) => Err(item),
                Err(error) => {
                    tracing::debug!(%error, "a message from another host finds nobody");
                    self.counters.dropped.add();
                    Ok(())
                }
            };
        };
        let (events, counters) = (self.events.clone(), Arc::clone(&self.counters));
        to.ask(&item.message, self.patience, move |_, outcome| {
            let answer = answer(outcome, &counters);
            let _ = events.send(Event::Answered { session, id, answer });
        });
        Ok(())
    }
}

/// What the other host is told of a request.
fn answer(outcome: Result<Reply, RequestError>, counters: &Counters) -> Answer {
    match outcome {
        Ok(reply) if !reply.message.fds.is_empty() => {
            counters.descriptors.add();
            Answer::Ignore(descriptors())
        }
        Ok(reply) => Answer::Reply(reply.message.param),
        Err(RequestError::Ignored { why }) => Answer::Ignore(why),
        Err(error) if error.is_timeout() => Answer::Nothing,
        Err(RequestError::Gone | RequestError::NoPrimary { .. } | RequestError::Stopped) => Answer::gone(),
        Err(RequestError::TooManyUnderWay { .. }) => Answer::Ignore(Reason::Overloaded.into()),
        Err(RequestError::FdsLost) => Answer::Ignore(descriptors()),
        Err(error) => Answer::Ignore(Why::new(Reason::HandlerFailed, format_args!("the bridge: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_came_to_is_told_as_it_would_be_at_home() {
        let counters = Counters::default();
        let told = |error| answer(Err(error), &counters);
        assert_eq!(told(RequestError::Gone), Answer::gone());
        assert_eq!(told(RequestError::TimedOut { timeout: Duration::ZERO }), Answer::Nothing);
        let why = Why::new(Reason::OtherDefinition, "1 and 2");
        assert_eq!(told(RequestError::Ignored { why: why.clone() }), Answer::Ignore(why));
        assert_eq!(
            told(RequestError::TooManyUnderWay { bound: 1 }),
            Answer::Ignore(Reason::Overloaded.into())
        );
    }

    #[test]
    fn a_lost_descriptor_is_told_of() {
        assert_eq!(answer(Err(RequestError::FdsLost), &Counters::default()), Answer::Ignore(descriptors()));
    }
}
