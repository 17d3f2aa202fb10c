//! A process of the suite: started, asked, and never left behind.

use std::{
    cell::RefCell,
    fs,
    io::Write,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    answer::{Answer, Content, Event, Refused},
    lines::{Lines, collect, give},
    record::Recording,
};

/// A running process that takes commands; killed when dropped.
///
/// Methods panic, with what the process printed, when it hangs, crashes or does not keep to the protocol. What it
/// refuses to do is a [`Refused`].
#[derive(Debug)]
pub struct Process {
    title: String,
    child: RefCell<Child>,
    stdin: Option<ChildStdin>,
    answers: Receiver<Result<Answer, Refused>>,
    events: Receiver<Event>,
    stderr: Arc<Mutex<String>>,
    /// Ends with stderr, when all of it has been collected.
    collector: RefCell<Option<JoinHandle<()>>>,
    ready: Answer,
    pid: Pid,
    recording: Option<Recording>,
}

impl Process {
    /// Starts `command` and waits until it is ready.
    ///
    /// # Panics
    /// If it does not start, or is not ready within [`PATIENCE`].
    pub(super) fn start(title: String, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{title} did not start: {error}: {command:?}"));
        let stderr = Arc::new(Mutex::new(String::new()));
        let collector = collect(child.stderr.take().expect("piped"), Arc::clone(&stderr));
        let lines = Lines::of(child.stdout.take().expect("piped"), &title);
        let stdin = child.stdin.take();
        // From here on, dropping `process` ends the child, ready or not.
        let mut process = Self {
            title,
            child: RefCell::new(child),
            stdin,
            answers: lines.answers,
            events: lines.events,
            stderr,
            collector: RefCell::new(Some(collector)),
            ready: Answer { took: Duration::ZERO, fields: Vec::new() },
            pid: rustix::process::getpid(),
            recording: None,
        };
        process.pid = process.child_pid();
        process.ready = process.wait(&lines.ready, PATIENCE, "being ready");
        process.pid = Pid::from_raw(process.ready.number("pid")).expect("a pid is not 0");
        process
    }

    /// The same, with what it sends recorded, and checked when it has ended.
    pub(super) fn start_recorded(title: String, command: &mut Command, recording: Recording) -> Self {
        let mut process = Self::start(title, command);
        process.recording = Some(recording);
        process
    }

    /// The process that speaks; not its tracer's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// What it said when it was ready.
    #[must_use]
    pub fn ready(&self) -> &Answer {
        &self.ready
    }

    /// The socket it is bound to, if it said so.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        self.ready.field("socket").map(PathBuf::from)
    }

    /// Waits for the next thing that it tells by itself.
    #[must_use]
    pub fn next_event(&self) -> Event {
        self.wait(&self.events, PATIENCE, "an event")
    }

    /// Waits for what is to arrive next.
    #[must_use]
    pub fn next_arrival(&self) -> Content {
        match self.next_event() {
            Event::Arrived { content, .. } => content,
            event @ Event::Async(_) => panic!("{}: an arrival was expected: {event:?}", self.title),
        }
    }

    /// Runs any command.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn command(&self, text: &str) -> Result<Answer, Refused> {
        self.begin(text);
        self.end(PATIENCE)
    }

    /// Gives it a command, to be followed by [`end`](Self::end).
    pub fn begin(&self, text: &str) {
        let mut stdin = self.stdin.as_ref().expect("taken by `quit` only, which takes the process");
        if let Err(error) = stdin.write_all(format!("{text}\n").as_bytes()) {
            self.fail(&format!("does not take `{text}`: {error}"));
        }
    }

    /// Waits for the answer to the command that was begun, up to `extra` longer than is usual.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn end(&self, extra: Duration) -> Result<Answer, Refused> {
        self.wait(&self.answers, PATIENCE + extra, "an answer")
    }

    /// The answer to the command that was begun, if it comes within `patience`; else it is still to be waited for.
    #[must_use]
    pub fn end_within(&self, patience: Duration) -> Option<Result<Answer, Refused>> {
        match self.answers.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => None,
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Disconnected) => Some(self.wait(&self.answers, patience, "an answer")),
        }
    }

    /// Stops it where it is, as `kill -STOP` does, and waits until it stands still.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let deadline = Instant::now() + PATIENCE;
        while !stands_still(self.pid()) {
            assert!(Instant::now() < deadline, "{} does not stop", self.title);
            thread::yield_now();
        }
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        self.wait_gone();
    }

    /// Ends it orderly and waits until it is gone.
    ///
    /// # Panics
    /// If it does not end, or with another status than 0.
    pub fn quit(mut self) {
        self.begin("quit");
        drop(self.stdin.take());
        let status = self.wait_gone();
        assert!(status.success(), "{} ended with {status}\n{}", self.title, self.printed());
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal)
            .unwrap_or_else(|error| panic!("{} did not take {signal:?}: {error}", self.title));
    }

    /// Waits for the end of its lines, which is its own end, and for its status.
    fn wait_gone(&self) -> ExitStatus {
        loop {
            match self.answers.recv_timeout(PATIENCE) {
                Ok(answer) => drop(answer),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => self.fail("does not end"),
            }
        }
        self.wait_status()
    }

    fn wait_status(&self) -> ExitStatus {
        let status = self.child.borrow_mut().wait().expect("it is our child");
        if let Some(collector) = self.collector.take() {
            collector.join().expect("collecting does not panic");
        }
        status
    }

    fn wait<T>(&self, lines: &Receiver<T>, patience: Duration, what: &str) -> T {
        match lines.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                self.fail(&format!("hangs: {what} was due within {patience:?}"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait_status();
                self.fail(&format!("ended with {status} before {what}"))
            }
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{} {what}\n{}", self.title, self.printed())
    }

    fn printed(&self) -> String {
        self.stderr.lock().expect("its writer does not panic").clone()
    }

    fn child_pid(&self) -> Pid {
        Pid::from_child(&self.child.borrow())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let mut child = self.child.borrow_mut();
        if matches!(child.try_wait(), Ok(None)) {
            // The speaker, not its tracer: a tracer ends with it, and writes down what is left to write.
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = child.wait();
        }
        if let Some(recording) = &self.recording
            && !thread::panicking()
        {
            recording.check();
        }
    }
}

/// How long any single step of a process may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a command that takes no input to its end.
///
/// # Panics
/// If it does not start, or does not end within [`PATIENCE`].
pub(super) fn run_to_end(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    let pid = Pid::from_child(&child);
    let (done, output) = mpsc::channel();
    thread::spawn(move || give(&done, child.wait_with_output()));
    match output.recv_timeout(PATIENCE) {
        Ok(output) => output.expect("its output can be read"),
        Err(_) => {
            // It has not been waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
            panic!("{command:?} does not end");
        }
    }
}

/// Whether every thread of a process is stopped.
fn stands_still(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    // `pid (comm) state …`, where comm may hold anything.
    let state = |stat: String| stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with(['T', 't']));
    tasks
        .map(|task| fs::read_to_string(task.path().join("stat")).ok().and_then(state))
        .all(|still| still == Some(true))
}
