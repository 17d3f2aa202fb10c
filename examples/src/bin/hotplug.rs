//! Plugs a device into a live DPDK primary, or out of it, by asking it.
//!
//! A primary that is asked so asks every secondary to do the same before it
//! answers, and whoever says no makes it roll back. So this is a secondary that
//! serves the same request it makes: it has no devices, and says that all is
//! done. Its own request waits meanwhile.
//!
//! ```text
//! hotplug --file-prefix packet-app attach net_null1
//! hotplug --file-prefix packet-app detach net_null1
//! ```

use std::{error::Error, io, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use mp_dpdk::{HotplugRequest, hotplug, text};
use mp_typed::{Peer, Secondary, mp_core::inspect};

/// Attaches a device to a running DPDK primary and its secondaries, or detaches it.
#[derive(Parser)]
struct Args {
    /// The primary's --file-prefix.
    #[arg(long, default_value = "rte")]
    file_prefix: String,
    /// The bus that the device is on.
    #[arg(long, default_value = "vdev")]
    bus: String,
    /// How long to wait for it, in milliseconds.
    #[arg(long, default_value_t = 10_000)]
    timeout: u64,
    /// Says that a device to be detached is attached, which DPDK cannot be asked and, from 26.07 on, must not be wrong.
    #[arg(long)]
    is_attached: bool,
    /// What to do.
    action: Action,
    /// The device, with its arguments after a comma if it takes any.
    device: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    Attach,
    Detach,
}

fn main() -> ExitCode {
    match plug(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hotplug: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plug(args: &Args) -> Result<(), Box<dyn Error>> {
    let devargs = format!("{}:{}", args.bus, args.device);
    let (kind, done) = match args.action {
        Action::Attach => (hotplug::ATTACH, "attached"),
        Action::Detach => (hotplug::DETACH, "detached"),
    };
    let request = HotplugRequest::new(kind, &devargs);
    if text(&request.devargs) != devargs {
        return Err(format!("{devargs:?} is too long: DPDK takes {} bytes", request.devargs.len() - 1).into());
    }

    if matches!(args.action, Action::Detach) && !args.is_attached {
        check_that_detaching_is_safe(&args.file_prefix)?;
    }

    let secondary = Secondary::builder(&args.file_prefix)
        // The request is DPDK's own, and there is DPDK in the group.
        .allow_dpdk_actions()
        .serve(|request: HotplugRequest, peer: &Peer| {
            println!("asked by {} to {}", peer.pid(), words(&request));
            request.result(0)
        })
        .start()?;

    let answer = secondary.request(&request, Duration::from_millis(args.timeout))?;
    if answer.result != 0 {
        let errno = io::Error::from_raw_os_error(answer.result.saturating_neg());
        return Err(format!(
            "{devargs} was not {done}: the primary says {errno}, and its log why; \
             a device of that name that no driver takes, or that is not there, ends so"
        )
        .into());
    }
    println!("{done} {devargs}");
    Ok(())
}

/// From 26.07 on, DPDK keeps a detached device in its list, and crashes when it is asked to detach it again.
fn check_that_detaching_is_safe(file_prefix: &str) -> Result<(), Box<dyn Error>> {
    let version = inspect::Group::with_file_prefix(file_prefix)?.dpdk;
    match version {
        Some(version) if (version.year, version.month) >= (26, 7) => Err(format!(
            "DPDK {version} crashes when it is asked to detach a device that is detached already: \
             if you know that it is attached, say so with --is-attached"
        )
        .into()),
        _ => Ok(()),
    }
}

fn words(request: &HotplugRequest) -> String {
    let verb = match request.kind {
        hotplug::ATTACH => "attach",
        hotplug::DETACH => "detach",
        hotplug::ATTACH_ROLLBACK => "undo attaching",
        hotplug::DETACH_ROLLBACK => "undo detaching",
        _ => "do something unknown to",
    };
    format!("{verb} {}", text(&request.devargs).escape_debug())
}
