//! The processes that are measured, as the one that measures sees them.

use std::{
    env,
    io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::systems::System;

/// How long a child may take to end when it is no longer needed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which side of a system a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Asking,
    Answering,
}

/// One or more processes that are told the same over one pipe. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Children {
    processes: Vec<Child>,
    /// `None` once they are to end.
    input: Option<PipeWriter>,
    output: BufReader<PipeReader>,
}

impl Children {
    /// Starts `count` processes that are one side of `system` and meet in `dir`;
    /// each is ready when this returns.
    pub(crate) fn start(system: System, side: Side, dir: &Path, count: usize) -> Self {
        Self::start_under(&[], system, side, dir, count)
    }

    /// The same under a tool, such as `strace`, given with its arguments.
    pub(crate) fn start_under(tool: &[&str], system: System, side: Side, dir: &Path, count: usize) -> Self {
        let (child_input, input) = pipe().expect("a pipe");
        let (output, child_output) = pipe().expect("a pipe");
        let mut children = Self { processes: Vec::new(), input: Some(input), output: BufReader::new(output) };
        for _ in 0..count {
            let mut command = command(tool, system, side, dir);
            command.stdin(child_input.try_clone().expect("a pipe's copy"));
            command.stdout(child_output.try_clone().expect("a pipe's copy"));
            children.processes.push(command.spawn().expect("a child process starts"));
        }
        drop(child_output);
        for _ in 0..count {
            assert_eq!(children.line(), "ready", "{system} {side:?}");
        }
        children
    }

    /// The processes' ids.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(Child::id)
    }

    /// Tells the one process what to do, and returns the numbers it answers.
    pub(crate) fn tell(&mut self, what: &str) -> Vec<f64> {
        self.begin(what);
        self.answer()
    }

    /// Tells the one process what to do.
    pub(crate) fn begin(&mut self, what: &str) {
        let input = self.input.as_mut().expect("it has not been ended");
        writeln!(input, "{what}").expect("the child lives");
    }

    /// The numbers that it answers to what it was told.
    pub(crate) fn answer(&mut self) -> Vec<f64> {
        let line = self.line();
        line.split_whitespace().map(|n| n.parse().unwrap_or_else(|_| panic!("no numbers: {line}"))).collect()
    }

    /// Keeps the processes from running meanwhile.
    pub(crate) fn stopped<T>(&self, run: impl FnOnce() -> T) -> T {
        let all = |signal| {
            for pid in self.pids() {
                let pid = Pid::from_raw(pid as i32).expect("a child's pid");
                kill_process(pid, signal).expect("it is our child");
            }
        };
        all(Signal::STOP);
        let result = run();
        all(Signal::CONT);
        result
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("the pipe can be read");
        assert!(read > 0, "a child process ended; what it wrote to standard error says why");
        line.trim_end().to_owned()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.input = None;
        let deadline = Instant::now() + PATIENCE;
        for mut process in self.processes.drain(..) {
            while matches!(process.try_wait(), Ok(None)) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            // It has ended by itself, or does so now.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn command(tool: &[&str], system: System, side: Side, dir: &Path) -> Command {
    let dpdk = match system {
        System::Dpdk | System::DpdkPrimary => Some(crate::systems::dpdk::program(system, side)),
        _ => None,
    };
    let (program, arguments) = dpdk.unwrap_or_else(|| {
        let side = if side == Side::Asking { "asking" } else { "answering" };
        let own = env::current_exe().expect("this program's own path is known");
        (own, vec![side.to_owned(), system.to_string()])
    });
    let mut line = tool.iter().map(|word| word.as_ref()).chain([program.as_os_str()]);
    let mut command = Command::new(line.next().expect("there is a program"));
    command.args(line).args(arguments).arg(dir);
    // DPDK takes its base directory from there.
    command.env("RUNTIME_DIRECTORY", dir).stderr(Stdio::inherit());
    command
}
