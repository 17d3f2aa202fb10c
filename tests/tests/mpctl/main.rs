//! The program `mpctl`, run against real primaries: what it prints, and how it ends.

mod asking;
mod checking;
mod doctor;
mod fields;
mod joining;
mod looking;
mod monitoring;
mod shell;
mod state;
mod typed;
mod usage;
mod watching;

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{fs::PermissionsExt, process::ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
};

use mp_core::{Builder, Message, Name, Primary, Responder};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Process, eventually};

/// A runtime directory, and `mpctl` for it.
struct Group(TempDir);

/// `mpctl` for this group, as the first process of a pid namespace of its own. `None`, which is said,
/// where the kernel forbids that.
fn in_a_pid_namespace(group: &Group) -> Option<Command> {
    let unshare = || {
        let mut command = Command::new("unshare");
        if own_uid() != 0 {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command
    };
    let tried = unshare().arg("true").output().expect("unshare(1) is part of util-linux");
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr).into_owned();
        println!("skipped: this kernel allows no pid namespace: {why}");
        return None;
    }
    let mut command = unshare();
    command.arg(tests::mpctl()).args(["--json", "--runtime-dir"]).arg(group.path());
    Some(command)
}

/// How a run of `mpctl` ended.
#[derive(Debug)]
struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Group {
    fn new() -> Self {
        let private = fs::Permissions::from_mode(0o700);
        Self(tempfile::Builder::new().prefix("mp-").permissions(private).tempdir().expect("a directory"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn socket(&self) -> PathBuf {
        self.path().join("mp_socket")
    }

    /// The names of the files in it.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("it can be listed");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    fn primary(&self) -> Builder<Primary> {
        Primary::builder("unused").runtime_dir(self.path())
    }

    fn echoing(&self) -> Primary {
        let echoing = self
            .primary()
            .serve(Name::from_static("echo"), |mut request| echo(&request.take_message(), request.defer()));
        echoing.start().expect("there is no other")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mpctl();
        command.arg("--runtime-dir").arg(self.path()).args(arguments);
        command
    }

    /// Runs it to its end.
    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).stdin(Stdio::null()))
    }

    /// Starts it, to be waited for, with lines of JSON.
    fn start(&self, arguments: &[&str]) -> Process {
        Process::spawn(self.command(&[&["--json"], arguments].concat()))
    }
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let status = wait(&mut child);
        Self { status, out: out.recv().expect("read"), err: err.recv().expect("read") }
    }

    /// The one line that it printed, which is JSON.
    #[track_caller]
    fn json(&self) -> Value {
        let [json] = &self.jsons()[..] else { panic!("one line was expected: {self:?}") };
        json.clone()
    }

    #[track_caller]
    fn jsons(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// It failed so, without printing anything but one line that says this.
    #[track_caller]
    fn assert_failed(&self, status: i32, text: &str) {
        assert_eq!((self.status, self.out.as_str(), self.err.lines().count()), (status, "", 1), "{self:?}");
        assert!(self.err.starts_with("mpctl: ") && self.err.contains(text), "{self:?}");
    }
}

fn mpctl() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    Command::new(PROGRAM.get_or_init(tests::mpctl))
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, text) = channel();
    let mut pipe = pipe.expect("it is a pipe");
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("text");
        sender.send(text)
    });
    text
}

/// Waits for the end; the exit status, or the negated signal.
fn wait(child: &mut Child) -> i32 {
    let mut status = None;
    let ended = eventually(|| {
        status = child.try_wait().expect("it is our child");
        status.is_some()
    });
    if !ended {
        child.kill().expect("it is our child");
        panic!("process {} does not end", child.id());
    }
    let status = status.expect("it has ended");
    status.code().unwrap_or_else(|| -status.signal().unwrap_or_default())
}

fn echo(request: &Message, responder: Responder) {
    let fds: Vec<_> = request.fds.iter().collect();
    responder.reply(&request.param, &fds).expect("the requester waits");
}

/// A file in memory, and its path for another process.
fn memory_file(content: &[u8]) -> (File, String) {
    let fd: OwnedFd = rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::empty()).expect("memory");
    let mut file = File::from(fd);
    file.write_all(content).expect("it takes it");
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    (file, path)
}

fn own_uid() -> u32 {
    mp_core::Credentials::own().uid
}

/// Its next line of JSON.
#[track_caller]
fn line(process: &mut Process) -> Value {
    let line = process.line(|_| true);
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
}

/// Waits until it is a member; where it is bound.
#[track_caller]
fn ready(process: &mut Process) -> PathBuf {
    let ready = line(process);
    assert_eq!(ready["ready"], json!(true), "{ready}");
    ready["socket"].as_str().expect("a path").into()
}

#[track_caller]
fn interrupt(process: &mut Process) {
    process.signal(Signal::INT);
    assert!(process.wait_end(), "it ended orderly");
}
