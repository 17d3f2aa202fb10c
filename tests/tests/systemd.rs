//! The service of `docs/systemd`, run as systemd runs it: with a directory, a user and a socket to notify.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::{
        linux::net::SocketAddrExt,
        unix::{
            fs::PermissionsExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use tests::{
    WITHIN, example,
    users::{SHARED, as_user, is_root},
};

const NOBODY: u32 = 65_534;

/// One running service; ended with this.
struct Service(Child);

impl Service {
    /// Starts it and waits until it says that it is ready, as `Type=notify` does.
    fn start(mut command: Command, base: &Path, notified: &UnixDatagram, at: &str) -> Self {
        command.env("RUNTIME_DIRECTORY", base).env("NOTIFY_SOCKET", at).stdout(Stdio::piped());
        let service = Self(command.spawn().expect("it can be run"));
        let mut state = [0; 64];
        let len = notified.recv(&mut state).expect("it says that it is ready");
        assert_eq!(&state[..len], b"READY=1");
        service
    }

    fn wait_for(&mut self, wanted: &str) {
        let lines = BufReader::new(self.0.stdout.take().expect("a pipe")).lines();
        let mut seen = Vec::new();
        for line in lines.map_while(Result::ok) {
            if line.starts_with(wanted) {
                return;
            }
            seen.push(line);
        }
        panic!("no {wanted:?} in {seen:?}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_primary_of_root_and_a_worker_of_nobody_are_ready_when_they_say_so() {
    if !is_root() {
        return;
    }
    let base = tempfile::tempdir().expect("a directory");
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let notify = base.path().join("notify");
    let notified = UnixDatagram::bind(&notify).expect("it is free");
    notified.set_read_timeout(Some(WITHIN)).expect("a socket");
    fs::set_permissions(&notify, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let (program, group) = (example("service"), SHARED.to_string());
    let service = |role: &str| {
        let mut command = Command::new(&program);
        command.args([role, &group]);
        command
    };
    let at = notify.to_str().expect("ASCII");
    let primary = Service::start(service("primary"), base.path(), &notified, at);
    let dir = base.path().join("dpdk/packet");
    assert_eq!(fs::metadata(&dir).expect("it is there").permissions().mode() & 0o7777, 0o1770);
    let worker = as_user(NOBODY, SHARED, &service("secondary"));
    let mut worker = Service::start(worker, base.path(), &notified, at);
    // The primary restarts under it, also at an abstract socket, as systemd has in a container.
    drop(primary);
    let name = format!("mp-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let notified = UnixDatagram::bind_addr(&address).expect("it is free");
    notified.set_read_timeout(Some(WITHIN)).expect("a socket");
    let _next = Service::start(service("primary"), base.path(), &notified, &format!("@{name}"));
    worker.wait_for("asked 1 times");
}

#[test]
fn the_units_say_what_the_document_does() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs");
    let document = fs::read_to_string(docs.join("deployment.md")).expect("it is there");
    for unit in ["packet-app.service", "packet-worker.service"] {
        let text = fs::read_to_string(docs.join("systemd").join(unit)).expect("it is there");
        assert!(document.contains(unit), "{unit} is not in the document");
        for line in text.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
            let key = line.split('=').next().expect("a key");
            let known = [
                "Description",
                "Type",
                "ExecStart",
                "RuntimeDirectory",
                "RuntimeDirectoryMode",
                "RuntimeDirectoryPreserve",
                "Restart",
                "WantedBy",
                "Wants",
                "After",
                "User",
                "SupplementaryGroups",
                "Environment",
            ];
            assert!(known.contains(&key), "{unit}: {line}");
        }
    }
    // Where systemd is, it reads them itself.
    let verify =
        Command::new("systemd-analyze").arg("verify").arg(docs.join("systemd/packet-app.service")).output();
    match verify {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("Unknown"), "{said}");
        }
        Err(_) => eprintln!("there is no systemd-analyze here: the units are checked by their keys only"),
    }
}
