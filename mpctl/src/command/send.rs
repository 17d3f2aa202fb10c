//! `mpctl send`.

use mp_core::{Outcome, SendError};

use super::{Context, made};
use crate::{cli::MessageArgs, failure::Failure, input::Outgoing, interrupt::Awaited, show::Sent};

pub(super) fn run(context: &Context, args: &MessageArgs) -> Result<bool, Failure> {
    args.payload.check_values()?;
    let outgoing = Outgoing::read(args)?;
    let peer = context.peer(&args.to)?;
    let timeout = context.timeout;
    let result = made::cleaned_up(&peer, move |peer| peer.send(outgoing.message(), timeout))?;
    let Awaited::Done(result) = result else { return Ok(false) };
    let outcome = match result {
        Ok(()) => Outcome::Sent,
        Err(SendError::Gone) => Outcome::Gone,
        Err(SendError::QueueFull { .. }) => Outcome::QueueFull,
        Err(SendError::Refused) => Outcome::Refused,
        Err(error) => return Err(Failure::of_send(&error)),
    };
    context.output.print(&Sent::new(&peer.socket, &outcome))?;
    context.advise(&peer, &outcome, &args.name);
    Ok(outcome == Outcome::Sent)
}
