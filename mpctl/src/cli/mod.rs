//! The command line. Its help, man page and completions all come from here.

mod asking;
mod looking;

use std::{ffi::OsString, fs, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use clap_complete::{ArgValueCompleter, Shell};
use mp_core::{Builder, Role};

use crate::{complete, ids};

pub(crate) use asking::{
    BytesArgs, CallArgs, DescribeArgs, FieldPath, MessageArgs, PayloadArgs, PingArgs, RequestArgs, ToArgs,
};
pub(crate) use looking::{CheckArgs, ListenArgs, MonitorArgs, ReplayArgs, ServeArgs, StatusArgs, WatchArgs};

/// Looks into a group of processes that speak DPDK's multi-process IPC.
///
/// It joins nothing unless told to: `request`, `send` and `ping` ask without becoming a member of
/// the group, so that nobody ever waits for them.
#[derive(Debug, Parser)]
#[command(name = "mpctl", version, propagate_version = true, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) group: GroupArgs,

    /// How long to wait for an answer, or for room in a full queue.
    #[arg(long, global = true, value_name = "DURATION", default_value = "1s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,

    /// Print what the libraries trace, on the standard error; twice for all of it.
    ///
    /// Otherwise RUST_LOG says what, as in RUST_LOG=mp_core=debug; without it, warnings.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print one JSON object per line.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit status: 0 when all who were asked answered, 1 when not, 2 on wrong usage.

Durations: 500us, 20ms, 1s, \"1m 30s\".

Colour is for terminals only; NO_COLOR turns it off there, too.

`mpctl man` prints the man page. `source <(mpctl completions bash)` completes commands, options, prefixes, members \
and action names; the same for zsh, fish, elvish and PowerShell.";

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// Which group.
#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    /// The group's name: DPDK's --file-prefix.
    #[arg(long, global = true, value_name = "P", default_value = "rte", conflicts_with = "runtime_dir")]
    #[arg(add = ArgValueCompleter::new(complete::prefixes))]
    pub(crate) file_prefix: OsString,

    /// The group's directory, wherever it is.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) runtime_dir: Option<PathBuf>,

    /// The system group, by name or number, with which the directory is shared.
    #[arg(long, global = true, value_name = "GROUP", conflicts_with = "owner")]
    #[arg(value_parser = ids::group)]
    pub(crate) group: Option<u32>,

    /// As root, take part beside the processes of this user, by name or number, whose directory it
    /// is.
    ///
    /// That user can pose as any process of the group. Where root is not needed, run mpctl as that
    /// user instead: setpriv --reuid=USER --init-groups mpctl ..
    #[arg(long, global = true, value_name = "USER")]
    #[arg(value_parser = ids::user)]
    pub(crate) owner: Option<u32>,
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

    /// Ask the primary, or a member, and print its reply.
    Request(RequestArgs),

    /// Send the primary, or a member, a one-way message.
    Send(MessageArgs),

    /// Tell which actions the primary, or a member, has, and what each takes and answers.
    ///
    /// In Rust-like notation: fields with their bounds and sizes, descriptors, the response, and the
    /// fingerprint that tells the definition from others. Members in C cannot tell.
    Describe(DescribeArgs),

    /// Ask the primary, or a member, with JSON, and print its answer as JSON.
    ///
    /// The JSON is checked against what the member says that the action takes, before anything is sent.
    Call(CallArgs),

    /// Join, and answer every request with the payload and files that came with it.
    ///
    /// Prints what arrives. Requests under other names are answered "ignore". Ctrl-C leaves the
    /// group.
    Serve(ServeArgs),

    /// Join as a secondary and print what arrives; answer every request "ignore".
    ///
    /// Ctrl-C leaves the group.
    Listen(ListenArgs),

    /// Measure round trips to the primary, or to a member.
    ///
    /// Prints the fastest, the median, the 99th percentile and the slowest, and how many were lost.
    /// Ctrl-C ends it early.
    Ping(PingArgs),

    /// Tell what goes on in a member, or in all.
    ///
    /// Its counters, uptime, threads, backlog, the handlers that run, and the requests that it waits
    /// for. Members in C tell nothing of themselves: of them it is told what can be seen from outside,
    /// and the exit status is 1.
    Status(StatusArgs),

    /// Tell who waits for whom in the group, and since when.
    ///
    /// A circle of those who wait for each other is named as a deadlock, and a handler that runs for
    /// over a second is marked. Members in C do not tell for whom they wait.
    Pending,

    /// Show each datagram that members in Rust send and get, as it happens.
    ///
    /// Requests are paired with their answers. Payloads are decoded by what members tell of their
    /// types; what is not as its definition has it is said to be so, and shown as bytes, as is what
    /// nobody tells of. Members that join later are seen, too. What members in C send each other is
    /// not seen. Descriptors are told by kind and size, and never passed on. A monitor holds up nobody:
    /// what it does not read fast enough is dropped, and counted. Ctrl-C ends it.
    Monitor(MonitorArgs),

    /// Send again what `mpctl monitor --save` has saved.
    ///
    /// The requests and messages that the primary got, or with --to all, to one member. Each answer is
    /// compared with the recorded one. What came with descriptors cannot be sent again.
    Replay(ReplayArgs),

    /// Compare definitions with what runs: which process has another one of what.
    ///
    /// FILE is what `mp_typed::Layouts` prints, or its JSON. Fingerprints decide, where both sides have
    /// one, and else names and sizes of fields. The exit status is 1 if a member has another
    /// definition, or does not tell.
    Check(CheckArgs),

    /// Tell who joins the group and who leaves it, as it happens.
    ///
    /// First it tells of everybody who is there. A process that is killed is told of, too, and its
    /// socket removed. Ctrl-C ends it.
    Watch(WatchArgs),

    /// Look for what is wrong with the group, and say what to do about it.
    ///
    /// One line each, and the exit status is 1; if there is nothing, 0.
    Doctor,

    /// Print the man page.
    #[command(hide = true)]
    Man,

    /// Print what a shell needs to complete `mpctl`'s command lines.
    #[command(hide = true)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

impl GroupArgs {
    /// Sets up a role of this group: `make` takes the file-prefix.
    pub(crate) fn builder<R: Role>(&self, make: impl FnOnce(OsString) -> Builder<R>) -> Builder<R> {
        let mut builder = make(self.file_prefix.clone());
        if let Some(dir) = self.dir() {
            builder = builder.runtime_dir(dir);
        }
        if let Some(gid) = self.group {
            builder = builder.share_with_group(gid);
        }
        if let Some(uid) = self.owner {
            builder = builder.beside_user(uid);
        }
        builder
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
