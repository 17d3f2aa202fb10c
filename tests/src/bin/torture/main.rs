//! Every system call fails once: what a process makes of it, and what the others notice.
//!
//! ```text
//! cargo run --release -p tests --bin torture                       every call, every error, and neighbouring calls together
//! cargo run --release -p tests --bin torture -- --sample 300       so many of these, chosen at random
//! cargo run --release -p tests --bin torture -- --report FILE      writes the table, too
//! ```
//!
//! `strace` makes the calls fail, kills the process at them or has it stand still: so nothing is compiled in for it, the calls
//! of the standard library fail as well, and the program under test is the one that is shipped. After each run: the
//! scenario has ended within its deadline, with the right result or an error; the next time it succeeds; no descriptor, thread or
//! file is left; and those beside it answer. It ends with 1 if anything was not so, and says what.

mod calls;
mod others;
mod run;
mod scenario;
mod subject;

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use clap::{Parser, Subcommand};

use calls::{Calls, errors};
use others::Others;
use run::{Fault, Verdict, calls_of};
use scenario::SCENARIOS;

/// As many runs go on at once.
const AT_ONCE: usize = 2;

#[derive(Parser)]
#[command(about = "Every system call fails once")]
struct Arguments {
    /// Only this scenario.
    #[arg(long)]
    only: Option<String>,
    /// Only these calls fail, as `openat:3:ELOOP,sendmsg:1:EAGAIN`; says what the scenario made of it.
    #[arg(long, requires = "only", value_parser = calls_to_fail)]
    fail: Option<Failing>,
    /// So many runs of all there are, chosen at random.
    #[arg(long)]
    sample: Option<usize>,
    /// What chance begins with.
    #[arg(long)]
    seed: Option<u64>,
    /// Where to write the table.
    #[arg(long)]
    report: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<OneProcess>,
}

#[derive(Subcommand)]
enum OneProcess {
    /// The process that is tortured, as the program starts it.
    #[command(hide = true)]
    Subject { scenario: String, dir: PathBuf },
}

