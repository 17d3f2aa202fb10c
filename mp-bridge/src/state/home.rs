//! The bridge of the host with the primary: for every member of every other host it has a stand-in
//! join, and it asks the primary for them.
//!
//! There is one home in a group. A bridge that wants to be it claims it for a while; whoever is it
//! already objects. If two find each other later, as after a parted network, the one with the
//! smaller number stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Common, Output, Refusal, Side, Terms, To,
    link::{Accepted, Link},
};
use crate::{
    counters::Counters,
    frame::{Answer, Body, Content, Frame},
};

/// How long a claim is made before it holds: some beats, so that whoever objects has been heard.
const CLAIM: Duration = Duration::from_millis(600);

#[derive(Debug)]
pub(crate) struct Home {
    common: Common,
    /// Until when the claim does not hold; `None` once it does. It does not begin while nobody
    /// could object.
    claiming: Option<Option<Instant>>,
    /// Which of the primaries of this host it is; 0 for none.
    generation: u64,
    last_generation: u64,
    primary: Option<u64>,
    guests: BTreeMap<u64, Guest>,
    /// Which primaries elsewhere have been told of.
    told: BTreeSet<u64>,
}

/// Another host.
#[derive(Debug)]
struct Guest {
    link: Link,
    members: BTreeSet<u64>,
}

