//! A measured process: does what its standard input says.
//!
//! Each line is a command and its numbers, each answer a line of numbers. The C
//! program for DPDK understands the same.

use std::{
    io::{BufRead, stdin},
    time::Instant,
};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::{allocations, args::Part, samples::Quantiles, systems::Asking};

/// How many of a command's runs go by before any is counted.
const UNCOUNTED: usize = 30;

pub(crate) fn asking(part: &Part) {
    let mut asking = part.system.ask(&part.dir);
    obey(|command, numbers| match (command, numbers) {
        ("ask", &[fds, count]) => {
            asking.ask(fds, UNCOUNTED);
            quantiles(asking.ask(fds, count))
        }
        // Exactly that many, for those who count.
        ("ask_exactly", &[fds, count]) => quantiles(asking.ask(fds, count)),
        ("ask_plainly", &[count]) => {
            asking.ask_plainly(count);
            String::from("0")
        }
        ("send", &[count]) => send(asking.as_mut(), count),
        ("ask_from", &[threads, count]) => {
            let start = Instant::now();
            let times = asking.ask_from(threads, count);
            let wall = start.elapsed().as_nanos();
            format!("{wall} {}", quantiles(times))
        }
        ("ask_async", &[count]) => {
            let (took, bytes) = asking.ask_async(count);
            format!("{took} {bytes}")
        }
        ("ask_all", &[members, count]) => quantiles(asking.ask_all(members, count)),
        ("send_to_all", &[members, count]) => quantiles(asking.send_to_all(members, count)),
        ("ask_with_one_stopped", &[members, milliseconds]) => {
            let (took, answered) = asking.ask_with_one_stopped(members, milliseconds as u64);
            format!("{took} {answered}")
        }
        ("usage", []) => usage(0),
        _ => panic!("what is {command} {numbers:?}?"),
    });
}

pub(crate) fn answering(part: &Part) {
    let answering = part.system.answer(&part.dir);
    obey(|command, numbers| match (command, numbers) {
        ("usage", []) => usage(answering.received()),
        _ => panic!("what is {command} {numbers:?}?"),
    });
}

fn obey(mut obey: impl FnMut(&str, &[usize]) -> String) {
    println!("ready");
    for line in stdin().lock().lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let numbers: Vec<usize> = words.map(|word| word.parse().expect("a number")).collect();
        println!("{}", obey(command, &numbers));
    }
}

/// The request behind the messages comes back when all of them have been handled.
fn send(asking: &mut dyn Asking, count: usize) -> String {
    let (start, cpu) = (Instant::now(), cpu_time());
    asking.send(count);
    let cpu = cpu_time() - cpu;
    asking.ask(0, 1);
    format!("{} {cpu}", start.elapsed().as_nanos())
}

fn quantiles(times: Vec<u64>) -> String {
    let Quantiles { p50, p99, p999 } = Quantiles::of(times);
    format!("{p50} {p99} {p999}")
}

/// CPU time in nanoseconds, allocations, bytes allocated, messages received.
fn usage(received: u64) -> String {
    format!("{} {} {} {received}", cpu_time(), allocations::count(), allocations::bytes())
}

/// What this process's threads have run so far, in nanoseconds.
fn cpu_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Lets this process, and those it starts, open as many files as it may.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer, the largest groups fail to start and say so.
    let _ = setrlimit(Resource::Nofile, limit);
}
