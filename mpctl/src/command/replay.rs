//! `mpctl replay`: sends again what `mpctl monitor --save` has saved.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use mp_core::{MessageRef, Name, Outcome};

use super::{Context, made, peer::Peer, request::outcome};
use crate::{
    cli::ReplayArgs,
    failure::Failure,
    input::Hex,
    interrupt::Awaited,
    monitor::{Again, Saved, again},
    output::Output,
    show::{Replayed, plural, word},
};

pub(super) fn run(context: &Context, args: &ReplayArgs) -> Result<bool, Failure> {
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::Usage(format!("cannot read {:?}: {error}", args.file)))?;
    let saved = text.lines().filter(|line| !line.trim().is_empty()).enumerate().map(|(number, line)| {
        let wrong = |error| Failure::Usage(format!("line {} of {:?}: {error}", number + 1, args.file));
        serde_json::from_str::<Saved>(line).map_err(wrong)
    });
    let saved = saved.collect::<Result<Vec<_>, _>>()?;
    let peer = context.peer(&args.to)?;
    let (output, timeout, paced) = (context.output, context.timeout, args.paced);
    let to_one = args.to.member.is_some();
    let result = made::cleaned_up(&peer, move |peer| {
        let (again, left_out) = again(&saved, to_one);
        if left_out.with_fds > 0 {
            let count = plural(left_out.with_fds, "datagram");
            eprintln!("mpctl: not sent again: {count} with descriptors, which nobody can save");
        }
        if left_out.for_others > 0 {
            let count = plural(left_out.for_others, "datagram");
            eprintln!(
                "mpctl: not sent again: {count} for others than the primary; --to sends them to one member"
            );
        }
        send(peer, &again, Pace { paced, timeout }, output)
    })?;
    match result {
        Awaited::Done(all) => all,
        Awaited::Interrupted => Ok(false),
    }
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// As far apart as they were.
    paced: bool,
    timeout: Duration,
}

/// Whether all requests were answered.
fn send(peer: &Peer, again: &[Again<'_>], pace: Pace, output: Output) -> Result<bool, Failure> {
    let started = Instant::now();
    let first = again.first().map_or(0.0, |again| again.saved.time);
    let mut all = true;
    for again in again {
        if pace.paced {
            let at = Duration::try_from_secs_f64(again.saved.time - first).unwrap_or_default();
            thread::sleep(at.saturating_sub(started.elapsed()));
        }
        let replayed = one(peer, again, pace.timeout)?;
        all &= replayed.is_well();
        output.print(&replayed)?;
    }
    Ok(all)
}

fn one(peer: &Peer, again: &Again<'_>, timeout: Duration) -> Result<Replayed, Failure> {
    let wrong = |what: String| Failure::Usage(format!("what was saved cannot be sent: {what}"));
    let text = again.saved.name.as_deref().unwrap_or_default();
    let name = Name::new(text).map_err(|error| wrong(error.to_string()))?;
    let param = again.saved.hex.parse::<Hex>().map_err(|error| wrong(error.to_string()))?.into_bytes();
    let message = MessageRef::new(&name, &param, &[]).map_err(|error| wrong(error.to_string()))?;
    let asked = Instant::now();
    if !again.saved.is_request() {
        peer.send(message, timeout).map_err(|error| Failure::of_send(&error))?;
        return Ok(Replayed::sent(text));
    }
    let result = peer.request(message, timeout);
    let took = asked.elapsed();
    let answer = match result {
        Ok(reply) => Ok(reply.message.param.to_vec()),
        Err(error) => Err(outcome(&error).ok_or_else(|| Failure::of_request(&error))?),
    };
    let outcome = answer.as_ref().err().map_or_else(|| word(&Outcome::Replied), word);
    let recorded = again.answer.map(|answer| (answer.kind.as_deref() == Some("reply"), answer.hex.as_str()));
    Ok(Replayed::answered(text, outcome, answer.ok(), took, recorded, again.answer.and_then(|a| a.after_us)))
}
