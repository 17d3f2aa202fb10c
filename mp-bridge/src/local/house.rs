//! A thread that joins and leaves: taking a place in a group may wait for the directory's lock, and
//! the bridge's loop must not.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek, Write},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use mp_core::{BindError, Builder, Joins, Primary, Secondary, StartError};
use tokio::sync::mpsc::UnboundedSender;

use super::{At, Event, Gate, in_words, place::primary_of, spawn};
use crate::state::BindFailed;

/// What the thread is to do, in order.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    Join { session: u64, member: u64, pid: u32, host: Arc<str> },
    Leave { session: u64, member: u64 },
    Bind { generation: u64 },
    Unbind,
}

/// The thread. Dropping this leaves every place and waits for that.
#[derive(Debug)]
pub(super) struct House {
    errands: Option<mpsc::Sender<Errand>>,
    thread: Option<JoinHandle<()>>,
}

impl House {
    pub(super) fn open(
        dir: PathBuf,
        list: File,
        gate: Gate,
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let (errands, received) = mpsc::channel();
        let tenants = Tenants { dir, list, gate, events, stand_ins: BTreeMap::new(), primary: None };
        let thread = spawn("mp_bridge_join", move || tenants.run(&received))?;
        Ok(Self { errands: Some(errands), thread: Some(thread) })
    }

    pub(super) fn run(&self, errand: Errand) {
        // It ends only when this is dropped.
        let _ = self.errands.as_ref().map(|errands| errands.send(errand));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.errands.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Who stands in for whom, on the thread.
struct Tenants {
    dir: PathBuf,
    /// Tells people who the stand-ins stand for.
    list: File,
    gate: Gate,
    events: UnboundedSender<Event>,
    stand_ins: BTreeMap<(u64, u64), StandIn>,
    primary: Option<Primary>,
}

struct StandIn {
    role: Secondary,
    host: Arc<str>,
    pid: u32,
}

impl Tenants {
    fn run(mut self, errands: &mpsc::Receiver<Errand>) {
        while let Ok(errand) = errands.recv() {
            let changes_list = matches!(errand, Errand::Join { .. } | Errand::Leave { .. });
            self.perform(errand);
            let mut changed = changes_list;
            while let Ok(errand) = errands.try_recv() {
                changed |= matches!(errand, Errand::Join { .. } | Errand::Leave { .. });
                self.perform(errand);
            }
            if changed && let Err(error) = self.write_list() {
                tracing::warn!(%error, "the list of stand-ins cannot be written");
            }
        }
        self.stand_ins.clear();
        let _ = self.write_list();
    }

    fn perform(&mut self, errand: Errand) {
        match errand {
            Errand::Join { session, member, pid, host } => self.join(session, member, pid, host),
            Errand::Leave { session, member } => drop(self.stand_ins.remove(&(session, member))),
            Errand::Bind { generation } => self.bind(generation),
            Errand::Unbind => drop(self.primary.take()),
        }
    }

    fn join(&mut self, session: u64, member: u64, pid: u32, host: Arc<str>) {
        match self.start::<Secondary>(At::StandIn { session, member }) {
            Ok(role) => drop(self.stand_ins.insert((session, member), StandIn { role, host, pid })),
            Err(error) => self.tell(Event::JoinFailed { session, member, why: in_words(&error) }),
        }
    }

    fn bind(&mut self, generation: u64) {
        drop(self.primary.take());
        match self.start::<Primary>(At::Primary { generation }) {
            Ok(primary) => {
                self.primary = Some(primary);
                self.tell(Event::Bound { generation, primary: primary_of(&self.dir) });
            }
            Err(error) => {
                let why = in_words(&error);
                let why = match error {
                    StartError::Bind(BindError::PrimaryExists { .. }) => BindFailed::Taken(why),
                    _ => BindFailed::Other(why),
                };
                self.tell(Event::BindFailed { generation, why });
            }
        }
    }

    fn start<R: Joins + HasBuilder>(&self, at: At) -> Result<R, StartError> {
        let gate = self.gate.clone();
        R::builder().runtime_dir(&self.dir).otherwise(move |arrival| gate.arrived(at, arrival)).start()
    }

    /// One line for each stand-in: its socket, the host and the pid there.
    fn write_list(&mut self) -> io::Result<()> {
        let mut lines = Vec::new();
        for StandIn { role, host, pid } in self.stand_ins.values() {
            let socket = role.address().file_name();
            writeln!(lines, "{} {} {pid}", socket.display(), host.escape_debug())?;
        }
        self.list.set_len(0)?;
        self.list.rewind()?;
        self.list.write_all(&lines)
    }

    fn tell(&self, event: Event) {
        // The loop may be over.
        let _ = self.events.send(event);
    }
}

/// The directory is given anyway.
trait HasBuilder: Sized + mp_core::Role {
    fn builder() -> Builder<Self>;
}

impl HasBuilder for Primary {
    fn builder() -> Builder<Self> {
        Self::builder("")
    }
}

impl HasBuilder for Secondary {
    fn builder() -> Builder<Self> {
        Self::builder("")
    }
}
