//! A datagram as it is shown: who saw it, which way it went, what it says.

use std::{fmt, io, path::Path, time::Duration};

use mp_core::{
    Rejection,
    inspect::{Direction, DpdkVersion, Record},
};
use serde::Serialize;
use serde_json::Value;

use super::Decoded;
use crate::show::{Show, Tint, dump, hex, plain, plural};

/// A process, as a socket or the kernel names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Party {
    pub(crate) pid: Option<u32>,
    pub(crate) socket: Option<String>,
}

/// One datagram, as one member saw it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Event {
    /// Seconds since 1970.
    pub(crate) time: f64,
    pub(crate) seen_by: Party,
    /// `in` or `out`.
    pub(crate) direction: &'static str,
    /// `None` of one that is not well-formed, as of the name.
    pub(crate) kind: Option<&'static str>,
    pub(crate) name: Option<String>,
    /// The other side.
    pub(crate) peer: Party,
    pub(crate) hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decoded: Option<Value>,
    /// Why it is not what its definition says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undecoded: Option<String>,
    pub(crate) fds: Vec<FdSeen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<u64>,
    /// Why the member turned it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rejected: Option<&'static str>,
    /// Why it could not be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Of an answer: how long after its request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_us: Option<f64>,
    /// `decoded`, for a reader.
    #[serde(skip)]
    pub(crate) noted: Option<String>,
    /// Of the sender's definition; 0 for none.
    #[serde(skip)]
    pub(crate) fingerprint: u64,
    #[serde(skip)]
    pub(crate) param: Vec<u8>,
    #[serde(skip)]
    pub(crate) monotonic: Duration,
}

/// A descriptor that went along, which a monitor never gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FdSeen {
    kind: &'static str,
    size: u64,
}

impl Party {
    /// Whether it is named so: by pid, socket or the socket's name.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        let is_socket = |socket: &String| socket == wanted || name_of(socket) == wanted;
        self.pid.is_some_and(|pid| pid.to_string() == wanted) || self.socket.as_ref().is_some_and(is_socket)
    }

    /// With the socket's name.
    pub(crate) fn full(&self) -> String {
        match &self.socket {
            Some(socket) => format!("{self} ({})", plain(name_of(socket))),
            None => self.to_string(),
        }
    }

    /// Who is bound there; the pid is what the name says.
    fn at(socket: Option<&Path>, pid: Option<u32>) -> Self {
        let socket = socket.map(|path| path.display().to_string());
        let named = || pid_in(name_of(socket.as_ref()?));
        Self { pid: pid.filter(|pid| *pid != 0).or_else(named), socket }
    }
}

/// `7` of `mp_socket_7_f` and of `mp_reply_7_f`.
fn pid_in(name: &str) -> Option<u32> {
    let rest = name.strip_prefix("mp_socket_").or_else(|| name.strip_prefix("mp_reply_"))?;
    rest.split('_').next()?.parse().ok()
}

pub(super) fn name_of(socket: &str) -> &str {
    socket.rsplit('/').next().unwrap_or(socket)
}

impl Event {
    pub(crate) fn of(record: &Record, seen_by: &Party, version: Option<DpdkVersion>) -> Self {
        let content = record.content();
        let sender = (record.direction == Direction::In).then_some(record.sender.pid);
        let param = content.as_ref().map(|content| content.param.to_vec());
        // Of one that is not well-formed all bytes are shown.
        let param = param.unwrap_or_else(|| record.datagram.clone());
        let name = content.as_ref().map(|content| content.name.to_string());
        let decoded = name.as_ref().and_then(|name| mp_dpdk::decode(name, &param, version));
        let rejected = record.rejected.and_then(|place| Rejection::ALL.get(usize::from(place)));
        Self {
            time: record.time.as_micros() as f64 / 1e6,
            seen_by: seen_by.clone(),
            direction: if record.direction == Direction::In { "in" } else { "out" },
            kind: content.as_ref().map(|content| content.kind.name()),
            name,
            peer: Party::at(record.address.as_deref(), sender),
            hex: hex(&param),
            noted: decoded.as_ref().map(|decoded| plain(&decoded.to_string())),
            decoded: decoded.and_then(|decoded| serde_json::to_value(decoded).ok()),
            undecoded: None,
            fingerprint: content.as_ref().map_or(0, |content| content.fingerprint),
            fds: record.fds.iter().map(|(kind, size)| FdSeen { kind: kind.name(), size: *size }).collect(),
            sequence: content.as_ref().and_then(|content| content.sequence),
            rejected: rejected.map(|rejection| rejection.name()),
            error: record.errno.map(|errno| io::Error::from_raw_os_error(errno.into()).to_string()),
            after_us: None,
            param,
            monotonic: record.monotonic,
        }
    }

