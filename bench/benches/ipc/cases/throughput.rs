//! One-way messages as fast as they go, and many threads asking at once.

use std::{collections::BTreeMap, thread, time::Duration};

use super::Pair;
use crate::{
    args::Args,
    place::Placement,
    report::{Number, Plot, Report, Shape, Table},
    samples::{Ratio, median},
    systems::System,
};

/// Those that have one-way messages.
const SENDERS: [System; 6] =
    [System::Raw, System::Core, System::CorePrimary, System::Typed, System::Dpdk, System::DpdkPrimary];

const ASKERS: [System; 2] = [System::Raw, System::Core];
const THREADS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Longer than it takes to make the requests.
const MAKING: Duration = Duration::from_millis(500);

const ASYNC: [usize; 3] = [1, 100, 10_000];

/// Nanoseconds a message, a figure for every round.
#[derive(Debug, Default)]
struct Rounds {
    wall: Vec<f64>,
    sender_cpu: Vec<f64>,
    receiver_cpu: Vec<f64>,
}

type Found = BTreeMap<System, Rounds>;

pub(super) fn run(args: &Args, report: &mut Report) {
    let mut text = String::new();
    for placement in Placement::all() {
        let found = send(args, placement);
        send_ratios(report, &found, placement);
        text += &format!("### {}\n\n{}\n", placement.title(), send_table(&found));
    }
    report.section("One-way messages to one peer", text);
    threads(args, report);
    asynchronous(args, report);
}

fn send(args: &Args, placement: Placement) -> Found {
    let systems = SENDERS.into_iter().filter(|system| system.is_available());
    let mut pairs: Vec<Pair> = systems.map(|system| Pair::start(system, placement)).collect();
    let mut found = Found::new();
    let count = args.times(8000);
    for round in 0..args.rounds() {
        let first = round % pairs.len();
        pairs.rotate_left(first);
        for pair in &mut pairs {
            if round == 0 {
                pair.asking.tell("send 500");
            }
            let before = pair.answering.tell("usage");
            let [wall, cpu] = pair.asking.tell(&format!("send {count}"))[..] else {
                unreachable!("two times")
            };
            let after = pair.answering.tell("usage");
            assert_eq!(after[3] - before[3], count as f64, "{}: messages that came", pair.system);
            let rounds = found.entry(pair.system).or_default();
            rounds.wall.push(wall / count as f64);
            rounds.sender_cpu.push(cpu / count as f64);
            rounds.receiver_cpu.push((after[0] - before[0]) / count as f64);
        }
        pairs.sort_by_key(|pair| pair.system);
    }
    found
}

fn send_ratios(report: &mut Report, found: &Found, placement: Placement) {
    let mut ratio = |name: &str, of: fn(&Rounds) -> &Vec<f64>, one, other| {
        if let (Some(one), Some(other)) = (found.get(&one), found.get(&other)) {
            let ratio = Ratio::by_round(of(one), of(other));
            if placement == Placement::Unpinned {
                report.ratio(name, ratio);
            }
            report.ratio(format!("{name}/{placement}"), ratio);
        }
    };
    ratio("send_cpu_vs_raw", |r| &r.sender_cpu, System::Core, System::Raw);
    ratio("receive_cpu_vs_raw", |r| &r.receiver_cpu, System::Core, System::Raw);
    ratio("send_time_vs_raw", |r| &r.wall, System::Core, System::Raw);
    // Times a message: so the inverse of the rates' ratio.
    ratio("send_rate_vs_dpdk", |r| &r.wall, System::DpdkPrimary, System::CorePrimary);
    ratio("secondary_send_rate_vs_dpdk", |r| &r.wall, System::Dpdk, System::Core);
}

fn send_table(found: &Found) -> String {
    let mut table = Table::new(["system", "messages a second", "CPU a message: sender, µs", "receiver"]);
    for (system, rounds) in found {
        let of = |values: &Vec<f64>| median(values.iter().copied());
        table.row([
            system.title().to_owned(),
            format!("{:.0}", 1e9 / of(&rounds.wall)),
            Number(of(&rounds.sender_cpu) / 1000.0).to_string(),
            Number(of(&rounds.receiver_cpu) / 1000.0).to_string(),
        ]);
    }
    table.finish()
}

/// Each thread asks one request after the other, all with one name.
fn threads(args: &Args, report: &mut Report) {
    let mut pairs = ASKERS.map(|system| Pair::start(system, Placement::Unpinned));
    let mut table =
        Table::new(["threads", "bare sockets: requests a second", "mp-core", "ratio of the times"]);
    let mut lines = ASKERS.map(|system| (system.title().to_owned(), Vec::new()));
    for threads in THREADS {
        let count = args.times(4000) / threads;
        let mut walls = ASKERS.map(|_| Vec::new());
        for _ in 0..args.rounds() {
            for (pair, walls) in pairs.iter_mut().zip(&mut walls) {
                let what = format!("ask_from {threads} {count}");
                walls.push(pair.asking.tell(&what)[0] / (threads * count) as f64);
            }
        }
        let ratio = Ratio::by_round(&walls[1], &walls[0]);
        report.ratio(format!("threads_vs_raw/{threads}"), ratio);
        let rates = walls.map(|walls| 1e9 / median(walls));
        for ((_, points), rate) in lines.iter_mut().zip(rates) {
            points.push((threads as f64, rate));
        }
        let mut cells = vec![threads.to_string()];
        cells.extend(rates.map(|rate| format!("{rate:.0}")));
        cells.push(format!("{:.2}", ratio.value));
        table.row(cells);
    }
    report.section("Threads asking at once, with one name", table.finish());
    report.plots.push(Plot {
        file: "benchmark-threads.svg",
        title: "Threads asking one peer at once",
        shape: Shape::Lines { x: "threads", y: "requests a second", lines: lines.into() },
    });
}

/// Requests made without waiting for those before them, to a peer that answers
/// as soon as it can.
fn asynchronous(args: &Args, report: &mut Report) {
    let mut pair = Pair::start(System::Core, Placement::Unpinned);
    let mut table =
        Table::new(["requests under way", "a request, µs", "bytes a request", "threads", "descriptors"]);
    for count in ASYNC {
        let what = format!("ask_async {count}");
        pair.asking.tell(&what);
        let rounds = if count > 1000 { args.times(8) } else { args.rounds() };
        let time = median((0..rounds).map(|_| pair.asking.tell(&what)[0] / count as f64));
        // While nobody answers, all of them are under way.
        pair.answering.stopped(|| {
            pair.asking.begin(&what);
            thread::sleep(MAKING);
        });
        let bytes = pair.asking.answer()[1] / count as f64;
        let pid = pair.asking.pids().next().expect("it is one process");
        let entries = |of: &str| std::fs::read_dir(format!("/proc/{pid}/{of}")).map_or(0, Iterator::count);
        report.count(format!("async_request_us/{count}"), time / 1000.0);
        report.count(format!("bytes_per_async_request/{count}"), bytes);
        if count == ASYNC[ASYNC.len() - 1] {
            report.count("bytes_per_async_request", bytes);
        }
        table.row([
            count.to_string(),
            Number(time / 1000.0).to_string(),
            format!("{bytes:.0}"),
            entries("task").to_string(),
            entries("fd").to_string(),
        ]);
    }
    report.section("Asynchronous requests to one peer", table.finish());
}
