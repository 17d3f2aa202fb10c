//! `mpctl monitor`: what members in Rust send and get, as it happens.
//!
//! ```text
//! keeper: who is there ─► a thread a member: asks for copies and definitions, reads them ─► bounded queue
//!                                                                     ─► printing thread
//! main thread: waits for the last line, or for Ctrl-C
//! ```
//!
//! Who prints slowly holds up nobody: the queue fills, then the members' sockets, and what has no room
//! there the members drop and count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use mp_core::{
    Client,
    inspect::{self, DatagramKind, Direction, DpdkVersion, Filter, Member, MonitorError, Record},
};

use super::{Context, made, peer::Peer};
use crate::{
    cli::MonitorArgs,
    failure::{Failure, chain},
    interrupt::{self, Awaited},
    monitor::{Capture, Definitions, Event, Matching, Note, Pairs, Party},
    output::Output,
    schema::{Description, Told},
};

/// How many copies wait for being printed.
const QUEUE: usize = 1024;

/// How often it is looked who is there, besides whenever a secondary joins.
const LOOK: Duration = Duration::from_millis(200);

/// How long a member may take to tell of its actions: until then its datagrams wait for being read.
const TELLING: Duration = Duration::from_secs(1);

/// How often a member is asked anew, if it gets what it has not told of.
const ANEW: Duration = Duration::from_secs(1);

/// How long the end waits for what is queued.
const LEAVE: Duration = Duration::from_secs(1);

/// What the printing thread gets.
#[derive(Debug)]
enum Seen {
    Record(Party, Box<Record>),
    /// What a member tells of its actions, if it does.
    Told(Party, Option<Box<Description>>),
    Note(Note),
    End,
}

pub(super) fn run(context: &Context, args: &MonitorArgs) -> Result<bool, Failure> {
    let group = context.inspect()?;
    let matching: Matching = args.matching.iter().cloned().collect();
    let (queue, seen) = sync_channel(QUEUE);
    let printer = Printer {
        output: context.output,
        matching: matching.clone(),
        version: group.dpdk,
        most: args.count.map_or(u64::MAX, u64::from),
        save: args.save.as_deref().map(create).transpose()?,
        capture: args.pcapng.as_deref().map(capture).transpose()?,
        pairs: Pairs::default(),
        definitions: Definitions::default(),
        dropped: BTreeMap::new(),
    };
    let (events, happened) = interrupt::channel()?;
    let keeper = Keeper::new(context, queue.clone(), &matching)?;
    eprintln!("mpctl: seen is what members in Rust send and get; what those in C send each other is not");
    let (over, client) = (Arc::clone(&keeper.over), keeper.client.clone());
    thread::spawn(move || keeper.keep());
    thread::spawn(move || events.send(Awaited::Done(printer.print(&seen))));
    let printed = match happened.recv() {
        Ok(Awaited::Done(printed)) => Some(printed),
        Ok(Awaited::Interrupted) | Err(_) => None,
    };
    over.store(true, Relaxed);
    // If the queue is full, nobody reads what is printed.
    let _ = queue.try_send(Seen::End);
    let printed = printed.or_else(|| match happened.recv_timeout(LEAVE) {
        Ok(Awaited::Done(printed)) => Some(printed),
        Ok(Awaited::Interrupted) | Err(_) => None,
    });
    // The threads that see members end with the process, and what they asked with is left.
    made::remove_reply_sockets(&client);
    let dropped = printed.unwrap_or(Ok(0))?;
    if dropped > 0 {
        eprintln!("mpctl: {dropped} datagrams are not shown: they came faster than they were read");
    }
    Ok(true)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path);
    file.map(BufWriter::new).map_err(|error| Failure::Usage(format!("cannot write {path:?}: {error}")))
}

fn capture(path: &Path) -> Result<Capture<BufWriter<File>>, Failure> {
    Ok(Capture::new(create(path)?)?)
}

