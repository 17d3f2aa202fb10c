//! What went wrong, in one line that says what to do about it.

use std::{error::Error, fmt, io, path::Path};

use mp_core::{
    GroupError, RegisterError, RequestError, SendError, StartError,
    inspect::{Base, InspectError},
};

use crate::peers::WantedError;

/// Not all who were asked answered.
pub(crate) const UNANSWERED: u8 = 1;
/// The command line makes no sense.
pub(crate) const USAGE: u8 = 2;

/// Who cannot be found at all.
const OUTSIDE: &str = "DPDK processes with --no-shconf or --in-memory take no part in IPC";

/// Where a directory below DPDK's base comes from.
fn origin(dir: &Path) -> String {
    let Base { dir: base, rule, .. } = Base::current();
    if dir.starts_with(base.join("dpdk")) {
        format!(" (below {base:?}, since {rule})")
    } else {
        String::new()
    }
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user should have called it differently.
    Usage(String),
    /// It could not be done.
    Failed(String),
    /// Nothing can be printed.
    Output(io::Error),
}

impl Failure {
    /// A value that clap or a parser of ours refused, without clap's hint at the help.
    pub(crate) fn of_value(error: &clap::Error) -> Self {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Self::Usage(line.strip_prefix("error: ").unwrap_or(line).to_owned())
    }

    /// There is no directory of that group.
    pub(crate) fn no_group(dir: &Path) -> Self {
        Self::Failed(format!(
            "no such group: {dir:?} does not exist{}; `mpctl groups` lists the groups there are, \
             `--file-prefix` or `--runtime-dir` chooses one; {OUTSIDE}",
            origin(dir)
        ))
    }

    /// The group is there, its primary is not.
    pub(crate) fn no_primary(dir: &Path) -> Self {
        if !dir.exists() {
            return Self::no_group(dir);
        }
        Self::Failed(format!(
            "no primary in {dir:?}{}: start it; `mpctl members` tells who is there; {OUTSIDE}",
            origin(dir)
        ))
    }

    /// The group's directory cannot be used.
    pub(crate) fn of_group(error: &GroupError) -> Self {
        match error {
            GroupError::FilePrefix { .. } | GroupError::Nul { .. } | GroupError::PathTooLong(_) => {
                Self::Usage(chain(error))
            }
            GroupError::Base { error: inner, .. } if inner.is_absent() => Self::of_group(inner),
            GroupError::Base { error: inner, base } => match Self::of_group(inner) {
                Self::Usage(text) => Self::Usage(format!("{text} (below {base})")),
                Self::Failed(text) => Self::Failed(format!("{text} (below {base})")),
                failure @ Self::Output(_) => failure,
            },
            GroupError::Io { path, .. } if error.is_absent() => Self::no_group(path),
            GroupError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Self::Failed(format!("{}: run this as the user of the group's processes", chain(error)))
            }
            error => Self::Failed(chain(error)),
        }
    }

    /// A role could not be started.
    pub(crate) fn of_start(error: &StartError) -> Self {
        match error {
            StartError::Group(error) => Self::of_group(error),
            StartError::Register(RegisterError::DpdkName { name }) => Self::Failed(format!(
                "DPDK answers \"{name}\" in this group itself: to answer in its stead, add --allow-dpdk-actions"
            )),
            StartError::Register(RegisterError::Taken { name }) => {
                Self::Usage(format!("\"{name}\" is given twice; name it once"))
            }
            error => Self::Failed(chain(error)),
        }
    }

    /// No member is meant, or more than one.
    pub(crate) fn of_wanted(error: &WantedError) -> Self {
        match error {
            WantedError::Several { .. } => Self::Usage(format!("--to: {error}")),
            error => Self::Failed(error.to_string()),
        }
    }

    pub(crate) fn of_request(error: &RequestError) -> Self {
        match error {
            RequestError::NoPrimary { dir } => Self::no_primary(dir),
            RequestError::Group(error) => Self::of_group(error),
            error => Self::Failed(chain(error)),
        }
    }

    pub(crate) fn of_send(error: &SendError) -> Self {
        match error {
            SendError::NoPrimary { dir } => Self::no_primary(dir),
            SendError::Group(error) => Self::of_group(error),
            error => Self::Failed(chain(error)),
        }
    }

    /// A peer does not tell about itself.
    pub(crate) fn of_inspect(error: &InspectError, peer: &str) -> Self {
        match error {
            InspectError::Request(error) => Self::of_request(error),
            InspectError::Io(error) => Self::Failed(chain(error)),
            error => Self::Failed(format!("{peer}: {error}")),
        }
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Failed(_) | Self::Output(_) => UNANSWERED,
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
            Self::Output(error) => write!(f, "cannot print: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// An error and what it comes from, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
