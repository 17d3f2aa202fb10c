//! What the commands take that join or watch.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use mp_core::Name;

use super::ToArgs;
use crate::{complete, monitor::Matching, peers::Wanted};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The names of the actions.
    #[arg(required = true, value_name = "NAME", add = ArgValueCompleter::new(complete::names))]
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
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::names))]
    pub(crate) names: Vec<Name>,

    /// End after so many.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// End after so many changes.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Which member; without it, all: a pid, a socket's name, or its path, as `mpctl members` shows
    /// them.
    #[arg(add = ArgValueCompleter::new(complete::members))]
    pub(crate) member: Option<Wanted>,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    /// Show only what fits: name=ring_open (or ring_*), kind=request (message, reply, ignore),
    /// peer=PID or a socket, which may be either side. Of each sort one must fit.
    #[arg(long = "match", value_name = "name=..,kind=..,peer=..")]
    pub(crate) matching: Vec<Matching>,

    /// End after so many datagrams.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,

    /// Capture them for Wireshark, too: pcapng, of the link type USER0.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pcapng: Option<PathBuf>,

    /// Save them, too, as lines of JSON, for `mpctl replay`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// What `mpctl monitor --save` has saved.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// Send them as far apart in time as they were; else one after the other.
    #[arg(long)]
    pub(crate) paced: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A dump of layouts.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}
