//! What is wrong with a group, as far as it can be seen from outside, and what to do about it.
//!
//! [`facts`] are looked up, [`checks`] judge them: those are decisions, without I/O.

mod checks;
mod facts;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use mp_core::{GroupError, inspect::Group};
use serde::Serialize;

use crate::{
    failure::chain,
    show::{Show, Tint, plain},
};

/// Something that is wrong, or soon will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at: one word, for programs.
    pub(crate) check: &'static str,
    /// With what it is wrong: a path.
    pub(crate) subject: PathBuf,
    /// With which process, if it is one's.
    pub(crate) pid: Option<u32>,
    pub(crate) wrong: String,
    pub(crate) remedy: String,
}

impl Show for Finding {}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, subject, wrong, remedy, .. } = self;
        let subject = plain(&subject.display().to_string());
        let head = Tint::Bad.on(f, &format!("{check}: {subject}"));
        write!(f, "{head} {}; {}", plain(wrong), Tint::Good.on(f, &plain(remedy)))
    }
}

/// Everything that is wrong with this group.
pub(crate) fn examine(group: &Group) -> Vec<Finding> {
    checks::all(&facts::Facts::of(group))
}

/// What is wrong if the group cannot even be looked into; `None` if that is because of something
/// else than the directory.
pub(crate) fn of_error(dir: &Path, error: &GroupError) -> Option<Finding> {
    let (check, remedy) = match error {
        GroupError::Base { error, .. } => return of_error(dir, error),
        GroupError::PathTooLong(_) => ("path_too_long", "use a shorter file-prefix or runtime directory"),
        GroupError::Link { .. } => {
            ("link", "give the directory itself, with --runtime-dir and to each member")
        }
        GroupError::Outside { .. } => {
            ("directory_owner", "run this, and each member, as a user who is in the group that shares it")
        }
        GroupError::Io { .. } if error.is_permission_denied() => {
            ("directory_owner", "run this, and each member, as the user whose directory it is")
        }
        _ => return None,
    };
    let (subject, pid, wrong) = (dir.to_owned(), None, format!("cannot be used: {}", chain(error)));
    Some(Finding { check, subject, pid, wrong, remedy: remedy.to_owned() })
}
