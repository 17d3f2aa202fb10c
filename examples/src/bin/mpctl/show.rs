//! What is printed: the JSON shapes, and the same for human readers. No I/O, but for looking at descriptors.

mod pings;
mod rows;

use std::{
    fmt::{self, Write as _},
    os::fd::{AsRawFd, BorrowedFd},
    path::Path,
};

use mp_core::{Address, Fds, Message, Outcome, Peer};
use serde::{Serialize, Serializer};

pub(crate) use pings::Pings;
pub(crate) use rows::{GroupRow, MemberRow, Row};

/// Something to print: one JSON object, or lines for a reader (its `Display`).
pub(crate) trait Show: Serialize + fmt::Display {}

/// A file descriptor that came along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fd {
    /// What it refers to, as `/proc` names it.
    target: String,
    /// The file's size in bytes.
    size: u64,
}

impl Fd {
    pub(crate) fn of(fd: BorrowedFd<'_>) -> Self {
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let target = std::fs::read_link(&path).map(|target| lossy(&target)).unwrap_or_default();
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { target, size }
    }
}

/// A payload and the descriptors with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Content {
    #[serde(rename = "hex", serialize_with = "as_hex")]
    param: Vec<u8>,
    fds: Vec<Fd>,
}

impl Content {
    pub(crate) fn of(param: &[u8], fds: &Fds) -> Self {
        Self { param: param.to_owned(), fds: fds.iter().map(Fd::of).collect() }
    }
}

/// A reply, and who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reply {
    peer: String,
    pid: u32,
    uid: u32,
    #[serde(flatten)]
    content: Content,
}

impl Reply {
    pub(crate) fn of(reply: &mp_core::Reply) -> Self {
        let mp_core::Reply { message, peer } = reply;
        Self {
            peer: peer.address().map(|address| lossy(address.path())).unwrap_or_default(),
            pid: peer.pid(),
            uid: peer.uid(),
            content: Content::of(&message.param, &message.fds),
        }
    }
}

/// What became of a message to one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PeerOutcome {
    peer: String,
    outcome: &'static str,
    #[serde(skip)]
    text: String,
}

impl PeerOutcome {
    pub(crate) fn of(peer: &Path, outcome: Outcome) -> Self {
        Self { peer: lossy(peer), outcome: word(outcome), text: outcome.to_string() }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Answers {
    sent: usize,
    received: usize,
    replies: Vec<Reply>,
    outcomes: Vec<PeerOutcome>,
}

impl Answers {
    pub(crate) fn new(peer: &Path, outcome: Outcome, reply: Option<&mp_core::Reply>) -> Self {
        Self {
            sent: usize::from(counts(outcome)),
            received: usize::from(reply.is_some()),
            replies: reply.map(Reply::of).into_iter().collect(),
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
    pub(crate) fn new(peer: &Path, outcome: Outcome) -> Self {
        Self { sent: usize::from(outcome == Outcome::Sent), outcomes: vec![PeerOutcome::of(peer, outcome)] }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Arrival {
    kind: Kind,
    name: String,
    pid: u32,
    uid: u32,
    #[serde(flatten)]
    content: Content,
}

impl Arrival {
    pub(crate) fn of(kind: Kind, message: &Message, peer: &Peer) -> Self {
        Self {
            kind,
            name: message.name.to_string(),
            pid: peer.pid(),
            uid: peer.uid(),
            content: Content::of(&message.param, &message.fds),
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
        write!(f, "{kind} {} from pid {} uid {}{}", self.name, self.pid, self.uid, self.content)
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reply in &self.replies {
            let Reply { peer, pid, uid, content } = reply;
            writeln!(f, "reply from {peer} pid {pid} uid {uid}{content}")?;
        }
        let silent = self.outcomes.iter().filter(|outcome| outcome.outcome != word(Outcome::Replied));
        for PeerOutcome { peer, text, .. } in silent {
            writeln!(f, "{peer} {text}")?;
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

/// How large it is, and below that what is in it.
impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": {}", plural(self.param.len(), "byte"))?;
        if !self.fds.is_empty() {
            write!(f, ", {}", plural(self.fds.len(), "file"))?;
        }
        for line in dump(&self.param) {
            write!(f, "\n  {line}")?;
        }
        for Fd { target, size } in &self.fds {
            write!(f, "\n  file {target}, size {size}")?;
        }
        Ok(())
    }
}

/// Whether a peer with this outcome was asked and counts (`nb_sent`).
fn counts(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Replied | Outcome::TimedOut | Outcome::FdsLost | Outcome::Gone)
}

/// An outcome as JSON has it.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::Replied => "replied",
        Outcome::Ignored => "ignored",
        Outcome::TimedOut => "timed_out",
        Outcome::Gone => "gone",
        Outcome::QueueFull => "queue_full",
        Outcome::Refused => "refused",
        Outcome::FdsLost => "fds_lost",
    }
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn lossy(path: &Path) -> String {
    path.display().to_string()
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lines of 16 bytes: where they are, in hexadecimal, and as text.
fn dump(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.chunks(16).enumerate().map(|(row, bytes)| {
        let pairs = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let text: String = bytes
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        format!("{:04x}  {pairs:<47}  {text}", row * 16)
    })
}
