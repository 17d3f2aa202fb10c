//! Answers what is asked about this process: `mp.describe`, `mp.status`, `mp.monitor`.
//!
//! The thread that receives answers, before anything that came waits for a handler, and waits for no
//! lock that is held while a user's code runs. So it answers while handlers are slow or stuck, which
//! is when one looks. What the questions and answers are, `look` knows.

use std::{os::fd::AsFd, time::Instant};

use rustix::io::Errno;

use super::{
    Request, Responder,
    crew::Snapshot,
    threads::{Dispatcher, Reception},
};
use crate::{
    group::inspect::DpdkVersion,
    look::{Json, MONITORS, NotAttached, Question, VERSION},
    receive::Rejection,
    sys::seal,
    wire::{Name, Reason, Why},
};

impl From<NotAttached> for Why {
    fn from(why: NotAttached) -> Self {
        match why {
            NotAttached::NoSocket => {
                Self::new(Reason::Undecodable, "a monitor sends one end of a pair of SOCK_SEQPACKET sockets")
            }
            NotAttached::TooMany => {
                Self::new(Reason::Overloaded, format_args!("it has {MONITORS} monitors, as many as may be"))
            }
        }
    }
}

/// What is told of a handler that runs.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    /// `None` of nothing, which has no handler.
    pub(super) name: Option<Name>,
    /// The process that sent what it handles.
    pub(super) pid: u32,
    pub(super) is_request: bool,
    pub(super) sequence: Option<u64>,
    pub(super) thread: u32,
}

impl Dispatcher {
    /// Answers a request of a name that only this crate answers to.
    pub(super) fn answer_question(&self, mut request: Request<'_>) {
        let (name, param, peer) = (request.name(), request.param(), request.peer());
        let (fds, responder) = (request.take_fds(), request.defer());
        if !self.work.policy.look.allowed {
            let why = Why::new(Reason::NoAction, "its builder said `without_inspection`");
            return self.work.decline(responder, why);
        }
        match Question::of(name, param) {
            Ok(Question::Describe) => self.work.answer_with(&self.describe(), responder),
            Ok(Question::Status) => self.work.answer_with(&self.status(), responder),
            Ok(Question::Monitor(filter)) => {
                match self.work.policy.look.tap.attach(fds, filter, peer.pid()) {
                    Ok(()) => _ = responder.reply(&VERSION.to_le_bytes(), &[]),
                    Err(not) => self.work.decline(responder, not.into()),
                }
            }
            Err(why) => self.work.decline(responder, why),
        }
    }

    /// Which actions there are, and what each takes and answers.
    fn describe(&self) -> String {
        Json::document(|json| {
            self.work.introduce("mp.describe", json);
            json.key("actions");
            self.work.registry.describe(json);
        })
    }

    /// What has happened, and what is going on.
    fn status(&self) -> String {
        let now = Instant::now();
        let Snapshot { handlers, threads, idle, backlog: (waiting, bound) } = self.look(now);
        let (policy, port) = (&self.work.policy, &self.work.port);
        let look = &policy.look;
        Json::document(|json| {
            self.work.introduce("mp.status", json);
            json.key("uptime_ms").number(now.saturating_duration_since(look.started).as_millis());
            self.work.tell_group(json);
            json.key("threads").object(|json| {
                json.key("all").number(threads);
                json.key("idle").number(idle);
            });
            json.key("backlog").object(|json| {
                json.key("waiting").number(waiting);
                json.key("bound").number(bound);
            });
            json.key("held_answers").number(port.held().len());
            json.key("handlers").array(|json| {
                for (brief, since) in &handlers {
                    brief.describe(now.saturating_duration_since(*since).as_millis(), json);
                }
            });
            json.key("requests");
            look.waits.describe(now, json);
            json.key("monitors");
            look.tap.describe(json);
            let statistics = policy.counters.snapshot();
            json.key("counters").object(|json| {
                statistics.counters().for_each(|(name, count)| json.key(name).number(count));
            });
            json.key("rejected").object(|json| {
                let happened = statistics.rejected().filter(|(_, count)| *count > 0);
                happened.for_each(|(reason, count)| json.key(reason.name()).number(count));
            });
        })
    }
}

impl Reception {
    /// Who answers, and in which version.
    fn introduce(&self, what: &str, json: &mut Json) {
        json.key(what).number(VERSION);
        json.key("pid").number(std::process::id());
        json.key("version").text(env!("CARGO_PKG_VERSION"));
        json.key("socket").text(&self.port.bound.address.path().to_string_lossy());
        let is_primary = self.port.bound.address.file_name() == self.group.primary().file_name();
        json.key("role").text(if is_primary { "primary" } else { "secondary" });
    }

    /// The layout of the group's datagrams, and whose it is.
    fn tell_group(&self, json: &mut Json) {
        let Ok(directory) = self.group.open() else { return };
        if let Ok(layout) = directory.layout() {
            json.key("layout").number(layout.len());
        }
        let version = directory.dpdk_version().ok().flatten().and_then(DpdkVersion::of_word);
        match version {
            Some(version) => json.key("dpdk").text(&version.to_string()),
            None => json.key("dpdk").null(),
        }
    }

    fn answer_with(&self, text: &str, responder: Responder) {
        match seal(text) {
            Ok(memory) => _ = responder.reply(&VERSION.to_le_bytes(), &[memory.as_fd()]),
            Err(Errno::MFILE | Errno::NFILE) => responder.ignore(Reason::OutOfDescriptors),
            Err(errno) => {
                responder.ignore(Why::new(Reason::HandlerFailed, format_args!("it has no memory: {errno}")));
            }
        }
    }

    fn decline(&self, responder: Responder, why: Why) {
        self.policy.counters.reject(match why.reason() {
            Reason::NoAction => Rejection::NoAction,
            Reason::Overloaded => Rejection::BacklogFull,
            _ => Rejection::Undecodable,
        });
        responder.ignore(why);
    }
}

impl Brief {
    fn describe(&self, age_ms: u128, json: &mut Json) {
        json.object(|json| {
            json.key("name").text(&self.name.map_or_else(String::new, |name| name.to_string()));
            json.key("kind").text(if self.is_request { "request" } else { "message" });
            json.key("age_ms").number(age_ms);
            json.key("pid").number(self.pid);
            json.key("thread").number(self.thread);
            if let Some(sequence) = self.sequence {
                json.key("sequence").number(sequence);
            }
        });
    }
}
