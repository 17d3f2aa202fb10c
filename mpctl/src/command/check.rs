//! `mpctl check`: a dump of layouts against what runs.

use std::fs;

use mp_core::inspect;
use serde_json::Value;

use super::Context;
use crate::{
    cli::CheckArgs,
    failure::Failure,
    layouts::{Compared, Known, Verdict, compare, definitions},
    monitor::Party,
    output::Output,
    show::{Unknown, plural},
};

pub(super) fn run(context: &Context, args: &CheckArgs) -> Result<bool, Failure> {
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::Usage(format!("cannot read {:?}: {error}", args.file)))?;
    let file = definitions(&text).ok_or_else(|| {
        Failure::Usage(format!(
            "{:?} is no dump of layouts: write what `mp_typed::Layouts` prints to it",
            args.file
        ))
    })?;
    let members = context.wanted(None)?;
    let (mut all, mut told) = (!members.is_empty(), Vec::new());
    for (member, answer) in
        context.ask_each(members, |peer| inspect::describe(peer.target(), context.timeout))?
    {
        match answer.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()))
        {
            Ok(described) => {
                let party = Party { pid: member.pid, socket: Some(member.socket.display().to_string()) };
                told.push((party, Known::all_told(&described)));
            }
            Err(why) => {
                all = false;
                context.output.print(&Unknown::of(&member, why))?;
            }
        }
    }
    let compared: Vec<_> = file.iter().flat_map(|known| verdicts(known, &told)).collect();
    for one in &compared {
        // A reader looks for what is wrong, a program for what is.
        if context.output == Output::Json || one.verdict != Verdict::Same {
            context.output.print(one)?;
        }
    }
    let others = compared.iter().filter(|one| one.verdict == Verdict::Other).count();
    if context.output != Output::Json {
        let (definitions, members) = (plural(file.len(), "definition"), plural(told.len(), "member"));
        println!("{definitions}, {members}: {others} different");
    }
    Ok(all && others == 0)
}

/// What becomes of a definition in each member that has something of that name.
fn verdicts(known: &Known, told: &[(Party, Vec<Known>)]) -> Vec<Compared> {
    let mut verdicts = Vec::new();
    for (party, actions) in told {
        let same_name = actions.iter().filter(|action| action.name == known.name);
        verdicts.extend(same_name.map(|action| compare(known, action, party.clone())));
    }
    if verdicts.is_empty() { vec![Compared::nobodys(known)] } else { verdicts }
}
