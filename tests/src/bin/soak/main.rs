//! Twenty processes that ask each other everything there is to ask, while some are killed, stopped and started again.
//!
//! ```text
//! cargo run --release -p tests --bin soak -- --for 10m
//! ```
//!
//! Every answer is held against its request by content. Three phases: all warm up; the storm, with a disturbance a few times a
//! second; the calm, in which every operation has to succeed. At the end nobody may hold more than at the beginning,
//! and the directory has to be empty. It ends with 1 if anything was not as it must be, and says what.

mod clock;
mod conductor;
mod member;
mod messages;
mod operations;
mod resources;
mod service;
mod tally;

use std::{
    error::Error,
    fmt::Display,
    io,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};

use conductor::Conductor;
use member::Kind;

#[derive(Parser)]
#[command(about = "Twenty processes under load, killed, stopped and started again")]
struct Arguments {
    /// How long, as `90s`, `10m` or `1h`.
    #[arg(long = "for", value_parser = duration, default_value = "60s")]
    length: Duration,
    /// How many processes.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(6..))]
    processes: u64,
    /// What chance begins with; the same makes the same disturbances, not the same interleavings.
    #[arg(long)]
    seed: Option<u64>,
    #[command(subcommand)]
    role: Option<OneProcess>,
}

#[derive(Subcommand)]
enum OneProcess {
    /// One of the processes, as the program starts them.
    #[command(hide = true)]
    Member {
        #[arg(long)]
        kind: Kind,
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        seed: u64,
    },
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(OneProcess::Member { kind, dir, seed }) = arguments.role {
        member::run(kind, dir, seed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    println!("soak of {:?} with {} processes, seed {seed}", arguments.length, arguments.processes);
    Ok(soak(&arguments)?)
}

fn soak(arguments: &Arguments) -> io::Result<ExitCode> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let began = Instant::now();
    let phase = |share: f64| began + arguments.length.mul_f64(share);
    let mut group = Conductor::new(dir.path().to_owned());

    group.start(Kind::Primary, false)?;
    for (kind, is_elder) in kinds().take(arguments.processes as usize - 1) {
        group.start(kind, is_elder)?;
    }
    group.listen(phase(0.15));
    group.all("pause", "paused")?;
    group.weigh()?;
    group.tell_all("go")?;

    while Instant::now() < phase(0.80) {
        group.disturb()?;
        group.listen(Instant::now() + Duration::from_millis(fastrand::u64(20..400)));
    }

    // What was asked in the storm may still fail by it.
    group.all("pause", "paused")?;
    group.all("anew", "before")?;
    group.tell_all("go")?;
    group.listen(phase(1.0));
    group.all("pause", "paused")?;
    group.listen(Instant::now() + Duration::from_millis(500));
    let weights = group.weigh()?;
    let calm = group.calm();
    for (operation, count) in calm.disturbed() {
        group.violations.push(format!("{count} of {operation} although nothing disturbed"));
    }
    if calm.total() == 0 || group.storm.total() == 0 {
        group.violations.push("nothing was done".to_owned());
    }
    group.end_all()?;

    println!(
        "\nthe storm: {} operations in {:?}\n{}",
        group.storm.total(),
        began.elapsed(),
        group.storm.table()
    );
    let faults: Vec<_> = group.faults.iter().map(|(fault, count)| format!("{count} {fault}")).collect();
    println!("disturbances: {}\n", faults.join(", "));
    println!("the calm: {} operations\n{}", calm.total(), calm.table());
    let most = |of: fn(&resources::Resources) -> u64| weights.iter().map(|(_, it)| of(it)).max().unwrap_or(0);
    println!(
        "at the end a process holds at most {} descriptors, {} threads, {} KiB",
        most(|it| it.fds),
        most(|it| it.threads),
        most(|it| it.rss_kib)
    );
    if group.violations.is_empty() {
        println!("nothing was as it must not be");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} VIOLATIONS", group.violations.len());
    group.violations.iter().take(50).for_each(|violation| println!("  {violation}"));
    Ok(ExitCode::FAILURE)
}

/// What the processes beside the primary are, and whether they live from the beginning to the end.
fn kinds() -> impl Iterator<Item = (Kind, bool)> {
    let elders = [(Kind::Secondary, true), (Kind::Older, true), (Kind::Client, true)];
    let others = [Kind::Secondary, Kind::Secondary, Kind::Client, Kind::Secondary, Kind::Older];
    elders.into_iter().chain(others.into_iter().cycle().map(|kind| (kind, false)))
}

/// Says that something is as it must not be.
fn violation(what: &(impl Display + ?Sized)) {
    member::say(&format!("violation {what}").replace('\n', " "));
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a number and s, m or h, as in 10m".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a number and s, m or h, as in 10m".to_owned())?;
    Ok(Duration::from_secs(number * seconds))
}
