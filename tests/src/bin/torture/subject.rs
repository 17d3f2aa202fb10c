//! The process that is tortured: it does a scenario once to warm up, once while a call fails, and once more; and says
//! what it holds that it did not hold before.

use std::{
    fs,
    io::{self, BufRead, Write},
    panic,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use crate::scenario::{Outcome, SCENARIOS};

/// How long closing on threads of their own, and the end of threads, may take.
const WITHIN: Duration = Duration::from_secs(3);

/// Runs a scenario as told by the standard input; see the module.
pub(crate) fn run(name: &str, dir: &Path) -> ExitCode {
    panic::set_hook(Box::new(|info| violation(&format!("a panic: {info}"))));
    let Some((_, scenario)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
        return ExitCode::from(2);
    };
    if let Err(error) = scenario(dir) {
        say(&format!("unfit {error}"));
        return ExitCode::from(2);
    }
    let before = Held::settled();
    say("ready");
    wait();
    say(&format!("first {}", words(scenario(dir))));
    wait();
    match scenario(dir) {
        Ok(()) => {}
        Err(error) => violation(&format!("the next time failed, too: {error}")),
    }
    let until = Instant::now() + WITHIN;
    while Held::now() != before && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    let after = Held::now();
    if after != before {
        violation(&format!("it held {before:?} and holds {after:?}"));
    }
    say("end");
    ExitCode::SUCCESS
}

/// What a leak would add to.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    fds: usize,
    threads: usize,
}

impl Held {
    fn now() -> Self {
        let count = |dir| fs::read_dir(dir).map_or(0, Iterator::count);
        Self { fds: count("/proc/self/fd"), threads: count("/proc/self/task") }
    }

    /// When nothing has changed for a moment.
    fn settled() -> Self {
        let (mut held, mut since) = (Self::now(), Instant::now());
        let until = Instant::now() + WITHIN;
        while since.elapsed() < Duration::from_millis(30) && Instant::now() < until {
            thread::sleep(Duration::from_millis(3));
            let now = Self::now();
            if now != held {
                (held, since) = (now, Instant::now());
            }
        }
        held
    }
}

fn words(outcome: Outcome) -> String {
    match outcome {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("error {error}").replace('\n', " "),
    }
}

fn wait() {
    let _ = io::stdin().lock().read_line(&mut String::new());
}

pub(crate) fn violation(what: &str) {
    say(&format!("violation {}", what.replace('\n', " ")));
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
