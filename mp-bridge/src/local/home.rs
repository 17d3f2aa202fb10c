//! The host with the primary: stand-ins join here for the members of other hosts.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use mp_core::Client;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Arrived, At, Event, Gate, Host, Place,
    house::{Errand, House},
    outbox::{Outbox, Whom},
    place::primary_of,
};
use crate::state::{Home, Output};

#[derive(Debug)]
pub(crate) struct HomeHost {
    client: Client,
    dir: PathBuf,
    /// `None` once it has left.
    house: Option<House>,
    outbox: Outbox,
}

impl HomeHost {
    pub(crate) fn new(
        place: Place,
        gate: Gate,
        events: UnboundedSender<Event>,
        patience: Duration,
    ) -> io::Result<Self> {
        let outbox = Outbox::new(Arc::clone(&gate.counters), events.clone(), patience);
        let house = House::open(place.dir.clone(), place.list, gate, events)?;
        Ok(Self { client: place.client, dir: place.dir, house: Some(house), outbox })
    }

    fn run(&self, errand: Errand) {
        self.house.iter().for_each(|house| house.run(errand.clone()));
    }
}

impl Host for HomeHost {
    type Side = Home;

    fn arrived(&mut self, side: &mut Home, arrived: &mut Arrived, now: Instant) -> Option<u64> {
        let At::StandIn { session, member } = arrived.at else { return None };
        let content = arrived.content.clone();
        match arrived.responder {
            Some(_) => Some(side.asked(session, member, content, now)),
            None => {
                side.said(session, member, content);
                None
            }
        }
    }

    fn event(&mut self, side: &mut Home, event: Event, _: Instant) {
        if let Event::JoinFailed { session, member, why } = event {
            side.join_failed(session, member, &why);
        }
    }

    fn tick(&mut self, side: &mut Home, _: Instant) {
        side.primary(primary_of(&self.dir));
    }

    fn perform(&mut self, output: Output, now: Instant) {
        let primary = Whom { client: &self.client, member: None };
        match output {
            Output::Message { content, .. } => self.outbox.send(0, primary, content, now),
            Output::Ask { session, id, content, .. } => {
                self.outbox.ask(0, primary, (session, id), content, now);
            }
            Output::Join { session, member, pid, host } => {
                self.run(Errand::Join { session, member, pid, host });
            }
            Output::Leave { session, member } => self.run(Errand::Leave { session, member }),
            _ => {}
        }
    }

    fn retry(&mut self, now: Instant) -> bool {
        let primary = Whom { client: &self.client, member: None };
        self.outbox.retry(0, primary, now);
        self.outbox.has_waiting()
    }

    fn end(&mut self) {
        drop(self.house.take());
    }
}
