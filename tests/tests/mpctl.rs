//! The program `mpctl`, run against real primaries: what it prints, and how it ends.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{fs::PermissionsExt, net::UnixDatagram, process::ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
};

use mp_core::{Builder, Client, Message, Name, Outcome, Primary, Responder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Process, WITHIN, eventually, example};

/// A runtime directory, and `mpctl` for it.
struct Group(TempDir);

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
            .serve(Name::from_static("echo"), |request, _, responder| echo(&request, responder));
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
    Command::new(PROGRAM.get_or_init(|| example("mpctl")))
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

#[test]
fn a_request_prints_its_reply() {
    let group = Group::new();
    let _primary = group.echoing();
    let (_file, path) = memory_file(b"abc");
    let run = group.run(&["--json", "request", "echo", "--hex", "01 02", "--fd", &path]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let socket = group.socket();
    assert_eq!(
        run.json(),
        json!({
            "sent": 1,
            "received": 1,
            "replies": [{
                "peer": socket,
                "pid": std::process::id(),
                "uid": own_uid(),
                "hex": "0102",
                "fds": [{ "target": "/memfd:x (deleted)", "size": 3 }],
            }],
            "outcomes": [{ "peer": socket, "outcome": "replied" }],
        })
    );
    assert_eq!(group.run(&["request", "echo", "--text", "hi"]).status, 0);
}

#[test]
fn a_request_joins_nothing_and_leaves_nothing() {
    let group = Group::new();
    let (seen, files) = channel();
    let dir = group.path().to_owned();
    let _primary = group
        .primary()
        .serve(Name::from_static("echo"), move |request, _, responder| {
            let names = fs::read_dir(&dir).expect("listed").map(|entry| entry.expect("entry").file_name());
            seen.send(names.filter(|name| name.to_string_lossy().starts_with("mp_socket_")).count()).unwrap();
            echo(&request, responder);
        })
        .start()
        .unwrap();
    let before = group.files();
    assert_eq!(group.run(&["request", "echo"]).status, 0);
    assert_eq!(files.recv_timeout(WITHIN), Ok(0), "nobody joined");
    assert_eq!(group.files(), before);
}

#[test]
fn payloads_come_from_text_files_and_the_input() {
    let group = Group::new();
    let _primary = group.echoing();
    let hex = |run: Run| run.json()["replies"][0]["hex"].clone();
    assert_eq!(hex(group.run(&["--json", "request", "echo"])), "");
    assert_eq!(hex(group.run(&["--json", "request", "echo", "--text", "-é"])), "2dc3a9");
    let file = group.path().join("payload");
    fs::write(&file, [7; 256]).unwrap();
    assert_eq!(
        hex(group.run(&["--json", "request", "echo", "--file", file.to_str().unwrap()])),
        "07".repeat(256)
    );

    let mut command = group.command(&["--json", "request", "echo", "--file", "-"]);
    command.stdin(File::open(&file).unwrap());
    assert_eq!(hex(Run::of(&mut command)), "07".repeat(256));
}

#[test]
fn a_request_that_is_not_answered_is_status_1() {
    let group = Group::new();
    let (keep, _kept) = channel();
    let primary = group
        .primary()
        .serve(Name::from_static("silent"), move |_, _, responder| keep.send(responder).unwrap());
    let _primary = primary.start().unwrap();

    let ignored = group.run(&["--json", "request", "unknown"]);
    let outcomes = json!([{ "peer": group.socket(), "outcome": "ignored" }]);
    assert_eq!(ignored.json(), json!({ "sent": 0, "received": 0, "replies": [], "outcomes": outcomes }));
    assert_eq!(ignored.status, 1);
    assert!(ignored.err.contains("no action \"unknown\"") && ignored.err.lines().count() == 1, "{ignored:?}");

    let late = group.run(&["--json", "--timeout", "20ms", "request", "silent"]);
    let outcomes = json!([{ "peer": group.socket(), "outcome": "timed_out" }]);
    assert_eq!(late.json(), json!({ "sent": 1, "received": 0, "replies": [], "outcomes": outcomes }));
    assert_eq!(late.status, 1);
    assert!(late.err.contains("--timeout") && late.err.lines().count() == 1, "{late:?}");
}

#[test]
fn an_interrupted_request_removes_its_socket() {
    let group = Group::new();
    let (asked, requests) = channel();
    let builder = group
        .primary()
        .serve(Name::from_static("silent"), move |_, _, responder| asked.send(responder).unwrap());
    let _primary = builder.start().unwrap();
    let before = group.files();
    let command = &mut group.command(&["--timeout", "1m", "request", "silent"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _request = requests.recv_timeout(WITHIN).expect("it asks");
    assert_eq!(group.files().len(), before.len() + 1);
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(wait(&mut child), 1);
    assert_eq!(group.files(), before);
}

#[test]
fn a_message_is_sent_to_the_primary() {
    let group = Group::new();
    let (seen, messages) = channel();
    let builder = group.primary().on(Name::from_static("told"), move |message, peer| {
        seen.send((message.param.to_vec(), message.fds.len(), peer.uid())).unwrap();
    });
    let _primary = builder.start().unwrap();
    let run =
        group.run(&["--json", "send", "told", "--hex", "0aff", "--fd", "/dev/null", "--fd", "/dev/zero"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.json(), json!({ "sent": 1, "outcomes": [{ "peer": group.socket(), "outcome": "sent" }] }));
    assert_eq!(messages.recv_timeout(WITHIN), Ok((vec![0x0a, 0xff], 2, own_uid())));
}

#[test]
fn serve_answers_with_what_came_and_shows_it() {
    let group = Group::new();
    let mut primary = group.start(&["serve", "echo", "other", "--primary"]);
    assert_eq!(ready(&mut primary), group.socket());

    let client = Client::builder("unused").runtime_dir(group.path()).start().unwrap();
    let (file, _) = memory_file(b"abc");
    let request =
        Message::new(Name::from_static("echo")).with_param([1, 2]).unwrap().with_fd(file.into()).unwrap();
    let reply = client.request(&request, WITHIN).unwrap();
    assert_eq!((&*reply.message.param, reply.message.fds.len()), (&[1, 2][..], 1));
    let fds = json!([{ "target": "/memfd:x (deleted)", "size": 3 }]);
    let came = |kind: &str, name: &str, hex: &str, fds: &Value| json!({ "kind": kind, "name": name, "pid": std::process::id(), "uid": own_uid(), "hex": hex, "fds": fds });
    assert_eq!(line(&mut primary), came("request", "echo", "0102", &fds));

    // What it does not serve it ignores, and shows nothing of.
    let unknown = Message::new(Name::from_static("unknown"));
    assert!(matches!(client.request(&unknown, WITHIN), Err(mp_core::RequestError::Ignored)));
    client.send(&Message::new(Name::from_static("other"))).unwrap();
    assert_eq!(line(&mut primary), came("message", "other", "", &json!([])));

    drop(client);
    interrupt(&mut primary);
    assert_eq!(group.files(), [""; 0], "it removed what it made");
}

#[test]
fn serve_joins_as_a_secondary() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut secondary = group.start(&["serve", "echo"]);
    let socket = ready(&mut secondary);
    assert_eq!(primary.members().unwrap()[0].address().path(), socket);
    let request = Message::new(Name::from_static("echo")).with_param([9]).unwrap();
    let replies = primary.request(&request, WITHIN).unwrap();
    assert_eq!(&*replies.replies[0].message.param, [9]);
    assert_eq!(line(&mut secondary)["hex"], json!("09"));
    secondary.signal(Signal::TERM);
    assert!(secondary.wait_end(), "being told to terminate is as orderly as Ctrl-C");
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn the_directories_of_a_primary_go_with_it_if_it_made_them() {
    let base = Group::new();
    let in_base = |arguments: &[&str]| {
        let mut command = mpctl();
        command.args(["--json", "--file-prefix", "g"]).args(arguments).env("RUNTIME_DIRECTORY", base.path());
        command
    };
    let mut primary = Process::spawn(in_base(&["serve", "echo", "--primary"]));
    assert_eq!(ready(&mut primary), base.path().join("dpdk/g/mp_socket"));
    assert_eq!(Run::of(&mut in_base(&["request", "echo"])).status, 0);
    interrupt(&mut primary);
    assert_eq!(base.files(), [""; 0]);

    // A directory that was there stays, with all else that is in it.
    let dir = base.path().join("dpdk");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    let mut primary = Process::spawn(in_base(&["serve", "echo", "--primary"]));
    ready(&mut primary);
    fs::write(dir.join("g/mine"), "").unwrap();
    interrupt(&mut primary);
    assert!(dir.join("g/mine").exists());
    assert!(!dir.join("g/mp_socket").exists());
}

#[test]
fn listen_prints_what_arrives_and_answers_ignore() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut all = group.start(&["listen"]);
    let mut some = group.start(&["listen", "b", "c", "--count", "2"]);
    ready(&mut all);
    ready(&mut some);
    for name in ["a", "b"] {
        let replies = primary.request(&Message::new(Name::new(name).unwrap()), WITHIN).unwrap();
        let outcomes: Vec<_> = replies.outcomes.iter().map(|(_, outcome)| *outcome).collect();
        assert_eq!(outcomes, [Outcome::Ignored; 2]);
    }
    primary.send(&Message::new(Name::from_static("c"))).unwrap();

    let named = |process: &mut Process| {
        let line = line(process);
        (line["kind"].as_str().unwrap().to_owned(), line["name"].as_str().unwrap().to_owned())
    };
    let owned = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
    assert_eq!([(); 2].map(|()| named(&mut some)), [owned("request", "b"), owned("message", "c")]);
    assert!(some.wait_end(), "two is enough");
    let three = [owned("request", "a"), owned("request", "b"), owned("message", "c")];
    assert_eq!([(); 3].map(|()| named(&mut all)), three);
    interrupt(&mut all);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn listen_ends_when_nobody_reads_it_any_more() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut child = group.command(&["listen"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).expect("it is ready");
    drop(stdout);
    primary.send(&Message::new(Name::from_static("told"))).unwrap();
    assert_eq!(wait(&mut child), 0);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn listen_answers_also_while_nobody_reads_it() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let command = &mut group.command(&["--json", "listen"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).expect("it is ready");
    // More than a pipe holds.
    let message = Message::new(Name::from_static("asked")).with_param([0xff; 256]).unwrap();
    for _ in 0..200 {
        let replies = primary.request(&message, WITHIN).unwrap();
        assert_eq!(replies.outcomes[0].1, Outcome::Ignored);
    }
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    assert_eq!(wait(&mut child), 0);
    assert_eq!(primary.members().unwrap(), []);
}

#[test]
fn ping_tells_round_trips() {
    let group = Group::new();
    let _primary = group.echoing();
    let before = group.files();
    let run = group.run(&["--json", "ping", "echo", "--count", "20", "--interval", "0s", "--hex", "01"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let pings = run.json();
    assert_eq!(
        [&pings["name"], &pings["sent"], &pings["received"], &pings["lost"]],
        [&json!("echo"), &json!(20), &json!(20), &json!(0)]
    );
    let times = ["min_us", "p50_us", "p99_us", "max_us"].map(|key| pings[key].as_f64().expect("a number"));
    assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");

    assert_eq!(group.files(), before);

    let text = group.run(&["ping", "echo", "--count", "1"]);
    assert!(text.out.starts_with("echo: sent 1, received 1, lost 0\nmin "), "{text:?}");

    let lost = group.run(&["--json", "ping", "unknown", "--count", "3", "--interval", "0s"]);
    assert_eq!(lost.status, 1);
    assert_eq!(lost.json()["losses"], json!({ "ignored": 3 }));
    assert_eq!(lost.json()["p50_us"], Value::Null);
}

#[test]
fn an_interrupted_ping_tells_what_it_has() {
    let group = Group::new();
    let (asked, requests) = channel();
    let builder = group.primary().serve(Name::from_static("echo"), move |request, _, responder| {
        echo(&request, responder);
        asked.send(()).unwrap();
    });
    let _primary = builder.start().unwrap();
    let before = group.files();
    let mut ping = group.start(&["ping", "echo", "--count", "1000000", "--interval", "1us"]);
    (0..3).for_each(|_| requests.recv_timeout(WITHIN).expect("it asks"));
    interrupt(&mut ping);
    let pings = line(&mut ping);
    assert!((2..1_000_000).contains(&pings["received"].as_u64().unwrap()), "{pings}");
    assert_eq!((&pings["lost"], group.files()), (&json!(0), before));
}

#[test]
fn members_tells_who_is_there() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut secondary = group.start(&["listen"]);
    let socket = ready(&mut secondary);
    let stale = group.path().join("mp_socket_4000000_f");
    drop(UnixDatagram::bind(&stale).unwrap());

    let run = group.run(&["--json", "members"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let mut rows = run.jsons();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["socket"], json!(primary.address().path()));
    rows.sort_by_key(|row| row["socket"].to_string().contains("4000000"));
    let [first, second, third] = &rows[..] else { unreachable!() };
    let command = second["command"].as_str().expect("it is alive");
    assert!(
        command.ends_with(&format!("--runtime-dir {} --json listen", group.path().display())),
        "{command}"
    );
    let row = |role: &str, pid: u32, socket: &Path, state: &str, command: &Value| json!({ "role": role, "pid": pid, "uid": own_uid(), "command": command, "socket": socket, "state": state });
    let own = &first["command"];
    assert_eq!(*first, row("primary", std::process::id(), &group.socket(), "alive", own));
    assert_eq!(*second, row("secondary", secondary.pid(), &socket, "alive", &second["command"]));
    assert_eq!(*third, row("secondary", 4_000_000, &stale, "stale", &Value::Null));
    assert!(stale.exists(), "looking removes nothing");

    let text = group.run(&["members"]).out;
    assert!(text.starts_with("ROLE") && text.lines().count() == 4, "{text}");
}

#[test]
fn groups_finds_those_of_this_host() {
    let base = Group::new();
    let elsewhere = Group::new();
    let dpdk = base.path().join("dpdk");
    let config = |prefix: &str, word: u32| {
        fs::create_dir_all(dpdk.join(prefix)).unwrap();
        let config = [19_820_526_u32.to_ne_bytes(), word.to_ne_bytes()].concat();
        fs::write(dpdk.join(prefix).join("config"), config).unwrap();
    };
    config("old", 0x160b_0b63);
    config("new", 0x190b_0063);
    fs::create_dir_all(dpdk.join("nothing")).unwrap();
    drop(UnixDatagram::bind(dpdk.join("new/mp_socket_7_f")).unwrap());
    let _primary = elsewhere.primary().start().unwrap();

    let run = Run::of(mpctl().args(["--json", "groups"]).env("RUNTIME_DIRECTORY", base.path()));
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let rows = run.jsons();
    let of = |dir: &Path| rows.iter().find(|row| row["runtime_dir"] == json!(dir));
    assert_eq!(
        of(&dpdk.join("old")),
        Some(&json!({
            "file_prefix": "old", "runtime_dir": dpdk.join("old"), "primary": null,
            "members": 0, "stale": 0, "dpdk": "22.11.11", "layout": 332,
        }))
    );
    assert_eq!(
        of(&dpdk.join("new")),
        Some(&json!({
            "file_prefix": "new", "runtime_dir": dpdk.join("new"), "primary": null,
            "members": 0, "stale": 1, "dpdk": "25.11.0", "layout": 340,
        }))
    );
    assert_eq!(of(&dpdk.join("nothing")), None);
    let elsewhere = of(elsewhere.path()).expect("it is found wherever it is");
    assert_eq!(
        [&elsewhere["primary"], &elsewhere["members"], &elsewhere["dpdk"]],
        [&json!("alive"), &json!(1), &Value::Null]
    );
}

#[test]
fn messages_of_dpdk_are_told_in_words() {
    let group = Group::new();
    let reply = [&3_i32.to_ne_bytes()[..], &2_i32.to_ne_bytes(), &[0; 64]].concat();
    let builder = group.primary().serve(Name::from_static("bus_vdev_mp"), move |_, _, responder| {
        responder.reply(&reply, &[]).unwrap();
    });
    let primary = builder.start().unwrap();
    let scan = format!("01{}", "00".repeat(71));
    let run = group.run(&["--json", "request", "bus_vdev_mp", "--hex", &scan]);
    assert_eq!(run.json()["replies"][0]["decoded"], json!({ "type": "scan_reply", "num": 2 }));
    let text = group.run(&["request", "bus_vdev_mp", "--hex", &scan]).out;
    assert!(text.contains("  = type scan_reply, num 2\n"), "{text}");

    let mut listener = group.start(&["listen", "--count", "1"]);
    ready(&mut listener);
    let devargs = [&[0; 4], &b"vdev:net_null1"[..], &[0; 118]].concat();
    primary
        .send(&Message::new(Name::from_static("eal_dev_mp_request")).with_param(devargs).unwrap())
        .unwrap();
    let decoded = json!({ "type": "attach", "devargs": "vdev:net_null1", "result": 0 });
    assert_eq!(line(&mut listener)["decoded"], decoded);
}

#[test]
fn names_of_dpdk_are_served_deliberately_only() {
    let group = Group::new();
    fs::write(
        group.path().join("config"),
        [19_820_526_u32.to_ne_bytes(), 0x160b_0b63_u32.to_ne_bytes()].concat(),
    )
    .unwrap();
    group.run(&["serve", "bus_vdev_mp"]).assert_failed(1, "--allow-dpdk-actions");
    let mut server = group.start(&["serve", "bus_vdev_mp", "--allow-dpdk-actions"]);
    ready(&mut server);
    interrupt(&mut server);
}

#[test]
fn there_is_one_primary() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    group.run(&["serve", "echo", "--primary"]).assert_failed(1, "already has a primary");
    assert!(group.socket().exists());
}

#[test]
fn what_cannot_be_done_is_one_line_that_says_what_to_do() {
    let group = Group::new();
    let none = group.path().join("none");
    for arguments in [
        &["request", "echo"][..],
        &["send", "echo"],
        &["serve", "echo"],
        &["listen"],
        &["ping", "echo"],
        &["members"],
    ] {
        let run = Run::of(mpctl().arg("--runtime-dir").arg(&none).args(arguments));
        run.assert_failed(1, "`mpctl groups` lists the groups");
        assert!(!none.exists(), "{arguments:?} made it");
    }
    for arguments in [&["request", "echo"][..], &["send", "echo"], &["ping", "echo"]] {
        group.run(arguments).assert_failed(1, "no primary in");
    }
    assert_eq!(group.files(), [""; 0]);
}

#[test]
fn wrong_usage_is_status_2() {
    let group = Group::new();
    let _primary = group.echoing();
    let (large, long) = ("00".repeat(257), "n".repeat(64));
    let files = [["--fd", "/dev/null"]; 9].concat();
    let cases: [(&[&str], &str); 11] = [
        (&["request", "echo", "--hex", "0g"], "'g' is no hexadecimal digit; write two digits"),
        (&["request", "echo", "--hex", "012"], "a byte has one digit only; write two digits"),
        (
            &["request", "echo", "--hex", &large],
            "a payload of 257 bytes does not fit a message, which carries 256",
        ),
        (&["request", "echo", "--file", "/dev/zero"], "a payload of over 1048576 bytes does not fit"),
        (&["request", "echo", "--file", "/no/such"], "cannot read \"/no/such\""),
        (&["request", "echo", "--fd", "/no/such"], "cannot open \"/no/such\""),
        (&[&["send", "echo"][..], &files].concat(), "9 files are too many for a message, which carries 8"),
        (&["ping", &long], "64 bytes long; the limit is 63"),
        (&["--timeout", "1", "request", "echo"], "'1'"),
        (&["listen", "--count", "0"], "'0'"),
        (&["serve", "a", "a"], "\"a\" is given twice"),
    ];
    for (arguments, text) in cases {
        group.run(arguments).assert_failed(2, text);
    }
    // What a line cannot say, the usage does.
    for arguments in
        [&["request"][..], &["request", "echo", "--hex", "00", "--text", "x"], &["reqest", "echo"], &[]]
    {
        let run = group.run(arguments);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
        assert!(run.err.contains("Usage: mpctl"), "{run:?}");
    }
    let both = Run::of(mpctl().args(["--file-prefix", "p", "--runtime-dir", "/d", "members"]));
    assert_eq!(both.status, 2, "{both:?}");
}

#[test]
fn options_may_follow_the_command() {
    let group = Group::new();
    let _primary = group.echoing();
    let dir = group.path().to_str().unwrap();
    let run = Run::of(mpctl().args(["request", "echo", "--json", "--timeout", "5s", "--runtime-dir", dir]));
    assert_eq!((run.status, &run.json()["received"]), (0, &json!(1)));
}

#[test]
fn the_manual_and_completions_know_every_command() {
    let man = Run::of(mpctl().arg("man"));
    assert_eq!((man.status, man.err.as_str()), (0, ""));
    assert!(man.out.contains(".TH mpctl 1"), "{man:?}");
    let commands = ["groups", "members", "request", "send", "serve", "listen", "ping"];
    for shell in ["bash", "zsh", "fish"] {
        let completions = Run::of(mpctl().args(["completions", shell]));
        assert_eq!(completions.status, 0, "{completions:?}");
        for command in commands {
            assert!(completions.out.contains(command), "{command} for {shell}");
            assert!(man.out.contains(command), "{command}");
        }
    }
    for option in ["hex", "count", "allow"] {
        assert!(man.out.contains(option), "{option}");
    }
    let help = Run::of(mpctl().arg("--help"));
    assert_eq!(help.status, 0);
    assert!(help.out.contains("2 on wrong usage"), "{help:?}");
}
