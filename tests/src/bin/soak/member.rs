//! One process of the soak: it joins, answers, asks, and says on its standard output what it counts. It does what its
//! standard input says, and leaves at the end of it.

use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use mp_typed::{Client, Primary, Secondary, StartError};

use crate::{
    clock::Clock,
    messages::Sender,
    operations::{self, Operations, Role},
    resources::Resources,
    service,
    tally::Counter,
};

/// What a process is in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Primary,
    Secondary,
    /// A secondary that has the definitions of the release before.
    Older,
    Client,
}

static CLOCK: Clock = Clock::new();

/// How many threads ask.
const THREADS: u32 = 2;

/// The state that a process's threads share.
struct Shared {
    counter: Counter,
    /// No operation may begin.
    is_paused: AtomicBool,
    /// The threads that ask end.
    is_ending: AtomicBool,
    /// How many are under way.
    busy: AtomicU64,
}

/// Runs one process, until its input ends.
pub(crate) fn run(kind: Kind, dir: PathBuf, seed: u64) -> Result<(), StartError> {
    fastrand::seed(seed);
    CLOCK.run();
    let role = start(kind, dir)?;
    let shared = Arc::new(Shared {
        counter: Counter::default(),
        is_paused: AtomicBool::new(false),
        is_ending: AtomicBool::new(false),
        busy: AtomicU64::new(0),
    });
    say("started");
    let process = fastrand::u64(..);
    let mut asking = Vec::new();
    for thread in 0..THREADS {
        let (shared, asker, seed) = (Arc::clone(&shared), role.asker(), fastrand::u64(..));
        asking.push(thread::spawn(move || {
            fastrand::seed(seed);
            let mut operations = Operations {
                asker,
                counter: &shared.counter,
                clock: &CLOCK,
                sender: Sender { process, thread },
                sequence: 0,
                is_older: kind == Kind::Older,
            };
            while !shared.is_ending.load(SeqCst) {
                shared.busy.fetch_add(1, SeqCst);
                if !shared.is_paused.load(SeqCst) {
                    operations.one();
                }
                shared.busy.fetch_sub(1, SeqCst);
                thread::sleep(Duration::from_micros(fastrand::u64(500..8000)));
            }
        }));
    }
    let told = Arc::clone(&shared);
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(250));
            say(&format!("tally {}", told.counter.so_far()));
        }
    });
    obey(&shared);
    role.stop(Duration::from_secs(5));
    shared.is_ending.store(true, SeqCst);
    for thread in asking {
        if thread.join().is_err() {
            crate::violation("a thread panicked");
        }
    }
    // With the last of its handles a client's reply sockets go.
    drop(role);
    say(&format!("tally {}", shared.counter.so_far()));
    say("left");
    Ok(())
}

/// Does what the input says, a word a line.
fn obey(shared: &Shared) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.as_str() {
            "pause" => {
                shared.is_paused.store(true, SeqCst);
                let until = Instant::now() + Duration::from_secs(10);
                while shared.busy.load(SeqCst) > 0 && Instant::now() < until {
                    thread::sleep(Duration::from_millis(5));
                }
                say("paused");
            }
            "go" => shared.is_paused.store(false, SeqCst),
            // What came of the storm is told apart from what comes of the calm.
            "anew" => {
                operations::be_patient();
                say(&format!("before {}", shared.counter.take()));
            }
            "resources" => say(&format!("resources {}", Resources::of_this_process())),
            _ => return,
        }
    }
}

fn start(kind: Kind, dir: PathBuf) -> Result<Role, StartError> {
    Ok(match kind {
        Kind::Client => Role::Client(Client::builder("soak").runtime_dir(dir).start()?),
        Kind::Primary => {
            // A primary has no primary to ask in its turn.
            let builder = Primary::builder("soak").runtime_dir(dir);
            Role::Primary(service::today(builder, |echo| Ok(echo.answer())).start()?)
        }
        Kind::Secondary | Kind::Older => {
            let builder = Secondary::builder("soak").runtime_dir(dir);
            let handle = builder.handle();
            let ask = move |echo: &crate::messages::Echo| handle.request(echo, operations::timeout());
            Role::Secondary(match kind {
                Kind::Older => service::of_the_release_before(builder, ask).start()?,
                _ => service::today(builder, ask).start()?,
            })
        }
    })
}

/// One line of output, whole, whatever other threads say.
pub(crate) fn say(line: &str) {
    static FAILED: OnceLock<()> = OnceLock::new();
    let mut out = io::stdout().lock();
    if FAILED.get().is_none() && writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        // Who started this is gone.
        let _ = FAILED.set(());
    }
}
