//! Members that come and go while a DPDK primary works.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    thread,
    time::Duration,
};

use tests::dpdk::{Cell, Group, Memory, Mode, Process, Role, Table};

use crate::{RUST_PEER, SECOND};

/// How many members come and go during each work.
const MEMBERS: u32 = 100;

pub(crate) fn table() -> Table {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    let alone: Vec<_> = WORKS.iter().map(|work| slowest(&primary, work, |times| times < 100)).collect();
    let beside = beside_members(&group, &primary);
    let rows = WORKS.iter().zip(alone.into_iter().zip(beside));
    Table {
        title: "While members come and go".to_owned(),
        introduction: INTRODUCTION.to_owned(),
        columns: ["a DPDK primary, again and again", "alone", "beside Rust secondaries"]
            .map(str::to_owned)
            .into(),
        rows: rows.map(|(work, (alone, beside))| vec![Cell::of(work.title), alone, beside]).collect(),
    }
}

const INTRODUCTION: &str = "\
At least a hundred Rust secondaries, two at a time, start, join, leave orderly and end during each row, while the
primary calls without a pause. The time is that of the slowest of its calls. There is no column for DPDK's own
secondaries, since what becomes of them differs from run to run: with them in this place, attaching and detaching failed
after 5 s at times, and once one of them crashed while it started.";

struct Work {
    title: &'static str,
    commands: &'static [&'static str],
}

const WORKS: [Work; 4] = [
    Work { title: "grows and shrinks its heap by 8 MB", commands: &["malloc 8388608", "free"] },
    Work { title: "attaches and detaches a device", commands: &["attach net_null1", "detach net_null1"] },
    Work { title: "broadcasts a message", commands: &["send told 00 0"] },
    Work { title: "asks for what no member has an action for", commands: &["request unheard_of 00 0 5000"] },
];

fn beside_members(group: &Group, primary: &Process) -> Vec<Cell> {
    let (over, gone) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        // Also when the primary fails: otherwise the scope would wait for ever.
        let _over = SetWhenDropped(&over);
        let members = [(); 2].map(|()| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    come_and_go(group);
                    gone.fetch_add(1, Relaxed);
                }
            })
        });
        let beside = |work| {
            let before = gone.load(Relaxed);
            slowest(primary, work, |_| {
                assert!(!members.iter().any(|member| member.is_finished()), "a member failed");
                gone.load(Relaxed) - before < MEMBERS
            })
        };
        let cells: Vec<_> = WORKS.iter().map(beside).collect();
        for cell in &cells {
            let prompt = cell.took.is_some_and(|took| took < SECOND);
            assert!(prompt, "a Rust secondary did harm by coming or going: {cell}");
        }
        cells
    })
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn come_and_go(group: &Group) {
    let member = group.rust(Role::Secondary, RUST_PEER).start();
    member.register("told", Mode::Discard).expect("the name is free");
    member.quit();
}

/// Has the primary do its work while `go_on` says so of the times it was done, and finds the slowest call.
fn slowest(primary: &Process, work: &Work, go_on: impl Fn(usize) -> bool) -> Cell {
    let mut slowest = Duration::ZERO;
    let mut times = 0;
    while go_on(times) {
        for command in work.commands {
            match primary.command(command) {
                Ok(answer) => slowest = slowest.max(answer.took),
                Err(refused) => panic!("`{command}` failed: {refused:?}"),
            }
        }
        times += 1;
    }
    Cell::timed("always succeeds", slowest)
}
