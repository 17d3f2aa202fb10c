//! `mpctl request`.

use mp_core::{Client, Name, Outcome, Reason, RequestError};

use super::{Context, made};
use crate::{
    cli::MessageArgs,
    failure::Failure,
    input::Outgoing,
    interrupt::Awaited,
    process,
    show::{Answers, Reply},
};

pub(super) fn run(context: &Context, args: &MessageArgs) -> Result<bool, Failure> {
    let outgoing = Outgoing::read(args)?;
    let client = context.client()?;
    let primary = context.primary(&client);
    let timeout = context.timeout;
    let result = made::cleaned_up(&client, move |client| client.request(outgoing.message(), timeout))?;
    let Awaited::Done(result) = result else { return Ok(false) };
    match result {
        Ok(reply) => {
            let reply = Reply::of(&reply, context.version());
            context.output.print(&Answers::new(&primary, &Outcome::Replied, Some(reply)))?;
            Ok(true)
        }
        Err(error) => {
            let outcome = outcome(&error).ok_or_else(|| Failure::of_request(&error))?;
            context.output.print(&Answers::new(&primary, &outcome, None))?;
            context.advise(&outcome, &args.name);
            Ok(false)
        }
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

/// What to do about it, if there is anything.
fn advice(outcome: &Outcome, name: &Name) -> Option<String> {
    Some(match outcome {
        Outcome::Sent | Outcome::Replied => return None,
        Outcome::Ignored { why } if why.reason() == Reason::NoAction => {
            format!("the primary has no action \"{name}\": check the name")
        }
        Outcome::Ignored { why } => format!("the primary does not answer \"{name}\": {why}"),
        Outcome::TimedOut => format!(
            "no answer in time: check the name \"{name}\" (DPDK is silent where it has no such action, \
             or does not like the payload), or give it longer with --timeout"
        ),
        Outcome::Gone => "the primary has ended meanwhile: start it again".to_owned(),
        Outcome::QueueFull => {
            "the primary does not read its socket: give it longer with --timeout".to_owned()
        }
        Outcome::Refused => {
            "the primary's socket is closed to this user: run this as its user, which `mpctl members` tells"
                .to_owned()
        }
        Outcome::FdsLost => {
            "the reply's files do not fit: allow this process more with `ulimit -n`".to_owned()
        }
        // What one peer is sent fits this process's buffer, and an error of one is told as it is.
        _ => return None,
    })
}

impl Context {
    /// Says on the standard error what to do about it.
    pub(super) fn advise(&self, outcome: &Outcome, name: &Name) {
        let waited = matches!(outcome, Outcome::TimedOut | Outcome::QueueFull);
        let standstill = if waited { self.standstill() } else { None };
        if let Some(advice) = standstill.or_else(|| advice(outcome, name)) {
            eprintln!("mpctl: {advice}");
        }
    }

    /// Why the primary runs no code, if it does not.
    pub(super) fn standstill(&self) -> Option<String> {
        let pid = self.inspect().ok()?.primary()?.pid?;
        Some(format!("the primary, pid {pid}, {}", process::standstill(pid)?))
    }

    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.group.builder(Client::builder).start().map_err(|error| Failure::of_start(&error))
    }

    /// Where the primary is asked.
    pub(super) fn primary(&self, client: &Client) -> std::path::PathBuf {
        client.runtime_dir().map(|dir| dir.join("mp_socket")).unwrap_or_default()
    }
}
