//! Memory that runs out (`RLIMIT_AS`): a role starts or says why it does not, a request has its
//! answer or an error, and nothing aborts the process.
//!
//! The limit is set once the program runs, so that what is scarce is what the role takes. Most of
//! that are the stacks of its threads, of 2 MiB each.

use std::fs;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tests::{Group, Process, group};

const KIB: u64 = 1 << 10;

/// Enough for all threads of a role.
const ENOUGH: u64 = 12_000 * KIB;

/// A thread's stack with its guard page.
const STACK: u64 = 2_052 * KIB;

/// How much address space is left: steps of all sizes, and small ones from where one thread, two
/// or three have just their stacks, and then nothing to allocate from.
fn lefts() -> impl Iterator<Item = u64> {
    let beside_stacks = |stacks| (0..12).map(move |i| stacks * STACK + i * 12 * KIB);
    (0..=ENOUGH).step_by(500 * KIB as usize).chain((1..=3).flat_map(beside_stacks)).chain([ENOUGH])
}

/// How much address space it takes, in bytes.
fn address_space(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).expect("it lives");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a process has memory");
    size.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().expect("a number") << 10
}

/// A role in a process that can take no more than `left` when it starts.
fn spawn_with(group: &Group, role: &str, left: u64) -> Process {
    let mut process = Process::spawn(group.command(role, &["--wait"]));
    process.line(|line| line == "waits");
    let limit = Some(address_space(&process) + left);
    let pid = Pid::from_raw(process.pid() as i32).expect("a child's pid");
    prlimit(Some(pid), Resource::As, Rlimit { current: limit, maximum: limit }).expect("it is our child");
    process.tell("");
    process
}

/// That nothing ends the process before its time; whether the role has started, and all requests
/// have been answered.
fn starts_and_is_answered(role: &str, left: u64) -> (bool, bool) {
    let group = group!();
    let _primary = (role != "primary").then(|| group.primary());
    let mut process = spawn_with(&group, role, left);
    if let Err(error) = process.wait_start() {
        assert!(error.0.starts_with("the system is short of something"), "{role}, {left}: {error}");
        assert!(process.wait_end(), "{role}, {left}: it ends by itself");
        return (false, false);
    }
    let asked = ["ask", "later ask", "later ask"].map(|ask| process.call(&format!("{ask} echo 10000 hi")));
    let is_answered =
        |result: &str| result.ends_with(" hi") || (role == "primary" && result.contains("sent=0"));
    for result in &asked {
        assert!(is_answered(result) || result.contains(" Io: "), "{role}, {left}: {result}");
    }
    assert!(process.finish(), "{role}, {left}: it ends well");
    (true, asked.iter().all(|result| is_answered(result)))
}

#[test]
fn without_memory_a_role_does_not_start_and_requests_fail_but_nothing_aborts() {
    for (role, may_fail_to_start) in [("primary", true), ("secondary", true), ("client", false)] {
        let ends: Vec<_> = lefts().map(|left| starts_and_is_answered(role, left)).collect();
        assert_eq!(ends.iter().any(|(starts, _)| !starts), may_fail_to_start, "{role}: {ends:?}");
        assert!(ends.iter().any(|(starts, answered)| *starts && !answered), "{role}: {ends:?}");
        assert_eq!(ends.last(), Some(&(true, true)), "{role}: it was enough");
    }
}
