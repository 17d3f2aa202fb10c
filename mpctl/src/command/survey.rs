//! Asking all members of a group something, at once.

use std::thread;

use mp_core::inspect::{self, InspectError, Member};

use super::{Context, peer::Peer};
use crate::{
    failure::{Failure, chain},
    peers::Wanted,
    process,
    show::Unknown,
    status::Status,
};

/// How many are asked at once: each takes a thread and a socket for that long.
const AT_ONCE: usize = 32;

/// A member, and what it said or why it said nothing.
pub(super) type Told<T> = (Member, Result<T, String>);

impl Context {
    /// The live members that are meant: one, or all.
    pub(super) fn wanted(&self, wanted: Option<&Wanted>) -> Result<Vec<Member>, Failure> {
        let group = self.inspect()?;
        match wanted {
            Some(wanted) => {
                let one = wanted.choose(&group.members).map_err(|error| Failure::of_wanted(&error))?;
                Ok(vec![one.clone()])
            }
            None => Ok(group.members.into_iter().filter(|member| member.alive).collect()),
        }
    }

    /// Asks each of these, at most [`AT_ONCE`] at a time.
    pub(super) fn ask_each<T: Send>(
        &self,
        members: Vec<Member>,
        ask: impl Fn(&Peer) -> Result<T, InspectError> + Sync,
    ) -> Result<Vec<Told<T>>, Failure> {
        let client = self.client()?;
        let one = |member: &Member| -> Result<T, String> {
            let peer = Peer::of(client.clone(), member).map_err(|failure| failure.to_string())?;
            ask(&peer).map_err(|error| chain(&error))
        };
        let mut told = Vec::with_capacity(members.len());
        for some in members.chunks(AT_ONCE) {
            let answers: Vec<_> = thread::scope(|scope| {
                let asking: Vec<_> = some.iter().map(|member| scope.spawn(|| one(member))).collect();
                asking.into_iter().map(|asked| asked.join()).collect()
            });
            for (member, answer) in some.iter().zip(answers) {
                let answer = answer.unwrap_or_else(|_| Err("asking it failed".to_owned()));
                told.push((member.clone(), answer));
            }
        }
        Ok(told)
    }

    /// What goes on in each, as it says and as far as that is understood.
    pub(super) fn statuses(
        &self,
        members: Vec<Member>,
    ) -> Result<Vec<Told<(serde_json::Value, Status)>>, Failure> {
        let told = self.ask_each(members, |peer| inspect::status(peer.target(), self.timeout))?;
        let understood = |text: String| -> Result<_, String> {
            let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            let status = Status::deserialize(&json).map_err(|error| error.to_string())?;
            Ok((json, status))
        };
        Ok(told.into_iter().map(|(member, answer)| (member, answer.and_then(understood))).collect())
    }
}

use serde::Deserialize as _;

impl Unknown {
    /// One that tells nothing itself: what can be seen from outside.
    pub(super) fn of(member: &Member, why: String) -> Self {
        let pid = member.pid;
        Self {
            answered: false,
            role: crate::show::role(member.role),
            pid,
            socket: member.socket.display().to_string(),
            command: pid.and_then(process::command_line),
            state: pid.and_then(process::standstill),
            why,
        }
    }
}
