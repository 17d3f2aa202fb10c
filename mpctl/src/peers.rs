//! Which member is meant: by pid, by its socket's name, or by its path. A decision, without I/O but
//! for comparing directories.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use mp_core::inspect::{Member, Role};

/// A member, as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted(String);

/// Why no member is meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WantedError {
    Nobody { wanted: String, sockets: Vec<PathBuf> },
    Several { wanted: String, sockets: Vec<PathBuf> },
    Stale { socket: PathBuf },
}

impl FromStr for Wanted {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl Wanted {
    /// The one of these that is meant.
    pub(crate) fn choose<'a>(&self, members: &'a [Member]) -> Result<&'a Member, WantedError> {
        let exact: Vec<_> = members.iter().filter(|member| self.is_exactly(member)).collect();
        let found = if exact.is_empty() {
            members.iter().filter(|member| self.begins(member)).collect()
        } else {
            exact
        };
        let alive: Vec<_> = found.iter().copied().filter(|member| member.alive).collect();
        let sockets = |members: &[&Member]| members.iter().map(|member| member.socket.clone()).collect();
        match (&alive[..], &found[..]) {
            ([member], _) => Ok(member),
            ([], [stale, ..]) => Err(WantedError::Stale { socket: stale.socket.clone() }),
            ([], []) => Err(WantedError::Nobody {
                wanted: self.0.clone(),
                sockets: sockets(&members.iter().filter(|member| member.alive).collect::<Vec<_>>()),
            }),
            (several, _) => Err(WantedError::Several { wanted: self.0.clone(), sockets: sockets(several) }),
        }
    }

    fn is_exactly(&self, member: &Member) -> bool {
        let is_pid = || member.pid.is_some_and(|pid| self.0 == pid.to_string());
        let is_name = || member.socket.file_name().is_some_and(|name| name == self.0.as_str());
        let is_role = || member.role == Role::Primary && self.0 == "primary";
        is_pid() || is_name() || is_role() || is_same(Path::new(&self.0), &member.socket)
    }

    fn begins(&self, member: &Member) -> bool {
        let name = member.socket.file_name().map(|name| name.to_string_lossy());
        !self.0.is_empty() && name.is_some_and(|name| name.starts_with(&self.0))
    }
}

/// Whether both lead to the same socket, however their directory is spelled.
fn is_same(one: &Path, other: &Path) -> bool {
    let directory = |path: &Path| path.parent().and_then(|dir| dir.canonicalize().ok());
    one == other
        || one.components().count() > 1
            && one.file_name() == other.file_name()
            && directory(one).is_some_and(|dir| directory(other) == Some(dir))
}

impl std::error::Error for WantedError {}

impl fmt::Display for WantedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody { wanted, sockets } if sockets.is_empty() => {
                write!(f, "nobody is {wanted:?}: the group has no live member")
            }
            Self::Nobody { wanted, sockets } => write!(
                f,
                "nobody is {wanted:?}: give a pid or a socket as `mpctl members` shows them ({})",
                names(sockets)
            ),
            Self::Several { wanted, sockets } => {
                write!(f, "{wanted:?} may be {}: give one of these sockets", names(sockets))
            }
            Self::Stale { socket } => {
                write!(f, "the process of {socket:?} has gone and left its socket behind: start it again")
            }
        }
    }
}

fn names(sockets: &[PathBuf]) -> String {
    /// More are a list of their own.
    const MOST: usize = 8;
    let names: Vec<_> = sockets.iter().take(MOST).map(|socket| file_name(socket)).collect();
    let more = if sockets.len() > MOST { ", ..." } else { "" };
    names.join(", ") + more
}

fn file_name(socket: &Path) -> String {
    socket.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::PermissionsExt, fs::symlink, net::UnixDatagram};

    use mp_core::inspect::Group;

    use super::*;

    fn chosen(members: &[Member], wanted: &str) -> Result<String, String> {
        let wanted: Wanted = wanted.parse().expect("any text");
        wanted.choose(members).map(|member| file_name(&member.socket)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_member_is_chosen_by_whatever_is_shown_of_it() {
        let private = std::fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().permissions(private).tempdir().expect("a directory");
        let own = std::process::id();
        let (first, second) = (format!("mp_socket_{own}_aa"), format!("mp_socket_{own}_ab"));
        let held = ["mp_socket", &first, &second]
            .map(|name| UnixDatagram::bind(dir.path().join(name)).expect("it is free"));
        drop(UnixDatagram::bind(dir.path().join("mp_socket_4000000_f")).expect("it is free"));
        let members = Group::in_dir(dir.path()).expect("it is there").members;
        assert_eq!(members.len(), 4);

        assert_eq!(chosen(&members, "primary").as_deref(), Ok("mp_socket"));
        assert_eq!(chosen(&members, "mp_socket").as_deref(), Ok("mp_socket"), "it begins others, too");
        assert_eq!(chosen(&members, &first), Ok(first.clone()));
        let path = dir.path().join(&second);
        assert_eq!(chosen(&members, path.to_str().expect("text")), Ok(second.clone()));
        let links = tempfile::tempdir().expect("a directory");
        symlink(dir.path(), links.path().join("link")).expect("it is free");
        let linked = links.path().join("link").join(&second);
        assert_eq!(chosen(&members, linked.to_str().expect("text")), Ok(second.clone()));

        let several = chosen(&members, &own.to_string()).expect_err("two");
        assert!(several.contains(&first) && several.contains(&second), "{several}");
        assert!(several.ends_with("give one of these sockets"), "{several}");
        let begun = &first[..first.len() - 1];
        assert!(chosen(&members, begun).expect_err("two").starts_with(&format!("{begun:?} may be ")));
        assert!(chosen(&members, "mp_socket_4000000").expect_err("gone").contains("left its socket behind"));
        for nobody in ["", "7x", "x/mp_socket_1_1"] {
            let told = chosen(&members, nobody).expect_err("nobody");
            assert!(told.starts_with(&format!("nobody is {nobody:?}")) && told.contains(&first), "{told}");
        }
        drop(held);
    }
}
