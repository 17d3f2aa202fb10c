//! `mpctl`: looks into a group of processes that speak DPDK's multi-process IPC.
//!
//! ```text
//! main ─► cli ─► ids                what can be asked for, of which users
//!   │      └─► complete             what a shell is told when it completes a word
//!   ├───► logging                   what the libraries trace
//!   └───► command/*  ─► input       payloads and files, from the command line
//!             ├───────► peers       which member is meant
//!             ├───────► fields      payloads of C peers, field by field
//!             ├───────► doctor      what is wrong with a group
//!             ├───────► status      what a member says of itself
//!             ├───────► pending     who waits for whom, by that
//!             ├───────► monitor     datagrams as members see them: shown, saved, captured
//!             ├───────► layouts     definitions, dumped and told
//!             ├───────► schema      what typed messages are made of, and JSON to their payloads and back
//!             ├───────► show        what is printed, as text or JSON: no I/O
//!             ├───────► output      prints it
//!             ├───────► interrupt   Ctrl-C
//!             ├───────► process     what /proc tells of a member
//!             └───────► failure     what went wrong, and what to do
//! ```
//!
//! Exit status: 0 when all who were asked answered, 1 when not, 2 on wrong usage.

// What is documented in `cli` is the help that clap prints, where brackets are brackets.
#![allow(rustdoc::broken_intra_doc_links)]

mod cli;
mod command;
mod complete;
mod doctor;
mod failure;
mod fields;
mod ids;
mod input;
mod interrupt;
mod layouts;
mod logging;
mod monitor;
mod output;
mod peers;
mod pending;
mod process;
mod schema;
mod show;
mod status;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, error::ErrorKind};
use clap_complete::CompleteEnv;

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    // A shell that completes a word runs this with `COMPLETE` set, and it ends here.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // What is wrong with a value fits one line; what is wrong with the rest needs the usage.
        Err(error) if error.kind() == ErrorKind::ValueValidation => {
            return end(Err(Failure::of_value(&error)));
        }
        Err(error) => error.exit(),
    };
    end(logging::start(cli.verbose).and_then(|()| command::run(cli)))
}

fn end(result: Result<bool, Failure>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(failure::UNANSWERED),
        // Who reads what we print has seen enough: an end like any other.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mpctl: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
