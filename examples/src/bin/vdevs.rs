//! Asks a live DPDK primary for its virtual devices and prints their names.
//!
//! DPDK answers such a request with the number of devices only; their names it
//! sends to every secondary. So this joins the group as one for as long as it
//! asks, and answers *ignore* to whatever else the primary may ask meanwhile.
//!
//! ```text
//! vdevs --file-prefix packet-app
//! ```

use std::{
    error::Error,
    process::ExitCode,
    sync::mpsc,
    time::{Duration, Instant},
};

use clap::Parser;
use mp_dpdk::{VdevFound, VdevScan, text, vdev};
use mp_typed::{Peer, Secondary};

/// Prints the virtual devices of a running DPDK primary.
#[derive(Parser)]
struct Args {
    /// The primary's --file-prefix.
    #[arg(long, default_value = "rte")]
    file_prefix: String,
    /// How long to wait for it, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    timeout: u64,
}

fn main() -> ExitCode {
    match list(&Args::parse()) {
        Ok(devices) => {
            devices.iter().for_each(|device| println!("{device}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("vdevs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list(args: &Args) -> Result<Vec<String>, Box<dyn Error>> {
    let deadline = Instant::now() + Duration::from_millis(args.timeout);
    let (found, devices) = mpsc::channel();
    let secondary = Secondary::builder(&args.file_prefix)
        // The names come under DPDK's own name, and there is DPDK in the group.
        .allow_dpdk_actions()
        .on(move |device: VdevFound, _: &Peer| {
            if device.kind == vdev::SCAN_ONE {
                // Nobody listens any more once all have come.
                let _ = found.send(text(&device.name));
            }
        })
        .start()?;

    let answer = secondary.request(&VdevScan::new(), deadline.saturating_duration_since(Instant::now()))?;
    // The names were sent before the answer, but may still wait to be handled.
    let count = usize::try_from(answer.count).unwrap_or(0);
    let next = |_| devices.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    Ok((0..count).map(next).collect::<Result<_, _>>()?)
}
