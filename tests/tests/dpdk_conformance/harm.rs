//! Do no harm: what a DPDK primary's work costs while somebody is a member of its group.

use std::time::Duration;

use tests::dpdk::{Answer, Cell, Golden, Group, Hand, Kind, Memory, Mode, Process, Refused, Role, Table};

use crate::{RUST_PEER, SECOND};

/// What the primary does that involves every member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    GrowHeap,
    Attach,
    Broadcast,
}

/// How the member is while the primary does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    BusyHandler,
    Stopped,
    KilledAsking,
    KilledAsked,
    Left,
}

/// Who the member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    DpdkSecondary,
    RustSecondary,
    RustClient,
}

pub(crate) fn table() -> Table {
    let alone: Vec<_> = Work::ALL.into_iter().map(without_member).collect();
    let mut rows = Vec::new();
    for state in State::ALL {
        for (work, alone) in Work::ALL.into_iter().zip(&alone) {
            let mut row = vec![Cell::of(state.title()), Cell::of(work.title()), alone.clone()];
            row.extend(Who::ALL.map(|who| beside(who, state, work)));
            rows.push(row);
        }
    }
    Table {
        title: "Do no harm".to_owned(),
        introduction: INTRODUCTION.to_owned(),
        columns: [
            "while it",
            "a DPDK primary",
            "alone",
            "DPDK secondary",
            "Rust `Secondary`",
            "Rust `Client`",
        ]
        .map(str::to_owned)
        .into(),
        rows,
    }
}

const INTRODUCTION: &str = "\
What a DPDK primary's work costs while a process of each kind is beside it, and whether the primary's IPC still answers
afterwards. `alone` is the same work with nobody there. Each cell is one run in a group of its own. Rust processes run
under `strace`, which records what they send.

What no member can help: one that is stopped, or killed before it could answer, is waited for until the primary's own
timeout, and a member whose process is stopped stops the primary's broadcasts. A `Client` is no member, so nobody waits
for it.";

impl Work {
    const ALL: [Self; 3] = [Self::GrowHeap, Self::Attach, Self::Broadcast];

    fn title(self) -> &'static str {
        match self {
            Self::GrowHeap => "grows its heap by 32 MB",
            Self::Attach => "attaches a device",
            Self::Broadcast => "broadcasts 100 messages",
        }
    }

    fn command(self) -> String {
        match self {
            Self::GrowHeap => format!("malloc {}", 32 << 20),
            Self::Attach => "attach net_null1".to_owned(),
            Self::Broadcast => "send burst 00 0 100".to_owned(),
        }
    }
}

impl Who {
    const ALL: [Self; 3] = [Self::DpdkSecondary, Self::RustSecondary, Self::RustClient];
}

impl State {
    const ALL: [Self; 6] =
        [Self::Idle, Self::BusyHandler, Self::Stopped, Self::KilledAsking, Self::KilledAsked, Self::Left];

    fn title(self) -> &'static str {
        match self {
            Self::Idle => "is idle",
            Self::BusyHandler => "runs a handler that takes 10 s",
            Self::Stopped => "is stopped with SIGSTOP for 2 s",
            Self::KilledAsking => "was killed while it waited for a reply",
            Self::KilledAsked => "is killed, stopped, 1 s after the primary began",
            Self::Left => "has left orderly",
        }
    }
}

/// The median of a few runs: all other cells are compared with these.
fn without_member(work: Work) -> Cell {
    let mut runs = [(); 5].map(|()| {
        let group = Group::new(Memory::Huge);
        let primary = primary(&group);
        let answer = primary.command(&work.command());
        verdict(&group, answer)
    });
    runs.sort_by_key(|cell| cell.took);
    runs[runs.len() / 2].clone()
}

fn beside(who: Who, state: State, work: Work) -> Cell {
    if (who, state) == (Who::RustClient, State::BusyHandler) {
        return Cell::of("has no handlers");
    }
    eprintln!("{who:?} {state:?} {work:?}");
    let group = Group::new(Memory::Huge);
    let primary = primary(&group);
    let answer = done_beside(member(&group, who), state, &primary, &work.command());
    let succeeded = answer.is_ok();
    let cell = verdict(&group, answer);
    if who != Who::DpdkSecondary {
        let harmless = who == Who::RustClient || !matches!(state, State::Stopped | State::KilledAsked);
        let prompt = cell.took.is_some_and(|took| took < SECOND);
        assert!(!harmless || (succeeded && prompt), "{who:?} did harm while {state:?} to {work:?}: {cell}");
    }
    cell
}

/// Has the primary do its work while the member is in that state.
fn done_beside(member: Process, state: State, primary: &Process, work: &str) -> Result<Answer, Refused> {
    match state {
        State::Idle => {}
        State::BusyHandler => {
            primary.request_async("slow", &[], 0, 60 * SECOND).expect("the member takes it");
            assert_eq!(member.next_arrival().name, "slow");
        }
        State::Stopped => {
            member.stop();
            primary.begin(work);
            let early = primary.end_within(2 * SECOND);
            member.resume();
            return early.unwrap_or_else(|| primary.end(Duration::ZERO));
        }
        State::KilledAsking => {
            member.request_begin("silent", &[], 0, 30 * SECOND);
            assert_eq!(primary.next_arrival().name, "silent");
            member.kill();
            return primary.command(work);
        }
        State::KilledAsked => {
            member.stop();
            primary.begin(work);
            let early = primary.end_within(SECOND);
            member.kill();
            return early.unwrap_or_else(|| primary.end(Duration::ZERO));
        }
        State::Left => {
            member.quit();
            return primary.command(work);
        }
    }
    primary.command(work)
}

fn primary(group: &Group) -> Process {
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    primary.register("silent", Mode::Silent).expect("the name is free");
    primary
}

fn member(group: &Group, who: Who) -> Process {
    let member = match who {
        Who::DpdkSecondary => group.dpdk(Role::Secondary).start(),
        Who::RustSecondary => group.rust(Role::Secondary, RUST_PEER).start(),
        Who::RustClient => return group.rust(Role::Client, RUST_PEER).start(),
    };
    member.register("slow", Mode::Block(10 * SECOND)).expect("the name is free");
    member.register("burst", Mode::Discard).expect("the name is free");
    member
}

/// The finding: what the primary said, and whether its IPC still works.
fn verdict(group: &Group, answer: Result<Answer, Refused>) -> Cell {
    let (finding, took) = match answer {
        Ok(answer) => ("succeeds", answer.took),
        Err(refused) => ("**fails**", refused.took),
    };
    if is_alive(group) {
        Cell::timed(finding, took)
    } else {
        Cell::timed(format!("{finding}, and its IPC is dead"), took)
    }
}

/// Whether the primary answers a request that is made without any code of ours or DPDK's.
fn is_alive(group: &Group) -> bool {
    let peer = Hand::bind(group, "by_hand");
    let request = Golden { kind: Kind::Request, name: "alive", param: &[], fds: 0 };
    peer.send("mp_socket", &request.bytes(group.layout(), 0), &[]);
    peer.receive_within(5 * SECOND).is_some()
}