/// Sees to it that each member's datagrams are seen.
struct Keeper {
    client: Client,
    runtime_dir: PathBuf,
    filter: Filter,
    timeout: Duration,
    queue: SyncSender<Seen>,
    over: Arc<AtomicBool>,
    /// Those that are seen, or were asked in vain.
    known: Arc<Mutex<Known>>,
}

/// By socket and process: another process at the same place is another member.
type Known = BTreeMap<(PathBuf, Option<u32>), State>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Left,
}

impl Keeper {
    fn new(context: &Context, queue: SyncSender<Seen>, matching: &Matching) -> Result<Self, Failure> {
        let client = context.client()?;
        let runtime_dir = client.runtime_dir().map(Path::to_owned).unwrap_or_default();
        let filter = match matching.only_name() {
            Some(name) => Filter::all().name(name),
            None => Filter::all(),
        };
        let (timeout, over, known) = (context.timeout, Arc::default(), Arc::default());
        Ok(Self { client, runtime_dir, filter, timeout, queue, over, known })
    }

    /// Until it is over.
    fn keep(self) {
        // Without one, a member that joins is seen a moment later.
        let mut watch = self.client.watch().ok();
        while !self.over.load(Relaxed) {
            if let Ok(group) = inspect::Group::in_dir(&self.runtime_dir) {
                self.look(&group.members);
            }
            let news = watch.as_mut().map(|watch| watch.next_within(LOOK));
            if !matches!(news, Some(Ok(_))) {
                watch = None;
                thread::sleep(LOOK);
            }
        }
    }

    fn look(&self, members: &[Member]) {
        let alive: Vec<_> = members.iter().filter(|member| member.alive).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(socket, pid), state| {
            let is_there = alive.iter().any(|member| member.socket == *socket && member.pid == *pid);
            is_there && *state == State::Asked
        });
        for member in alive {
            let key = (member.socket.clone(), member.pid);
            if known.contains_key(&key) {
                continue;
            }
            known.insert(key.clone(), State::Asked);
            let (member, client, filter) = (member.clone(), self.client.clone(), self.filter.clone());
            let (queue, over, timeout) = (self.queue.clone(), Arc::clone(&self.over), self.timeout);
            let all = Arc::clone(&self.known);
            thread::spawn(move || {
                let see = See { client, filter, timeout, queue, over };
                if see.member(&member) {
                    // It may be another process that is there by now, or the same one anew.
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(key, State::Left);
                }
            });
        }
    }
}

/// Sees one member.
struct See {
    client: Client,
    filter: Filter,
    timeout: Duration,
    queue: SyncSender<Seen>,
    over: Arc<AtomicBool>,
}

impl See {
    /// As long as it lasts; whether it was seen at all.
    fn member(self, member: &Member) -> bool {
        let party = Party { pid: member.pid, socket: Some(member.socket.display().to_string()) };
        let attached =
            Peer::of(self.client.clone(), member).map_err(|failure| failure.to_string()).and_then(|peer| {
                let monitor = inspect::monitor(peer.target(), self.filter.clone(), self.timeout);
                Ok((monitor.map_err(|error| chain(&error))?, peer))
            });
        let (mut monitor, peer) = match attached {
            Ok(attached) => attached,
            Err(why) => {
                self.note(Note::Unseen { member: party, why });
                return false;
            }
        };
        let mut told = Names::default();
        if !self.definitions(&party, &peer, &mut told) || !self.note(Note::Attached(party.clone())) {
            return true;
        }
        while !self.over.load(Relaxed) {
            match monitor.next_within(LOOK) {
                Ok(None) => {}
                Ok(Some(record)) => {
                    if told.lacks(&record) && !self.definitions(&party, &peer, &mut told) {
                        return true;
                    }
                    if self.queue.send(Seen::Record(party.clone(), Box::new(record))).is_err() {
                        return true;
                    }
                }
                Err(MonitorError::Ended) => {
                    self.note(Note::Left(party));
                    return true;
                }
                Err(error) => {
                    self.note(Note::Unseen { member: party, why: chain(&error) });
                    return true;
                }
            }
        }
        true
    }

