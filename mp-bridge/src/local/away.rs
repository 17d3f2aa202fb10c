//! A host without the primary: the bridge is it here, and watches who is a member.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mp_core::{Change, Client, Member};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Arrived, At, Event, Gate, Host, Place,
    house::{Errand, House},
    outbox::{Outbox, Whom},
    place::primary_of,
    spawn,
};
use crate::state::{Away, Output};

/// How long the thread that watches does not look whether it is to end.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct AwayHost {
    client: Client,
    dir: PathBuf,
    /// `None` once it has left.
    house: Option<House>,
    outbox: Outbox,
    members: BTreeMap<u64, Member>,
    numbers: HashMap<Member, u64>,
    next_number: u64,
    /// Who is bound at the primary's socket while that is this bridge.
    bound: Option<u64>,
    watching: Watching,
}

impl AwayHost {
    pub(crate) fn new(
        place: Place,
        gate: Gate,
        events: UnboundedSender<Event>,
        patience: Duration,
    ) -> io::Result<Self> {
        let outbox = Outbox::new(Arc::clone(&gate.counters), events.clone(), patience);
        let watching = Watching::start(place.client.clone(), events.clone())?;
        let house = House::open(place.dir.clone(), place.list, gate, events)?;
        Ok(Self {
            client: place.client,
            dir: place.dir,
            house: Some(house),
            outbox,
            members: BTreeMap::new(),
            numbers: HashMap::new(),
            next_number: 1,
            bound: None,
            watching,
        })
    }

    fn run(&self, errand: Errand) {
        self.house.iter().for_each(|house| house.run(errand.clone()));
    }

    fn changed(&mut self, side: &mut Away, change: Change) {
        match change {
            Change::Joined(member) => {
                let number = self.next_number;
                self.next_number += 1;
                side.joined(number, member.pid().unwrap_or(0));
                self.numbers.insert(member.clone(), number);
                self.members.insert(number, member);
            }
            Change::Left(member) | Change::Died(member) => {
                let Some(number) = self.numbers.remove(&member) else { return };
                self.members.remove(&number);
                self.outbox.forget(number);
                side.left(number);
            }
            _ => {}
        }
    }
}

impl Host for AwayHost {
    type Side = Away;

    fn arrived(&mut self, side: &mut Away, arrived: &mut Arrived, now: Instant) -> Option<u64> {
        let At::Primary { generation } = arrived.at else { return None };
        let content = arrived.content.clone();
        match arrived.responder {
            Some(_) => Some(side.asked(generation, content, now)),
            None => {
                side.said(generation, content);
                None
            }
        }
    }

    fn event(&mut self, side: &mut Away, event: Event, now: Instant) {
        match event {
            Event::Changed(change) => self.changed(side, change),
            Event::Bound { generation, primary } if side.stands_for(generation) => {
                self.bound = primary;
                tracing::info!("stands in for the primary here");
            }
            Event::BindFailed { generation, why } => side.bind_failed(generation, why, now),
            _ => {}
        }
    }

    fn tick(&mut self, side: &mut Away, _: Instant) {
        let (Some(bound), Some(now)) = (self.bound, primary_of(&self.dir)) else { return };
        if bound != now {
            self.bound = None;
            side.refuse("another process has taken the primary's place".into());
        }
    }

    fn perform(&mut self, output: Output, now: Instant) {
        match output {
            Output::Message { member, content } => match self.members.get(&member) {
                Some(to) => {
                    let to = Whom { client: &self.client, member: Some(to) };
                    self.outbox.send(member, to, content, now);
                }
                None => self.outbox.nobody(None),
            },
            Output::Ask { session, id, member, content } => match self.members.get(&member) {
                Some(to) => {
                    let to = Whom { client: &self.client, member: Some(to) };
                    self.outbox.ask(member, to, (session, id), content, now);
                }
                None => self.outbox.nobody(Some((session, id))),
            },
            Output::Bind { generation } => self.run(Errand::Bind { generation }),
            Output::Unbind => {
                self.bound = None;
                self.run(Errand::Unbind);
            }
            _ => {}
        }
    }

    fn retry(&mut self, now: Instant) -> bool {
        for member in self.outbox.members() {
            match self.members.get(&member) {
                Some(to) => {
                    self.outbox.retry(member, Whom { client: &self.client, member: Some(to) }, now);
                }
                None => self.outbox.forget(member),
            }
        }
        self.outbox.has_waiting()
    }

    fn end(&mut self) {
        self.watching.end();
        drop(self.house.take());
    }
}

/// The thread that watches who joins and leaves.
#[derive(Debug)]
struct Watching {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    fn start(client: Client, events: UnboundedSender<Event>) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = spawn("mp_bridge_watch", move || {
            while !over.load(Relaxed) {
                if let Err(error) = watch(&client, &events, &over) {
                    tracing::warn!(%error, "the members cannot be watched: trying again");
                    thread::sleep(LOOK);
                }
            }
        })?;
        Ok(Self { is_over, thread: Some(thread) })
    }

    fn end(&mut self) {
        self.is_over.store(true, Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Tells of all changes until it is over. Who was told of counts as gone if it fails.
fn watch(
    client: &Client,
    events: &UnboundedSender<Event>,
    over: &AtomicBool,
) -> Result<(), mp_core::GroupError> {
    let mut watch = client.watch()?;
    let mut there = std::collections::BTreeSet::new();
    let mut next = |there: &mut std::collections::BTreeSet<Member>| -> Result<(), mp_core::GroupError> {
        while !over.load(Relaxed) {
            let Some(change) = watch.next_within(LOOK)? else { continue };
            match &change {
                Change::Joined(member) => drop(there.insert(member.clone())),
                Change::Left(member) | Change::Died(member) => drop(there.remove(member)),
                _ => {}
            }
            // The loop may be over.
            let _ = events.send(Event::Changed(change));
        }
        Ok(())
    };
    next(&mut there).inspect_err(|_| {
        for member in there {
            let _ = events.send(Event::Changed(Change::Left(member)));
        }
    })
}
