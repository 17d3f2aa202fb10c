//! `mpctl request`.

use mp_core::{Client, Outcome, RequestError};

use super::{Context, made};
use crate::{
    cli::MessageArgs,
    failure::Failure,
    input::Outgoing,
    interrupt::{Awaited, unless_interrupted},
    show::{Answers, Reply},
};

pub(super) fn run(context: &Context, args: &MessageArgs) -> Result<bool, Failure> {
    let outgoing = Outgoing::read(args)?;
    let client = context.client()?;
    let primary = context.primary(&client);
    let (asker, timeout) = (client.clone(), context.timeout);
    let result = match unless_interrupted(move || asker.request(outgoing.message(), timeout))? {
        Awaited::Done(result) => result,
        Awaited::Interrupted => {
            made::remove_reply_sockets(&client);
            return Ok(false);
        }
    };
    match result {
        Ok(reply) => {
            let reply = Reply::of(&reply, context.version());
            context.output.print(&Answers::new(&primary, Outcome::Replied, Some(reply)))?;
            Ok(true)
        }
        Err(error) => {
            let outcome = outcome(&error).ok_or_else(|| Failure::of_request(&error))?;
            context.output.print(&Answers::new(&primary, outcome, None))?;
            if let Some(advice) = advice(outcome, args) {
                eprintln!("mpctl: {advice}");
            }
            Ok(false)
        }
    }
}

/// What became of the request, if it was made; else it is a failure.
pub(super) fn outcome(error: &RequestError) -> Option<Outcome> {
    match error {
        RequestError::Ignored => Some(Outcome::Ignored),
        RequestError::TimedOut { .. } => Some(Outcome::TimedOut),
        RequestError::Gone => Some(Outcome::Gone),
        RequestError::QueueFull { .. } => Some(Outcome::QueueFull),
        RequestError::Refused => Some(Outcome::Refused),
        RequestError::FdsLost => Some(Outcome::FdsLost),
        _ => None,
    }
}

/// What to do about it.
fn advice(outcome: Outcome, args: &MessageArgs) -> Option<String> {
    let name = &args.name;
    match outcome {
        Outcome::Ignored => {
            Some(format!("the primary has no action \"{name}\", or gave no answer: check the name"))
        }
        Outcome::TimedOut => Some(format!(
            "no answer in time: check the name \"{name}\" (DPDK is silent where it has no such action, \
             or does not like the payload), or give it longer with --timeout"
        )),
        Outcome::QueueFull => Some("the primary does not read its socket: is it stopped?".to_owned()),
        _ => None,
    }
}

impl Context {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.group.builder(Client::builder).start().map_err(|error| Failure::of_start(&error))
    }

    /// Where the primary is asked.
    pub(super) fn primary(&self, client: &Client) -> std::path::PathBuf {
        client.runtime_dir().map(|dir| dir.join("mp_socket")).unwrap_or_default()
    }
}
