//! One run: a process does a scenario, `strace` makes a call of it fail, and somebody looks what came of it.

use std::{
    collections::VecDeque,
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::calls::Calls;

/// How long a run may take: all deadlines in it, and what a loaded machine adds.
const WITHIN: Duration = Duration::from_secs(20);
/// How long a process that is stopped stands still.
const STANDSTILL: Duration = Duration::from_secs(1);

/// What is done to a process at one of its calls.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Each of these calls fails: its name, which of them, and with what.
    Fails(Vec<(String, usize, &'static str)>),
    /// It is killed as it makes this call.
    Killed(String, usize),
    /// It stands still for a second at this call.
    Stopped(String, usize),
}

impl Fault {
    /// Whether it is the removal of a file that fails.
    pub(crate) fn keeps_files(&self) -> bool {
        matches!(self, Self::Fails(calls) if calls.iter().any(|(call, _, _)| call == "unlinkat"))
    }

    fn arguments(&self) -> Vec<String> {
        let signal = |call: &str, nth: &usize, signal: &str| {
            vec![format!("trace={call}"), format!("inject={call}:signal={signal}:when={nth}")]
        };
        match self {
            Self::Fails(calls) => {
                let traced: Vec<_> = calls.iter().map(|(call, _, _)| call.as_str()).collect();
                let inject = |(call, nth, error): &(String, usize, &str)| {
                    format!("inject={call}:error={error}:when={nth}")
                };
                let mut arguments = vec![format!("trace={}", traced.join(","))];
                arguments.extend(calls.iter().map(inject));
                arguments
            }
            Self::Killed(call, nth) => signal(call, nth, "SIGKILL"),
            Self::Stopped(call, nth) => signal(call, nth, "SIGSTOP"),
        }
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) pid: u32,
    /// The call was made, and what was meant for it was done to it.
    pub(crate) was_hit: bool,
    /// What the scenario said while it was disturbed; nothing if it was killed.
    pub(crate) first: Option<String>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

/// Has the scenario run undisturbed, and tells its calls.
pub(crate) fn calls_of(scenario: &str, dir: &Path, scratch: &Path) -> io::Result<Calls> {
    let mut subject = Subject::start(scenario, dir)?;
    let trace = scratch.join("calls");
    let strace = Strace::attach(&subject.child, &trace, &["trace=all".to_owned()])?;
    subject.tell("go")?;
    subject.line("first ok")?;
    strace.detach()?;
    subject.tell("on")?;
    subject.line("end")?;
    Ok(Calls::of_trace(&fs::read_to_string(trace)?))
}

/// Has the scenario run while this is done to it.
pub(crate) fn run(scenario: &str, fault: &Fault, dir: &Path, scratch: &Path) -> io::Result<Verdict> {
    let mut subject = Subject::start(scenario, dir)?;
    let trace = scratch.join("trace");
    let strace = Strace::attach(&subject.child, &trace, &fault.arguments())?;
    subject.tell("go")?;
    let first = match subject.first(fault) {
        Ok(line) => Some(line),
        Err(_) if matches!(fault, Fault::Killed(..)) => None,
        Err(error) => {
            subject.violations.push(error.to_string());
            None
        }
    };
    strace.detach()?;
    if first.is_some() {
        subject.tell("on")?;
        if let Err(error) = subject.line("end") {
            subject.violations.push(error.to_string());
        }
    }
    let trace = fs::read_to_string(trace)?;
    let was_hit = first.is_none() || trace.contains("INJECTED") || trace.contains("--- SIGSTOP");
    Ok(Verdict {
        pid: subject.child.id(),
        was_hit,
        first,
        violations: std::mem::take(&mut subject.violations),
    })
}

/// The process. It is killed when this is dropped.
struct Subject {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// Lines that came before they were waited for.
    early: VecDeque<String>,
    violations: Vec<String>,
}

impl Subject {
    /// Starts it, and waits until it has warmed up.
    fn start(scenario: &str, dir: &Path) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["subject", scenario])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("its input and output are pipes"));
        };
        let mut subject =
            Self { child, stdin, lines: lines(stdout), early: VecDeque::new(), violations: Vec::new() };
        subject.line("ready")?;
        Ok(subject)
    }

    fn tell(&mut self, word: &str) -> io::Result<()> {
        match writeln!(self.stdin, "{word}") {
            // It has been killed.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Waits for what it says of the disturbed scenario. One that stands still is woken, and again if it was too early.
    fn first(&mut self, fault: &Fault) -> io::Result<String> {
        if let Fault::Stopped(..) = fault {
            let pid = Pid::from_child(&self.child);
            let woken = (0..WITHIN.as_secs()).any(|_| {
                thread::sleep(STANDSTILL);
                kill_process(pid, Signal::CONT).is_err() || self.said()
            });
            if !woken {
                return Err(io::Error::other("it stands still for good"));
            }
        }
        self.line("first ")
    }

    /// Whether there is a line of it that nobody has read.
    fn said(&mut self) -> bool {
        self.early.extend(self.lines.try_iter());
        !self.early.is_empty()
    }

    /// Waits for a line that begins so.
    fn line(&mut self, expected: &str) -> io::Result<String> {
        loop {
            let line = match self.early.pop_front() {
                Some(line) => line,
                None => self
                    .lines
                    .recv_timeout(WITHIN)
                    .map_err(|error| io::Error::other(format!("it did not say {expected:?}: {error}")))?,
            };
            match line.strip_prefix("violation ") {
                Some(violation) => self.violations.push(violation.to_owned()),
                None if line.starts_with(expected) => return Ok(line),
                None => return Err(io::Error::other(format!("it said {line:?} instead of {expected:?}"))),
            }
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `strace`, as long as it watches a process.
struct Strace(Child);

impl Strace {
    fn attach(to: &Child, output: &Path, expressions: &[String]) -> io::Result<Self> {
        File::create(output)?;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-p", &to.id().to_string(), "-o"]).arg(output);
        expressions.iter().for_each(|expression| {
            strace.args(["-e", expression]);
        });
        let mut strace = strace.stderr(Stdio::piped()).spawn()?;
        let said = strace.stderr.take().map(lines);
        let attached = said.as_ref().and_then(|said| said.recv_timeout(WITHIN).ok());
        match attached {
            Some(line) if line.contains("attached") => {}
            other => return Err(io::Error::other(format!("strace said {other:?}"))),
        }
        // What else it says is read, so that it is not held up.
        thread::spawn(move || said.into_iter().flatten().for_each(drop));
        Ok(Self(strace))
    }

    /// Lets the process go on by itself.
    fn detach(mut self) -> io::Result<()> {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        for _ in 0..500 {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        // It can wait for good for a process that it has itself killed.
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

fn lines(from: impl io::Read + Send + 'static) -> Receiver<String> {
    let (tell, lines) = channel();
    thread::spawn(move || {
        let _ = BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| tell.send(line));
    });
    lines
}
