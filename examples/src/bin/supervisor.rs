//! A supervisor that starts two workers, each a process, and starts one again when it ends.
//!
//! It learns of joining and dying from the group itself, not from the processes: so it would see workers that somebody
//! else started just the same. Without arguments this program is the supervisor, which starts itself as the workers.
//!
//! ```text
//! cargo run -p examples --bin supervisor
//! ```

use std::{
    env,
    error::Error,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mp_typed::{Change, Message, Peer, Primary, Request, Secondary, Watch};

/// Has a worker do something.
#[derive(Request)]
#[message(name = "work", response = ())]
struct Work {
    #[message(max_len = 32)]
    what: String,
}

/// Has a worker crash.
#[derive(Message)]
#[message(name = "crash")]
struct Crash;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    match env::args_os().nth(1) {
        None => supervisor(),
        Some(dir) => worker(Path::new(&dir)),
    }
}

fn supervisor() -> Result<()> {
    let dir = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir()?;
    let primary = Primary::builder("workers").runtime_dir(dir.path()).start()?;
    let mut group = primary.watch()?;
    let mut workers = [start(dir.path())?, start(dir.path())?];
    wait_for(&mut group, 2, |change| matches!(change, Change::Joined(_)))?;
    let done = primary.request(&Work { what: "count packets".to_owned() }, PATIENCE)?;
    println!("two workers: {} have done their work", done.received());

    let victim = primary.members()?.into_iter().next().ok_or("there are two")?;
    primary.to(&victim).send(&Crash)?;
    wait_for(&mut group, 1, |change| matches!(change, Change::Died(_)))?;
    println!("one has crashed");
    for worker in &mut workers {
        if Some(worker.id()) == victim.pid() {
            worker.wait()?;
            *worker = start(dir.path())?;
        }
    }
    wait_for(&mut group, 1, |change| matches!(change, Change::Joined(_)))?;
    let done = primary.request(&Work { what: "count packets".to_owned() }, PATIENCE)?;
    println!("another was started in its place: {} have done their work", done.received());

    for mut worker in workers {
        // At the end of its input it leaves.
        drop(worker.stdin.take());
        worker.wait()?;
    }
    println!("all have left");
    Ok(())
}

fn start(dir: &Path) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).arg(dir).stdin(Stdio::piped()).spawn()?)
}

fn wait_for(group: &mut Watch, count: usize, expected: impl Fn(&Change) -> bool) -> Result<()> {
    for _ in 0..count {
        match group.next_within(PATIENCE)? {
            Some(change) if expected(&change) => {}
            other => return Err(format!("something else happened: {other:?}").into()),
        }
    }
    Ok(())
}

fn worker(dir: &Path) -> Result<()> {
    let _secondary = Secondary::builder("workers")
        .runtime_dir(dir)
        .serve(|work: Work, _: &Peer| assert!(!work.what.is_empty()))
        .on(|_: Crash, _: &Peer| std::process::abort())
        .start()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
