//! `mpctl groups` and `mpctl members`: what directories tell, without joining.

use std::fs;

use mp_core::inspect::{self, DpdkVersion, Group};

use super::Context;
use crate::{
    failure::Failure,
    show::{GroupRow, MemberRow},
};

pub(super) fn groups(context: &Context) -> Result<bool, Failure> {
    let rows: Vec<_> = inspect::groups().iter().map(GroupRow::of).collect();
    context.output.table(&rows)?;
    Ok(true)
}

pub(super) fn members(context: &Context) -> Result<bool, Failure> {
    let group = context.inspect()?;
    let rows = group.members.iter().map(|member| {
        // The process of a stale socket is gone, and its pid may be another's by now.
        let pid = member.pid.filter(|_| member.alive);
        MemberRow::of(member, pid.and_then(command_line))
    });
    context.output.table(&rows.collect::<Vec<_>>())?;
    Ok(true)
}

/// What a process was started as; `None` if that may not be seen from here.
fn command_line(pid: u32) -> Option<String> {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?;
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(&arguments);
    let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    Some(words.join(" "))
}

impl Context {
    /// The DPDK version of the chosen group, if it is known.
    pub(super) fn version(&self) -> Option<DpdkVersion> {
        self.inspect().ok()?.dpdk
    }

    /// Looks into the chosen group.
    pub(super) fn inspect(&self) -> Result<Group, Failure> {
        let group = match &self.group.runtime_dir {
            Some(dir) => Group::in_dir(dir),
            None => Group::with_file_prefix(&self.group.file_prefix),
        };
        group.map_err(|error| Failure::of_group(&error))
    }
}
