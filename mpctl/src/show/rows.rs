//! Groups and members: a table for a reader, an object a row in JSON.

use mp_core::{
    Layout,
    inspect::{Group, Member, Role},
};
use serde::Serialize;

use super::Tint;

/// A row of a table, or an object.
pub(crate) trait Row: Serialize {
    /// What is above the columns.
    const HEADER: &'static [&'static str];

    /// As many as there are columns.
    fn cells(&self) -> Vec<String>;

    /// Whether the line is to be noticed.
    fn tint(&self) -> Option<Tint> {
        None
    }
}

/// A group.
#[derive(Debug, Serialize)]
pub(crate) struct GroupRow {
    file_prefix: String,
    runtime_dir: String,
    /// Of its primary's socket; `None` if there is none.
    primary: Option<&'static str>,
    /// How many live.
    members: usize,
    /// How many have left their socket behind.
    stale: usize,
    dpdk: Option<String>,
    /// The length of a datagram.
    layout: Option<usize>,
}

impl GroupRow {
    pub(crate) fn of(group: &Group) -> Self {
        let members = group.members.iter().filter(|member| member.alive).count();
        Self {
            file_prefix: group.file_prefix().to_string_lossy().into_owned(),
            runtime_dir: group.dir.display().to_string(),
            primary: group.primary().map(state),
            members,
            stale: group.members.len() - members,
            dpdk: group.dpdk.map(|version| version.to_string()),
            layout: group.layout.map(Layout::len),
        }
    }
}

impl Row for GroupRow {
    const HEADER: &'static [&'static str] =
        &["PREFIX", "PRIMARY", "MEMBERS", "STALE", "DPDK", "LAYOUT", "DIRECTORY"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.file_prefix.clone(),
            self.primary.unwrap_or("none").to_owned(),
            self.members.to_string(),
            self.stale.to_string(),
            self.dpdk.clone().unwrap_or_else(|| "-".to_owned()),
            self.layout.map_or_else(|| "unknown".to_owned(), |length| format!("{length} B")),
            self.runtime_dir.clone(),
        ]
    }

    fn tint(&self) -> Option<Tint> {
        (self.primary == Some("stale")).then_some(Tint::Odd)
    }
}

/// A member of a group.
#[derive(Debug, Serialize)]
pub(crate) struct MemberRow {
    role: &'static str,
    pid: Option<u32>,
    uid: u32,
    command: Option<String>,
    socket: String,
    state: &'static str,
}

impl MemberRow {
    pub(crate) fn of(member: &Member, command: Option<String>) -> Self {
        Self {
            role: role(member.role),
            pid: member.pid,
            uid: member.uid,
            command,
            socket: member.socket.display().to_string(),
            state: state(member),
        }
    }
}

impl Row for MemberRow {
    const HEADER: &'static [&'static str] = &["ROLE", "STATE", "PID", "UID", "SOCKET", "COMMAND"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.role.to_owned(),
            self.state.to_owned(),
            self.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            self.uid.to_string(),
            self.socket.clone(),
            self.command.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }

    fn tint(&self) -> Option<Tint> {
        (self.state == "stale").then_some(Tint::Odd)
    }
}

fn state(member: &Member) -> &'static str {
    if member.alive { "alive" } else { "stale" }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Secondary => "secondary",
    }
}
