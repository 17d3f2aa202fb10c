//! Payloads and descriptors.

use std::{
    fmt::{self, Write as _},
    os::fd::{AsRawFd, BorrowedFd},
};

use mp_core::{Message, inspect::DpdkVersion};
use mp_dpdk::Decoded;
use serde::{Serialize, Serializer};

use super::{Tint, lossy, plain, plural};
use crate::fields::{Declared, Fields};

/// A file descriptor that came along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fd {
    /// What it refers to, as `/proc` names it.
    pub(crate) target: String,
    /// The file's size in bytes.
    pub(crate) size: u64,
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Content {
    #[serde(rename = "hex", serialize_with = "as_hex")]
    param: Vec<u8>,
    pub(super) fds: Vec<Fd>,
    /// What it says, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<Said>,
}

/// What a payload says, and who knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Said {
    /// It is a message of DPDK's own.
    Dpdk(Decoded),
    /// The user has declared its fields.
    Fields(Fields),
}

impl Content {
    /// A user who declares the fields knows better than we do.
    pub(crate) fn of(message: &Message, version: Option<DpdkVersion>, declared: Option<&Declared>) -> Self {
        let dpdk = || mp_dpdk::decode(&message.name.to_string(), &message.param, version);
        let decoded = match declared {
            Some(declared) => declared.read(&message.param).map(Said::Fields),
            None => dpdk().map(Said::Dpdk),
        };
        Self { param: message.param.to_vec(), fds: message.fds.iter().map(Fd::of).collect(), decoded }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dpdk(decoded) => decoded.fmt(f),
            Self::Fields(fields) => fields.fmt(f),
        }
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
        if let Some(decoded) = &self.decoded {
            let line = format!("  = {decoded}");
            write!(f, "\n{}", Tint::Good.on(f, &line))?;
        }
        for Fd { target, size } in &self.fds {
            write!(f, "\n  file {}, size {size}", plain(target))?;
        }
        Ok(())
    }
}

/// As JSON has a payload.
fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lines of 16 bytes: where they are, in hexadecimal, and as text. A star stands for lines like the
/// one before.
pub(crate) fn dump(bytes: &[u8]) -> Vec<String> {
    let rows: Vec<_> = bytes.chunks(16).collect();
    let mut lines = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let is_inside = i > 0 && i + 1 < rows.len();
        if is_inside && rows[i - 1] == *row {
            if lines.last().is_some_and(|line| line != "*") {
                lines.push("*".to_owned());
            }
            continue;
        }
        let pairs = row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let text: String = row.iter().map(|byte| printable(*byte)).collect();
        lines.push(format!("{:04x}  {pairs:<47}  {text}", i * 16));
    }
    lines
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_dump_is_always_there() {
        let of = |len: usize| dump(&vec![0; len]).iter().map(|line| line[..1].to_owned()).collect::<String>();
        assert_eq!([0, 1, 16, 32, 48, 64, 65].map(of), ["", "0", "0", "00", "0*0", "0*0", "0*0"]);
    }
}
