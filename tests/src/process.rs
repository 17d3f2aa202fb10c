//! A process of a group, driven over their standard input and output.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything that must happen may take.
pub const WITHIN: Duration = Duration::from_secs(10);

/// What a member said that could not start.
#[derive(Debug, PartialEq, Eq)]
pub struct StartFailed(pub String);

impl std::fmt::Display for StartFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A running `peer`. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// Lines that came while another was waited for.
    passed: VecDeque<String>,
}

impl Process {
    /// Runs `command` and waits for its word that it has started.
    ///
    /// # Errors
    ///
    /// [`StartFailed`] with what it said instead.
    pub fn start(command: Command) -> Result<Self, StartFailed> {
        let mut process = Self::spawn(command);
        process.wait_start()?;
        Ok(process)
    }

    /// Runs `command` without waiting; [`wait_start`](Self::wait_start) does.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program can be run");
        let stdin = child.stdin.take().expect("its input is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, stdin, lines, passed: VecDeque::new() }
    }

    /// Waits for the word that it has started.
    ///
    /// # Errors
    ///
    /// [`StartFailed`] with what it said instead.
    pub fn wait_start(&mut self) -> Result<(), StartFailed> {
        let line = self.line(|line| line.starts_with("started") || line.starts_with("failed "));
        match line.strip_prefix("failed ") {
            Some(error) => Err(StartFailed(error.to_owned())),
            None => Ok(()),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives it a command and returns its result.
    pub fn call(&mut self, command: &str) -> String {
        self.tell(command);
        let line = self.line(|line| line.starts_with('='));
        line[1..].to_owned()
    }

    /// Gives it a command; its result is for [`line`](Self::line) to wait for.
    pub fn tell(&mut self, command: &str) {
        writeln!(self.stdin, "{command}").expect("it reads its input");
    }

    /// Waits for something it tells unasked, `!<kind> <text>`, and returns the text.
    pub fn event(&mut self, kind: &str) -> String {
        let start = format!("!{kind}");
        let is_it = |line: &str| {
            line.strip_prefix(&start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let line = self.line(is_it);
        line[start.len()..].trim_start().to_owned()
    }

    /// Whether it has told something of this kind, of all that it told up to its
    /// answer to a command given now.
    pub fn has_told(&mut self, kind: &str) -> bool {
        self.call("sync");
        let start = format!("!{kind}");
        self.passed.iter().any(|line| line.starts_with(&start))
    }

    /// Waits for the first line, of those not returned yet, that is wanted.
    pub fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        if let Some(at) = self.passed.iter().position(|line| wanted(line)) {
            return self.passed.remove(at).expect("it is there");
        }
        let deadline = Instant::now() + WITHIN;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => self.passed.push_back(line),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("process {} says nothing; before: {:?}", self.pid(), self.passed)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("process {} is gone; before: {:?}", self.pid(), self.passed)
                }
            }
        }
    }

    /// One of its counters; see the command `stats` of `peer`.
    pub fn counter(&mut self, name: &str) -> u64 {
        let counters = self.call("stats");
        let value = counters.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {name} in {counters}")).parse().expect("a number")
    }

    /// How many descriptors it has open.
    #[must_use]
    pub fn open_fds(&self) -> usize {
        super::raw::fds_of(&format!("/proc/{}/fd", self.pid()))
    }

    /// The limit of descriptors under which it could open that many more: a limit is on their
    /// numbers, of which some far above may be in use.
    #[must_use]
    pub fn fd_limit_with_room_for(&self, count: usize) -> usize {
        let number = |fd: fs::DirEntry| fd.file_name().to_str()?.parse::<usize>().ok();
        let fds = fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it lives");
        let used: Vec<_> = fds.filter_map(|fd| number(fd.ok()?)).collect();
        let mut free = (0..).filter(|number| !used.contains(number));
        free.nth(count).expect("there is no end of numbers")
    }

    /// Waits until it has as many descriptors open as it had before.
    #[track_caller]
    pub fn assert_open_fds(&self, before: usize) {
        let last = || format!("{} open, {before} before", self.open_fds());
        assert!(eventually(|| self.open_fds() == before), "process {} leaked: {}", self.pid(), last());
    }

    /// How much processor time it has used, in clock ticks (hundredths of a second).
    #[must_use]
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it lives");
        let fields: Vec<_> = stat.rsplit(") ").next().expect("a stat line").split(' ').collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// How often its threads went to sleep so far: once for each time they woke.
    #[must_use]
    pub fn context_switches(&self) -> u64 {
        self.context_switches_by_thread().values().sum()
    }

    /// The same for each thread, by its number.
    #[must_use]
    pub fn context_switches_by_thread(&self) -> BTreeMap<String, u64> {
        let of = |task: fs::DirEntry| -> Option<(String, u64)> {
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let mut values = status.lines().filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            Some((task.file_name().to_string_lossy().into_owned(), values.next()?.trim().parse().ok()?))
        };
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it lives");
        tasks.filter_map(|task| of(task.ok()?)).collect()
    }

    /// How many threads it has.
    #[must_use]
    pub fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.pid())).map_or(0, Iterator::count)
    }

    /// SIGKILL, and waits for its end.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// SIGSTOP, and waits until all its threads are stopped.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let stopped = |task: fs::DirEntry| {
            fs::read_to_string(task.path().join("stat"))
                .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')))
        };
        let all_stopped = || {
            let mut tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it lives");
            tasks.all(|task| task.is_ok_and(stopped))
        };
        assert!(eventually(all_stopped), "process {} goes on", self.pid());
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).expect("a child's pid");
        kill_process(pid, signal).expect("it is our child");
    }

    /// Closes its input, at which it drops its role and ends; whether it ended well.
    pub fn finish(mut self) -> bool {
        let _ = writeln!(self.stdin, "quit");
        self.wait_end()
    }

    /// Waits for its end; whether it ended well.
    pub fn wait_end(&mut self) -> bool {
        let mut status = None;
        let ended = eventually(|| {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        assert!(ended, "process {} does not end", self.pid());
        status.is_some_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `happened` says so, for what tells nobody when it happens.
/// `false` if it did not [in time](WITHIN).
pub fn eventually(mut happened: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + WITHIN;
    while !happened() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}
