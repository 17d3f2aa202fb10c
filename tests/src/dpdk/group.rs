//! A group of processes in a temporary runtime directory.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{self, Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use mp_core::Layout;
use tempfile::TempDir;

use super::{
    huge_pages::HugePages,
    layout::layout_of_this_dpdk,
    process::{Process, run_to_end},
    record::Recording,
};
use crate::users::as_user;

/// Where the memory of a DPDK process comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Ordinary pages, 16 MB at start-up, which never grow; no secondary can attach to them.
    Fixed,
    /// Huge pages, taken when needed, asking every secondary each time.
    Huge,
}

/// What a process is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that binds `mp_socket`.
    Primary,
    /// A member beside it.
    Secondary,
    /// Not a member: asks the primary only.
    Client,
}

impl Role {
    /// The same in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Client => "client",
        }
    }
}

/// A temporary runtime directory, with a file-prefix that no other group on the machine has.
///
/// Declare it before its processes, so that it is dropped after them.
#[derive(Debug)]
pub struct Group {
    file_prefix: String,
    base: Base,
    huge_pages: Option<HugePages>,
    layout: Layout,
}

/// Where the runtime directory is.
#[derive(Debug)]
enum Base {
    Temporary(TempDir),
    /// Where DPDK has it for root.
    VarRun,
}

const VAR_RUN: &str = "/var/run";

impl Group {
    /// A group with huge pages below `/var/run`, where DPDK has it for root if nothing else is said.
    ///
    /// # Panics
    /// With what to do, if the machine does not grant them.
    #[must_use]
    pub fn in_var_run() -> Self {
        let mut group = Self::new(Memory::Huge);
        group.base = Base::VarRun;
        group
    }

    /// A group of this machine's DPDK, whose processes use `memory`.
    ///
    /// # Panics
    /// With what to do, if the machine does not grant it.
    #[must_use]
    pub fn new(memory: Memory) -> Self {
        Self::of_layout(memory, layout_of_this_dpdk())
    }

    fn of_layout(memory: Memory, layout: Layout) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let file_prefix = format!("mp{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let base =
            Base::Temporary(TempDir::with_prefix("mp-dpdk-").expect("a temporary directory can be made"));
        let huge_pages = (memory == Memory::Huge).then(HugePages::take);
        Self { file_prefix, base, huge_pages, layout }
    }

    /// A group of this layout with no DPDK in it, for peers that stand in for one.
    ///
    /// # Panics
    /// If the runtime directory cannot be made.
    #[must_use]
    pub fn without_dpdk(layout: Layout) -> Self {
        let group = Self::of_layout(Memory::Fixed, layout);
        group.make_runtime_dir();
        group
    }

    /// Makes the runtime directory, as the first process of a group does.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn make_runtime_dir(&self) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.runtime_dir())
            .expect("a directory can be made in a temporary one");
    }

    /// What DPDK's `--file-prefix` is here.
    #[must_use]
    pub fn file_prefix(&self) -> &str {
        &self.file_prefix
    }

    /// What `RUNTIME_DIRECTORY` is for the processes.
    #[must_use]
    pub fn base(&self) -> &Path {
        match &self.base {
            Base::Temporary(dir) => dir.path(),
            Base::VarRun => Path::new(VAR_RUN),
        }
    }

    /// Where the sockets are.
    #[must_use]
    pub fn runtime_dir(&self) -> PathBuf {
        self.base().join("dpdk").join(&self.file_prefix)
    }

    /// Writes the start of a `config` file, as a DPDK of that version leaves it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_config(&self, year: u32, month: u32) {
        const MAGIC: u32 = 19_820_526;
        let config = [MAGIC, year << 24 | month << 16].map(u32::to_ne_bytes).concat();
        fs::write(self.runtime_dir().join("config"), config).expect("a file can be written");
    }

    /// What its datagrams are like.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Starts a process that stands in for DPDK 25.11, and waits until its IPC is up.
    ///
    /// # Panics
    /// With what it printed, if it does not come up.
    #[must_use]
    pub fn peer_340(&self, role: Role) -> Process {
        let mut command = c_peer(env!("PEER_340"), env!("PEER_340_MISSING"));
        command.arg(role.name()).arg(self.runtime_dir());
        Process::start(format!("340-byte {}", role.name()), &mut command)
    }

    /// A Rust process, to be started from the program `rust_peer`.
    #[must_use]
    pub fn rust(&self, role: Role, rust_peer: &str) -> RustBuilder<'_> {
        RustBuilder {
            group: self,
            role,
            dir: self.runtime_dir(),
            program: rust_peer.into(),
            arguments: Vec::new(),
        }
    }

    /// Runs a program of ours to its end, in this group's environment and with what it sends recorded.
    ///
    /// # Panics
    /// If it does not end in time.
    #[must_use]
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        let recording = Recording::of_length(self.layout.len());
        let mut command = recording.command(program);
        command.args(arguments).env("RUNTIME_DIRECTORY", self.base());
        let output = run_to_end(&mut command);
        recording.check();
        output
    }

    /// A command that runs a program of ours in this group's environment, and the recording of what it sends, to be
    /// checked when it has ended.
    #[must_use]
    pub fn recorded(&self, program: &Path) -> (Command, Recording) {
        let recording = Recording::of_length(self.layout.len());
        let mut command = recording.command_of_its_own(program);
        command.env("RUNTIME_DIRECTORY", self.base());
        (command, recording)
    }

    /// A DPDK process, to be started.
    ///
    /// # Panics
    /// For a [`Role::Client`], which DPDK does not have.
    #[must_use]
    pub fn dpdk(&self, role: Role) -> DpdkBuilder<'_> {
        assert_ne!(role, Role::Client, "DPDK has primaries and secondaries only");
        let arguments = vec!["--proc-type".to_owned(), role.name().to_owned()];
        DpdkBuilder { group: self, role, arguments, user: None }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(huge_pages) = &self.huge_pages {
            huge_pages.remove_files(&self.file_prefix);
        }
        if matches!(self.base, Base::VarRun) {
            let _ = fs::remove_dir_all(self.runtime_dir());
            // It stays if another group is in it.
            let _ = fs::remove_dir(self.base().join("dpdk"));
        }
    }
}

