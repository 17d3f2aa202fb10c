//! What `mpctl pending` tells, a line each.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::chain::{self, At, at};
use crate::{
    show::{Show, Tint, duration, plain},
    status::{Handler, Request, Status},
};

/// A handler that runs longer than this is marked.
const SLOW: Duration = Duration::from_secs(1);

/// One thing that somebody waits for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "pending", rename_all = "snake_case")]
pub(crate) enum Line {
    /// Somebody waits for an answer.
    Wait {
        from: Process,
        to: Process,
        name: String,
        /// Seconds since 1970.
        since: f64,
        age_ms: u64,
        /// `None` of one that does not tell, being no member.
        timeout_ms: Option<u64>,
        /// For an `answer`, or for `room` in a queue.
        waits_for: String,
        /// The handler that asks, if one does.
        in_handler: Option<String>,
    },
    /// A handler runs for long.
    Handler { process: Process, name: String, age_ms: u64, slow: bool, asked_by: u32 },
    /// These wait for each other, each for the next and the last for the first.
    Deadlock { circle: Vec<Link> },
}

/// A process, as its socket and the kernel name it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Process {
    pid: Option<u32>,
    /// `None` of one that is no member.
    socket: Option<String>,
}

/// One process of a circle, and what it asks the next for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Link {
    pid: u32,
    socket: String,
    asks: String,
    age_ms: u64,
}

/// Everything that is waited for: who waits for whom, the oldest first; what runs for long; circles.
pub(crate) fn lines(members: &[Status]) -> Vec<Line> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut waits: Vec<_> = members.iter().flat_map(|member| waits(members, member, now)).collect();
    waits.extend(members.iter().flat_map(|member| of_others(members, member, now)));
    waits.sort_by_key(|line| std::cmp::Reverse(line.age_ms()));
    waits.extend(members.iter().flat_map(slow));
    waits.extend(chain::circles(members).iter().map(|circle| deadlock(members, circle)));
    waits
}

/// What a member waits for.
fn waits(members: &[Status], from: &Status, now: Duration) -> Vec<Line> {
    let of = |request: &Request, to: &String| {
        let asks = from.handlers.iter().find(|handler| handler.thread == request.thread);
        Line::Wait {
            from: Process::of(from),
            to: at(members, to).map_or_else(|| Process::at(to), |place| Process::of(&members[place])),
            name: request.name.clone(),
            since: since(now, request.age_ms),
            age_ms: request.age_ms,
            timeout_ms: Some(request.timeout_ms),
            waits_for: request.waits_for.clone(),
            in_handler: asks.map(|handler| handler.name.clone()),
        }
    };
    from.requests.iter().flat_map(|request| request.to.iter().map(|to| of(request, to))).collect()
}

/// What processes wait for that are no members: they are seen where they ask.
fn of_others(members: &[Status], asked: &Status, now: Duration) -> Vec<Line> {
    let known: BTreeSet<_> = members.iter().map(|member| member.pid).collect();
    let is_other = |handler: &&Handler| handler.kind == "request" && !known.contains(&handler.pid);
    let wait = |handler: &Handler| Line::Wait {
        from: Process { pid: Some(handler.pid).filter(|pid| *pid != 0), socket: None },
        to: Process::of(asked),
        name: handler.name.clone(),
        since: since(now, handler.age_ms),
        age_ms: handler.age_ms,
        timeout_ms: None,
        waits_for: "answer".to_owned(),
        in_handler: None,
    };
    asked.handlers.iter().filter(is_other).map(wait).collect()
}

fn slow(member: &Status) -> Vec<Line> {
    let is_slow = |handler: &&Handler| u128::from(handler.age_ms) > SLOW.as_millis();
    let line = |handler: &Handler| Line::Handler {
        process: Process::of(member),
        name: handler.name.clone(),
        age_ms: handler.age_ms,
        slow: true,
        asked_by: handler.pid,
    };
    member.handlers.iter().filter(is_slow).map(line).collect()
}

fn deadlock(members: &[Status], circle: &[At]) -> Line {
    let link = |(member, request): &At| {
        let member = &members[*member];
        let Request { name, age_ms, .. } = &member.requests[*request];
        Link { pid: member.pid, socket: member.socket.clone(), asks: name.clone(), age_ms: *age_ms }
    };
    Line::Deadlock { circle: circle.iter().map(link).collect() }
}

/// Seconds since 1970, to the millisecond.
fn since(now: Duration, age_ms: u64) -> f64 {
    now.saturating_sub(Duration::from_millis(age_ms)).as_millis() as f64 / 1000.0
}

impl Process {
    fn of(member: &Status) -> Self {
        Self { pid: Some(member.pid), socket: Some(member.socket.clone()) }
    }

    /// One that does not tell about itself.
    fn at(socket: &str) -> Self {
        Self { pid: None, socket: Some(socket.to_owned()) }
    }
}

