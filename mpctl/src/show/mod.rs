//! What is printed: the JSON shapes, and the same for human readers. No I/O, but for looking at
//! descriptors.

mod change;
mod content;
mod pings;
mod replayed;
mod rows;
mod status;
mod tint;

use std::{fmt, path::Path};

use mp_core::{Address, Message, Outcome, Peer, inspect::DpdkVersion};
use serde::Serialize;

pub(crate) use change::MemberChange;
pub(crate) use content::{Content, Fd, dump, hex};
pub(crate) use pings::Pings;
pub(crate) use replayed::Replayed;
pub(crate) use rows::{GroupRow, MemberRow, Row, role};
pub(crate) use status::{MemberStatus, Unknown};
pub(crate) use tint::Tint;

use crate::fields::Declared;

/// Something to print: one JSON object, or lines for a reader (its `Display`).
pub(crate) trait Show: Serialize + fmt::Display {}

/// A reply, and who sent it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reply {
    peer: String,
    pid: u32,
    uid: u32,
    #[serde(flatten)]
    content: Content,
}

impl Reply {
    pub(crate) fn of(
        reply: &mp_core::Reply,
        version: Option<DpdkVersion>,
        declared: Option<&Declared>,
    ) -> Self {
        let mp_core::Reply { message, peer } = reply;
        Self {
            peer: peer.address().map(|address| lossy(address.path())).unwrap_or_default(),
            pid: peer.pid(),
            uid: peer.uid(),
            content: Content::of(message, version, declared),
        }
    }
}

/// What became of a message to one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PeerOutcome {
    peer: String,
    outcome: &'static str,
    /// Why it asks to be ignored.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
    #[serde(skip)]
    text: String,
}

/// A reason in one word, and the peer's own words, if it has any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Why {
    reason: &'static str,
    why: String,
}

impl PeerOutcome {
    pub(crate) fn of(peer: &Path, outcome: &Outcome) -> Self {
        let why = match outcome {
            Outcome::Ignored { why } => Some(Why { reason: why.reason().name(), why: why.text().to_owned() }),
            _ => None,
        };
        Self { peer: lossy(peer), outcome: word(outcome), why, text: outcome.to_string() }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Answers {
    sent: usize,
    received: usize,
    replies: Vec<Reply>,
    outcomes: Vec<PeerOutcome>,
}

impl Answers {
    pub(crate) fn new(peer: &Path, outcome: &Outcome, reply: Option<Reply>) -> Self {
        Self {
            sent: usize::from(counts(outcome)),
            received: usize::from(reply.is_some()),
            replies: reply.into_iter().collect(),
            outcomes: vec![PeerOutcome::of(peer, outcome)],
        }
    }
}

impl Show for Answers {}

/// What came of a one-way message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    sent: usize,
    outcomes: Vec<PeerOutcome>,
}

impl Sent {
    pub(crate) fn new(peer: &Path, outcome: &Outcome) -> Self {
        Self { sent: usize::from(*outcome == Outcome::Sent), outcomes: vec![PeerOutcome::of(peer, outcome)] }
    }
}

impl Show for Sent {}

/// Whether an arrival wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Message,
    Request,
}

/// Something that came to a member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Arrival {
    kind: Kind,
    name: String,
    pid: u32,
    uid: u32,
    #[serde(flatten)]
    content: Content,
}

impl Arrival {
    pub(crate) fn of(kind: Kind, message: &Message, peer: &Peer, version: Option<DpdkVersion>) -> Self {
        Self {
            kind,
            name: message.name.to_string(),
            pid: peer.pid(),
            uid: peer.uid(),
            content: Content::of(message, version, None),
        }
    }
}

impl Show for Arrival {}

/// A member is in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ready {
    ready: bool,
    socket: String,
}

impl Ready {
    pub(crate) fn at(address: &Address) -> Self {
        Self { ready: true, socket: lossy(address.path()) }
    }
}

impl Show for Ready {}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ready at {}", self.socket)
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Message => "message",
            Kind::Request => "request",
        };
        let name = plain(&self.name);
        write!(f, "{kind} {name} from pid {} uid {}", self.pid, self.uid)?;
        self.content.fmt(f)
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reply in &self.replies {
            let Reply { peer, pid, uid, content } = reply;
            let peer = plain(peer);
            write!(f, "reply from {peer} pid {pid} uid {uid}")?;
            content.fmt(f)?;
            writeln!(f)?;
        }
        let silent = self.outcomes.iter().filter(|outcome| outcome.outcome != word(&Outcome::Replied));
        for PeerOutcome { peer, text, .. } in silent {
            writeln!(f, "{}", Tint::Bad.on(f, &format!("{peer} {text}")))?;
        }
        write!(f, "sent {}, received {}", self.sent, self.received)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> =
            self.outcomes.iter().map(|outcome| format!("{} {}", outcome.peer, outcome.text)).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Whether a peer with this outcome was asked and counts (`nb_sent`).
