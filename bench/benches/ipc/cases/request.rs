//! A request to one peer: 64 bytes both ways, with 0, 1 and 8 descriptors.

use std::collections::BTreeMap;

use super::Pair;
use crate::{
    args::Args,
    place::Placement,
    report::{Plot, Report, Shape, Table, micros},
    samples::{Ratio, median},
    systems::System,
};

const FDS: [usize; 3] = [0, 1, 8];

/// A figure for every round.
#[derive(Debug, Default)]
struct Rounds {
    p50: Vec<f64>,
    p99: Vec<f64>,
    p999: Vec<f64>,
}

type Found = BTreeMap<(System, usize), Rounds>;

pub(super) fn run(args: &Args, report: &mut Report) {
    let mut text = String::new();
    let mut bars: BTreeMap<System, Vec<Option<f64>>> = BTreeMap::new();
    for placement in Placement::all() {
        let found = measure(args, placement);
        ratios(report, &found, placement);
        text += &format!("### {}\n\n{}\n", placement.title(), table(&found));
        for system in System::available() {
            let p50 = found.get(&(system, 0)).map(|rounds| median(rounds.p50.iter().copied()) / 1000.0);
            bars.entry(system).or_default().push(p50);
        }
    }
    report.section("A request to one peer", text);
    report.plots.push(Plot {
        file: "benchmark-latency.svg",
        title: "A request, 64 bytes both ways: median",
        shape: Shape::Bars {
            series: Placement::all().into_iter().map(|placement| placement.title().to_owned()).collect(),
            bars: bars.into_iter().map(|(system, bars)| (system.title().to_owned(), bars)).collect(),
        },
    });
}

fn measure(args: &Args, placement: Placement) -> Found {
    // Two that spin on one core would only wait for their time slices to end.
    let systems = System::available().into_iter();
    let systems = systems.filter(|system| !system.spins() || placement == Placement::TwoCores);
    let mut pairs: Vec<Pair> = systems.map(|system| Pair::start(system, placement)).collect();
    let mut found = Found::new();
    for round in 0..args.rounds() {
        // Each round begins with another, so that nobody always follows the same one.
        let first = round % pairs.len();
        pairs.rotate_left(first);
        for pair in &mut pairs {
            for fds in FDS.into_iter().filter(|fds| pair.system.carries(*fds)) {
                let count = args.times(if fds == 0 { 2000 } else { 600 });
                let [p50, p99, p999] = pair.asking.tell(&format!("ask {fds} {count}"))[..] else {
                    unreachable!("three quantiles")
                };
                let rounds = found.entry((pair.system, fds)).or_default();
                rounds.p50.push(p50);
                rounds.p99.push(p99);
                rounds.p999.push(p999);
            }
        }
        pairs.sort_by_key(|pair| pair.system);
    }
    found
}

fn ratios(report: &mut Report, found: &Found, placement: Placement) {
    let p50 = |system| found.get(&(system, 0)).map(|rounds| &rounds.p50);
    let mut ratio = |name: &str, one, other| {
        if let (Some(one), Some(other)) = (p50(one), p50(other)) {
            report.ratio(format!("{name}/{placement}"), Ratio::by_round(one, other));
        }
    };
    ratio("request_vs_raw", System::Core, System::Raw);
    ratio("request_vs_raw_connected", System::Core, System::RawConnected);
    ratio("typed_vs_core", System::Typed, System::Core);
    ratio("request_vs_dpdk", System::Core, System::Dpdk);
    ratio("primary_request_vs_dpdk", System::CorePrimary, System::DpdkPrimary);
    ratio("request_vs_ipc_channel", System::Core, System::IpcChannel);
    ratio("request_vs_zbus", System::Core, System::Zbus);
    ratio("request_vs_tarpc", System::Core, System::Tarpc);
    ratio("spin_vs_raw", System::CoreSpinning, System::Raw);
    ratio("raw_spinning_vs_raw", System::RawSpinning, System::Raw);
    ratio("noise", System::RawAgain, System::Raw);

    let tail = |system| {
        let rounds: &Rounds = &found[&(system, 0)];
        rounds.p99.iter().zip(&rounds.p50).map(|(p99, p50)| p99 / p50).collect::<Vec<_>>()
    };
    let ratio = Ratio::by_round(&tail(System::Core), &tail(System::Raw));
    report.ratio(format!("p99_vs_raw/{placement}"), ratio);
    for fds in [1, 8] {
        let p50 = |system| &found[&(system, fds)].p50;
        let ratio = Ratio::by_round(p50(System::Core), p50(System::Raw));
        report.ratio(format!("request_{fds}_fds_vs_raw/{placement}"), ratio);
    }
}

/// Microseconds: medians of the rounds' quantiles.
fn table(found: &Found) -> String {
    let columns = ["p50, µs", "p99", "p99.9", "1 fd: p50", "p99", "p99.9", "8 fds: p50", "p99", "p99.9"];
    let mut table = Table::new(["system"].into_iter().chain(columns));
    for system in System::available() {
        if !found.contains_key(&(system, 0)) {
            continue;
        }
        let cells = FDS.into_iter().flat_map(|fds| {
            let rounds = found.get(&(system, fds));
            let cell = |of: fn(&Rounds) -> &Vec<f64>| {
                micros(rounds.map(|rounds| median(of(rounds).iter().copied())))
            };
            [cell(|r| &r.p50), cell(|r| &r.p99), cell(|r| &r.p999)]
        });
        table.row([system.title().to_owned()].into_iter().chain(cells));
    }
    table.finish()
}
