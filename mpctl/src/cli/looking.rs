//! What the commands take that join or watch.

use std::num::NonZeroU64;

use clap::Args;
use clap_complete::ArgValueCompleter;
use mp_core::Name;

use crate::{complete, peers::Wanted};

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
