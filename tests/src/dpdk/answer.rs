//! What processes say, parsed from the lines of `dpdk/lines.h`.

use std::{path::PathBuf, str::FromStr, time::Duration};

/// The answer to a command that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How long the command took, in the process itself.
    pub took: Duration,
    /// The rest, in the order it was printed.
    pub fields: Vec<(String, String)>,
}

/// The answer to a command that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How long the command took, in the process itself.
    pub took: Duration,
    /// The system's number for what went wrong.
    pub errno: i32,
    /// The same in words.
    pub text: String,
}

/// A message as one of the processes saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its name.
    pub name: String,
    /// Its payload.
    pub param: Vec<u8>,
    /// The files behind its descriptors.
    pub fds: Vec<FileId>,
}

/// Tells one open file from another, across processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileId {
    /// The device number that `fstat` gives.
    pub dev: u64,
    /// The inode number that `fstat` gives.
    pub ino: u64,
    /// The size in bytes.
    pub size: u64,
    /// The first bytes of the content.
    pub head: Vec<u8>,
}

/// How a request went, as its sender saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// How long it took, in the process itself; zero for an asynchronous one.
    pub took: Duration,
    /// What was sent; empty for the end of an asynchronous one.
    pub request: Option<Content>,
    /// How many peers were asked, less those that asked to be ignored.
    pub sent: u32,
    /// How many replied.
    pub received: u32,
    /// What they replied.
    pub replies: Vec<Content>,
}

/// What a process tells without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message or request arrived for an action in mode [`Print`](super::Mode::Print).
    Arrived {
        /// What arrived.
        content: Content,
        /// The path of the socket it was sent from.
        peer: PathBuf,
    },
    /// An asynchronous request is over.
    Async(Requested),
}

/// One line of a process.
#[derive(Debug)]
pub(super) enum Line {
    Ready(Answer),
    Answer(Result<Answer, Refused>),
    Event(Event),
}

impl Answer {
    /// The first value under `key`.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values under `key`.
    pub fn fields_named<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The number under `key`.
    ///
    /// # Panics
    /// If there is none: the process does not keep to the protocol.
    #[must_use]
    pub fn number<N: FromStr>(&self, key: &str) -> N {
        let value = self.field(key).and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("a number `{key}` is missing in {self:?}"))
    }

    /// The messages among the fields that come after those of `sent`, or before them.
    fn contents(&self) -> (Vec<Content>, Vec<Content>) {
        let outcome = self.fields.iter().position(|(key, _)| key == "sent").unwrap_or(self.fields.len());
        let parse = |fields: &[(String, String)]| {
            fields
                .iter()
                .filter(|(key, _)| key == "message")
                .map(|(_, value)| Content::parse(value))
                .collect()
        };
        (parse(&self.fields[..outcome]), parse(&self.fields[outcome..]))
    }

    /// This answer as that of `send`: what was sent.
    pub(super) fn into_content(self) -> Content {
        let (mut sent, _) = self.contents();
        assert_eq!(sent.len(), 1, "one message was to be sent: {self:?}");
        sent.remove(0)
    }

    /// This answer as that of `request`.
    pub(super) fn into_requested(self) -> Requested {
        let (mut sent, replies) = self.contents();
        Requested {
            took: self.took,
            request: sent.pop(),
            sent: self.number("sent"),
            received: self.number("received"),
            replies,
        }
    }
}

impl Content {
    /// Parses `NAME/HEX/FDS`.
    fn parse(text: &str) -> Self {
        let parts: Vec<_> = text.split('/').collect();
        let [name, hex, fds] = parts[..] else { panic!("not NAME/HEX/FDS: {text}") };
        let fds = match fds {
            "-" => Vec::new(),
            fds => fds.split(',').map(FileId::parse).collect(),
        };
        Self { name: name.to_owned(), param: hex_decode(hex), fds }
    }
}

impl FileId {
    /// Parses `DEV:INO:SIZE:HEX`.
    fn parse(text: &str) -> Self {
        let parts: Vec<_> = text.split(':').collect();
        let [dev, ino, size, head] = parts[..] else { panic!("not DEV:INO:SIZE:HEX: {text}") };
        let number = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("not a number: {text}"));
        Self { dev: number(dev), ino: number(ino), size: number(size), head: hex_decode(head) }
    }
}

impl Line {
    /// Parses one line.
    ///
    /// # Panics
    /// If it is not of the protocol.
    pub(super) fn parse(line: &str) -> Self {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "ready" => Self::Ready(parse_fields(rest)),
            "ok" => Self::Answer(Ok(parse_fields(rest))),
            "error" => Self::Answer(Err(parse_refused(rest))),
            "event" => Self::Event(parse_event(rest)),
            _ => panic!("a line that is not of the protocol: {line}"),
        }
    }
}

fn parse_fields(text: &str) -> Answer {
    let fields = text.split_whitespace().map(|field| match field.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => panic!("`{field}` is not key=value in: {text}"),
    });
    let mut answer = Answer { took: Duration::ZERO, fields: fields.collect() };
    if answer.field("took_ns").is_some() {
        answer.took = Duration::from_nanos(answer.number("took_ns"));
    }
    answer
}

fn parse_refused(text: &str) -> Refused {
    let mut parts = text.splitn(3, ' ');
    let numbers = parse_fields(&[parts.next().unwrap_or(""), parts.next().unwrap_or("")].join(" "));
    Refused {
        took: numbers.took,
        errno: numbers.number("errno"),
        text: parts.next().unwrap_or("").to_owned(),
    }
}

fn parse_event(text: &str) -> Event {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let fields = parse_fields(rest);
    match kind {
        "arrived" => Event::Arrived {
            peer: fields.field("peer").unwrap_or_else(|| panic!("no peer in event: {text}")).into(),
            content: fields.into_content(),
        },
        "async" => Event::Async(fields.into_requested()),
        _ => panic!("an event that is not of the protocol: {text}"),
    }
}

/// Bytes as HEX of the protocol.
#[must_use]
pub(super) fn hex_encode(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_decode(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    let byte = |at| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..hex.len()).step_by(2).map(|at| byte(at).unwrap_or_else(|| panic!("not hex: {hex}"))).collect()
}