fn counts(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Replied | Outcome::TimedOut | Outcome::FdsLost | Outcome::Gone)
}

/// An outcome as JSON has it.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::Replied => "replied",
        Outcome::Ignored { .. } => "ignored",
        Outcome::TimedOut => "timed_out",
        Outcome::Gone => "gone",
        Outcome::QueueFull => "queue_full",
        Outcome::Refused => "refused",
        Outcome::FdsLost => "fds_lost",
        Outcome::BufferFull => "buffer_full",
        Outcome::Superseded => "superseded",
        Outcome::Failed { .. } => "failed",
        _ => "unknown",
    }
}

/// The same without control characters: what peers chose must not reach a terminal as it is.
pub(crate) fn plain(text: &str) -> String {
    let escaped = |character: char| {
        if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
    };
    text.chars().map(escaped).collect()
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// As people say it: `350ms`, `2.1s`.
pub(crate) fn duration(ms: u64) -> String {
    if ms < 1000 { format!("{ms}ms") } else { format!("{}.{}s", ms / 1000, ms % 1000 / 100) }
}

fn lossy(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use mp_core::Name;

    use super::{content::Fd, *};

    fn content(name: &'static str, param: &[u8]) -> Content {
        let message = Message::new(Name::from_static(name)).with_param(param).expect("fits");
        Content::of(&message, None, None)
    }

    fn with_file(mut content: Content) -> Content {
        content.fds = vec![Fd { target: "/memfd:x (deleted)".into(), size: 3 }];
        content
    }

    fn json(item: &impl Serialize) -> String {
        serde_json::to_string(item).expect("serializes")
    }

    #[test]
    fn a_request_has_the_json_of_the_manual() {
        let reply = Reply {
            peer: "/run/dpdk/rte/mp_socket".into(),
            pid: 1,
            uid: 0,
            content: with_file(content("echo", &[1, 2])),
        };
        let primary = Path::new("/run/dpdk/rte/mp_socket");
        assert_eq!(
            json(&Answers::new(primary, &Outcome::Replied, Some(reply))),
            concat!(
                r#"{"sent":1,"received":1,"replies":[{"peer":"/run/dpdk/rte/mp_socket","pid":1,"uid":0,"#,
                r#""hex":"0102","fds":[{"target":"/memfd:x (deleted)","size":3}]}],"#,
                r#""outcomes":[{"peer":"/run/dpdk/rte/mp_socket","outcome":"replied"}]}"#
            )
        );
        assert_eq!(
            json(&Answers::new(
                Path::new("p"),
                &Outcome::Ignored { why: mp_core::Why::new(mp_core::Reason::HandlerFailed, "no port 7") },
                None
            )),
            r#"{"sent":0,"received":0,"replies":[],"outcomes":[{"peer":"p","outcome":"ignored","reason":"handler_failed","why":"no port 7"}]}"#
        );
        assert_eq!(
            json(&Answers::new(Path::new("p"), &Outcome::TimedOut, None)),
            r#"{"sent":1,"received":0,"replies":[],"outcomes":[{"peer":"p","outcome":"timed_out"}]}"#
        );
    }

    #[test]
    fn an_arrival_has_the_json_of_the_manual() {
        let arrival = |name: &'static str, param: &[u8]| Arrival {
            kind: Kind::Request,
            name: name.into(),
            pid: 1,
            uid: 0,
            content: content(name, param),
        };
        assert_eq!(
            json(&arrival("echo", &[0xff])),
            r#"{"kind":"request","name":"echo","pid":1,"uid":0,"hex":"ff","fds":[]}"#
        );
        let scan = [&1_i32.to_ne_bytes()[..], &[0; 68]].concat();
        let decoded = json(&arrival("bus_vdev_mp", &scan));
        assert!(decoded.ends_with(r#""fds":[],"decoded":{"type":"scan_request"}}"#), "{decoded}");
    }

    #[test]
    fn a_reader_sees_bytes_words_and_files() {
        let arrival = Arrival {
            kind: Kind::Message,
            name: "eal_dev_mp_request\u{1b}[2J".into(),
            pid: 7,
            uid: 0,
            content: with_file(content(
                "eal_dev_mp_request",
                &[&[1, 0, 0, 0], &b"vdev:n"[..], &[0; 126]].concat(),
            )),
        };
        assert_eq!(
            arrival.to_string(),
            "message eal_dev_mp_request\\u{1b}[2J from pid 7 uid 0: 136 bytes, 1 file\n  \
             0000  01 00 00 00 76 64 65 76 3a 6e 00 00 00 00 00 00  ....vdev:n......\n  \
             0010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n  \
             *\n  \
             0080  00 00 00 00 00 00 00 00                          ........\n  \
             = type detach, devargs vdev:n, result 0\n  \
             file /memfd:x (deleted), size 3"
        );
    }
}
