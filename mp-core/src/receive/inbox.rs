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
    receive::{Counters, Peer, Rejection, Trust},
    sys::{Address, Received, Socket, Wait},
    wire::{Kind, Layout, MAX_DATAGRAM, Message, Name, Param, Parsed, Tag},
};

/// What all receiving of a role shares.
#[derive(Debug, Clone)]
pub(crate) struct ReceivePolicy {
    pub(crate) trust: Trust,
    pub(crate) counters: Arc<Counters>,
    /// What others may see of the role.
    pub(crate) look: Arc<Look>,
    /// How long to spin for a datagram before sleeping.
    pub(crate) busy_poll: Duration,
}

/// A datagram that passed every check.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) kind: Kind,
    pub(crate) layout: Layout,
    pub(crate) message: Message,
    pub(crate) peer: Peer,
    pub(crate) tag: Option<Tag>,
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
    FdsLost { kind: Kind, layout: Layout, name: Name, tag: Option<Tag>, from: Option<Address> },
    /// The system is short of something; it has been traced.
    Failed(Errno),
}

/// A buffer to receive into, used again and again.
#[derive(Debug)]
pub(crate) struct Inbox {
    // One byte more than any layout, so that a longer datagram shows.
    buffer: [u8; MAX_DATAGRAM + 1],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { buffer: [0; MAX_DATAGRAM + 1] }
    }

    pub(crate) fn receive(
        &mut self,
        socket: &Socket,
        wait: Wait,
        policy: &ReceivePolicy,
    ) -> Result<Arrived, Missed> {
        let received = self.take(socket, wait, policy.busy_poll).map_err(|errno| match errno {
            Errno::AGAIN | Errno::INTR => Missed::Nothing,
            errno => {
                tracing::warn!(%errno, "receiving failed");
                Missed::Failed(errno)
            }
        })?;
        self.judge(socket, received, policy)
    }

    /// Spins first, if it may wait at all and is told to spin.
    fn take(&mut self, socket: &Socket, wait: Wait, busy_poll: Duration) -> Result<Received, Errno> {
        let left = match wait {
            _ if busy_poll.is_zero() => return socket.receive(&mut self.buffer, wait),
            Wait::No => return socket.receive(&mut self.buffer, wait),
            Wait::AtMost(time) => Some(time),
            Wait::Forever => None,
        };
        let start = Instant::now();
        let spinning = left.map_or(busy_poll, |left| left.min(busy_poll));
        loop {
            match socket.receive(&mut self.buffer, Wait::No) {
                Err(Errno::AGAIN) if start.elapsed() < spinning => hint::spin_loop(),
                Err(Errno::AGAIN) => break,
                result => return result,
            }
        }
        let wait = left.map_or(Wait::Forever, |left| Wait::AtMost(left.saturating_sub(start.elapsed())));
        socket.receive(&mut self.buffer, wait)
    }

    fn judge(&self, socket: &Socket, received: Received, policy: &ReceivePolicy) -> Result<Arrived, Missed> {
        let Received { len, fds, fds_lost, from, credentials } = received;
        // Every datagram has credentials: only the end of the socket has none.
        let Some(credentials) = credentials else { return Err(Missed::Closed) };
        let bytes = &self.buffer[..len];
        let observe = |rejected| {
            policy.look.tap.came(socket, (from.as_ref(), credentials), (bytes, rejected), &fds);
        };
        let reject = |reason: Rejection| {
            policy.counters.reject(reason);
            if policy.look.tap.is_on() {
                observe(reason.code());
            }
            Missed::Rejected
        };
        if !policy.trust.allows(&credentials) {
            return Err(reject(Rejection::Untrusted));
        }
        if fds_lost {
            reject(Rejection::FdsLost);
            return Err(match Parsed::parse(bytes, None) {
                Ok(Parsed { kind, layout, name, tag, .. }) => {
                    Missed::FdsLost { kind, layout, name, tag, from }
                }
                Err(_) => Missed::Rejected,
            });
        }
        let parsed = Parsed::parse(bytes, Some(fds.len())).map_err(|malformed| reject(malformed.into()))?;
        let param =
            Param::new(parsed.param).map_err(|_| reject(crate::wire::Malformed::ParamLength.into()))?;
        if policy.look.tap.is_on() {
            observe(0);
        }
        Ok(Arrived {
            kind: parsed.kind,
            layout: parsed.layout,
            message: Message {
                name: parsed.name,
                param,
                fds,
                fingerprint: parsed.tag.map_or(0, |tag| tag.fingerprint),
            },
            peer: Peer::new(from, credentials),
            tag: parsed.tag,
        })
    }
}
