//! What a shell is told when it completes a word: prefixes, members, names of actions.
//!
//! The group is the one that the words before name. Whatever cannot be found out is nothing: while a
//! line is typed, nobody reads an error.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    time::Duration,
};

use clap_complete::CompletionCandidate;
use mp_core::{
    Client,
    inspect::{self, Group, Role},
};
use serde::Deserialize;

use crate::{peers::Wanted, process::command_line};

/// The file-prefixes of the groups on this host.
pub(crate) fn prefixes(begun: &OsStr) -> Vec<CompletionCandidate> {
    let groups = inspect::groups();
    let about = |group: &Group| {
        let members = group.members.iter().filter(|member| member.alive).count();
        format!("{members} alive in {}", group.dir.display())
    };
    let all = groups.iter().map(|group| (group.file_prefix().to_owned(), about(group)));
    candidates(begun, all)
}

/// The live members of the group: pids where there is one, else sockets.
pub(crate) fn members(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(group) = Chosen::of(env::args_os()).group() else { return Vec::new() };
    let alive = group.members.iter().filter(|member| member.alive);
    let all = alive.flat_map(|member| {
        let role = if member.role == Role::Primary { "primary" } else { "secondary" };
        let about = match member.pid.and_then(command_line) {
            Some(command) => format!("{role}: {command}"),
            None => role.to_owned(),
        };
        let pid = member.pid.map(|pid| OsString::from(pid.to_string()));
        let socket = member.socket.file_name().map(OsStr::to_owned);
        // A shell would offer each member twice, so the longer name only completes itself.
        let socket = socket.filter(|_| pid.is_none() || begun.as_encoded_bytes().starts_with(b"mp"));
        pid.into_iter().chain(socket).map(move |name| (name, about.clone()))
    });
    candidates(begun, all)
}

/// A shell waits no longer for a word.
const AT_MOST: Duration = Duration::from_millis(200);

/// The names of actions: those of the process that the line names, if it tells them, and DPDK's.
pub(crate) fn names(begun: &OsStr) -> Vec<CompletionCandidate> {
    let own = Chosen::of(env::args_os()).actions().unwrap_or_default();
    let dpdk = mp_dpdk::names().map(|name| (name.into(), "DPDK's own".to_owned()));
    candidates(begun, own.into_iter().map(|name| (name.into(), String::new())).chain(dpdk))
}

fn candidates(begun: &OsStr, all: impl IntoIterator<Item = (OsString, String)>) -> Vec<CompletionCandidate> {
    let begins = |name: &OsStr| name.as_encoded_bytes().starts_with(begun.as_encoded_bytes());
    let fitting = all.into_iter().filter(|(name, _)| begins(name));
    let helped = |about: String| (!about.is_empty()).then(|| about.into());
    fitting.map(|(name, about)| CompletionCandidate::new(name).help(helped(about))).collect()
}

/// The group that a command line names, as far as it is typed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    file_prefix: Option<OsString>,
    runtime_dir: Option<PathBuf>,
    to: Option<Wanted>,
}

impl Chosen {
    fn of(words: impl Iterator<Item = OsString>) -> Self {
        let mut chosen = Self::default();
        // A shell that takes `=` for the end of a word passes it as one.
        let mut words = words.filter(|word| word != "=").peekable();
        while let Some(word) = words.next() {
            let (option, value) = split(&word);
            let value = value.map(OsStr::to_owned).or_else(|| words.peek().cloned());
            match option.to_str() {
                Some("--file-prefix") => chosen.file_prefix = value,
                Some("--runtime-dir") => chosen.runtime_dir = value.map(PathBuf::from),
                Some("--to") => chosen.to = value.as_deref().and_then(Chosen::wanted),
                _ => {}
            }
        }
        chosen
    }

    fn group(&self) -> Option<Group> {
        match &self.runtime_dir {
            Some(dir) => Group::in_dir(dir).ok(),
            None => Group::with_file_prefix(self.prefix()).ok(),
        }
    }

    fn wanted(value: &OsStr) -> Option<Wanted> {
        value.to_str().filter(|value| !value.is_empty())?.parse().ok()
    }

    fn prefix(&self) -> OsString {
        self.file_prefix.clone().unwrap_or_else(|| "rte".into())
    }

    /// The names of the actions of the member that is asked.
    fn actions(&self) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Described {
            actions: Vec<Action>,
        }
        #[derive(Deserialize)]
        struct Action {
            name: String,
        }
        let mut client = Client::builder(self.prefix());
        if let Some(dir) = &self.runtime_dir {
            client = client.runtime_dir(dir);
        }
        let client = client.start().ok()?;
        let told = match &self.to {
            None => inspect::describe(&client, AT_MOST),
            Some(wanted) => {
                let group = self.group()?;
                let socket = &wanted.choose(&group.members).ok()?.socket;
                let members = client.members().ok()?;
                let member = members.iter().find(|member| member.address().path() == socket)?;
                inspect::describe(client.to(member), AT_MOST)
            }
        };
        let described: Described = serde_json::from_str(&told.ok()?).ok()?;
        Some(described.actions.into_iter().map(|action| action.name).collect())
    }
}

/// `--option=value`.
fn split(word: &OsStr) -> (&OsStr, Option<&OsStr>) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = word.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => (OsStr::from_bytes(&bytes[..at]), Some(OsStr::from_bytes(&bytes[at + 1..]))),
        None => (word, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_the_one_that_the_words_name() {
        let of = |words: &[&str]| Chosen::of(words.iter().map(OsString::from));
        let prefix = |prefix: &str| Chosen { file_prefix: Some(prefix.into()), ..Chosen::default() };
        assert_eq!(of(&["mpctl", "request", "--to", ""]), Chosen::default());
        assert_eq!(of(&["mpctl", "--file-prefix", "app", "request", "--to", ""]), prefix("app"));
        assert_eq!(of(&["mpctl", "--file-prefix=app", "request"]), prefix("app"));
        // As bash splits it.
        assert_eq!(of(&["mpctl", "--file-prefix", "=", "app", "request"]), prefix("app"));
        let dir = of(&["mpctl", "members", "--runtime-dir", "/run/x"]);
        assert_eq!(dir, Chosen { runtime_dir: Some("/run/x".into()), ..Chosen::default() });
        assert_eq!(of(&["mpctl", "--file-prefix"]), Chosen::default());
    }
}
