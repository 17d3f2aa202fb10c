//! The command line. Its help, man page and completions all come from here.

use std::{ffi::OsString, fs, num::NonZeroU64, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use mp_core::{Builder, Name, Role};

use crate::input::Hex;

/// Looks into a group of processes that speak DPDK's multi-process IPC.
///
/// It joins nothing unless told to: `request`, `send` and `ping` ask the primary without becoming a
/// member of its group, so that nobody ever waits for them.
#[derive(Debug, Parser)]
#[command(name = "mpctl", version, propagate_version = true, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) group: GroupArgs,

    /// How long to wait for an answer, or for room in a full queue.
    #[arg(long, global = true, value_name = "DURATION", default_value = "1s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,

    /// Print one JSON object per line.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit status: 0 when all who were asked answered, 1 when not, 2 on wrong usage.

Durations: 500us, 20ms, 1s, \"1m 30s\".

`mpctl man` prints the man page, `mpctl completions SHELL` the completions of bash, zsh, fish, elvish or PowerShell.";

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// Which group.
#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    /// The group's name: DPDK's --file-prefix.
    #[arg(long, global = true, value_name = "P", default_value = "rte", conflicts_with = "runtime_dir")]
    pub(crate) file_prefix: OsString,

    /// The group's directory, wherever it is.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) runtime_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the groups of this host.
    ///
    /// Their members, alive and stale, the DPDK version that made the group, and the length of its
    /// datagrams. Groups of other users can be looked into by root only: they are told on the
    /// standard error, and the exit status is 1.
    Groups,

    /// List the members of the group.
    ///
    /// A stale one has left its socket behind without a process.
    Members,

    /// Ask the primary and print its reply.
    Request(MessageArgs),

    /// Send the primary a one-way message.
    Send(MessageArgs),

    /// Join, and answer every request with the payload and files that came with it.
    ///
    /// Prints what arrives. Requests under other names are answered "ignore". Ctrl-C leaves the
    /// group.
    Serve(ServeArgs),

    /// Join as a secondary and print what arrives; answer every request "ignore".
    ///
    /// Ctrl-C leaves the group.
    Listen(ListenArgs),

    /// Measure round trips to the primary.
    ///
    /// Prints the fastest, the median, the 99th percentile and the slowest, and how many were lost.
    /// Ctrl-C ends it early.
    Ping(PingArgs),

    /// Print the man page.
    #[command(hide = true)]
    Man,

    /// Print the completions for a shell.
    #[command(hide = true)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// A name, a payload and files.
#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    /// The name of the action it is for: 1 to 63 bytes.
    pub(crate) name: Name,

    #[command(flatten)]
    pub(crate) payload: PayloadArgs,

    /// A file to pass along, opened for reading; up to 8 times.
    #[arg(long = "fd", value_name = "PATH")]
    pub(crate) fds: Vec<PathBuf>,
}

/// Up to 256 bytes, in one of three ways; without any, none.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct PayloadArgs {
    /// The payload in hexadecimal: 0102ff, or "01 02 ff".
    #[arg(long, value_name = "HEX")]
    pub(crate) hex: Option<Hex>,

    /// The payload as text, without a NUL at its end.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Option<OsString>,

    /// The payload from a file; - is the standard input.
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The names of the actions.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<Name>,

    /// Become the group's primary, not a secondary.
    #[arg(long)]
    pub(crate) primary: bool,

    /// Answer also under names of DPDK's own, in DPDK's stead.
    #[arg(long)]
    pub(crate) allow_dpdk_actions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Print only what has one of these names.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<Name>,

    /// End after so many.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PingArgs {
    /// The name of an action that answers.
    pub(crate) name: Name,

    #[command(flatten)]
    pub(crate) payload: PayloadArgs,

    /// How often to ask.
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) count: NonZeroU64,

    /// How long from one request to the next; 0s to ask without a pause.
    #[arg(long, value_name = "DURATION", default_value = "10ms")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) interval: Duration,
}

impl GroupArgs {
    /// Sets up a role of this group: `make` takes the file-prefix.
    pub(crate) fn builder<R: Role>(&self, make: impl FnOnce(OsString) -> Builder<R>) -> Builder<R> {
        let builder = make(self.file_prefix.clone());
        match self.dir() {
            Some(dir) => builder.runtime_dir(dir),
            None => builder,
        }
    }

    /// The directory, if one was named: where that is a link, the one it leads to, spelled as the
    /// link does, since members know each other by the spelling of their paths.
    pub(crate) fn dir(&self) -> Option<PathBuf> {
        let mut dir = self.runtime_dir.clone()?;
        for _ in 0..MOST_LINKS {
            let Ok(target) = fs::read_link(&dir) else { break };
            dir = dir.parent().map(|parent| parent.join(&target)).unwrap_or(target);
        }
        Some(dir)
    }
}
