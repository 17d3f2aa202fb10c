use std::{
    env,
    ffi::{OsStr, OsString},
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
                let parent = base(&Environment::current()).join("dpdk");
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

fn base(environment: &Environment) -> PathBuf {
    match environment {
        Environment { runtime_directory: Some(dir), .. } => dir.into(),
        Environment { root: true, .. } => "/var/run".into(),
        Environment { xdg_runtime_dir: Some(dir), .. } => dir.into(),
        _ => "/tmp".into(),
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
        assert_eq!(base(&all()), Path::new("/run/app"));
        assert_eq!(base(&Environment { runtime_directory: None, ..all() }), Path::new("/var/run"));
        let user = || Environment { runtime_directory: None, root: false, ..all() };
        assert_eq!(base(&user()), Path::new("/run/user/7"));
        assert_eq!(base(&Environment { xdg_runtime_dir: None, ..user() }), Path::new("/tmp"));
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
