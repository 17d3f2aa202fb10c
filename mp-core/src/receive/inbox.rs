//! Receiving, with every check that applies to any datagram.
//!
//! `answer` and `ask` both read through an [`Inbox`], so that what a peer can send is judged in one
//! place: who it is from, whether all of it came, and whether it is what it says.

use std::{
    hint,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use crate::{
    look::Look,
    receive::{Cause, Counters, Rejection, Trust},
    sys::{Address, Frame, Peer, Receipt, Socket, Threads, Wait},
    wire::{Fds, Header, Message},
};

/// What all receiving of a role shares.
#[derive(Debug, Clone)]
pub(crate) struct ReceivePolicy {
    pub(crate) trust: Trust,
    pub(crate) counters: Arc<Counters>,
    /// What others may see of the role.
    pub(crate) look: Arc<Look>,
    /// How the role's threads begin.
    pub(crate) threads: Arc<Threads>,
    /// How long to spin for a datagram before sleeping.
    pub(crate) busy_poll: Duration,
}

/// A datagram that passed every check. It stays where the kernel put it.
#[derive(Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) header: &'a Header,
    pub(crate) peer: &'a Peer,
    bytes: &'a [u8],
    pub(crate) fds: &'a mut Fds,
}

impl<'a> Arrived<'a> {
    pub(crate) fn param(&self) -> &'a [u8] {
        self.header.param(self.bytes)
    }

    /// The fingerprint of the definition that its sender has; 0 if that is not known.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.header.tag.map_or(0, |tag| tag.fingerprint)
    }

    pub(crate) fn take_fds(&mut self) -> Fds {
        self.fds.take()
    }

    /// A copy of its own, with the descriptors.
    pub(crate) fn take_message(&mut self) -> Message {
        let param = self.header.to_param(self.bytes);
        Message { name: self.header.name, param, fds: self.take_fds(), fingerprint: self.fingerprint() }
    }
}

/// Why there is no datagram.
#[derive(Debug)]
pub(crate) enum Missed {
    /// Nothing came in the time given, or a signal ended the wait.
    Nothing,
    /// The socket was shut down and is drained.
    Closed,
    /// Something came that is of no use. It has been counted.
    Rejected,
    /// A trusted, well-formed datagram came without its descriptors. It has been counted.
    FdsLost { header: Header, from: Option<Address> },
    /// The system is short of something; it has been traced.
    Failed(Errno),
}

/// A receive buffer, with the checked header of the last datagram.
#[derive(Debug)]
pub(crate) struct Inbox {
    frame: Frame,
    /// The header of the datagram in the frame; `None` if there is none or it was rejected.
    header: Option<Header>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { frame: Frame::new(), header: None }
    }

    /// The header of the last datagram; `None` if it was rejected.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Who sent the last datagram.
    pub(crate) fn peer(&self) -> &Peer {
        &self.frame.peer
    }

    /// The last datagram; `None` if it was rejected.
    pub(crate) fn arrived(&mut self) -> Option<Arrived<'_>> {
        let header = self.header.as_ref()?;
        let (bytes, peer, fds) = self.frame.parts();
        Some(Arrived { header, peer, bytes, fds })
    }

    /// Receives one datagram, which replaces the last, and checks it in the order of [`judge`]. One that
    /// is rejected loses its descriptors at once.
    pub(crate) fn receive(
        &mut self,
        socket: &Socket,
        wait: Wait,
        policy: &ReceivePolicy,
    ) -> Result<Arrived<'_>, Missed> {
        self.header = None;
        match self.take(socket, wait, policy.busy_poll) {
            Ok(Receipt::Datagram) => {}
            Ok(Receipt::End) => return Err(Missed::Closed),
            Err(Errno::AGAIN | Errno::INTR) => return Err(Missed::Nothing),
            Err(errno) => {
                if policy.counters.told.is_first(Cause::Receiving(errno)) {
                    tracing::warn!(%errno, "receiving failed; the same again is told at debug level");
                } else {
                    tracing::debug!(%errno, "receiving failed");
                }
                return Err(Missed::Failed(errno));
            }
        }
        let judged = judge(socket, &self.frame, policy).inspect_err(|_| self.close_fds())?;
        let header = self.header.insert(judged);
        let (bytes, peer, fds) = self.frame.parts();
        Ok(Arrived { header, peer, bytes, fds })
    }

    /// Closes the descriptors that nobody has taken.
    pub(crate) fn close_fds(&mut self) {
        if !self.frame.fds.is_empty() {
            drop(self.frame.fds.take());
        }
    }

    /// Tries without sleeping for up to `busy_poll`, then waits in the kernel. [`Wait::No`] tries once.
    fn take(&mut self, socket: &Socket, wait: Wait, busy_poll: Duration) -> Result<Receipt, Errno> {
        let left = match wait {
            _ if busy_poll.is_zero() => return socket.receive(&mut self.frame, wait),
            Wait::No => return socket.receive(&mut self.frame, wait),
            Wait::AtMost(time) => Some(time),
            Wait::Forever => None,
        };
        let start = Instant::now();
        let spinning = left.map_or(busy_poll, |left| left.min(busy_poll));
        loop {
            match socket.receive(&mut self.frame, Wait::No) {
                Err(Errno::AGAIN) if start.elapsed() < spinning => hint::spin_loop(),
                Err(Errno::AGAIN) => break,
                result => return result,
            }
        }
        let wait = left.map_or(Wait::Forever, |left| Wait::AtMost(left.saturating_sub(start.elapsed())));
        socket.receive(&mut self.frame, wait)
    }
}

/// Checks a datagram, counts it if it is rejected, and copies it to the monitors either way.
///
/// First whether its sender is trusted. Then whether descriptors were lost: the number that came
/// proves nothing then, so the header is parsed without comparing it, and tells the caller whom to
/// answer *ignore*. Last whether it is well-formed.
fn judge(socket: &Socket, frame: &Frame, policy: &ReceivePolicy) -> Result<Header, Missed> {
    let tap = &policy.look.tap;
    let reject = |reason: Rejection| {
        policy.counters.reject(reason);
        if tap.is_on() {
            tap.came(socket, frame, reason.code());
        }
        Missed::Rejected
    };
    if !policy.trust.allows(&frame.peer.credentials()) {
        return Err(reject(Rejection::Untrusted));
    }
    if frame.fds_lost {
        reject(Rejection::FdsLost);
        let header = Header::parse(frame.bytes(), None).map_err(|_| Missed::Rejected)?;
        return Err(Missed::FdsLost { header, from: frame.peer.address().cloned() });
    }
    let header =
        Header::parse(frame.bytes(), Some(frame.fds.len())).map_err(|malformed| reject(malformed.into()))?;
    if tap.is_on() {
        tap.came(socket, frame, 0);
    }
    Ok(header)
}
