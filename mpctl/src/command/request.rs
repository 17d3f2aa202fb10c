//! `mpctl request`.

use mp_core::{Name, Outcome, RequestError};

use super::{Context, made, peer::Peer};
use crate::{
    cli::RequestArgs,
    failure::Failure,
    fields::Declared,
    input::Outgoing,
    interrupt::Awaited,
    show::{Answers, Reply, plural},
};

pub(super) fn run(context: &Context, args: &RequestArgs) -> Result<bool, Failure> {
    let RequestArgs { message, .. } = args;
    let outgoing = Outgoing::read(message)?;
    let peer = context.peer(&message.to)?;
    let timeout = context.timeout;
    let result = made::cleaned_up(&peer, move |peer| peer.request(outgoing.message(), timeout))?;
    let Awaited::Done(result) = result else { return Ok(false) };
    match result {
        Ok(reply) => {
            let declared = args.of_reply(reply.message.param.len());
            if let Some(declared) = &declared {
                warn_if_short(declared, reply.message.param.len());
            }
            let reply = Reply::of(&reply, context.version(), declared.as_ref());
            context.output.print(&Answers::new(&peer.socket, &Outcome::Replied, Some(reply)))?;
            Ok(true)
        }
        Err(error) => {
            let outcome = outcome(&error).ok_or_else(|| Failure::of_request(&error))?;
            context.output.print(&Answers::new(&peer.socket, &outcome, None))?;
            context.advise(&peer, &outcome, &message.name);
            Ok(false)
        }
    }
}

impl RequestArgs {
    /// How a reply with so many bytes is read. Many a C struct is both question and answer: `--as`
    /// counts for the reply where that has its size.
    fn of_reply(&self, len: usize) -> Option<Declared> {
        let payload = &self.message.payload;
        let packed = |declared: &Declared| declared.clone().packed_if(payload.packed);
        let asked = || payload.declared.as_ref().map(packed);
        // Without values, `--as` can mean the reply only.
        let fits = |declared: &Declared| payload.bytes.values.is_none() || declared.size() == len;
        self.reply_as.as_ref().map(packed).or_else(|| asked().filter(fits))
    }
}

fn warn_if_short(declared: &Declared, len: usize) {
    if len < declared.size() {
        let (len, size) = (plural(len, "byte"), declared.size());
        eprintln!(
            "mpctl: the reply has {len}, and the declared fields take {size}: it is shown as bytes only"
        );
    }
}

/// What became of the request, if it was made; else it is a failure.
pub(super) fn outcome(error: &RequestError) -> Option<Outcome> {
    match error {
        RequestError::Ignored { why } => Some(Outcome::Ignored { why: why.clone() }),
        RequestError::TimedOut { .. } => Some(Outcome::TimedOut),
        RequestError::Gone => Some(Outcome::Gone),
        RequestError::QueueFull { .. } => Some(Outcome::QueueFull),
        RequestError::Refused => Some(Outcome::Refused),
        RequestError::FdsLost => Some(Outcome::FdsLost),
        _ => None,
    }
}

impl Context {
    /// Says on the standard error what to do about it.
    pub(super) fn advise(&self, peer: &Peer, outcome: &Outcome, name: &Name) {
        let waited = matches!(outcome, Outcome::TimedOut | Outcome::QueueFull);
        let standstill = if waited { self.standstill(peer) } else { None };
        if let Some(advice) = standstill.or_else(|| peer.advice(outcome, name)) {
            eprintln!("mpctl: {advice}");
        }
    }
}
