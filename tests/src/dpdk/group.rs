//! A group of processes in a temporary runtime directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

use super::{huge_pages::HugePages, process::Process};

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

/// A temporary runtime directory, with a file-prefix that no other group on the machine has.
///
/// Declare it before its processes, so that it is dropped after them.
#[derive(Debug)]
pub struct Group {
    file_prefix: String,
    base: TempDir,
    huge_pages: Option<HugePages>,
}

impl Group {
    /// A group whose DPDK processes use `memory`.
    ///
    /// # Panics
    /// With what to do, if the machine does not grant it.
    #[must_use]
    pub fn new(memory: Memory) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let file_prefix = format!("mp{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let base = TempDir::with_prefix("mp").expect("a temporary directory can be made");
        let huge_pages = (memory == Memory::Huge).then(HugePages::take);
        Self { file_prefix, base, huge_pages }
    }

    /// What DPDK's `--file-prefix` is here.
    #[must_use]
    pub fn file_prefix(&self) -> &str {
        &self.file_prefix
    }

    /// What `RUNTIME_DIRECTORY` is for the processes.
    #[must_use]
    pub fn base(&self) -> &Path {
        self.base.path()
    }

    /// Where the sockets are.
    #[must_use]
    pub fn runtime_dir(&self) -> PathBuf {
        self.base.path().join("dpdk").join(&self.file_prefix)
    }

    /// A DPDK process, to be started.
    ///
    /// # Panics
    /// For a [`Role::Client`], which DPDK does not have.
    #[must_use]
    pub fn dpdk(&self, role: Role) -> DpdkBuilder<'_> {
        let mut arguments = Vec::new();
        match role {
            Role::Primary => arguments.extend(["--proc-type".to_owned(), "primary".to_owned()]),
            Role::Secondary => arguments.extend(["--proc-type".to_owned(), "secondary".to_owned()]),
            Role::Client => panic!("DPDK has primaries and secondaries only"),
        }
        DpdkBuilder { group: self, role, arguments }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(huge_pages) = &self.huge_pages {
            huge_pages.remove_files(&self.file_prefix);
        }
    }
}

/// A DPDK process that is not started yet.
#[derive(Debug)]
pub struct DpdkBuilder<'a> {
    group: &'a Group,
    role: Role,
    arguments: Vec<String>,
}

impl DpdkBuilder<'_> {
    /// Gives it a virtual device.
    #[must_use]
    pub fn vdev(mut self, device: &str) -> Self {
        self.arguments.extend(["--vdev".to_owned(), device.to_owned()]);
        self
    }

    /// Starts it and waits until its IPC is up.
    ///
    /// # Panics
    /// With what it printed, if it does not come up.
    #[must_use]
    pub fn start(self) -> Process {
        let mut command = Command::new(env!("DPDK_PEER"));
        command.arg(format!("--lcores=0@({})", allowed_cpus()));
        command.args(["--no-pci", "--no-telemetry", "--file-prefix", &self.group.file_prefix]);
        match &self.group.huge_pages {
            Some(huge_pages) => command.arg("--huge-dir").arg(huge_pages.directory()),
            None => command.args(["--no-huge", "-m", "16"]),
        };
        command.args(&self.arguments).env("RUNTIME_DIRECTORY", self.group.base());
        Process::start(format!("DPDK {:?}", self.role).to_lowercase(), &mut command)
    }
}

/// The processors that DPDK's one lcore may move between: all, so that processes do not queue for one.
fn allowed_cpus() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map_or("0", str::trim).to_owned()
}
