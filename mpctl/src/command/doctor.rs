//! `mpctl doctor`.

use mp_core::inspect::Group;

use super::Context;
use crate::{
    doctor::{self, Finding},
    failure::Failure,
    output::Output,
    show::plural,
};

pub(super) fn run(context: &Context) -> Result<bool, Failure> {
    let (findings, members) = match context.look() {
        Ok(group) => (doctor::examine(&group), group.members.len()),
        Err(error) if error.is_absent() => return Err(Failure::of_group(&error)),
        Err(error) => {
            let dir = context.group.dir().unwrap_or_else(|| context.group.file_prefix.clone().into());
            let finding = doctor::of_error(&dir, &error).ok_or_else(|| Failure::of_group(&error))?;
            (vec![finding], 0)
        }
    };
    findings.iter().try_for_each(|finding: &Finding| context.output.print(finding))?;
    if findings.is_empty() && context.output != Output::Json {
        println!("nothing is wrong: {}", plural(members, "member"));
    }
    Ok(findings.is_empty())
}

impl Context {
    /// A look into the chosen group, or why there is none.
    pub(super) fn look(&self) -> Result<Group, mp_core::GroupError> {
        match self.group.dir() {
            Some(dir) => Group::in_dir(dir),
            None => Group::with_file_prefix(&self.group.file_prefix),
        }
    }
}
