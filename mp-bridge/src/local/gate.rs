//! What local processes send and ask passes here, on the threads that receive it: what cannot
//! leave the host is answered at once, and the rest goes to the bridge's loop.

use std::sync::Arc;

use mp_core::{Arrival, Reason};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::{Arrived, parts};
use crate::{
    counters::Counters,
    frame::Content,
    names::{Names, denied, descriptors},
};

/// To whom a local process sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The stand-in of a member.
    StandIn { session: u64, member: u64 },
    /// This bridge, as the host's primary.
    Primary { generation: u64 },
}

#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) names: Names,
    pub(crate) counters: Arc<Counters>,
    pub(crate) arrivals: Sender<Arrived>,
}

impl Gate {
    pub(crate) fn arrived(&self, at: At, arrival: Arrival<'_>) {
        let (message, responder) = parts(arrival);
        let name = message.name;
        // DPDK asks its secondaries for what concerns its own memory and devices.
        if responder.is_some() && name.is_dpdks() && matches!(at, At::StandIn { .. }) {
            self.counters.dpdk.add();
            responder.into_iter().for_each(|responder| responder.ignore(Reason::NoAction));
        } else if !self.names.pass(&name) {
            self.counters.denied.add();
            tracing::debug!(%name, "its name may not leave the host");
            responder.into_iter().for_each(|responder| responder.ignore(denied()));
        } else if !message.fds.is_empty() {
            self.counters.descriptors.add();
            tracing::debug!(%name, "descriptors cannot leave the host");
            responder.into_iter().for_each(|responder| responder.ignore(descriptors()));
        } else {
            self.hand_on(Arrived { at, content: Content::of(&message), responder });
        }
    }

    fn hand_on(&self, arrived: Arrived) {
        let Err(TrySendError::Full(arrived) | TrySendError::Closed(arrived)) =
            self.arrivals.try_send(arrived)
        else {
            return;
        };
        match arrived.responder {
            Some(responder) => {
                self.counters.refused.add();
                responder.ignore(Reason::Overloaded);
            }
            None => self.counters.dropped.add(),
        }
    }
}
