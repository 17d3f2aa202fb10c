//! A supervisor of four workers, each a process: one of them runs on tokio, one gets stuck, and one is of the previous
//! version, as in the middle of an upgrade.
//!
//! It hands each a configuration of any size (`Sealed`) and a ring in shared memory (`Shared`), has all of them load a
//! new one and is told who did not, and learns from the group who has died and who has left.
//!
//! ```text
//! cargo run -p examples --example supervisor
//! ```

use std::os::{fd::AsFd, unix::fs::PermissionsExt};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::mpsc;
use std::{collections::BTreeMap, env, error::Error, io, iter, path::Path, thread, time::Duration};

use mp_typed::{Change, Peer, Primary, Request, Requests, Response, Sealed, Secondary, Shared, Watch};
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const PATIENCE: Duration = Duration::from_secs(10);
const WORKERS: u16 = 4;
const TOKIO: u16 = 2;
const STUCK: u16 = 3;
const OLD: u16 = 4;

/// Its generation, and a table larger than any message.
#[derive(Serialize, Deserialize)]
struct Config(u64, Vec<(String, u32)>);

fn config_of(generation: u64) -> Config {
    Config(generation, (0..500).map(|n| (format!("10.{}.{}.0/24", n / 256, n % 256), n)).collect())
}

/// A worker's first request; what the previous version has of it is accepted as well.
#[derive(Request)]
#[message(name = "join", response = Result<Start, Refused>, accepts = OldJoin)]
struct Join(u16, IsAsync);

#[derive(Request)]
#[message(name = "join", response = Result<Start, Refused>)]
struct OldJoin(u16);

impl From<OldJoin> for Join {
    fn from(OldJoin(worker): OldJoin) -> Self {
        Self(worker, false)
    }
}

/// What a worker can do: new in this version.
type IsAsync = bool;

