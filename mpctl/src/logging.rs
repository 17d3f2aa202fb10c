//! What the libraries trace, on the standard error: warnings always, the rest if it is asked for.

use std::{env, io};

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::failure::Failure;

/// `RUST_LOG` says what, unless `-v` does.
pub(crate) fn start(verbose: u8) -> Result<(), Failure> {
    let filter = match (verbose, env::var("RUST_LOG")) {
        (0, Ok(wanted)) if !wanted.is_empty() => wanted.parse().map_err(|error| {
            Failure::Usage(format!("RUST_LOG={wanted:?} is no filter: {error}; try RUST_LOG=mp_core=debug"))
        })?,
        (0, _) => Targets::new().with_default(LevelFilter::WARN),
        (1, _) => Targets::new().with_default(LevelFilter::DEBUG),
        (_, _) => Targets::new().with_default(LevelFilter::TRACE),
    };
    let printed = fmt::layer().with_writer(io::stderr).with_ansi(false).with_span_events(FmtSpan::CLOSE);
    tracing_subscriber::registry().with(printed.with_filter(filter)).init();
    Ok(())
}
