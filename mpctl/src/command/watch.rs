//! `mpctl watch`.

use std::{
    path::Path,
    sync::mpsc::Sender,
    thread,
    time::{Duration, SystemTime},
};

use mp_core::{Change, GroupError, Member, Watch};

use super::{Context, peer::Peer};
use crate::{
    cli::WatchArgs,
    failure::Failure,
    interrupt::{self, Awaited},
    process::command_line,
    show::MemberChange,
};

pub(super) fn run(context: &Context, args: &WatchArgs) -> Result<bool, Failure> {
    context.check_group()?;
    let client = context.client()?;
    let watch = client.watch().map_err(|error| Failure::of_group(&error))?;
    let (events, happened) = interrupt::channel()?;
    let primary = Peer::primary(client).socket;
    thread::spawn(move || tell(watch, &primary, &events));
    let most = args.count.map_or(u64::MAX, u64::from);
    let mut told = 0;
    while told < most {
        match happened.recv() {
            Ok(Awaited::Done(Ok(change))) => {
                context.output.print(&change)?;
                told += 1;
            }
            Ok(Awaited::Done(Err(error))) => return Err(Failure::of_group(&error)),
            Ok(Awaited::Interrupted) | Err(_) => break,
        }
    }
    Ok(true)
}

/// One change after the other, as long as somebody wants them.
fn tell(mut watch: Watch, primary: &Path, events: &Sender<Awaited<Result<MemberChange, GroupError>>>) {
    loop {
        let told = match watch.next_within(Duration::MAX) {
            Ok(Some(change)) => seen(&change, primary).map(Ok),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        let is_over = matches!(told, Some(Err(_)));
        let is_wanted = told.is_none_or(|told| events.send(Awaited::Done(told)).is_ok());
        if is_over || !is_wanted {
            return;
        }
    }
}

fn seen(change: &Change, primary: &Path) -> Option<MemberChange> {
    let now = SystemTime::now();
    // The process of one that has left is gone, and its pid may be another's by now.
    let member = |word, member: &Member, is_there: bool| {
        let command = member.pid().filter(|_| is_there).and_then(command_line);
        MemberChange::secondary(now, word, member, command)
    };
    let of_primary = |word, pid: Option<u32>, is_there: bool| {
        let command = pid.filter(|_| is_there).and_then(command_line);
        Some(MemberChange::primary(now, word, pid, primary, command))
    };
    match change {
        Change::Joined(joined) => Some(member("joined", joined, true)),
        Change::Left(left) => Some(member("left", left, false)),
        Change::Died(dead) => Some(member("died", dead, false)),
        Change::PrimaryUp { pid } => of_primary("up", *pid, true),
        Change::PrimaryGone { pid, died: true } => of_primary("died", *pid, false),
        Change::PrimaryGone { pid, died: false } => of_primary("left", *pid, false),
        Change::AnotherPrimary { pid } => of_primary("replaced", *pid, true),
        _ => None,
    }
}