    /// Takes note of what it says by its definition, which knows better than we do, or why it does not.
    pub(crate) fn tell(&mut self, decoded: Result<Decoded, String>) {
        (self.decoded, self.noted, self.undecoded) = match decoded {
            Ok(Decoded { value, noted }) => (Some(value), Some(noted), None),
            Err(why) => (None, None, Some(why)),
        };
    }

    /// The first line: who said what to whom.
    pub(crate) fn headline(&self) -> String {
        let (kind, name) = (self.kind.unwrap_or("malformed"), self.name.as_deref().unwrap_or("datagram"));
        let arrow = if self.direction == "in" { "<-" } else { "->" };
        let name = plain(name);
        let after = self.after_us.map(|us| format!(", after {us:.1} us")).unwrap_or_default();
        format!("{} {arrow} {} {kind} {name}{after}", self.seen_by, self.peer)
    }
}

impl Show for Event {}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.time.rem_euclid(86_400.0);
        let (hours, minutes, seconds) = (of_day / 3600.0, of_day / 60.0 % 60.0, of_day % 60.0);
        write!(f, "{:02}:{:02}:{seconds:09.6} ", hours as u32, minutes as u32)?;
        let line = self.headline();
        let failed = self.rejected.is_some() || self.error.is_some();
        f.write_str(&if failed { Tint::Bad.on(f, &line) } else { line })?;
        write!(f, ": {}", plural(self.param.len(), "byte"))?;
        for FdSeen { kind, size } in &self.fds {
            write!(f, ", {kind} of {size} B")?;
        }
        if let Some(reason) = self.rejected {
            write!(f, ", rejected: {reason}")?;
        }
        if let Some(error) = &self.error {
            write!(f, ", not sent: {error}")?;
        }
        if let Some(why) = &self.undecoded {
            write!(f, "\n  {}", Tint::Odd.on(f, &format!("not decoded: {}", plain(why))))?;
        }
        match &self.noted {
            Some(noted) => write!(f, "\n  {}", Tint::Good.on(f, &format!("= {noted}"))),
            None => dump(&self.param).iter().try_for_each(|line| write!(f, "\n  {line}")),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.socket) {
            (Some(pid), _) => write!(f, "pid {pid}"),
            (None, Some(socket)) => f.write_str(&plain(name_of(socket))),
            (None, None) => f.write_str("somebody"),
        }
    }
}

/// What happens to the monitoring itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "monitor", rename_all = "snake_case")]
pub(crate) enum Note {
    /// From now on this member's datagrams are seen.
    Attached(Party),
    /// It has ended, or left.
    Left(Party),
    /// Its datagrams are not seen, but for those that others send it.
    Unseen {
        #[serde(flatten)]
        member: Party,
        why: String,
    },
    /// There was no room for so many, of this member, until now.
    Dropped {
        #[serde(flatten)]
        member: Party,
        dropped: u64,
    },
}

impl Show for Note {}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Self::Attached(member) => format!("# {} is seen", member.full()),
            Self::Left(member) => format!("# {} has left", member.full()),
            Self::Unseen { member, why } => format!("# {} is not seen: {}", member.full(), plain(why)),
            Self::Dropped { member, dropped } => {
                format!(
                    "# {dropped} of {} are not shown: they came faster than they were read",
                    member.full()
                )
            }
        };
        let tint = match self {
            Self::Attached(_) | Self::Left(_) => Tint::Faint,
            Self::Unseen { .. } | Self::Dropped { .. } => Tint::Odd,
        };
        f.write_str(&tint.on(f, &line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_known_by_the_kernels_word_or_its_sockets_name() {
        let at = |path: &str, pid| Party::at(Some(Path::new(path)), pid).pid;
        assert_eq!(at("/g/mp_reply_7_f", None), Some(7));
        assert_eq!(at("/g/mp_socket_8_f", Some(9)), Some(9));
        assert_eq!(at("/g/mp_socket_8_f", Some(0)), Some(8), "of another pid namespace");
        assert_eq!(at("/g/mp_socket", None), None);
        assert_eq!(Party::at(None, None).to_string(), "somebody");
    }

    #[test]
    fn a_datagram_is_one_line_and_its_content() {
        let event = Event {
            time: 3661.5,
            seen_by: Party { pid: Some(7), socket: Some("/g/mp_socket".into()) },
            direction: "in",
            kind: Some("request"),
            name: Some("open\u{1b}".into()),
            peer: Party { pid: Some(9), socket: None },
            fds: vec![FdSeen { kind: "file", size: 3 }],
            rejected: Some("no_action"),
            param: b"hi".to_vec(),
            ..Event::default()
        };
        assert_eq!(
            event.to_string(),
            "01:01:01.500000 pid 7 <- pid 9 request open\\u{1b}: 2 bytes, file of 3 B, rejected: no_action\n  \
             0000  68 69                                            hi"
        );
    }
}
