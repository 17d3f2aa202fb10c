//! What a process of the suite can be told to do: one method a command of `dpdk/lines.h`.

use std::time::Duration;

use super::{
    answer::{Answer, Content, Refused, Requested, hex_encode},
    process::Process,
};

/// What a registered action does with what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Announces a message as [`Event::Arrived`].
    Print,
    /// Takes a message and does nothing with it.
    Discard,
    /// Announces a request and never answers it.
    Silent,
    /// Sends a request's payload and descriptors back.
    Echo,
    /// The same, this much later, in a thread of its own.
    EchoAfter(Duration),
    /// Announces a request, blocks the handler for this long, and then echoes.
    Block(Duration),
}

impl Mode {
    /// The same as words of the protocol.
    pub(super) fn words(self) -> String {
        match self {
            Self::Print => "print".to_owned(),
            Self::Discard => "discard".to_owned(),
            Self::Silent => "silent".to_owned(),
            Self::Echo => "echo".to_owned(),
            Self::EchoAfter(delay) => format!("echo {}", delay.as_millis()),
            Self::Block(delay) => format!("block {}", delay.as_millis()),
        }
    }
}

impl Process {
    /// Registers an action.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn register(&self, name: &str, mode: Mode) -> Result<(), Refused> {
        self.command(&format!("register {name} {}", mode.words())).map(drop)
    }

    /// Removes an action.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn unregister(&self, name: &str) -> Result<(), Refused> {
        self.command(&format!("unregister {name}")).map(drop)
    }

    /// Sends a message with `fds` files of the process's own; returns what it sent.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn send(&self, name: &str, param: &[u8], fds: usize) -> Result<Content, Refused> {
        let hex = hex_encode(param);
        self.command(&format!("send {name} {hex} {fds}")).map(Answer::into_content)
    }

    /// Sends the same message `count` times, as fast as it goes; returns how long that took.
    ///
    /// # Errors
    /// What the process refuses the first failing one with.
    pub fn send_many(&self, name: &str, param: &[u8], count: usize) -> Result<Duration, Refused> {
        let hex = hex_encode(param);
        self.command(&format!("send {name} {hex} 0 {count}")).map(|answer| answer.took)
    }

    /// Sends a request with `fds` files of the process's own and waits for the replies.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn request(
        &self,
        name: &str,
        param: &[u8],
        fds: usize,
        timeout: Duration,
    ) -> Result<Requested, Refused> {
        self.request_begin(name, param, fds, timeout);
        self.request_end(timeout)
    }

    /// Has the process begin a request; to be followed by [`request_end`](Self::request_end).
    pub fn request_begin(&self, name: &str, param: &[u8], fds: usize, timeout: Duration) {
        self.begin(&request_text("request", name, param, fds, timeout));
    }

    /// Waits for the request that was begun.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn request_end(&self, timeout: Duration) -> Result<Requested, Refused> {
        self.end(timeout).map(Answer::into_requested)
    }

    /// Sends an asynchronous request; an [`Event::Async`] will tell its end. Returns what was sent.
    ///
    /// # Errors
    /// What the process refuses it with.
    pub fn request_async(
        &self,
        name: &str,
        param: &[u8],
        fds: usize,
        timeout: Duration,
    ) -> Result<Content, Refused> {
        self.command(&request_text("request-async", name, param, fds, timeout)).map(Answer::into_content)
    }

    /// Allocates DPDK memory; returns how long that took.
    ///
    /// # Errors
    /// What DPDK refuses it with.
    pub fn malloc(&self, bytes: usize) -> Result<Duration, Refused> {
        self.command(&format!("malloc {bytes}")).map(|answer| answer.took)
    }

    /// Frees all that [`malloc`](Self::malloc) allocated; returns how long that took.
    ///
    /// # Errors
    /// What DPDK refuses it with.
    pub fn free(&self) -> Result<Duration, Refused> {
        self.command("free").map(|answer| answer.took)
    }

    /// Attaches a virtual device in every process of the group; returns how long that took.
    ///
    /// # Errors
    /// What DPDK refuses it with.
    pub fn attach(&self, device: &str) -> Result<Duration, Refused> {
        self.command(&format!("attach {device}")).map(|answer| answer.took)
    }

    /// Detaches a virtual device in every process of the group; returns how long that took.
    ///
    /// # Errors
    /// What DPDK refuses it with.
    pub fn detach(&self, device: &str) -> Result<Duration, Refused> {
        self.command(&format!("detach {device}")).map(|answer| answer.took)
    }

    /// The names of the virtual devices that it knows.
    #[must_use]
    pub fn devices(&self) -> Vec<String> {
        let answer = self.command("devices").expect("listing devices does not fail");
        answer.fields_named("device").map(str::to_owned).collect()
    }

    /// How many descriptors it has open.
    #[must_use]
    pub fn open_fds(&self) -> u32 {
        self.command("fds").expect("counting descriptors does not fail").number("fds")
    }
}

fn request_text(command: &str, name: &str, param: &[u8], fds: usize, timeout: Duration) -> String {
    format!("{command} {name} {} {fds} {}", hex_encode(param), timeout.as_millis())
}
