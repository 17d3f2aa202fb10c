//! Who joined and who left.

use std::{
    fmt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use mp_core::Member;
use serde::Serialize;

use super::{Show, Tint, lossy, plain};

/// A member that came or went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MemberChange {
    /// Seconds since 1970.
    time: f64,
    change: &'static str,
    role: &'static str,
    /// Of a secondary, as its socket's name tells it.
    pid: Option<u32>,
    command: Option<String>,
    socket: String,
}

impl MemberChange {
    pub(crate) fn secondary(
        now: SystemTime,
        change: &'static str,
        member: &Member,
        command: Option<String>,
    ) -> Self {
        let (pid, socket) = (member.pid(), lossy(member.address().path()));
        Self { time: seconds(now), change, role: "secondary", pid, command, socket }
    }
}

impl MemberChange {
    pub(crate) fn primary(
        now: SystemTime,
        change: &'static str,
        pid: Option<u32>,
        socket: &Path,
        command: Option<String>,
    ) -> Self {
        Self { time: seconds(now), change, role: "primary", pid, command, socket: lossy(socket) }
    }
}

/// To the millisecond.
fn seconds(now: SystemTime) -> f64 {
    now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64 / 1000.0)
}

impl Show for MemberChange {}

impl fmt::Display for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, role, pid, command, socket, .. } = self;
        let tint = if *change == "joined" || *change == "up" { Tint::Good } else { Tint::Odd };
        let pid = pid.map(|pid| format!(" pid {pid}")).unwrap_or_default();
        let command = command.as_deref().map(|command| format!(" ({})", plain(command))).unwrap_or_default();
        write!(f, "{}{pid} {}{command}", tint.on(f, &format!("{role} {change}")), plain(socket))
    }
}
