//! A group in a runtime directory of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::process::{Process, StartFailed};

/// A runtime directory of its own, and the program that joins it.
#[derive(Debug)]
pub struct Group {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Group {
    /// An empty, private directory; `program` is the path of `peer`.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("mp-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary directory");
        Self { dir, program: program.into() }
    }

    /// The runtime directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The names of the files in it that start so, in order.
    #[must_use]
    pub fn files(&self, prefix: &str) -> Vec<String> {
        self.files_in("", prefix)
    }

    /// The same of a directory in it.
    #[must_use]
    pub fn files_in(&self, dir: &str, prefix: &str) -> Vec<String> {
        let entries = fs::read_dir(self.join(dir)).expect("the directory can be listed");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names
    }

    /// The command that starts a member, for those who want to change it first.
    #[must_use]
    pub fn command(&self, role: &str, options: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(role).arg("--dir").arg(self.path()).args(options);
        command
    }

    /// Starts a member and waits until it is one.
    #[must_use]
    pub fn start(&self, role: &str, options: &[&str]) -> Process {
        self.try_start(role, options).unwrap_or_else(|error| panic!("the {role} does not start: {error}"))
    }

    /// Starts a member, or tells why it could not be one.
    ///
    /// # Errors
    ///
    /// [`StartFailed`] with the error's text and those of its sources.
    pub fn try_start(&self, role: &str, options: &[&str]) -> Result<Process, StartFailed> {
        Process::start(self.command(role, options))
    }

    /// Starts a primary with the options of none.
    #[must_use]
    pub fn primary(&self) -> Process {
        self.start("primary", &[])
    }

    /// Starts a secondary with the options of none.
    #[must_use]
    pub fn secondary(&self) -> Process {
        self.start("secondary", &[])
    }

    /// Starts a client with the options of none.
    #[must_use]
    pub fn client(&self) -> Process {
        self.start("client", &[])
    }
}
