//! `mpctl send`.

use mp_core::{Outcome, SendError};

use super::{Context, made};
use crate::{cli::MessageArgs, failure::Failure, input::Outgoing, interrupt::Awaited, show::Sent};

pub(super) fn run(context: &Context, args: &MessageArgs) -> Result<bool, Failure> {
    let outgoing = Outgoing::read(args)?;
    let client = context.client()?;
    let timeout = context.timeout;
    let result = made::cleaned_up(&client, move |client| client.within(timeout).send(outgoing.message()))?;
    let Awaited::Done(result) = result else { return Ok(false) };
    let outcome = match result {
        Ok(()) => Outcome::Sent,
        Err(SendError::Gone) => Outcome::Gone,
        Err(SendError::QueueFull { .. }) => Outcome::QueueFull,
        Err(SendError::Refused) => Outcome::Refused,
        Err(error) => return Err(Failure::of_send(&error)),
    };
    context.output.print(&Sent::new(&context.primary(&client), &outcome))?;
    context.advise(&outcome, &args.name);
    Ok(outcome == Outcome::Sent)
}
