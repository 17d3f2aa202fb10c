//! A primary and N members: how the cost grows.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal, kill_process};

use super::Meeting;
use crate::{
    args::Args,
    child::{Children, Side},
    report::{Plot, Report, Shape, Table, micros},
    samples::{Ratio, median},
    systems::System,
};

const SYSTEMS: [System; 3] = [System::Raw, System::CorePrimary, System::DpdkPrimary];
const MEMBERS: [usize; 6] = [1, 2, 8, 64, 256, 1000];
const QUICK_MEMBERS: [usize; 4] = [1, 2, 8, 64];

/// A C primary takes few secondaries well: each has DPDK's memory and threads.
const MOST_DPDK: usize = 8;

/// The deadline of a request of which one peer is stopped.
const STOPPED_MILLISECONDS: u64 = 100;

/// Nanoseconds, a figure for every round.
#[derive(Debug, Default)]
struct Rounds {
    ask: Vec<f64>,
    send: Vec<f64>,
}

/// A group that grows.
#[derive(Debug)]
struct Growing {
    system: System,
    asking: Option<Children>,
    members: Vec<Children>,
    count: usize,
    // Removed when the processes have ended.
    meeting: Meeting,
}

impl Growing {
    fn new(system: System) -> Self {
        let meeting = Meeting::new();
        let start = || Children::start(system, Side::Asking, meeting.path(), 1);
        let asking = system.asking_starts().then(start);
        Self { system, asking, members: Vec::new(), count: 0, meeting }
    }

    /// `false` if it cannot be that large.
    fn grow_to(&mut self, count: usize) -> bool {
        if self.system == System::DpdkPrimary && count > MOST_DPDK {
            return false;
        }
        let more = Children::start(self.system, Side::Answering, self.meeting.path(), count - self.count);
        self.members.push(more);
        self.count = count;
        let start = || Children::start(self.system, Side::Asking, self.meeting.path(), 1);
        self.asking.get_or_insert_with(start);
        true
    }

    fn tell(&mut self, what: &str) -> Vec<f64> {
        self.asking.as_mut().expect("it has members").tell(what)
    }

    fn one_member(&self) -> Pid {
        let pid = self.members[0].pids().next().expect("it has members");
        Pid::from_raw(pid as i32).expect("a child's pid")
    }
}

pub(super) fn run(args: &Args, report: &mut Report) {
    let systems = SYSTEMS.into_iter().filter(|system| system.is_available());
    let mut groups: Vec<Growing> = systems.map(Growing::new).collect();
    let mut found: BTreeMap<(usize, System), Rounds> = BTreeMap::new();
    let mut stopped = Vec::new();
    let sizes: &[usize] = if args.quick { &QUICK_MEMBERS } else { &MEMBERS };
    for &members in sizes {
        groups.retain_mut(|group| group.grow_to(members));
        measure(args, &mut groups, members, &mut found);
        ratios(report, &found, members);
        if let Some(group) = groups.iter_mut().find(|group| group.system == System::CorePrimary) {
            stopped.push((members, one_stopped(group, members, report)));
        }
    }
    report.section("A primary and N members", table(&found, &stopped));
    report.plots.push(plot(&found));
}

fn measure(
    args: &Args,
    groups: &mut [Growing],
    members: usize,
    found: &mut BTreeMap<(usize, System), Rounds>,
) {
    let count = args.times(4000).div_ceil(members).clamp(8, 500);
    for group in groups.iter_mut() {
        group.tell(&format!("ask_all {members} {}", count.min(50)));
    }
    for round in 0..args.rounds() {
        let first = round % groups.len();
        groups.rotate_left(first);
        for group in groups.iter_mut() {
            let rounds = found.entry((members, group.system)).or_default();
            rounds.ask.push(group.tell(&format!("ask_all {members} {count}"))[0]);
            rounds.send.push(group.tell(&format!("send_to_all {members} {}", count.div_ceil(2)))[0]);
        }
        groups.sort_by_key(|group| group.system);
    }
}

