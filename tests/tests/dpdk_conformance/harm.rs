//! Do no harm: what a DPDK primary's work costs while somebody is a member of its group.

use std::{
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use tests::dpdk::{Answer, Cell, Group, Memory, Mode, Process, Refused, Role, Table};

use crate::SECOND;

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
    Dpdk,
}

pub(crate) fn table() -> Table {
    let alone: Vec<_> = Work::ALL.into_iter().map(without_member).collect();
    let mut rows = Vec::new();
    for state in State::ALL {
        for (work, alone) in Work::ALL.into_iter().zip(&alone) {
            let mut row = vec![Cell::of(state.title()), Cell::of(work.title()), alone.clone()];
            row.extend([Who::Dpdk].map(|who| beside(who, state, work)));
            rows.push(row);
        }
    }
    Table {
        title: "Do no harm".to_owned(),
        introduction: "".to_owned(),
        columns: ["while the member", "the primary", "alone", "DPDK secondary"].map(str::to_owned).into(),
        rows,
    }
}

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

fn without_member(work: Work) -> Cell {
    let group = Group::new(Memory::Huge);
    let primary = primary(&group);
    let answer = primary.command(&work.command());
    verdict(&group, answer)
}

fn beside(who: Who, state: State, work: Work) -> Cell {
    eprintln!("{who:?} {state:?} {work:?}");
    let group = Group::new(Memory::Huge);
    let primary = primary(&group);
    let member = member(&group, who);
    let answer = match state {
        State::Idle => primary.command(&work.command()),
        State::BusyHandler => {
            primary.request_async("slow", &[], 0, 60 * SECOND).expect("the member takes it");
            assert_eq!(member.next_arrival().name, "slow");
            primary.command(&work.command())
        }
        State::Stopped => {
            member.stop();
            primary.begin(&work.command());
            let early = primary.end_within(2 * SECOND);
            member.resume();
            early.unwrap_or_else(|| primary.end(Duration::ZERO))
        }
        State::KilledAsking => {
            member.request_begin("silent", &[], 0, 30 * SECOND);
            assert_eq!(primary.next_arrival().name, "silent");
            member.kill();
            return verdict(&group, primary.command(&work.command()));
        }
        State::KilledAsked => {
            member.stop();
            primary.begin(&work.command());
            let early = primary.end_within(SECOND);
            member.kill();
            return verdict(&group, early.unwrap_or_else(|| primary.end(Duration::ZERO)));
        }
        State::Left => {
            member.quit();
            return verdict(&group, primary.command(&work.command()));
        }
    };
    verdict(&group, answer)
}

fn primary(group: &Group) -> Process {
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    primary.register("alive", Mode::Echo).expect("the name is free");
    primary.register("silent", Mode::Silent).expect("the name is free");
    primary
}

fn member(group: &Group, who: Who) -> Process {
    match who {
        Who::Dpdk => {
            let member = group.dpdk(Role::Secondary).start();
            member.register("slow", Mode::Block(10 * SECOND)).expect("the name is free");
            member.register("burst", Mode::Discard).expect("the name is free");
            member
        }
    }
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
    let asked = Instant::now();
    let socket = UnixDatagram::bind(group.runtime_dir().join("by_hand")).expect("the name is free");
    socket.set_read_timeout(Some(5 * SECOND)).expect("a limit can be set");
    let mut request = [0; 332];
    request[0] = 1;
    request[4..9].copy_from_slice(b"alive");
    socket.send_to(&request, group.runtime_dir().join("mp_socket")).expect("the primary is there");
    let alive = socket.recv(&mut request).is_ok_and(|length| length == 332);
    assert!(!alive || asked.elapsed() < 5 * SECOND);
    alive
}
