//! What a member says of itself (`mp.status`), as far as this tool knows it. No I/O.

use serde::Deserialize;
use serde_json::Value;

/// What is known of a member's state. What it does not tell is as nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) pid: u32,
    pub(crate) version: String,
    pub(crate) socket: String,
    pub(crate) role: String,
    pub(crate) uptime_ms: u64,
    pub(crate) layout: Option<u64>,
    pub(crate) dpdk: Option<String>,
    pub(crate) threads: Threads,
    pub(crate) backlog: Backlog,
    pub(crate) held_answers: u64,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) requests: Vec<Request>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) counters: serde_json::Map<String, Value>,
    pub(crate) rejected: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Threads {
    pub(crate) all: u64,
    pub(crate) idle: u64,
}

/// Datagrams that wait for a handler.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Backlog {
    pub(crate) waiting: u64,
    pub(crate) bound: u64,
}

/// One that runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Handler {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) age_ms: u64,
    /// Of who asked.
    pub(crate) pid: u32,
    pub(crate) thread: u64,
    /// The request's number.
    pub(crate) sequence: Option<u64>,
}

/// One that is under way.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Request {
    pub(crate) name: String,
    /// The sockets of those who owe an answer.
    pub(crate) to: Vec<String>,
    pub(crate) age_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) thread: u64,
    pub(crate) kind: String,
    pub(crate) waits_for: String,
    pub(crate) sequence: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Monitor {
    pub(crate) pid: u32,
    pub(crate) sent: u64,
    pub(crate) dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_of_another_release_leaves_out_or_adds_does_no_harm() {
        let told = r#"{"mp.status":1,"pid":7,"new":[1],"handlers":[{"name":"stall","age_ms":5}]}"#;
        let status: Status = serde_json::from_str(told).expect("JSON");
        assert_eq!((status.pid, status.uptime_ms, status.layout), (7, 0, None));
        assert_eq!((status.handlers[0].name.as_str(), status.handlers[0].sequence), ("stall", None));
        assert!(serde_json::from_str::<Status>("7").is_err());
    }
}
