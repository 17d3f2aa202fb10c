//! `mpctl send`.

use mp_core::{Outcome, SendError};

use super::Context;
use crate::{cli::MessageArgs, failure::Failure, input::Outgoing, show::Sent};

pub(super) fn run(context: &Context, args: &MessageArgs) -> Result<bool, Failure> {
    let outgoing = Outgoing::read(args)?;
    let client = context.client()?;
    let outcome = match client.send_within(outgoing.message(), context.timeout) {
        Ok(()) => Outcome::Sent,
        Err(SendError::Gone) => Outcome::Gone,
        Err(SendError::QueueFull { .. }) => Outcome::QueueFull,
        Err(SendError::Refused) => Outcome::Refused,
        Err(error) => return Err(Failure::of_send(&error)),
    };
    context.output.print(&Sent::new(&context.primary(&client), outcome))?;
    Ok(outcome == Outcome::Sent)
}