#[derive(Response)]
struct Start(#[fd] Sealed<Config>, #[fd] Ring);

#[derive(Response)]
struct Refused(#[message(max_len = 64)] String);

#[derive(Request)]
#[message(name = "reload", response = ())]
struct Reload(#[fd] Sealed<Config>);

#[derive(Request)]
#[message(name = "square", response = Squared)]
struct Square(u32);

#[derive(Response)]
struct Squared(u64);

/// The worker pushes, the supervisor pops: the first two elements count both, the others are the slots.
type Ring = Shared<[u64]>;
const SLOTS: u64 = 16;

fn push(ring: &Ring, number: u64) {
    let pushed = ring.load(0, Relaxed);
    while pushed - ring.load(1, Acquire) == SLOTS {
        thread::yield_now();
    }
    ring.store(2 + (pushed % SLOTS) as usize, number, Relaxed);
    ring.store(0, pushed + 1, Release);
}

fn pop(ring: &Ring) -> Option<u64> {
    let popped = ring.load(1, Relaxed);
    (popped != ring.load(0, Acquire)).then(|| {
        let number = ring.load(2 + (popped % SLOTS) as usize, Relaxed);
        ring.store(1, popped + 1, Release);
        number
    })
}

fn main() -> Result<()> {
    match (env::args().nth(1), env::args().nth(2)) {
        (Some(dir), Some(number)) => worker(Path::new(&dir), number.parse()?),
        _ => supervisor(),
    }
}

fn supervisor() -> Result<()> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let config = Sealed::new(&config_of(1))?;
    println!("a configuration of {} bytes", config.len());
    let (joins, joined) = mpsc::channel();
    let builder = Primary::builder("workers").runtime_dir(dir.path());
    let group = builder.handle();
    let primary = builder
        .serve(move |Join(worker, is_async): Join, peer: &Peer| -> Result<Start, Refused> {
            let start = || -> Result<Start> {
                let member = group.member_of(peer).ok_or("only members are given work")?;
                let ring = Ring::new(2 + SLOTS as usize)?;
                let kept = ring.as_fd().try_clone_to_owned()?.try_into()?;
                joins.send((worker, (member, is_async, kept)))?;
                Ok(Start(config.try_clone()?, ring))
            };
            start().map_err(|error| Refused(error.to_string()))
        })
        .start()?;
    let (mut watch, mut processes, mut workers) = (primary.watch()?, BTreeMap::new(), BTreeMap::new());
    for number in 1..=WORKERS {
        let mut command = Command::new(env::current_exe()?);
        command.arg(dir.path()).arg(number.to_string()).stdin(Stdio::piped());
        processes.insert(number, command.spawn()?);
        next(&mut watch, |change| matches!(change, Change::Joined(_)))?;
        workers.extend([joined.recv_timeout(PATIENCE)?]);
    }
    let told = |number: u16| iter::repeat_with(|| pop(&workers[&number].2)).flatten().next();
    println!("their generations, from their rings: {:?}", (1..=WORKERS).filter_map(told).collect::<Vec<_>>());
    let reloaded = primary.request(&Reload(Sealed::new(&config_of(2))?), Duration::from_secs(1))?;
    for (number, (member, ..)) in &workers {
        let (_, outcome) =
            reloaded.outcomes.iter().find(|(asked, _)| asked == member).ok_or("it was asked")?;
        println!("reload of worker {number}: {outcome}");
    }
    let others = (1..=WORKERS).filter(|number| *number != STUCK);
    println!("and now: {:?}", others.filter_map(told).collect::<Vec<_>>());
    let (tokio, ..) = workers.values().find(|(_, is_async, _)| *is_async).ok_or("one is")?;
    let ask = |n| primary.to(tokio).request_async(&Square(n), PATIENCE);
    let mut sum = 0;
    for answer in (1..=100).map(ask).collect::<Vec<_>>() {
        sum += pollster::block_on(answer)?.0;
    }
    println!("100 requests at once to the tokio worker; the sum of the squares is {sum}");
    processes.remove(&STUCK).ok_or("it was started")?.kill()?;
    next(&mut watch, |change| matches!(change, Change::Died(_)))?;
    println!("the stuck worker was killed");
    for mut process in processes.into_values() {
        // At the end of its input it leaves.
        drop(process.stdin.take());
        next(&mut watch, |change| matches!(change, Change::Left(_)))?;
        process.wait()?;
    }
    println!("the others have left");
    Ok(())
}

fn next(watch: &mut Watch, expected: impl Fn(&Change) -> bool) -> Result<()> {
    watch.next_within(PATIENCE)?.filter(expected).map(drop).ok_or("something else happened".into())
}

fn worker(dir: &Path, number: u16) -> Result<()> {
    let (reloads, to_load) = mpsc::channel();
    let reload = move |Reload(config): Reload, _: &Peer| {
        if number == STUCK {
            thread::sleep(PATIENCE * 1000);
        }
        reloads.send(config).expect("all are loaded");
    };
    let builder = Secondary::builder("workers").runtime_dir(dir).wait_for_primary(PATIENCE);
    let secondary = builder.serve(reload).start()?;
    if number == TOKIO {
        let squares = secondary.requests::<Square>(128)?;
        thread::spawn(|| answer(squares));
    }
    let started = match number {
        OLD => secondary.request(&OldJoin(number), PATIENCE)?,
        _ => secondary.request(&Join(number, number == TOKIO), PATIENCE)?,
    };
    let Start(config, ring) = started.map_err(|Refused(why)| why)?;
    thread::spawn(move || {
        for config in iter::once(config).chain(to_load) {
            push(&ring, config.read(1 << 20).map_or(0, |Config(generation, _)| generation));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Each by a task of its own, all at once.
#[tokio::main(flavor = "current_thread")]
async fn answer(mut squares: Requests<Square>) {
    while let Some((Square(number), _, responder)) = squares.next().await {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = responder.reply(&Squared(u64::from(number).pow(2)));
        });
    }
}
