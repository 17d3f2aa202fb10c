//! The commands: each asks or joins, and says what to print.

mod call;
mod check;
mod describe;
mod doctor;
mod groups;
mod made;
mod manual;
mod member;
mod monitor;
mod peer;
mod ping;
mod replay;
mod request;
mod send;
mod status;
mod survey;
mod watch;

use crate::{
    cli::{Cli, Command, GroupArgs},
    failure::Failure,
    output::Output,
};

/// What every command is told.
#[derive(Debug)]
pub(crate) struct Context {
    group: GroupArgs,
    timeout: std::time::Duration,
    output: Output,
}

/// Runs it; whether all who were asked answered.
pub(crate) fn run(cli: Cli) -> Result<bool, Failure> {
    let context = Context { group: cli.group, timeout: cli.timeout, output: Output::new(cli.json) };
    match cli.command {
        Command::Groups => groups::groups(&context),
        Command::Members => groups::members(&context),
        Command::Request(args) => request::run(&context, &args),
        Command::Send(args) => send::run(&context, &args),
        Command::Describe(args) => describe::run(&context, &args),
        Command::Call(args) => call::run(&context, &args),
        Command::Serve(args) => member::serve(&context, &args),
        Command::Listen(args) => member::listen(&context, &args),
        Command::Ping(args) => ping::run(&context, &args),
        Command::Watch(args) => watch::run(&context, &args),
        Command::Doctor => doctor::run(&context),
        Command::Status(args) => status::status(&context, &args),
        Command::Monitor(args) => monitor::run(&context, &args),
        Command::Replay(args) => replay::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Pending => status::pending(&context),
        Command::Man => manual::man(),
        Command::Completions { shell } => manual::completions(shell),
    }
}
