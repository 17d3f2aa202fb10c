//! Where a group's directory is: DPDK's rules, and how its path is spelled.
//!
//! It looks at links, makes nothing, and asks nobody: how a live peer spells the directory
//! `spelling` finds out.

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt, fs,
    os::unix::ffi::OsStrExt,
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

/// Where that is.
#[derive(Debug)]
pub(super) struct Resolved {
    /// What DPDK's rules chose; `None` for a directory that the user named.
    pub(super) base: Option<Base>,
    /// The runtime directory.
    pub(super) dir: PathBuf,
}

impl Location {
    /// The directory that is to be kept as long as the group is used.
    pub(super) fn private(&self) -> Option<Arc<PrivateDirectory>> {
        match self {
            Self::Private(directory) => Some(Arc::clone(directory)),
            Self::Prefix(_) | Self::Dir(_) => None,
        }
    }

    pub(super) fn resolve(&self) -> Result<Resolved, GroupError> {
        match self {
            Self::Prefix(prefix) => {
                let prefix = check_prefix(prefix)?;
                let base = Base::current();
                let dir = absolute(&base.dir).map_err(|error| error.below(Some(&base)))?;
                let base = Base { dir, ..base };
                let dir = base.parent().join(prefix);
                Ok(Resolved { base: Some(base), dir })
            }
            Self::Private(directory) => Ok(Resolved { base: None, dir: directory.path().to_owned() }),
            Self::Dir(dir) => {
                check_nul(dir.as_os_str())?;
                Ok(Resolved { base: None, dir: spelled(&absolute(dir)?, &Base::current()) })
            }
        }
    }
}

/// A relative path would be another one for the peers that we give it to.
fn absolute(dir: &Path) -> Result<PathBuf, GroupError> {
    std::path::absolute(dir).map_err(|source| GroupError::Io {
        what: "find the runtime directory",
        path: dir.to_owned(),
        source,
    })
}

/// The spelling of a directory that its peers are the likeliest to have: DPDK's, if it is where
/// DPDK's rules put that of some file-prefix, since C peers cannot be given another; else the one
/// without links and dots. (DPDK spells root's base `/var/run`, which is a link to `/run`.)
fn spelled(dir: &Path, base: &Base) -> PathBuf {
    let resolved = resolve_links(dir);
    let by_rules = resolved.file_name().map(|prefix| base.parent().join(prefix));
    by_rules.filter(|dir| dir.is_absolute() && resolve_links(dir) == resolved).unwrap_or(resolved)
}

/// The links and dots on the way to a directory resolved, as far as the way exists. Its last part
/// stays what it is: a link there is not followed, but refused when it is opened.
fn resolve_links(dir: &Path) -> PathBuf {
    match (dir.parent(), dir.file_name()) {
        (Some(parent), Some(name)) => resolve_all(parent).join(name),
        _ => resolve_all(dir),
    }
}

fn resolve_all(dir: &Path) -> PathBuf {
    match (fs::canonicalize(dir), dir.parent(), dir.file_name()) {
        (Ok(resolved), ..) => resolved,
        (Err(_), Some(parent), Some(name)) => resolve_all(parent).join(name),
        // Dots behind what is not there: opening it tells.
        _ => dir.to_owned(),
    }
}

/// The directory below which this process finds groups by their file-prefix, in `dpdk`, as DPDK
/// does.
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
    /// `RUNTIME_DIRECTORY` names it: systemd sets that for a service, and DPDK knows it from 22.11
    /// on.
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

    /// The `dpdk` directory, in which the runtime directories are.
    pub(super) fn parent(&self) -> PathBuf {
        self.dir.join("dpdk")
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

/// As in: `"/srv", since $RUNTIME_DIRECTORY says so`.
impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, since {}", self.dir, self.rule)
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

fn check_nul(path: &OsStr) -> Result<(), GroupError> {
    if path.as_bytes().contains(&0) { Err(GroupError::Nul { path: path.into() }) } else { Ok(()) }
}

fn check_prefix(prefix: &OsStr) -> Result<&Path, GroupError> {
    check_nul(prefix)?;
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
    fn a_directory_is_spelled_as_dpdk_does_or_without_links_and_dots() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let top = fs::canonicalize(temporary.path()).expect("it is there");
        fs::create_dir_all(top.join("run/dpdk/there")).expect("it is ours");
        std::os::unix::fs::symlink("run", top.join("link")).expect("it is free");
        let base = Base { dir: top.join("link"), rule: BaseRule::Root };
        let cases = [
            // As DPDK's rules spell it, whether it is there or not.
            ("run/dpdk/there", "link/dpdk/there"),
            ("link/dpdk/there", "link/dpdk/there"),
            ("run/dpdk/later", "link/dpdk/later"),
            ("run/../link/dpdk/later", "link/dpdk/later"),
            // Elsewhere, without links and dots.
            ("link/there", "run/there"),
            ("link/a/b", "run/a/b"),
            ("run/dpdk/there/..", "run/dpdk"),
            // A link at the end is not followed.
            ("link", "link"),
        ];
        for (given, expected) in cases {
            assert_eq!(spelled(&top.join(given), &base), top.join(expected), "{given}");
        }
        assert_eq!(spelled(Path::new("/"), &base), Path::new("/"));
    }

    #[test]
    fn a_nul_is_told_as_such() {
        for located in [Location::Prefix("a\0b".into()), Location::Dir("/tmp/a\0b".into())] {
            let error = located.resolve().expect_err("no path has a NUL").to_string();
            assert!(error.contains("NUL"), "{error}");
        }
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
