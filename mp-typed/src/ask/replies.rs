//! What came back from all secondaries: responses decoded one by one, so that one which is no value
//! spoils no other.

use mp_core::{Member, Outcome, Peer};

use crate::{error::DecodeError, message::DecodeOwned, transcode::decode};

/// A response, and who sent it.
#[derive(Debug)]
pub struct Reply<R> {
    /// The decoded response.
    pub response: R,
    /// Its sender, as the kernel attests it.
    pub peer: Peer,
}

/// What came back from a request to all secondaries.
#[derive(Debug)]
#[doc(alias = "rte_mp_reply")]
pub struct Replies<R> {
    /// The responses, in the order they came.
    pub replies: Vec<Reply<R>>,
    /// Replies that are no value of the response type, and who sent them.
    pub undecodable: Vec<(Peer, DecodeError)>,
    /// Each secondary that was asked, and what became of it.
    pub outcomes: Vec<(Member, Outcome)>,
    sent: usize,
}

impl<R> Replies<R> {
    /// How many secondaries got the request and did not ask to be ignored (`nb_sent`).
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// How many replied (`nb_received`), whether or not the reply could be decoded.
    #[must_use]
    pub fn received(&self) -> usize {
        self.replies.len() + self.undecodable.len()
    }
}

impl<R: DecodeOwned> Replies<R> {
    pub(super) fn decode(replies: mp_core::Replies) -> Self {
        let sent = replies.sent();
        let mut this =
            Self { replies: Vec::new(), undecodable: Vec::new(), outcomes: replies.outcomes, sent };
        for mp_core::Reply { message, peer } in replies.replies {
            match decode(&message.param, message.fds) {
                Ok(response) => this.replies.push(Reply { response, peer }),
                Err(error) => this.undecodable.push((peer, error)),
            }
        }
        this
    }
}
