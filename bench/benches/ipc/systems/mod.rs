//! What is measured: each system has an asking and an answering side, which
//! exchange the same 64 bytes both ways and the same descriptors.

pub(crate) mod core;
pub(crate) mod dpdk;
#[cfg(feature = "bench-peers")]
mod ipc_channel;
mod payload;
pub(crate) mod raw;
#[cfg(feature = "bench-peers")]
mod tarpc;
pub(crate) mod typed;
#[cfg(feature = "bench-peers")]
mod zbus;

use std::{fmt, path::Path, time::Duration};

use clap::ValueEnum;

pub(crate) use payload::Payload;

/// A way for processes to exchange messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub(crate) enum System {
    /// Datagrams of 332 bytes by path, nothing else.
    Raw,
    /// The same once more: what differs between the two is noise.
    RawAgain,
    /// The same, the asking socket connected.
    RawConnected,
    /// The same, both sides spinning.
    RawSpinning,
    /// `mp-core`, client to primary.
    Core,
    /// The same, both sides busy polling.
    CoreSpinning,
    /// `mp-core`, primary to all its secondaries.
    CorePrimary,
    /// `mp-typed`, client to primary.
    Typed,
    /// DPDK, secondary to primary.
    Dpdk,
    /// DPDK, primary to all its secondaries.
    DpdkPrimary,
    /// ipc-channel.
    IpcChannel,
    /// zbus, peer to peer.
    Zbus,
    /// tarpc on a Unix socket.
    Tarpc,
}

impl System {
    /// Those that can run here.
    pub(crate) fn available() -> Vec<Self> {
        Self::value_variants().iter().copied().filter(|system| system.is_available()).collect()
    }

    /// Those that do not sleep: they want a core for each side.
    pub(crate) fn spins(self) -> bool {
        matches!(self, Self::RawSpinning | Self::CoreSpinning)
    }

    pub(crate) fn is_available(self) -> bool {
        match self {
            Self::Dpdk | Self::DpdkPrimary => dpdk::is_available(),
            Self::IpcChannel | Self::Zbus | Self::Tarpc => cfg!(feature = "bench-peers"),
            _ => true,
        }
    }

    /// Whether the answering side needs the asking one to be there first.
    pub(crate) fn asking_starts(self) -> bool {
        matches!(self, Self::DpdkPrimary)
    }

    /// Whether a request can carry that many descriptors, and bring them back.
    pub(crate) fn carries(self, fds: usize) -> bool {
        match self {
            Self::RawSpinning | Self::CoreSpinning | Self::IpcChannel | Self::Tarpc => fds == 0,
            _ => true,
        }
    }

    /// As tables and plots call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Raw => "bare sockets",
            Self::RawAgain => "bare sockets again",
            Self::RawConnected => "bare sockets, connected",
            Self::RawSpinning => "bare sockets, spinning",
            Self::Core => "mp-core",
            Self::CoreSpinning => "mp-core, spinning",
            Self::CorePrimary => "mp-core, primary to one secondary",
            Self::Typed => "mp-typed",
            Self::Dpdk => "DPDK",
            Self::DpdkPrimary => "DPDK, primary to one secondary",
            Self::IpcChannel => "ipc-channel",
            Self::Zbus => "zbus",
            Self::Tarpc => "tarpc",
        }
    }

    /// The asking side, in this process.
    pub(crate) fn ask(self, dir: &Path) -> Box<dyn Asking> {
        match self {
            Self::Raw | Self::RawAgain => Box::new(raw::Asker::unconnected(dir)),
            Self::RawConnected => Box::new(raw::Asker::connected(dir)),
            Self::RawSpinning => Box::new(raw::Asker::spinning(dir)),
            Self::Core => Box::new(core::Asker::new(dir, Duration::ZERO)),
            Self::CoreSpinning => Box::new(core::Asker::new(dir, core::SPINNING)),
            Self::CorePrimary => Box::new(core::AskingPrimary::new(dir)),
            Self::Typed => Box::new(typed::Asker::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::IpcChannel => Box::new(ipc_channel::Asker::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::Zbus => Box::new(zbus::Asker::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::Tarpc => Box::new(tarpc::Asker::new(dir)),
            _ => unreachable!("{self} is not in this program"),
        }
    }

    /// The answering side, in this process: it works in threads of its own.
    pub(crate) fn answer(self, dir: &Path) -> Box<dyn Answering> {
        match self {
            Self::Raw | Self::RawAgain | Self::RawConnected => Box::new(raw::Answerer::blocking(dir)),
            Self::RawSpinning => Box::new(raw::Answerer::spinning(dir)),
            Self::Core => Box::new(core::Answerer::primary(dir, Duration::ZERO)),
            Self::CoreSpinning => Box::new(core::Answerer::primary(dir, core::SPINNING)),
            Self::CorePrimary => Box::new(core::Answerer::secondary(dir)),
            Self::Typed => Box::new(typed::Answerer::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::IpcChannel => Box::new(ipc_channel::Answerer::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::Zbus => Box::new(zbus::Answerer::new(dir)),
            #[cfg(feature = "bench-peers")]
            Self::Tarpc => Box::new(tarpc::Answerer::new(dir)),
            _ => unreachable!("{self} is not in this program"),
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no system is skipped");
        f.write_str(value.get_name())
    }
}

/// The asking side. Every answer is checked, within the time that is taken.
pub(crate) trait Asking {
    /// Asks `count` times, with `fds` descriptors each way; how long each took, in nanoseconds.
    fn ask(&mut self, fds: usize, count: usize) -> Vec<u64>;

    /// Asks `count` times without descriptors, and neither times nor checks: so that what is counted
    /// meanwhile is the request's.
    fn ask_plainly(&mut self, count: usize) {
        self.ask(0, count);
    }

    /// Sends `count` one-way messages, one after the other.
    fn send(&mut self, _count: usize) {
        unimplemented!("one-way messages")
    }

    /// Asks from several threads at once, `count` times each.
    fn ask_from(&mut self, _threads: usize, _count: usize) -> Vec<u64> {
        unimplemented!("several threads")
    }

    /// Has `count` requests under way at once, without waiting for any before the
    /// last is made: how long all took in nanoseconds, and how many bytes were
    /// allocated for them when all were under way.
    fn ask_async(&mut self, _count: usize) -> (u64, u64) {
        unimplemented!("asynchronous requests")
    }

    /// Asks `members` peers at once, `count` times.
    fn ask_all(&mut self, _members: usize, _count: usize) -> Vec<u64> {
        unimplemented!("several peers")
    }

    /// Sends a one-way message to `members` peers, `count` times; how long each took.
    fn send_to_all(&mut self, _members: usize, _count: usize) -> Vec<u64> {
        unimplemented!("several peers")
    }

    /// Asks `members` peers of which one is stopped, under a deadline, once: how
    /// long it took in nanoseconds, and how many have answered.
    fn ask_with_one_stopped(&mut self, _members: usize, _milliseconds: u64) -> (u64, usize) {
        unimplemented!("several peers")
    }
}

/// The answering side, which works until it is dropped.
pub(crate) trait Answering {
    /// How many one-way messages have come.
    fn received(&self) -> u64 {
        0
    }
}
