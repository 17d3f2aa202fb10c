//! `mp-bridge`: the bridge as a program. What it does is the library's; here are its options.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use mp_bridge::{Bridge, Builder};

/// Joins groups of several hosts into one, over NATS: no program of theirs changes.
#[derive(Debug, Parser)]
#[command(name = "mp-bridge", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    side: Side,
}

#[derive(Debug, Subcommand)]
enum Side {
    /// On the host with the group's primary: joins once for every member of the other hosts.
    Home(Options),
    /// On every other host: is the primary there.
    Away(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// The group, as the programs of both hosts call it.
    #[arg(long, default_value = "rte", value_name = "PREFIX")]
    file_prefix: String,
    /// Its runtime directory on this host, if that is not where DPDK has it.
    #[arg(long, value_name = "DIR")]
    runtime_dir: Option<PathBuf>,
    /// A NATS server; may be given again for the others of a cluster.
    #[arg(long, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    server: Vec<String>,
    /// A file of credentials, as `nsc` writes it.
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// A file with the seed of an NKey.
    #[arg(long, value_name = "FILE")]
    nkey: Option<PathBuf>,
    /// Certificates, in PEM, of whoever has signed the server's; besides the system's.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The bridge's own certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connects with TLS only.
    #[arg(long)]
    tls: bool,
    /// What the other hosts call this one; its host name if not given.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Lets only names pass that are this, or with a `*` at its end begin so; may be given again.
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Lets none of these pass; may be given again.
    #[arg(long, value_name = "NAME")]
    deny: Vec<String>,
    /// How long another host may not be heard until it counts as gone.
    #[arg(long, value_name = "TIME", default_value = "3s")]
    grace: humantime::Duration,
    /// How long the answer to a request may take: longer than any requester waits.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    patience: humantime::Duration,
    /// How many messages and requests may wait for one other host.
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    queue: usize,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false).init();
    let bridge = match Cli::parse().side {
        Side::Home(options) => options.set(Bridge::home(&options.file_prefix)),
        Side::Away(options) => options.set(Bridge::away(&options.file_prefix)),
    };
    match run(bridge) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", in_words(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(builder: Builder) -> Result<(), Box<dyn std::error::Error>> {
    let mut bridge = builder.start()?;
    let mut stop = bridge.stopper();
    ctrlc::set_handler(move || stop.take().into_iter().for_each(mp_bridge::Stop::stop))?;
    let totals = bridge.totals();
    let ended = bridge.wait();
    tracing::info!("in all: {}", totals.now());
    Ok(ended?)
}

impl Options {
    fn set(&self, mut bridge: Builder) -> Builder {
        bridge = bridge.grace(*self.grace).patience(*self.patience).queue(self.queue);
        for server in &self.server {
            bridge = bridge.server(server);
        }
        for name in &self.allow {
            bridge = bridge.allow(name);
        }
        for name in &self.deny {
            bridge = bridge.deny(name);
        }
        let set = |bridge, file: &Option<PathBuf>, set: fn(Builder, PathBuf) -> Builder| {
            file.iter().cloned().fold(bridge, set)
        };
        bridge = set(bridge, &self.runtime_dir, Builder::runtime_dir);
        bridge = set(bridge, &self.creds, Builder::credentials);
        bridge = set(bridge, &self.nkey, Builder::nkey);
        bridge = set(bridge, &self.tls_ca, Builder::roots);
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            bridge = bridge.certificate(certificate, key);
        }
        if self.tls {
            bridge = bridge.require_tls();
        }
        match &self.host {
            Some(host) => bridge.host(host),
            None => bridge,
        }
    }
}

/// An error and what it comes from.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
