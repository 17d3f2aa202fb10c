use std::{
    env,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{GroupError, PrivateDirectory};

/// How the user named a group.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// By DPDK's `--file-prefix`, below DPDK's base directory.
    Prefix(OsString),
    /// By the runtime directory itself.
    Dir(PathBuf),
    /// Within this process.
    Private(Arc<PrivateDirectory>),
}

impl Location {
    /// The directory that is to be kept as long as the group is used.
    pub(super) fn private(&self) -> Option<Arc<PrivateDirectory>> {
        match self {
            Self::Private(directory) => Some(Arc::clone(directory)),
            Self::Prefix(_) | Self::Dir(_) => None,
        }
    }

    /// The `dpdk` directory, where DPDK's rules made it, and the runtime directory.
    pub(super) fn resolve(&self) -> Result<(Option<PathBuf>, PathBuf), GroupError> {
        match self {
            Self::Prefix(prefix) => {
                let parent = Base::current().dir.join("dpdk");
                let dir = parent.join(check_prefix(prefix)?);
                Ok((Some(parent), dir))
            }
            Self::Private(directory) => Ok((None, directory.path().to_owned())),
            // A relative path would be another one for the peers we give it to.
            Self::Dir(dir) => Ok((
                None,
                std::path::absolute(dir).map_err(|source| GroupError::Io {
                    what: "find the runtime directory",
                    path: dir.clone(),
                    source,
                })?,
            )),
        }
    }
}

/// What DPDK's choice of the base directory rests on.
struct Environment {
    runtime_directory: Option<OsString>,
    xdg_runtime_dir: Option<OsString>,
    root: bool,
}

impl Environment {
    fn current() -> Self {
        let var = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            runtime_directory: var("RUNTIME_DIRECTORY"),
            xdg_runtime_dir: var("XDG_RUNTIME_DIR"),
            root: rustix::process::getuid().is_root(),
        }
    }
}

/// The directory below which this process finds groups by their file-prefix, in `dpdk`, as DPDK does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Base {
    /// The directory.
    pub dir: PathBuf,
    /// Which rule chose it.
    pub rule: BaseRule,
}

/// Why a [`Base`] is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseRule {
    /// `RUNTIME_DIRECTORY` names it: systemd sets that for a service, and DPDK knows it from 22.11 on.
    RuntimeDirectory,
    /// This is root, whose is `/var/run`.
    Root,
    /// `XDG_RUNTIME_DIR` names it.
    XdgRuntimeDir,
    /// Neither variable is set, which leaves `/tmp`.
    Unset,
}

impl Base {
    /// That of this process, as its environment is now.
    #[must_use]
    pub fn current() -> Self {
        Self::of(&Environment::current())
    }

    fn of(environment: &Environment) -> Self {
        let (dir, rule) = match environment {
            Environment { runtime_directory: Some(dir), .. } => (dir.as_os_str(), BaseRule::RuntimeDirectory),
            Environment { root: true, .. } => (OsStr::new("/var/run"), BaseRule::Root),
            Environment { xdg_runtime_dir: Some(dir), .. } => (dir.as_os_str(), BaseRule::XdgRuntimeDir),
            _ => (OsStr::new("/tmp"), BaseRule::Unset),
        };
        Self { dir: dir.into(), rule }
    }
}

/// In words that follow "since".
impl fmt::Display for BaseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RuntimeDirectory => "$RUNTIME_DIRECTORY says so",
            Self::Root => "this is root, and $RUNTIME_DIRECTORY is not set",
            Self::XdgRuntimeDir => "$XDG_RUNTIME_DIR says so",
            Self::Unset => "neither $RUNTIME_DIRECTORY nor $XDG_RUNTIME_DIR is set",
        })
    }
}

fn check_prefix(prefix: &OsStr) -> Result<&Path, GroupError> {
    let path = Path::new(prefix);
    // Of "a/", "a/b", ".", ".." and "", none is the one part that it consists of.
    if path.file_name() == Some(prefix) {
        Ok(path)
    } else {
        Err(GroupError::FilePrefix { prefix: prefix.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_directory_is_chosen_as_dpdk_does() {
        let all = || Environment {
            runtime_directory: Some("/run/app".into()),
            xdg_runtime_dir: Some("/run/user/7".into()),
            root: true,
        };
        let base = |environment: &Environment| {
            let Base { dir, rule } = Base::of(environment);
            (dir.display().to_string(), rule)
        };
        assert_eq!(base(&all()), ("/run/app".to_owned(), BaseRule::RuntimeDirectory));
        let without = Environment { runtime_directory: None, ..all() };
        assert_eq!(base(&without), ("/var/run".to_owned(), BaseRule::Root));
        let user = || Environment { runtime_directory: None, root: false, ..all() };
        assert_eq!(base(&user()), ("/run/user/7".to_owned(), BaseRule::XdgRuntimeDir));
        let without = Environment { xdg_runtime_dir: None, ..user() };
        assert_eq!(base(&without), ("/tmp".to_owned(), BaseRule::Unset));
    }

    #[test]
    fn a_file_prefix_is_one_part_of_a_path() {
        for good in ["rte", "packet-app", "..a"] {
            assert!(check_prefix(OsStr::new(good)).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a/", "/a"] {
            assert!(check_prefix(OsStr::new(bad)).is_err(), "{bad}");
        }
    }
}