/// A DPDK process that is not started yet.
#[derive(Debug)]
pub struct DpdkBuilder<'a> {
    group: &'a Group,
    role: Role,
    arguments: Vec<String>,
    user: Option<u32>,
}

impl DpdkBuilder<'_> {
    /// Gives it a virtual device.
    #[must_use]
    pub fn vdev(mut self, device: &str) -> Self {
        self.arguments.extend(["--vdev".to_owned(), device.to_owned()]);
        self
    }

    /// Has another user run it, who is given the group's directory.
    #[must_use]
    pub fn by(mut self, uid: u32) -> Self {
        std::os::unix::fs::chown(self.group.base(), Some(uid), Some(uid)).expect("root may");
        self.user = Some(uid);
        self
    }

    /// Starts it and waits until its IPC is up.
    ///
    /// # Panics
    /// With what it printed, if it does not come up.
    #[must_use]
    pub fn start(self) -> Process {
        let mut command = c_peer(env!("DPDK_PEER"), env!("DPDK_PEER_MISSING"));
        command.arg(format!("--lcores=0@({})", allowed_cpus()));
        command.args(["--no-pci", "--no-telemetry", "--file-prefix", &self.group.file_prefix]);
        match &self.group.huge_pages {
            Some(huge_pages) => command.arg("--huge-dir").arg(huge_pages.directory()),
            None => command.args(["--no-huge", "-m", "16"]),
        };
        command.args(&self.arguments).env("RUNTIME_DIRECTORY", self.group.base());
        if let Some(uid) = self.user {
            command = as_user(uid, uid, &command);
        }
        Process::start(format!("DPDK {}", self.role.name()), &mut command)
    }
}

/// A Rust process that is not started yet.
#[derive(Debug)]
pub struct RustBuilder<'a> {
    group: &'a Group,
    role: Role,
    dir: PathBuf,
    program: PathBuf,
    arguments: Vec<&'static str>,
}

impl RustBuilder<'_> {
    /// Allows it actions under DPDK's own names.
    #[must_use]
    pub fn allow_dpdk_actions(mut self) -> Self {
        self.arguments.push("--allow-dpdk-actions");
        self
    }

    /// Gives it this runtime directory instead, which may be the group's by another name.
    #[must_use]
    pub fn at(mut self, dir: &Path) -> Self {
        self.dir = dir.to_owned();
        self
    }

    /// Starts it, with what it sends recorded, and waits until it has its place in the group.
    ///
    /// # Panics
    /// With what it printed, if it does not come up.
    #[must_use]
    pub fn start(self) -> Process {
        let recording = Recording::of_length(self.group.layout.len());
        let mut command = recording.command(&self.program);
        command.arg(self.role.name()).arg(&self.dir).args(self.arguments);
        Process::start_recorded(format!("Rust {}", self.role.name()), &mut command, recording)
    }
}

/// A program that was compiled with the tests, if nothing was missing for that.
fn c_peer(path: &str, missing: &str) -> Command {
    assert!(missing.is_empty(), "{missing}");
    Command::new(path)
}

/// The processors that DPDK's one lcore may move between: all, so that processes do not queue for one.
fn allowed_cpus() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map_or("0", str::trim).to_owned()
}
