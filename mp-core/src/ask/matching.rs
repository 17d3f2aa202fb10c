//! Which answers count for which request: a decision without I/O.
//!
//! DPDK matches an answer by its sender and its name; but a late or a second answer to an earlier
//! request has the same. Peers that use this crate put the request's tag into the answer, which
//! therefore counts for no other request. Once a peer has shown that it knows tags, its answers
//! without one do not count.
//!
//! What a peer without tags (a C process) can still do is said at the top of this crate's
//! documentation: answer twice, the second time only after the reply socket has been emptied and
//! taken by the next request of that name.
//!
//! One action of a C peer may send back the bytes that it got, with the tag in them, while another
//! writes its answer anew, without. So a tag that came back as it was does not show that the peer
//! knows tags; one that an answerer wrote does, which its magic number tells.

use crate::wire::{Header, Kind, Name, Origin, Tag};

/// What tells a request from every other of this requester.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestId {
    name: Name,
    /// `None` if the name leaves no room for it.
    tag: Option<Tag>,
}

/// What a datagram is to a request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its answer.
    Counts,
    /// An answer, the first or one more, to an earlier request.
    Late,
    /// No answer, or one under another name.
    Unexpected,
}

impl RequestId {
    pub(super) fn new(name: &Name, sequence: u64, fingerprint: u64) -> Self {
        Self { name: *name, tag: Tag::of_request(name, sequence, fingerprint) }
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    pub(super) fn tag(&self) -> Option<Tag> {
        self.tag
    }

    /// What a datagram from a peer that was asked is to this request. `knows_tags` tells whether
    /// that peer has shown so before.
    pub(super) fn verdict(&self, datagram: &Header, knows_tags: bool) -> Verdict {
        if !matches!(datagram.kind, Kind::Reply | Kind::Ignore) || datagram.name != self.name {
            return Verdict::Unexpected;
        }
        match (self.tag, datagram.tag) {
            (Some(asked), Some(answered)) if asked.sequence == answered.sequence => Verdict::Counts,
            (Some(_), Some(_)) => Verdict::Late,
            (Some(_), None) if knows_tags => Verdict::Late,
            (_, None) | (None, _) => Verdict::Counts,
        }
    }
}

/// Whether a datagram with this tag comes from a peer that knows tags, rather than from one that
/// sends back what it got.
pub(super) fn shows_knowledge(tag: Option<Tag>) -> bool {
    tag.is_some_and(|tag| tag.origin == Origin::Answerer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Datagram, Layout};

    const ECHO: Name = Name::from_static("echo");

    fn datagram(kind: Kind, name: &Name, tag: Option<Tag>) -> Header {
        let datagram = Datagram::new(Layout::OLDEST, kind, name, &[], 0, tag);
        Header::parse(datagram.as_bytes(), Some(0)).expect("well-formed")
    }

    fn verdict(request: &RequestId, tag: Option<Tag>, knows_tags: bool) -> Verdict {
        request.verdict(&datagram(Kind::Reply, &ECHO, tag), knows_tags)
    }

    #[test]
    fn an_answer_with_a_tag_counts_for_its_own_request_only() {
        let (first, second) = (RequestId::new(&ECHO, 1, 0), RequestId::new(&ECHO, 2, 0));
        for knows_tags in [false, true] {
            for answer in [first.tag(), first.tag().map(Tag::answering)] {
                assert_eq!(verdict(&first, answer, knows_tags), Verdict::Counts);
                assert_eq!(verdict(&second, answer, knows_tags), Verdict::Late);
            }
        }
    }

    #[test]
    fn an_answer_without_a_tag_counts_only_from_a_peer_that_never_had_one() {
        let request = RequestId::new(&ECHO, 1, 0);
        assert_eq!(verdict(&request, None, false), Verdict::Counts);
        assert_eq!(verdict(&request, None, true), Verdict::Late);
    }

    #[test]
    fn a_name_without_room_for_a_tag_is_answered_without_one() {
        let name = Name::new("n".repeat(40)).expect("valid");
        let request = RequestId::new(&name, 1, 0);
        assert_eq!(request.tag(), None);
        for knows_tags in [false, true] {
            assert_eq!(request.verdict(&datagram(Kind::Ignore, &name, None), knows_tags), Verdict::Counts);
        }
    }

    #[test]
    fn only_a_reply_or_an_ignore_of_its_name_answers_a_request() {
        let request = RequestId::new(&ECHO, 1, 0);
        for kind in [Kind::Message, Kind::Request] {
            assert_eq!(request.verdict(&datagram(kind, &ECHO, request.tag()), false), Verdict::Unexpected);
        }
        let other = Name::from_static("other");
        assert_eq!(request.verdict(&datagram(Kind::Reply, &other, None), false), Verdict::Unexpected);
    }

    #[test]
    fn a_peer_that_sends_back_what_it_got_has_not_shown_that_it_knows_tags() {
        let tag = RequestId::new(&ECHO, 1, 0).tag();
        assert!(!shows_knowledge(None) && !shows_knowledge(tag));
        assert!(shows_knowledge(tag.map(Tag::answering)));
    }
}