    /// Asks for the member's definitions; whether anybody prints yet. A member that tells none is
    /// shown as bytes.
    fn definitions(&self, party: &Party, peer: &Peer, names: &mut Names) -> bool {
        let told = inspect::describe(peer.target(), self.timeout.min(TELLING)).ok();
        let told = told.and_then(|told| Description::try_from(Told(&told)).ok()).map(Box::new);
        if told.is_none() && names.told.is_some() {
            // It did not answer in time: what it told before is better than nothing.
            names.asked = Some(Instant::now());
            return true;
        }
        names.are(told.as_deref());
        self.queue.send(Seen::Told(party.clone(), told)).is_ok()
    }

    fn note(&self, note: Note) -> bool {
        self.queue.send(Seen::Note(note)).is_ok()
    }
}

/// The names that a member has told of, which may be more by now.
#[derive(Debug, Default)]
struct Names {
    /// `None` if it tells none.
    told: Option<BTreeSet<String>>,
    asked: Option<Instant>,
}

impl Names {
    fn are(&mut self, told: Option<&Description>) {
        self.told = told.map(|told| told.actions.iter().map(|action| action.name.clone()).collect());
        self.asked = Some(Instant::now());
    }

    /// Whether the member got what it has not told of, and has not been asked just now.
    fn lacks(&self, record: &Record) -> bool {
        let (Some(told), Direction::In) = (&self.told, record.direction) else { return false };
        let Some(content) = record.content() else { return false };
        let is_for_it = matches!(content.kind, DatagramKind::Request | DatagramKind::Message);
        let name = content.name.to_string();
        is_for_it
            && !name.starts_with("mp.")
            && !told.contains(&name)
            && self.asked.is_none_or(|asked| asked.elapsed() >= ANEW)
    }
}

/// Prints, saves and captures what is wanted.
struct Printer {
    output: Output,
    matching: Matching,
    version: Option<DpdkVersion>,
    most: u64,
    save: Option<BufWriter<File>>,
    capture: Option<Capture<BufWriter<File>>>,
    pairs: Pairs,
    definitions: Definitions,
    /// By each member, as it last said.
    dropped: BTreeMap<Option<String>, u64>,
}

impl Printer {
    /// How many were dropped in all.
    fn print(mut self, seen: &Receiver<Seen>) -> io::Result<u64> {
        let mut shown = 0;
        while shown < self.most {
            match seen.recv() {
                Ok(Seen::Record(by, record)) => shown += u64::from(self.record(&by, &record)?),
                Ok(Seen::Told(by, Some(told))) => self.definitions.tell(&by, *told),
                Ok(Seen::Told(by, None)) => self.definitions.forget(&by),
                Ok(Seen::Note(note)) => {
                    if let Note::Left(member) | Note::Unseen { member, .. } = &note {
                        self.definitions.forget(member);
                    }
                    self.output.print(&note)?;
                }
                Ok(Seen::End) | Err(_) => break,
            }
        }
        Ok(self.dropped.values().sum())
    }

    /// Whether it was wanted.
    fn record(&mut self, by: &Party, record: &Record) -> io::Result<bool> {
        let dropped = self.dropped.entry(by.socket.clone()).or_default();
        let more = record.dropped.saturating_sub(*dropped);
        *dropped = record.dropped;
        if more > 0 {
            self.output.print(&Note::Dropped { member: by.clone(), dropped: more })?;
        }
        let mut event = Event::of(record, by, self.version);
        self.pairs.pair(&mut event);
        if let Some(decoded) = self.definitions.decode(&event) {
            event.tell(decoded);
        }
        if !self.matching.wants(&event) {
            return Ok(false);
        }
        if let Some(save) = &mut self.save {
            serde_json::to_writer(&mut *save, &event)?;
            save.write_all(b"\n")?;
            save.flush()?;
        }
        if let Some(capture) = &mut self.capture {
            let member = by.socket.as_deref().unwrap_or_default();
            let (is_inbound, comment) = (event.direction == "in", event.headline());
            capture.add(member, record.time, is_inbound, &record.datagram, &comment)?;
        }
        self.output.print(&event)?;
        Ok(true)
    }
}