impl Home {
    pub(crate) fn new(terms: Terms, counters: Arc<Counters>) -> Self {
        Self {
            common: Common::new(terms, counters),
            claiming: Some(None),
            generation: 0,
            last_generation: 0,
            primary: None,
            guests: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Who is bound at the primary's socket, as a number that another one would not have.
    pub(crate) fn primary(&mut self, primary: Option<u64>) {
        if self.primary == primary {
            return;
        }
        self.primary = primary;
        self.generation = match primary {
            Some(_) => {
                self.last_generation += 1;
                self.last_generation
            }
            None => 0,
        };
        self.common.tell(match primary {
            Some(_) => "the primary is there",
            None => "there is no primary",
        });
        for guest in self.guests.values_mut() {
            guest.link.push_control(Body::Primary { generation: self.generation });
        }
    }

    /// A local process sent this message to a stand-in.
    pub(crate) fn said(&mut self, session: u64, member: u64, content: Content) {
        match self.guests.values_mut().find(|guest| guest.link.session == session) {
            Some(guest) => self.common.say(&mut guest.link, member, content),
            None => self.common.counters.dropped.add(),
        }
    }

    /// A local process asks a stand-in; tells the number by which the answer will come.
    pub(crate) fn asked(&mut self, session: u64, member: u64, content: Content, now: Instant) -> u64 {
        let id = self.common.new_id();
        match self.guests.values_mut().find(|guest| guest.link.session == session) {
            Some(guest) if guest.members.contains(&member) => {
                self.common.ask(&mut guest.link, id, member, content, now);
            }
            _ => self.common.end([id]),
        }
        id
    }

    /// The stand-in could not join.
    pub(crate) fn join_failed(&mut self, session: u64, member: u64, why: &str) {
        if let Some(guest) = self.guests.values_mut().find(|guest| guest.link.session == session) {
            guest.members.remove(&member);
            let host = guest.link.host.clone();
            self.common.tell(format!("a member of {host} cannot join here: {why}"));
        }
    }

    fn hello(&mut self, from: u64, session: u64, host: String, now: Instant) {
        if self.claiming.is_some() {
            return;
        }
        if self.guests.get(&from).is_none_or(|guest| guest.link.session != session) {
            self.part_from(from, None);
            let mut link = Link::new(from, session, host.clone(), now);
            link.push_control(Body::Primary { generation: self.generation });
            self.guests.insert(from, Guest { link, members: BTreeSet::new() });
            self.common.tell(format!("{host} has come"));
        }
        let host = self.common.terms.host.clone();
        self.common.send(To::Bridge(from), session, Body::Welcome { host });
    }

    /// Ends a session, if there is one. Its stand-ins leave before anything else is done, so that
    /// whoever asked one sees that it is gone.
    fn part_from(&mut self, bridge: u64, why: Option<&str>) {
        let Some(mut guest) = self.guests.remove(&bridge) else { return };
        let session = guest.link.session;
        for member in guest.members {
            self.common.put(Output::Leave { session, member });
        }
        self.common.end(guest.link.open());
        self.common.counters.dropped.add_many(guest.link.unsent());
        if let Some(why) = why {
            self.common.tell(format!("{} is gone: {why}", guest.link.host));
        }
    }

    /// Another bridge says that it is the home.
    fn claim(&mut self, other: u64, host: String, is_settled: bool) {
        let mine = self.common.terms.me;
        let stays = match (self.claiming.is_none(), is_settled) {
            (true, false) => true,
            // It will object itself.
            (false, true) => false,
            (true, true) | (false, false) => mine < other,
        };
        if stays {
            let own = self.common.terms.host.clone();
            self.common.send(To::Bridge(other), 0, Body::Taken { host: own });
            if self.told.insert(other) {
                self.common.tell(format!("{host} has a primary of this group, too: its bridge is refused"));
            }
        }
    }

    fn taken(&mut self, other: u64, host: String) {
        if self.claiming.is_some() || other < self.common.terms.me {
            self.common.put(Output::Stop(Refusal::HomeTaken { host }));
        }
    }

    fn of_session(&mut self, frame: Frame, now: Instant) {
        let Some(guest) = self.guests.get_mut(&frame.from) else { return self.common.counters.stale.add() };
        match guest.link.accept(&frame, now) {
            Accepted::Next => {}
            Accepted::Twice => return self.common.counters.twice.add(),
            Accepted::Stale => return self.common.counters.stale.add(),
            Accepted::Gap => {
                self.common.counters.gaps.add();
                self.common.send(To::Bridge(frame.from), frame.session, Body::Bye);
                return self.part_from(frame.from, Some("frames of it were lost"));
            }
        }
        let (session, host) = (frame.session, &guest.link.host);
        match frame.body {
            Body::Beat => {}
            Body::Bye => self.part_from(frame.from, Some("it said so")),
            Body::Joined { member, pid } => {
                if guest.members.insert(member) {
                    let host = host.as_str().into();
                    self.common.put(Output::Join { session, member, pid, host });
                }
            }
            Body::Left { member } => {
                if guest.members.remove(&member) {
                    self.common.put(Output::Leave { session, member });
                    self.common.end(guest.link.open_to(member));
                }
            }
            body => self.common.work(session, &mut guest.link, body),
        }
    }
}

impl Side for Home {
    fn frame(&mut self, frame: Frame, now: Instant) {
        if frame.from == self.common.terms.me {
            return;
        }
        match frame.body {
            Body::Hello { host, is_little_endian } => {
                if is_little_endian == cfg!(target_endian = "little") {
                    self.hello(frame.from, frame.session, host, now);
                } else if self.told.insert(frame.from) {
                    self.common.tell(format!("{host} has another byte order: it cannot take part"));
                }
            }
            Body::Claim { host, is_settled } => self.claim(frame.from, host, is_settled),
            Body::Taken { host } => self.taken(frame.from, host),
            Body::Refused { host, why } => {
                self.part_from(frame.from, None);
                self.common.tell(format!("{host} has a primary of its own, and is refused: {why}"));
            }
            _ => self.of_session(frame, now),
        }
    }

    fn nobody(&mut self, bridge: u64, _: Instant) {
        if self.guests.get(&bridge).is_some_and(|guest| guest.link.can_be_gone()) {
            self.part_from(bridge, Some("its bridge has ended"));
        }
    }

    fn connected(&mut self, is_connected: bool, now: Instant) {
        if self.claiming.is_some() {
            self.claiming = Some(is_connected.then(|| now + CLAIM));
        }
        if !is_connected {
            self.guests.values_mut().for_each(|guest| guest.link.disconnected());
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(Some(until)) = self.claiming
            && until <= now
        {
            self.claiming = None;
            self.common.tell("this host is the group's home");
        }
        let (host, is_settled) = (self.common.terms.host.clone(), self.claiming.is_none());
        self.common.send(To::Home, 0, Body::Claim { host, is_settled });
        let grace = self.common.terms.grace;
        let silent: Vec<_> = self
            .guests
            .values()
            .filter(|guest| guest.link.is_silent(grace, now))
            .map(|g| g.link.peer)
            .collect();
        for bridge in silent {
            self.part_from(bridge, Some("nothing is heard of it"));
        }
        for (bridge, guest) in &mut self.guests {
            self.common.send(To::Bridge(*bridge), guest.link.session, Body::Beat);
            let expired = guest.link.expired(now);
            self.common.abandon(expired);
        }
    }

    fn answered(&mut self, session: u64, id: u64, answer: Answer) {
        match self.guests.values_mut().find(|guest| guest.link.session == session) {
            Some(guest) => {
                self.common.counters.answers_out.add();
                guest.link.push_control(Body::Answer { id, answer });
            }
            None => self.common.counters.late.add(),
        }
    }

    fn next_frame(&mut self) -> Option<(u64, Frame)> {
        let me = self.common.terms.me;
        self.guests.iter_mut().find_map(|(bridge, guest)| Some((*bridge, guest.link.next_frame(me)?)))
    }

    fn end(&mut self) {
        for guest in self.guests.values() {
            self.common.send(To::Bridge(guest.link.peer), guest.link.session, Body::Bye);
        }
        let bridges: Vec<_> = self.guests.keys().copied().collect();
        bridges.into_iter().for_each(|bridge| self.part_from(bridge, None));
    }

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}
