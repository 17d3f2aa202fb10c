//! What a member says of itself, and what is known of one that says nothing.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Show, Tint, duration, plain};
use crate::status::{Handler, Request, Status};

/// What a member says of itself; its JSON is the member's own.
#[derive(Debug, Serialize)]
pub(crate) struct MemberStatus {
    #[serde(flatten)]
    pub(crate) json: Value,
    #[serde(skip)]
    pub(crate) status: Status,
}

impl Show for MemberStatus {}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status { pid, role, socket, uptime_ms, version, .. } = &self.status;
        let head = format!("{} pid {pid} {}", plain(role), plain(socket));
        write!(f, "{} up {}, mp-core {}", Tint::Good.on(f, &head), duration(*uptime_ms), plain(version))?;
        let Status { layout, dpdk, threads, backlog, held_answers, .. } = &self.status;
        let layout = layout.map_or_else(|| "unknown".to_owned(), |length| format!("{length} B"));
        write!(f, "\n  layout {layout}, DPDK {}", plain(dpdk.as_deref().unwrap_or("none")))?;
        write!(f, "\n  threads {} ({} idle)", threads.all, threads.idle)?;
        write!(f, ", backlog {} of {}, held answers {held_answers}", backlog.waiting, backlog.bound)?;
        for handler in &self.status.handlers {
            let line = of_handler(handler);
            write!(f, "\n  {}", if handler.age_ms > 1000 { Tint::Odd.on(f, &line) } else { line })?;
        }
        for request in &self.status.requests {
            write!(f, "\n  {}", of_request(request))?;
        }
        for monitor in &self.status.monitors {
            write!(f, "\n  monitor pid {}: sent {}, dropped {}", monitor.pid, monitor.sent, monitor.dropped)?;
        }
        counted(f, "", &self.status.counters)?;
        counted(f, "rejected: ", &self.status.rejected)
    }
}

fn of_handler(handler: &Handler) -> String {
    let Handler { name, kind, age_ms, pid, thread, .. } = handler;
    let (name, kind) = (plain(name), plain(kind));
    format!("handles {kind} {name} from pid {pid} for {}, on thread {thread}", duration(*age_ms))
}

fn of_request(request: &Request) -> String {
    let Request { name, to, age_ms, timeout_ms, waits_for, thread, .. } = request;
    let to: Vec<_> = to.iter().map(|to| plain(to.rsplit('/').next().unwrap_or(to))).collect();
    let (name, waits_for, to) = (plain(name), plain(waits_for), to.join(", "));
    format!(
        "asks {to} {name} for {} of {}, waits for {waits_for}, thread {thread}",
        duration(*age_ms),
        duration(*timeout_ms)
    )
}

/// Those that are not zero, in one line.
fn counted(f: &mut fmt::Formatter<'_>, head: &str, counters: &Map<String, Value>) -> fmt::Result {
    let counted = counters.iter().filter(|(_, count)| count.as_u64() != Some(0));
    let words: Vec<_> =
        counted.map(|(name, count)| format!("{} {}", plain(name), plain(&count.to_string()))).collect();
    if words.is_empty() { Ok(()) } else { write!(f, "\n  {head}{}", words.join(", ")) }
}

/// A member that tells nothing about itself: what can be seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unknown {
    /// `false`
    pub(crate) answered: bool,
    pub(crate) role: &'static str,
    pub(crate) pid: Option<u32>,
    pub(crate) socket: String,
    pub(crate) command: Option<String>,
    /// Why it runs no code, if it does not.
    pub(crate) state: Option<String>,
    /// Why it told nothing.
    pub(crate) why: String,
}

impl Show for Unknown {}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, pid, socket, command, state, why, .. } = self;
        let pid = pid.map(|pid| format!(" pid {pid}")).unwrap_or_default();
        let head = format!("{role}{pid} {}", plain(socket));
        write!(f, "{} tells nothing: {}", Tint::Odd.on(f, &head), plain(state.as_ref().unwrap_or(why)))?;
        match command {
            Some(command) => write!(f, " ({})", plain(command)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_lines_that_grep_well() {
        let told = r#"{"mp.status":1,"pid":7,"role":"primary","socket":"/g/mp_socket","version":"0.1.0","uptime_ms":61000,"layout":332,"dpdk":null,
            "threads":{"all":2,"idle":1},"backlog":{"waiting":0,"bound":256},"held_answers":0,
            "handlers":[{"name":"stall\u001b","kind":"request","age_ms":2100,"pid":9,"thread":61}],
            "requests":[{"name":"route","to":["/g/mp_socket_8_a"],"age_ms":30,"timeout_ms":5000,"thread":61,"kind":"blocking","waits_for":"answer"}],
            "monitors":[{"pid":10,"sent":3,"dropped":0}],"counters":{"messages_received":0,"requests_received":2},"rejected":{"no_action":1}}"#;
        let json: Value = serde_json::from_str(told).expect("JSON");
        let shown = MemberStatus { status: serde_json::from_str(told).expect("JSON"), json };
        assert_eq!(
            shown.to_string(),
            "primary pid 7 /g/mp_socket up 61.0s, mp-core 0.1.0\n  layout 332 B, DPDK none\n  \
             threads 2 (1 idle), backlog 0 of 256, held answers 0\n  \
             handles request stall\\u{1b} from pid 9 for 2.1s, on thread 61\n  \
             asks mp_socket_8_a route for 30ms of 5.0s, waits for answer, thread 61\n  \
             monitor pid 10: sent 3, dropped 0\n  requests_received 2\n  rejected: no_action 1"
        );
        assert_eq!(serde_json::to_value(&shown).expect("serializes"), shown.json);
    }
}
