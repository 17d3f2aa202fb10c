//! Who talks to whom, and what comes of what they ask each other.

use tests::dpdk::{
    Cell, Group, Layout, Memory, Process, Role, Table,
    exchange::{self, Unknown},
};

use crate::{RUST_PEER, SECOND};

pub(crate) fn table() -> Table {
    let mut rows = Vec::new();
    for role in [Role::Secondary, Role::Client] {
        let group = Group::new(Memory::Fixed);
        let primary = group.dpdk(Role::Primary).start();
        let rust = group.rust(role, RUST_PEER).start();
        rows.push(rust_asks(&format!("Rust {}", role.name()), &rust, "DPDK primary", &primary));
        if role == Role::Secondary {
            rows.push(c_asks("DPDK primary", &primary, "Rust secondary", &rust));
        }
    }
    {
        let group = Group::new(Memory::Huge);
        let first = group.dpdk(Role::Primary).start();
        let secondary = group.dpdk(Role::Secondary).start();
        first.quit();
        let rust = group.rust(Role::Primary, RUST_PEER).start();
        rows.push(rust_asks("Rust primary", &rust, "DPDK secondary", &secondary));
        rows.push(c_asks("DPDK secondary", &secondary, "Rust primary", &rust));
    }
    for (c_role, rust_role) in
        [(Role::Primary, Role::Secondary), (Role::Primary, Role::Client), (Role::Secondary, Role::Primary)]
    {
        let group = Group::without_dpdk(Layout::Bytes340);
        group.write_config(25, 11);
        let c = group.peer_340(c_role);
        let rust = group.rust(rust_role, RUST_PEER).start();
        let (c_title, rust_title) =
            (format!("C {}, 340 bytes", c_role.name()), format!("Rust {}", rust_role.name()));
        rows.push(rust_asks(&rust_title, &rust, &c_title, &c));
        if rust_role != Role::Client {
            rows.push(c_asks(&c_title, &c, &rust_title, &rust));
        }
    }
    Table {
        title: "Who can talk to whom".to_owned(),
        introduction: INTRODUCTION.to_owned(),
        columns: COLUMNS.map(str::to_owned).into(),
        rows,
    }
}

const INTRODUCTION: &str = "\
Requests and messages with payloads of 0, 1, 255 and 256 bytes, each with 0, 1 and 8 descriptors: payloads arrive
unchanged, descriptors are those of the same open files, and none is kept on either side. Beside DPDK itself, a C program
of ours, compiled from the documented structures, speaks the 340 bytes of DPDK 25.11 and later.";

const COLUMNS: [&str; 8] = [
    "who asks",
    "whom",
    "requests",
    "asynchronous requests",
    "messages",
    "a request never answered",
    "an answer after its timeout",
    "a name that is not registered",
];

fn rust_asks(asker_title: &str, asker: &Process, answerer_title: &str, answerer: &Process) -> Vec<Cell> {
    exchange::requests(asker, answerer);
    exchange::async_requests(asker, answerer);
    exchange::messages(asker, answerer);
    exchange::timeouts(asker, answerer);
    exchange::late_replies(asker, answerer);
    exchange::unknown_names(asker, answerer, Unknown::TimesOut);
    let found = [
        "all answered",
        "all answered",
        "all arrive",
        "times out",
        "is not taken for a later one",
        "times out",
    ];
    row(asker_title, answerer_title, found)
}

fn c_asks(asker_title: &str, asker: &Process, answerer_title: &str, answerer: &Process) -> Vec<Cell> {
    exchange::requests(asker, answerer);
    exchange::async_requests(asker, answerer);
    exchange::messages(asker, answerer);
    exchange::timeouts(asker, answerer);
    exchange::unknown_names(asker, answerer, Unknown::Ignored);
    let found =
        ["all answered", "all answered", "all arrive", "times out", "not tried", "is ignored at once"];
    row(asker_title, answerer_title, found)
}

fn row(asker: &str, answerer: &str, found: [&str; 6]) -> Vec<Cell> {
    [asker, answerer].into_iter().chain(found).map(Cell::of).collect()
}

/// What a DPDK secondary can and cannot do after its primary was replaced.
pub(crate) fn place_table() -> Table {
    let rows = [
        ("asks for an action of the primary's", "request echo 00 0 5000"),
        ("sends the primary a message", "send told 00 0"),
        ("grows its heap by 32 MB", "malloc 33554432"),
        ("attaches a device", "attach net_null1"),
    ];
    let rows = rows.map(|(title, command)| {
        let mut row = vec![Cell::of(title)];
        row.extend([Place::Dpdk, Place::Rust, Place::Nobody].map(|place| in_place(place, command)));
        row
    });
    Table {
        title: "In a DPDK primary's place".to_owned(),
        introduction: PLACE_INTRODUCTION.to_owned(),
        columns: [
            "a DPDK secondary",
            "its DPDK primary",
            "a Rust `Primary` in its place",
            "nobody in its place",
        ]
        .map(str::to_owned)
        .into(),
        rows: rows.into(),
    }
}

const PLACE_INTRODUCTION: &str = "\
DPDK secondaries that outlive their primary go on asking whoever is bound in its place. A Rust `Primary` there answers
what it has actions for, but it is not DPDK: memory and devices are not its to give.";

/// Who is the secondary's primary now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Dpdk,
    Rust,
    Nobody,
}

fn in_place(place: Place, command: &str) -> Cell {
    let group = Group::new(Memory::Huge);
    let first = group.dpdk(Role::Primary).vdev("net_null0").start();
    let secondary = group.dpdk(Role::Secondary).start();
    let primary = match place {
        Place::Dpdk => Some(first),
        Place::Rust => {
            first.quit();
            Some(group.rust(Role::Primary, RUST_PEER).start())
        }
        Place::Nobody => {
            first.quit();
            None
        }
    };
    if let Some(primary) = &primary {
        primary.register("echo", tests::dpdk::Mode::Echo).expect("the name is free");
        primary.register("told", tests::dpdk::Mode::Discard).expect("the name is free");
    }
    let result = secondary.command(command);
    // Whatever came of it, the secondary goes on.
    assert!(secondary.open_fds() > 0);
    match result {
        Ok(answer) => Cell::timed("succeeds", answer.took),
        Err(refused) if refused.took < SECOND => Cell::timed("fails at once", refused.took),
        Err(refused) => Cell::timed("fails", refused.took),
    }
}
