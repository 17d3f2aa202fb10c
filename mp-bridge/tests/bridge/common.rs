//! What the bridge's tests share: a NATS server, bridges in processes of their own, and two hosts
//! that are two runtime directories.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tests::{Group, Process, WITHIN, eventually};

/// `nats-server`, on a port of its own. It is killed when this is dropped.
pub(crate) struct Server {
    child: Option<Child>,
    pub(crate) port: u16,
    arguments: Vec<String>,
    _files: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// With this in its configuration.
    pub(crate) fn with(configuration: &str) -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        let file = files.path().join("nats.conf");
        fs::write(&file, configuration).expect("it can be written");
        let port = free_port();
        let arguments = ["-a", "127.0.0.1", "-p", &port.to_string(), "-c", &file.display().to_string()];
        let arguments = arguments.map(str::to_owned).into();
        let mut this = Self { child: None, port, arguments, _files: files };
        this.start_again();
        this
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(&self.arguments).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("nats-server is installed: apt-get install nats-server"));
        let port = self.port;
        assert!(
            eventually(|| TcpStream::connect(("127.0.0.1", port)).is_ok()),
            "nats-server does not listen"
        );
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal_child(self.child.as_ref().expect("it runs"), signal);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program without a word, killed when this is dropped.
pub(crate) struct Background(Child);

impl Background {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be run"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `mp-bridge`. It is killed when this is dropped.
pub(crate) struct Bridge {
    child: Child,
    said: Arc<(Mutex<String>, Condvar)>,
}

impl Bridge {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be run");
        let said = Arc::<(Mutex<String>, Condvar)>::default();
        let (lines, to) = (BufReader::new(child.stderr.take().expect("a pipe")), Arc::clone(&said));
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *to.0.lock().expect("no panic") += &(line + "\n");
                to.1.notify_all();
            }
        });
        Self { child, said }
    }

    /// Waits until it has said this; tells all that it has said.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> String {
        self.says_times(words, 1)
    }

    /// The same of what it says again.
    #[track_caller]
    pub(crate) fn says_times(&self, words: &str, times: usize) -> String {
        let deadline = Instant::now() + WITHIN;
        let mut said = self.said.0.lock().expect("no panic");
        while said.matches(words).count() < times {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not say {words:?} {times} times, but:\n{said}");
            said = self.said.1.wait_timeout(said, left).expect("no panic").0;
        }
        said.clone()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal_child(&self.child, signal);
    }

    /// SIGTERM, and waits for its end; whether that was well.
    pub(crate) fn finish(&mut self) -> bool {
        self.signal(Signal::TERM);
        self.wait_end()
    }

    /// Waits for its end; whether that was well.
    pub(crate) fn wait_end(&mut self) -> bool {
        let mut status = None;
        assert!(eventually(|| {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        }));
        status.is_some_and(|status| status.success())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two hosts, joined by bridges to one server.
pub(crate) struct Hosts {
    pub(crate) home_bridge: Bridge,
    pub(crate) away_bridge: Bridge,
    pub(crate) home: Group,
    pub(crate) away: Group,
    pub(crate) server: Server,
    options: Vec<String>,
}

impl Hosts {
    /// Two that are joined.
    pub(crate) fn joined() -> Self {
        Self::joined_with(&[])
    }

    /// With these options of the bridges.
    pub(crate) fn joined_with(options: &[&str]) -> Self {
        Self::at(Server::start(), options)
    }

    pub(crate) fn at(server: Server, options: &[&str]) -> Self {
        let peer = tests::peer();
        let (home, away) = (Group::new(&peer), Group::new(&peer));
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let home_bridge = start("home", &home, &server.url(), &options);
        let away_bridge = start("away", &away, &server.url(), &options);
        let this = Self { home_bridge, away_bridge, home, away, server, options };
        this.are_joined(1);
        this
    }

    /// Waits until they have found each other this often.
    pub(crate) fn are_joined(&self, times: usize) {
        self.away_bridge.says_times("has the primary", times);
    }

    pub(crate) fn start_home_bridge(&mut self) {
        self.home_bridge = start("home", &self.home, &self.server.url(), &self.options);
    }

    pub(crate) fn start_away_bridge(&mut self) {
        self.away_bridge = start("away", &self.away, &self.server.url(), &self.options);
    }

    /// A primary at home, once the other host has it.
    pub(crate) fn primary(&self) -> Process {
        let primary = self.home.primary();
        self.has_primary();
        primary
    }

    /// Waits until the away host has a primary.
    #[track_caller]
    pub(crate) fn has_primary(&self) {
        assert!(eventually(|| self.away.join("mp_socket").exists()), "no primary away");
    }

    #[track_caller]
    pub(crate) fn has_no_primary(&self) {
        assert!(eventually(|| !self.away.join("mp_socket").exists()), "still a primary away");
    }

    /// Waits until this many are members at home.
    #[track_caller]
    pub(crate) fn has_members(&self, count: usize) {
        let members = || self.home.files("mp_socket_").len();
        assert!(eventually(|| members() == count), "{} members, not {count}", members());
    }

    /// A secondary away, once the home has it.
    pub(crate) fn secondary(&self) -> Process {
        let before = self.home.files("mp_socket_").len();
        let secondary = self.away.secondary();
        self.has_members(before + 1);
        secondary
    }
}

pub(crate) fn start(side: &str, group: &Group, url: &str, options: &[String]) -> Bridge {
    Bridge::spawn(command(side, group, url).args(options))
}

pub(crate) fn command(side: &str, group: &Group, url: &str) -> Command {
    command_of(Command::new(env!("CARGO_BIN_EXE_mp-bridge")), side, group, url)
}

/// The same of a program that is run in some other way.
pub(crate) fn command_of(mut command: Command, side: &str, group: &Group, url: &str) -> Command {
    command.args([side, "--file-prefix", "app", "--host", &format!("the-{side}"), "--server", url]);
    command.arg("--runtime-dir").arg(group.path());
    command
}

/// The milliseconds that something took, and what came of it.
pub(crate) fn timed(result: &str) -> (u64, &str) {
    let (took, result) = result.split_once(' ').expect("the time and the result");
    (took.parse().expect("a number"), result)
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn signal_child(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("it is our child");
}