/// Which calls are to fail, and with what.
#[derive(Debug, Clone)]
struct Failing(Vec<(String, usize, &'static str)>);

/// One run to make.
#[derive(Debug, Clone)]
struct Job {
    scenario: &'static str,
    pass: &'static str,
    fault: Fault,
}

/// What came of the runs of one scenario and pass.
#[derive(Debug, Default)]
struct Row {
    runs: usize,
    hit: usize,
    ok: usize,
    errors: usize,
    killed: usize,
    violations: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(OneProcess::Subject { scenario, dir }) = arguments.role {
        return Ok(subject::run(&scenario, &dir));
    }
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    fastrand::seed(seed);
    let began = Instant::now();

    let mut jobs = Vec::new();
    let group = Group::start()?;
    for (scenario, _) in SCENARIOS {
        if arguments.only.as_deref().is_none_or(|only| only == scenario) {
            jobs.extend(jobs_of(scenario, &calls_of(scenario, group.dir.path(), group.scratch.path())?));
        }
    }
    if let (Some(Failing(calls)), Some(job)) = (arguments.fail, jobs.first()) {
        let verdict = group.run(&Job { fault: Fault::Fails(calls), ..job.clone() });
        println!("{verdict:#?}");
        return Ok(if verdict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    drop(group);
    let all = jobs.len();
    fastrand::shuffle(&mut jobs);
    jobs.truncate(arguments.sample.unwrap_or(all));
    let made = jobs.len();
    println!("{made} runs of {all}, seed {seed}");

    let (rows, violations) = work(jobs)?;
    let table = table(&rows);
    println!("{table}\nin {:?}", began.elapsed());
    if let Some(report) = arguments.report {
        fs::write(report, document(&table, made, all, violations.len()))?;
    }
    let was_hit = rows.values().map(|row| row.hit).sum::<usize>();
    if was_hit == 0 {
        println!("no call was made to fail");
        return Ok(ExitCode::FAILURE);
    }
    println!("{} VIOLATIONS", violations.len());
    violations.iter().for_each(|violation| println!("  {violation}"));
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn calls_to_fail(text: &str) -> Result<Failing, String> {
    let one = |text: &str| {
        let mut words = text.split(':');
        let (call, nth, error) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        Some((call.to_owned(), nth, errors(call)?.iter().copied().find(|known| *known == error)?))
    };
    let calls = text.split(',').map(one).collect::<Option<_>>();
    calls
        .map(Failing)
        .ok_or_else(|| "CALL:NTH:ERROR[,...], of those calls and errors that are made to fail".to_owned())
}

/// Every call with every error; each two neighbours with the first of theirs; a kill and a standstill at each.
fn jobs_of(scenario: &'static str, calls: &Calls) -> Vec<Job> {
    let most = calls.most_by_one_thread();
    let each = || most.iter().flat_map(|(&call, &count)| (1..=count).map(move |nth| (call, nth)));
    let mut jobs = Vec::new();
    let mut add = |pass, fault| jobs.push(Job { scenario, pass, fault });
    for (call, nth) in each() {
        for &error in errors(call).unwrap_or_default() {
            add("one call fails", Fault::Fails(vec![(call.to_owned(), nth, error)]));
        }
        add("killed at a call", Fault::Killed(call.to_owned(), nth));
        add("stopped at a call", Fault::Stopped(call.to_owned(), nth));
    }
    for pair in calls.neighbours() {
        let failing = pair.map(|(call, nth)| {
            let error = errors(&call).and_then(|errors| errors.first()).copied().unwrap_or("EIO");
            (call, nth, error)
        });
        add("two neighbours fail", Fault::Fails(failing.into()));
    }
    jobs
}

type Rows = BTreeMap<(&'static str, &'static str), Row>;

/// Makes all runs, several at once, each in a group of its own.
fn work(jobs: Vec<Job>) -> Result<(Rows, Vec<String>), Box<dyn Error>> {
    let (jobs, results) = (Mutex::new(jobs.into_iter()), Mutex::new((Rows::new(), Vec::new())));
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || -> Result<(), String> {
        let group = Group::start().map_err(|error| error.to_string())?;
        while let Some(job) = next() {
            let verdict = group.run(&job);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            let (rows, violations) = &mut *results;
            rows.entry((job.scenario, job.pass)).or_default().add(&verdict);
            let said = |what: &String| format!("{} {:?}: {what}", job.scenario, job.fault);
            violations.extend(verdict.violations.iter().map(said));
        }
        let left = group.others.left().map_err(|error| error.to_string())?;
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        results.1.extend(left.iter().map(|name| format!("{name:?} was left of somebody who was killed")));
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Those who are not tortured, and their directory.
struct Group {
    others: Others,
    dir: tempfile::TempDir,
    scratch: tempfile::TempDir,
}

impl Group {
    fn start() -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
        Ok(Self { others: Others::start(dir.path())?, dir, scratch: tempfile::tempdir()? })
    }

    fn run(&self, job: &Job) -> Verdict {
        let run = || {
            self.others.alone()?;
            Ok::<_, Box<dyn Error>>(run::run(job.scenario, &job.fault, self.dir.path(), self.scratch.path())?)
        };
        let mut verdict = run()
            .unwrap_or_else(|error| Verdict { violations: vec![error.to_string()], ..Verdict::default() });
        if let Err(error) = self.others.are_well() {
            verdict.violations.push(format!("the others are not well: {error}"));
        }
        // What a killed one leaves, or one that could not remove it, goes when somebody new asks.
        if verdict.first.is_some() && !job.fault.keeps_files() {
            let left = self.others.left_by(verdict.pid).unwrap_or_default();
            verdict.violations.extend(left.iter().map(|name| format!("{name:?} was left")));
        }
        verdict
    }
}

impl Row {
    fn add(&mut self, verdict: &Verdict) {
        self.runs += 1;
        self.hit += usize::from(verdict.was_hit);
        self.violations += verdict.violations.len();
        match verdict.first.as_deref() {
            Some("first ok") => self.ok += 1,
            Some(_) => self.errors += 1,
            None => self.killed += 1,
        }
    }
}

/// The table, and what it is of.
fn document(table: &str, made: usize, all: usize, violations: usize) -> String {
    let calls: Vec<_> = calls::FAILURES.iter().map(|(call, _)| format!("`{call}`")).collect();
    format!(
        "\
# Torture: every system call fails once

Written by `cargo run --release -p tests --bin torture -- --report docs/torture.md`: {made} of the {all} runs that there are (`--sample`).
`.ci/run` repeats 200, each time others. One process does a scenario, from joining to leaving, while `strace` makes one of its calls fail, or two that follow each other, or
kills the process at it, or has it stand still there for a second; every thread's calls count, the standard library's too. Beside it are a
primary, two secondaries and a client to whom nothing is done.

After each run it is asked: did the scenario end within its deadlines, with the right result or with an error; did the next time succeed; is a
descriptor, a thread or a file left that was not there before; do those beside it answer, each other as well? The last column counts what was
not so. A file whose very removal is made to fail may stay until somebody new asks; then it has to go.

{table}
Violations: {violations}.

Made to fail, each with every error that it can give: {}. Not `close`, which would leave open what the kernel would close, and not the
allocator's calls, whose failure ends a Rust program by definition (`scarce_memory` shows what is done about it).

How it is beside this: `cargo run --release -p tests --bin soak` has twenty processes ask each other everything for as long as one likes, while some
are killed, stopped and started again; `lies`, `stuck`, `closing` and the fuzz targets throw what no member would send; the models `crew_model`,
`held_model`, `thread_model`, `pool_model` and `queue_model` walk through the interleavings of the threads' own code.
",
        calls.join(", ")
    )
}

fn table(rows: &Rows) -> String {
    let mut table = "| scenario | what was done | runs | of which met the call | right result | an error | killed | not as it must be |\n\
                     | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for ((scenario, pass), row) in rows {
        let Row { runs, hit, ok, errors, killed, violations } = row;
        let _ = writeln!(
            table,
            "| {scenario} | {pass} | {runs} | {hit} | {ok} | {errors} | {killed} | {violations} |"
        );
    }
    table
}

/// Says that an answer was wrong, which nothing excuses.
fn wrong(what: &str) -> Box<dyn Error> {
    subject::violation(what);
    what.into()
}