fn ratios(report: &mut Report, found: &BTreeMap<(usize, System), Rounds>, members: usize) {
    let Some(core) = found.get(&(members, System::CorePrimary)) else { return };
    if let Some(raw) = found.get(&(members, System::Raw)) {
        report.ratio(format!("fanout_vs_raw/{members}"), Ratio::by_round(&core.ask, &raw.ask));
        report.ratio(format!("broadcast_vs_raw/{members}"), Ratio::by_round(&core.send, &raw.send));
    }
    if let Some(dpdk) = found.get(&(members, System::DpdkPrimary)) {
        report.ratio(format!("fanout_vs_dpdk/{members}"), Ratio::by_round(&core.ask, &dpdk.ask));
        report.ratio(format!("broadcast_vs_dpdk/{members}"), Ratio::by_round(&core.send, &dpdk.send));
    }
}

/// How long a request takes beyond its deadline when one member does not answer,
/// and whether the others' answers are kept. Returns nanoseconds.
fn one_stopped(group: &mut Growing, members: usize, report: &mut Report) -> f64 {
    let member = group.one_member();
    kill_process(member, Signal::STOP).expect("a child can be stopped");
    let what = format!("ask_with_one_stopped {members} {STOPPED_MILLISECONDS}");
    let tries: Vec<_> = (0..5).map(|_| group.tell(&what)).collect();
    kill_process(member, Signal::CONT).expect("a child can go on");
    let (took, answered) = (median(tries.iter().map(|of| of[0])), median(tries.iter().map(|of| of[1])));
    let milliseconds = took / 1_000_000.0;
    report.count(format!("one_stopped_of/{members}/ms_at_{STOPPED_MILLISECONDS}_ms"), milliseconds);
    report.count(format!("one_stopped_of/{members}/answers"), answered);
    // The member answers what it had in its queue: those answers find nobody.
    group.tell(&format!("ask_all {members} 1"));
    took
}

fn table(found: &BTreeMap<(usize, System), Rounds>, stopped: &[(usize, f64)]) -> String {
    let mut table = Table::new([
        "N",
        "request: bare loop, µs",
        "mp-core",
        "DPDK",
        "one stopped, deadline 100 ms: mp-core, ms",
        "broadcast, a member: bare loop, µs",
        "mp-core",
        "DPDK",
    ]);
    for (members, took) in stopped {
        let ask = |system| {
            let rounds = found.get(&(*members, system));
            micros(rounds.map(|rounds| median(rounds.ask.iter().copied())))
        };
        let send = |system| {
            let rounds = found.get(&(*members, system));
            micros(rounds.map(|rounds| median(rounds.send.iter().copied()) / *members as f64))
        };
        let mut cells = vec![members.to_string()];
        cells.extend(SYSTEMS.map(ask));
        cells.push(format!("{:.1}", took / 1_000_000.0));
        cells.extend(SYSTEMS.map(send));
        table.row(cells);
    }
    table.finish()
}

fn plot(found: &BTreeMap<(usize, System), Rounds>) -> Plot {
    let line = |system: System, title: &str| {
        let of = found.iter().filter(|((_, found), _)| *found == system);
        let point = |((members, _), rounds): (&(usize, _), &Rounds)| {
            (*members as f64, median(rounds.ask.iter().copied()) / 1000.0)
        };
        (title.to_owned(), of.map(point).collect::<Vec<_>>())
    };
    let lines = vec![
        line(System::Raw, "N bare sends, then N receives"),
        line(System::CorePrimary, "mp-core"),
        line(System::DpdkPrimary, "DPDK"),
    ];
    Plot {
        file: "benchmark-fan-out.svg",
        title: "A primary asks N members: median of the whole request",
        shape: Shape::Lines {
            x: "members",
            y: "µs",
            lines: lines.into_iter().filter(|(_, points)| !points.is_empty()).collect(),
        },
    }
}
