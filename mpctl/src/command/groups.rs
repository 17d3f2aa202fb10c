//! `mpctl groups` and `mpctl members`: what directories tell, without joining.

use mp_core::inspect::{self, DpdkVersion, Group};

use super::Context;
use crate::{
    failure::Failure,
    process::command_line,
    show::{GroupRow, MemberRow},
};

pub(super) fn groups(context: &Context) -> Result<bool, Failure> {
    let survey = inspect::survey();
    let rows: Vec<_> = survey.groups.iter().map(GroupRow::of).collect();
    context.output.table(&rows)?;
    for (_, error) in &survey.unreadable {
        eprintln!("mpctl: not listed: {}", Failure::of_group(error));
    }
    Ok(survey.unreadable.is_empty())
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

impl Context {
    /// The DPDK version of the chosen group, if it is known.
    pub(super) fn version(&self) -> Option<DpdkVersion> {
        self.inspect().ok()?.dpdk
    }

    /// Looks into the chosen group.
    pub(super) fn inspect(&self) -> Result<Group, Failure> {
        self.look().map_err(|error| Failure::of_group(&error))
    }
}
