//! Chains of requests and handlers, and the circles among them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
};

use crate::status::{Handler, Request, Status};

/// A request of a member: whose, and which.
pub(super) type At = (usize, usize);

/// Whether both name the same socket, however the directory is spelled.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
    one == other || name(one).is_some_and(|one| name(other) == Some(one))
}

/// Which of the members is bound there.
pub(super) fn at(members: &[Status], socket: &str) -> Option<usize> {
    members.iter().position(|member| is_same(&member.socket, socket))
}

/// The handlers of `asked` that may be what this request waits for.
fn handlers<'a>(asked: &'a Status, by: &Status, request: &Request) -> Vec<&'a Handler> {
    let is_by = |handler: &&Handler| handler.kind == "request" && handler.pid == by.pid;
    let numbered = |handler: &&Handler| handler.sequence.is_some() && handler.sequence == request.sequence;
    let exact: Vec<_> = asked.handlers.iter().filter(is_by).filter(numbered).collect();
    if !exact.is_empty() || request.sequence.is_some() && asked.backlog.waiting == 0 {
        return exact;
    }
    // Without a number, the name has to do.
    let named = |handler: &&Handler| handler.name == request.name && handler.sequence.is_none();
    let named: Vec<_> = asked.handlers.iter().filter(is_by).filter(named).collect();
    // It may not have been taken up yet: then it waits for all that run there.
    if named.is_empty() { asked.handlers.iter().collect() } else { named }
}

/// The requests on whose answers this one waits, each of another member or the same one.
fn next(members: &[Status], (member, request): At) -> Vec<At> {
    let by = &members[member];
    let request = &by.requests[request];
    let mut found = Vec::new();
    for asked in request.to.iter().filter_map(|to| at(members, to)) {
        let threads: BTreeSet<_> =
            handlers(&members[asked], by, request).iter().map(|handler| handler.thread).collect();
        let requests = members[asked].requests.iter().enumerate();
        found.extend(
            requests.filter(|(_, made)| threads.contains(&made.thread)).map(|(place, _)| (asked, place)),
        );
    }
    found
}

/// Each circle once: the requests that are on it, in the order in which one waits for the next.
pub(super) fn circles(members: &[Status]) -> Vec<Vec<At>> {
    let all =
        |(member, status): (usize, &Status)| (0..status.requests.len()).map(move |place| (member, place));
    let mut seen = BTreeSet::new();
    let starts = members.iter().enumerate().flat_map(all);
    let circles = starts.filter_map(|start| back_to(members, start));
    circles
        .filter(|circle| seen.insert(circle.iter().map(|(member, _)| *member).collect::<BTreeSet<_>>()))
        .collect()
}

/// The shortest chain from a request to one that asks the process which made it.
fn back_to(members: &[Status], start: At) -> Option<Vec<At>> {
    let mut before: BTreeMap<At, At> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(made) = waiting.pop_front() {
        let asked = members[made.0].requests[made.1].to.iter().filter_map(|to| at(members, to));
        if asked.into_iter().any(|asked| asked == start.0) && (made != start || is_own(members, start)) {
            let mut chain: Vec<_> = std::iter::successors(Some(made), |at| before.get(at).copied()).collect();
            chain.reverse();
            return Some(chain);
        }
        for next in next(members, made) {
            if next != start && !before.contains_key(&next) {
                before.insert(next, made);
                waiting.push_back(next);
            }
        }
    }
    None
}

/// Whether a member that asks itself does so from a handler: else it only waits for a handler.
fn is_own(members: &[Status], (member, request): At) -> bool {
    let thread = members[member].requests[request].thread;
    members[member].handlers.iter().any(|handler| handler.thread == thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(pid: u32) -> Status {
        Status { pid, socket: format!("/run/g/mp_socket_{pid}_a"), ..Status::default() }
    }

    fn asks(from: &mut Status, thread: u64, to: u32, sequence: Option<u64>) {
        let to = vec![format!("/var/run/g/mp_socket_{to}_a")];
        from.requests.push(Request { name: "route".into(), to, thread, sequence, ..Request::default() });
    }

    fn handles(at: &mut Status, thread: u64, by: u32, sequence: Option<u64>) {
        let (name, kind) = ("route".into(), "request".into());
        at.handlers.push(Handler { name, kind, pid: by, thread, sequence, ..Handler::default() });
    }

    /// 1 asks 2, whose handler asks 3, whose handler asks 1, where a handler waits.
    fn circle(sequence: Option<u64>) -> Vec<Status> {
        let mut members = [1, 2, 3].map(member).to_vec();
        let number = |number: u64| sequence.map(|first| first + number);
        asks(&mut members[0], 10, 2, number(0));
        handles(&mut members[1], 20, 1, number(0));
        asks(&mut members[1], 20, 3, number(1));
        handles(&mut members[2], 30, 2, number(1));
        asks(&mut members[2], 30, 1, number(2));
        handles(&mut members[0], 11, 3, number(2));
        members
    }

    fn pids(members: &[Status]) -> Vec<Vec<u32>> {
        let of = |circle: &Vec<At>| circle.iter().map(|(member, _)| members[*member].pid).collect();
        circles(members).iter().map(of).collect()
    }

    #[test]
    fn three_that_wait_for_each_other_are_one_circle() {
        for sequence in [Some(7), None] {
            assert_eq!(pids(&circle(sequence)), [vec![1, 2, 3]]);
        }
    }

    #[test]
    fn what_has_nothing_to_do_with_each_other_is_no_circle() {
        let mut members = circle(Some(7));
        // The handler in 3 did not make the request to 1; another thread of 3 did.
        members[2].requests[0].thread = 31;
        assert!(pids(&members).is_empty());
        let mut members = circle(Some(7));
        // 3 handles another request of 2.
        members[2].handlers[0].sequence = Some(99);
        assert!(pids(&members).is_empty());
        let mut each_other = [1, 2].map(member).to_vec();
        asks(&mut each_other[0], 10, 2, Some(1));
        handles(&mut each_other[1], 20, 1, Some(1));
        asks(&mut each_other[1], 21, 1, Some(2));
        handles(&mut each_other[0], 11, 2, Some(2));
        assert!(pids(&each_other).is_empty());
    }

    #[test]
    fn a_request_that_is_not_taken_up_waits_for_all_that_run_there() {
        let mut members = circle(Some(7));
        members[2].handlers[0].sequence = Some(99);
        members[2].backlog.waiting = 1;
        assert_eq!(pids(&members), [vec![1, 2, 3]]);
    }

    #[test]
    fn one_that_asks_itself_from_a_handler_is_a_circle() {
        let mut members = vec![member(1)];
        asks(&mut members[0], 10, 1, Some(1));
        handles(&mut members[0], 11, 1, Some(1));
        assert!(pids(&members).is_empty(), "its main thread asks one of its handlers");
        handles(&mut members[0], 10, 9, Some(5));
        assert_eq!(pids(&members), [vec![1]]);
    }

    #[test]
    fn many_that_ask_all_take_little_time() {
        let mut members: Vec<_> = (1..=24).map(member).collect();
        for from in 0..24_u32 {
            for to in 1..=24 {
                let number = Some(u64::from(from * 100 + to));
                asks(&mut members[from as usize], 10, to, number);
                handles(&mut members[to as usize - 1], 10, from + 1, number);
            }
        }
        let started = std::time::Instant::now();
        assert!(!circles(&members).is_empty());
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    }
}
