//! `mpctl status` and `mpctl pending`: what goes on in members, by their own word.

use super::Context;
use crate::{
    cli::StatusArgs,
    failure::Failure,
    pending,
    show::{MemberStatus, Unknown},
};

pub(super) fn status(context: &Context, args: &StatusArgs) -> Result<bool, Failure> {
    let members = context.wanted(args.member.as_ref())?;
    let mut all = !members.is_empty();
    for (member, told) in context.statuses(members)? {
        match told {
            Ok((json, status)) => context.output.print(&MemberStatus { json, status })?,
            Err(why) => {
                all = false;
                context.output.print(&Unknown::of(&member, why))?;
            }
        }
    }
    Ok(all)
}

pub(super) fn pending(context: &Context) -> Result<bool, Failure> {
    let members = context.wanted(None)?;
    let mut all = !members.is_empty();
    let mut statuses = Vec::new();
    for (member, told) in context.statuses(members)? {
        match told {
            Ok((_, status)) => statuses.push(status),
            Err(why) => {
                all = false;
                context.output.print(&Unknown::of(&member, why))?;
            }
        }
    }
    for line in pending::lines(&statuses) {
        context.output.print(&line)?;
    }
    Ok(all)
}
