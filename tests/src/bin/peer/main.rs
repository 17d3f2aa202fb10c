//! A member of a group in a process of its own, for the fault tests.
//!
//! It reads commands from its input, one a line, and writes `=<result>` for
//! each; what its handlers see it writes as `!<kind> <text>` when it happens.
//!
//! ```text
//! main ─► commands ─► shared ─► role ─► words
//!   └───► actions ─────┘
//! ```

mod actions;
mod commands;
mod role;
mod shared;
mod system;
mod words;

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use clap::{Parser, ValueEnum};
use mp_core::{Builder, Client, Joins, Primary, Secondary, StartError, Trust};

use role::{Asker, Role};
use shared::Shared;
use words::{read_line, tell, text_of};

#[derive(Parser)]
struct Options {
    role: Kind,
    /// The runtime directory.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Which of DPDK's directories to use instead.
    #[arg(long, default_value = "mp-faults")]
    file_prefix: OsString,
    #[arg(long)]
    backlog: Option<usize>,
    /// Listens to nobody.
    #[arg(long)]
    trust_nobody: bool,
    /// Listens to this user only.
    #[arg(long)]
    trust_uid: Option<u32>,
    #[arg(long)]
    share_with_group: Option<u32>,
    #[arg(long)]
    beside_user: Option<u32>,
    /// Waits for a line before it starts.
    #[arg(long)]
    wait: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Primary,
    Secondary,
    Client,
}

fn main() {
    let options = Options::parse();
    if options.wait {
        tell("waits");
        read_line();
    }
    let shared = Arc::new(Shared::default());
    match start(&options, &shared) {
        Ok(role) => drop(shared.role.set(role)),
        Err(error) => return tell(&format!("failed {}", text_of(&error))),
    }
    tell("started");
    while let Some(line) = read_line() {
        let words: Vec<_> = line.split_whitespace().collect();
        if let Some(result) = shared.obey(&words) {
            tell(&format!("={result}"));
        } else {
            break;
        }
    }
    shared.release(usize::MAX / 2);
    shared.role().stop(Duration::from_secs(5));
}

fn start(options: &Options, shared: &Arc<Shared>) -> Result<Role, StartError> {
    let prefix = &options.file_prefix;
    Ok(match options.role {
        Kind::Primary => {
            let builder = set_up(options, shared, Primary::builder(prefix));
            let _ = shared.asker.set(Asker::Primary(builder.handle()));
            Role::Primary(builder.start()?)
        }
        Kind::Secondary => {
            let builder = set_up(options, shared, Secondary::builder(prefix));
            let _ = shared.asker.set(Asker::Secondary(builder.handle()));
            Role::Secondary(builder.start()?)
        }
        Kind::Client => {
            let builder = place(options, Client::builder(prefix));
            let client = builder.start()?;
            let _ = shared.asker.set(Asker::Client(client.clone()));
            Role::Client(client)
        }
    })
}

/// A member's place, backlog and actions.
fn set_up<R: Joins>(options: &Options, shared: &Arc<Shared>, builder: Builder<R>) -> Builder<R> {
    let mut builder = place(options, builder);
    if let Some(backlog) = options.backlog {
        builder = builder.backlog(backlog);
    }
    actions::add(shared, builder)
}

fn place<R: mp_core::Role>(options: &Options, mut builder: Builder<R>) -> Builder<R> {
    if let Some(dir) = &options.dir {
        builder = builder.runtime_dir(dir);
    }
    if options.trust_nobody {
        builder = builder.trust(Trust::when(|_| false));
    }
    if let Some(uid) = options.trust_uid {
        builder = builder.trust(Trust::when(move |sender| sender.uid == uid));
    }
    if let Some(gid) = options.share_with_group {
        builder = builder.share_with_group(gid);
    }
    if let Some(uid) = options.beside_user {
        builder = builder.beside_user(uid);
    }
    builder
}
