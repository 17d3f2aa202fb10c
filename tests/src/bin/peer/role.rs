//! A running role, and what handlers and threads ask through.

use std::{
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use mp_core::{
    Actions, Client, Fds, GroupError, Member, Message, MessageRef, Outcome, Primary, PrimaryHandle, Replies,
    Reply, RequestError, Secondary, SecondaryHandle, Statistics, Watch,
};

use crate::{
    actions::drop_each,
    words::{self, text, variant},
};

/// A running role.
pub(crate) enum Role {
    Primary(Primary),
    Secondary(Secondary),
    Client(Client),
}

/// What handlers and threads ask through.
#[derive(Clone)]
pub(crate) enum Asker {
    Primary(PrimaryHandle),
    Secondary(SecondaryHandle),
    Client(Client),
}

impl Role {
    pub(crate) fn actions(&self) -> &Actions {
        match self {
            Self::Primary(primary) => primary.actions(),
            Self::Secondary(secondary) => secondary.actions(),
            Self::Client(_) => panic!("a client has no actions"),
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        match self {
            Self::Primary(primary) => primary.statistics(),
            Self::Secondary(secondary) => secondary.statistics(),
            Self::Client(client) => client.statistics(),
        }
    }

    pub(crate) fn stop(&self, timeout: Duration) -> bool {
        match self {
            Self::Primary(primary) => primary.stop(timeout),
            Self::Secondary(secondary) => secondary.stop(timeout),
            Self::Client(_) => true,
        }
    }
}

impl Asker {
    /// Asks the primary, or all secondaries: the result as text, with the time taken.
    pub(crate) fn ask(&self, name: &str, text: &str, timeout: Duration) -> String {
        let name = words::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let start = Instant::now();
        let result = match self {
            Self::Primary(primary) => primary.request(message, timeout).map(|replies| all(&replies)),
            Self::Secondary(secondary) => secondary.request(message, timeout).map(|reply| one(&reply)),
            Self::Client(client) => client.request(message, timeout).map(|reply| one(&reply)),
        };
        let took = start.elapsed().as_millis();
        format!("{took} {}", result.unwrap_or_else(|error| variant(&error)))
    }

    /// The same by a callback.
    pub(crate) fn ask_later(&self, name: &str, text: &str, timeout: Duration) -> String {
        let (sender, result) = channel();
        // Whoever waits for it is there as long as this call.
        self.ask_later_and(name, text, timeout, move |result| drop(sender.send(result)));
        result.recv().expect("the callback is called")
    }

    /// The same by a callback that takes the descriptors out and closes them.
    pub(crate) fn take_later(&self, name: &str, text: &str, timeout: Duration) -> String {
        let (sender, result) = channel();
        let tell = move |result| drop(sender.send(result));
        self.ask_later_closing(name, text, timeout, drop_each, tell);
        result.recv().expect("the callback is called")
    }

    /// The same without waiting for it: `and` gets the result.
    pub(crate) fn ask_later_and(
        &self,
        name: &str,
        text: &str,
        timeout: Duration,
        and: impl FnOnce(String) + Send + 'static,
    ) {
        self.ask_later_closing(name, text, timeout, drop, and);
    }

    fn ask_later_closing(
        &self,
        name: &str,
        text: &str,
        timeout: Duration,
        close: fn(Fds),
        and: impl FnOnce(String) + Send + 'static,
    ) {
        let name = words::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let start = Instant::now();
        let or_error = |result: Result<String, RequestError>| result.unwrap_or_else(|error| variant(&error));
        let told = move |result| and(format!("{} {}", start.elapsed().as_millis(), or_error(result)));
        match self {
            Self::Primary(primary) => primary.request_then(message, timeout, move |_, result| {
                told(result.map(|replies| {
                    let text = all(&replies);
                    replies.replies.into_iter().for_each(|reply| close(reply.message.fds));
                    text
                }));
            }),
            Self::Secondary(secondary) => secondary
                .request_then(message, timeout, move |_, result| told(result.map(one_closing(close)))),
            Self::Client(client) => {
                client.request_then(message, timeout, move |_, result| told(result.map(one_closing(close))));
            }
        }
    }

    pub(crate) fn watch(&self) -> Result<Watch, GroupError> {
        match self {
            Self::Primary(primary) => primary.watch(),
            Self::Secondary(secondary) => secondary.watch(),
            Self::Client(client) => client.watch(),
        }
    }

    /// Asks the primary (`p`) or the secondary with that pid.
    pub(crate) fn ask_one(
        &self,
        whom: &str,
        message: &Message,
        timeout: Duration,
    ) -> Result<Reply, RequestError> {
        match self {
            Self::Secondary(secondary) if whom == "p" => secondary.request(message, timeout),
            Self::Client(client) if whom == "p" => client.request(message, timeout),
            Self::Secondary(secondary) => {
                secondary.to(&with_pid(secondary.members()?, whom)?).request(message, timeout)
            }
            Self::Client(client) => client.to(&with_pid(client.members()?, whom)?).request(message, timeout),
            Self::Primary(primary) => {
                primary.to(&with_pid(primary.members()?, whom)?).request(message, timeout)
            }
        }
    }

    pub(crate) fn send(&self, name: &str, text: &str, timeout: Duration) -> String {
        let name = words::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let start = Instant::now();
        let result = match self {
            Self::Primary(primary) => {
                primary.within(timeout).send(message).map(|sent| outcomes(&sent.outcomes))
            }
            Self::Secondary(secondary) => secondary.within(timeout).send(message).map(|()| "Sent".into()),
            Self::Client(client) => client.within(timeout).send(message).map(|()| "Sent".into()),
        };
        let took = start.elapsed().as_millis();
        format!("{took} {}", result.unwrap_or_else(|error| variant(&error)))
    }
}

fn with_pid(members: Vec<Member>, pid: &str) -> Result<Member, RequestError> {
    let pid = pid.parse().ok();
    members.into_iter().find(|member| member.pid() == pid).ok_or(RequestError::Gone)
}

/// `pid=<replier's> fds=<count> <text>`
fn one(reply: &Reply) -> String {
    format!("pid={} fds={} {}", reply.peer.pid(), reply.message.fds.len(), text(&reply.message))
}

fn one_closing(close: fn(Fds)) -> impl FnOnce(Reply) -> String {
    move |reply| {
        let text = one(&reply);
        close(reply.message.fds);
        text
    }
}

/// `sent=<n> received=<n> <pid>:<outcome> …`
fn all(replies: &Replies) -> String {
    format!("sent={} received={} {}", replies.sent(), replies.received(), outcomes(&replies.outcomes))
}

fn outcomes(outcomes: &[(Member, Outcome)]) -> String {
    let one = |(member, outcome): &(Member, _)| {
        let pid = member.pid().unwrap_or(0);
        match outcome {
            Outcome::Ignored { why } => format!("{pid}:Ignored({:?})", why.reason()),
            outcome => format!("{pid}:{outcome:?}"),
        }
    };
    outcomes.iter().map(one).collect::<Vec<_>>().join(" ")
}
