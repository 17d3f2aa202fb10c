//! Whom a command asks: the primary, or the member that `--to` names.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use mp_core::{Client, Member, MessageRef, OnePeer, Outcome, Reply, RequestError, SendError, inspect::Role};

use super::Context;
use crate::{cli::ToArgs, failure::Failure, process};

/// Whom to ask, and by what.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) client: Client,
    /// `None` is the primary.
    member: Option<Member>,
    /// Where it is bound.
    pub(super) socket: PathBuf,
    /// Of a member; a primary's is looked up when it counts, since primaries come and go.
    pid: Option<u32>,
}

impl Context {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.group.builder(Client::builder).start().map_err(|error| Failure::of_start(&error))
    }

    pub(super) fn peer(&self, to: &ToArgs) -> Result<Peer, Failure> {
        let client = self.client()?;
        match &to.member {
            None => Ok(Peer::primary(client)),
            Some(wanted) => {
                let group = self.inspect()?;
                let found = wanted.choose(&group.members).map_err(|error| Failure::of_wanted(&error))?;
                Peer::of(client, found)
            }
        }
    }

    /// Why the peer runs no code, if it does not.
    pub(super) fn standstill(&self, peer: &Peer) -> Option<String> {
        let primary = || self.inspect().ok()?.primary()?.pid;
        let pid = peer.pid.or_else(|| primary().filter(|_| peer.member.is_none()))?;
        Some(format!("{peer}, pid {pid}, {}", process::standstill(pid)?))
    }
}

impl Peer {
    pub(super) fn primary(client: Client) -> Self {
        let socket = client.runtime_dir().map(|dir| dir.join("mp_socket")).unwrap_or_default();
        Self { client, member: None, socket, pid: None }
    }

    /// One that a look into the group has found.
    pub(super) fn of(client: Client, found: &mp_core::inspect::Member) -> Result<Self, Failure> {
        if found.role == Role::Primary {
            return Ok(Self::primary(client));
        }
        let members = client.members().map_err(|error| Failure::of_group(&error))?;
        let is_it = |member: &Member| member.address().path().file_name() == found.socket.file_name();
        let gone = || Failure::Failed(format!("{:?} has left the group meanwhile", found.socket));
        let member = members.into_iter().find(is_it).ok_or_else(gone)?;
        let socket = found.socket.clone();
        Ok(Self { client, member: Some(member), socket, pid: found.pid })
    }

    /// To ask what the library knows to ask.
    pub(super) fn target(&self) -> OnePeer<'_> {
        match &self.member {
            Some(member) => self.client.to(member),
            None => OnePeer::from(&self.client),
        }
    }

    pub(super) fn request(&self, message: MessageRef<'_>, timeout: Duration) -> Result<Reply, RequestError> {
        self.target().request(message, timeout)
    }

    pub(super) fn send(&self, message: MessageRef<'_>, timeout: Duration) -> Result<(), SendError> {
        self.target().within(timeout).send(message)
    }

    /// What to do about it, if there is anything.
    pub(super) fn advice(&self, outcome: &Outcome, name: &mp_core::Name) -> Option<String> {
        use mp_core::Reason;
        Some(match outcome {
            Outcome::Sent | Outcome::Replied => return None,
            Outcome::Ignored { why } if why.reason() == Reason::NoAction => {
                format!("{self} has no action \"{name}\": check the name")
            }
            Outcome::Ignored { why } => format!("{self} does not answer \"{name}\": {why}"),
            Outcome::TimedOut => format!(
                "no answer in time: check the name \"{name}\" (DPDK is silent where it has no such action, \
                 or does not like the payload), or give it longer with --timeout"
            ),
            Outcome::Gone => format!("{self} has ended meanwhile: start it again"),
            Outcome::QueueFull => format!("{self} does not read its socket: give it longer with --timeout"),
            Outcome::Refused => format!(
                "the socket of {self} is closed to this user: run this as its user, which `mpctl members` tells"
            ),
            Outcome::FdsLost => {
                "the reply's files do not fit: allow this process more with `ulimit -n`".to_owned()
            }
            // What one peer is sent fits this process's buffer, and an error of one is told as it is.
            _ => return None,
        })
    }
}

/// In words, for a sentence.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            None => f.write_str("the primary"),
            Some(member) => Path::new(member.address().file_name()).display().fmt(f),
        }
    }
}