impl Line {
    fn age_ms(&self) -> u64 {
        match self {
            Self::Wait { age_ms, .. } | Self::Handler { age_ms, .. } => *age_ms,
            Self::Deadlock { .. } => 0,
        }
    }
}

impl Show for Line {}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait { from, to, name, age_ms, timeout_ms, waits_for, in_handler, .. } => {
                let age = duration(*age_ms);
                let of = timeout_ms.map(|ms| format!(" of {}", duration(ms))).unwrap_or_default();
                write!(f, "{from} waits for {to}: {}, {age}{of}", plain(name))?;
                if waits_for == "room" {
                    f.write_str(", for room in its queue")?;
                }
                let handler =
                    in_handler.as_ref().map(|handler| format!(", in its handler {}", plain(handler)));
                f.write_str(&handler.unwrap_or_default())
            }
            Self::Handler { process, name, age_ms, asked_by, .. } => {
                let slow = format!("SLOW: {process} handles {} for {}", plain(name), duration(*age_ms));
                write!(f, "{}, asked by pid {asked_by}", Tint::Odd.on(f, &slow))
            }
            Self::Deadlock { circle } => {
                let links: Vec<_> = circle.iter().map(ToString::to_string).collect();
                let first = circle.first().map(|link| format!("pid {}", link.pid)).unwrap_or_default();
                let head = Tint::Bad.on(f, "DEADLOCK:");
                write!(f, "{head} {}, which waits for {first}", links.join(", which waits for "))
            }
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.socket.as_deref().map(|socket| plain(socket.rsplit('/').next().unwrap_or(socket)));
        match (self.pid, name) {
            (Some(pid), Some(name)) => write!(f, "pid {pid} ({name})"),
            (Some(pid), None) => write!(f, "pid {pid}"),
            (None, Some(name)) => f.write_str(&name),
            (None, None) => f.write_str("a process that cannot be seen from here"),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, asks, age_ms, .. } = self;
        write!(f, "pid {pid} ({} for {})", plain(asks), duration(*age_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(told: &str) -> Status {
        serde_json::from_str(told).expect("JSON")
    }

    #[test]
    fn who_waits_for_whom_is_one_line_each_the_oldest_first() {
        let primary = member(
            r#"{"pid":6,"socket":"/run/g/mp_socket","handlers":[{"name":"stall","kind":"request","age_ms":2100,"pid":9,"thread":61},
                {"name":"route","kind":"request","age_ms":900,"pid":7,"thread":62,"sequence":5}]}"#,
        );
        let secondary = member(
            r#"{"pid":7,"socket":"/run/g/mp_socket_7_a","handlers":[{"name":"open","kind":"request","age_ms":1000,"pid":9,"thread":71}],
                "requests":[{"name":"route","to":["/run/g/mp_socket"],"age_ms":950,"timeout_ms":5000,"thread":71,"waits_for":"answer","sequence":5},
                {"name":"told","to":["/run/g/mp_socket_8_a"],"age_ms":30,"timeout_ms":100,"thread":72,"waits_for":"room"}]}"#,
        );
        let lines: Vec<_> = lines(&[primary, secondary]).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "pid 9 waits for pid 6 (mp_socket): stall, 2.1s",
                "pid 9 waits for pid 7 (mp_socket_7_a): open, 1.0s",
                "pid 7 (mp_socket_7_a) waits for pid 6 (mp_socket): route, 950ms of 5.0s, in its handler open",
                "pid 7 (mp_socket_7_a) waits for mp_socket_8_a: told, 30ms of 100ms, for room in its queue",
                "SLOW: pid 6 (mp_socket) handles stall for 2.1s, asked by pid 9",
            ]
        );
    }

    #[test]
    fn a_circle_is_a_deadlock_by_name() {
        let of = |pid: u32, to: u32| {
            let text = format!(
                r#"{{"pid":{pid},"socket":"/g/mp_socket_{pid}_a","handlers":[{{"name":"route","kind":"request","pid":{to},"thread":1}}],
                "requests":[{{"name":"route","to":["/g/mp_socket_{to}_a"],"age_ms":40,"thread":1}}]}}"#
            );
            member(&text)
        };
        let lines = lines(&[of(7, 8), of(8, 7)]);
        let Some(deadlock) = lines.last() else { panic!("{lines:?}") };
        assert_eq!(
            deadlock.to_string(),
            "DEADLOCK: pid 7 (route for 40ms), which waits for pid 8 (route for 40ms), which waits for pid 7"
        );
        assert_eq!(
            serde_json::to_string(deadlock).expect("serializes"),
            r#"{"pending":"deadlock","circle":[{"pid":7,"socket":"/g/mp_socket_7_a","asks":"route","age_ms":40},{"pid":8,"socket":"/g/mp_socket_8_a","asks":"route","age_ms":40}]}"#
        );
    }
}
