//! Datagrams that `mpctl monitor --save` has saved, to be sent again. Decisions only.

use std::collections::BTreeSet;

use serde::Deserialize;

/// One of them, as it was saved; see [`Event`](super::Event).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Saved {
    pub(crate) time: f64,
    seen_by: Who,
    direction: String,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    peer: Who,
    pub(crate) hex: String,
    fds: Vec<serde_json::Value>,
    sequence: Option<u64>,
    pub(crate) after_us: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Who {
    pid: Option<u32>,
    socket: Option<String>,
}

/// What is sent again, and how it was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Again<'a> {
    pub(crate) saved: &'a Saved,
    pub(crate) answer: Option<&'a Saved>,
}

/// Why some are not sent again, and how many.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Descriptors were with them, which nobody has saved.
    pub(crate) with_fds: usize,
    /// They were for others than the primary.
    pub(crate) for_others: usize,
}

impl Saved {
    pub(crate) fn is_request(&self) -> bool {
        self.kind.as_deref() == Some("request")
    }

    fn is_sent_again(&self) -> bool {
        self.name.is_some() && matches!(self.kind.as_deref(), Some("request" | "message"))
    }

    /// Who got it.
    fn receiver(&self) -> &Who {
        if self.direction == "in" { &self.seen_by } else { &self.peer }
    }

    fn is_answer_to(&self, request: &Self) -> bool {
        matches!(self.kind.as_deref(), Some("reply" | "ignore"))
            && self.name == request.name
            && self.sequence == request.sequence
            && self.seen_by == request.seen_by
            && self.peer.socket == request.peer.socket
            && self.direction != request.direction
            && self.time >= request.time
    }
}

/// Those that are sent again, in order: each once, though two members may have seen it; to the
/// primary only those that it got, unless all go to one member.
pub(crate) fn again(all: &[Saved], to_one: bool) -> (Vec<Again<'_>>, LeftOut) {
    let seen: BTreeSet<_> = all.iter().filter_map(|saved| saved.seen_by.socket.as_deref()).collect();
    let is_seen = |who: &Who| who.socket.as_deref().is_some_and(|socket| seen.contains(socket));
    let mut left_out = LeftOut::default();
    let mut again = Vec::new();
    for (place, saved) in all.iter().enumerate().filter(|(_, saved)| saved.is_sent_again()) {
        // Whoever got it has saved it, too.
        if saved.direction == "out" && is_seen(&saved.peer) {
            continue;
        }
        let is_primary = |socket: &str| socket.rsplit('/').next() == Some("mp_socket");
        if !to_one && !saved.receiver().socket.as_deref().is_some_and(is_primary) {
            left_out.for_others += 1;
        } else if !saved.fds.is_empty() {
            left_out.with_fds += 1;
        } else {
            let answer = all[place..].iter().find(|other| other.is_answer_to(saved));
            again.push(Again { saved, answer });
        }
    }
    (again, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(text: &str) -> Saved {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn each_is_sent_again_once_with_its_answer_at_hand() {
        let all = [
            r#"{"time":1,"seen_by":{"socket":"/g/mp_socket_7_a"},"direction":"out","kind":"request","name":"open","peer":{"socket":"/g/mp_socket"},"hex":"01","sequence":5}"#,
            r#"{"time":2,"seen_by":{"socket":"/g/mp_socket"},"direction":"in","kind":"request","name":"open","peer":{"socket":"/g/mp_reply_7_f"},"hex":"01","sequence":5}"#,
            r#"{"time":3,"seen_by":{"socket":"/g/mp_socket"},"direction":"out","kind":"reply","name":"open","peer":{"socket":"/g/mp_reply_7_f"},"hex":"02","sequence":5,"after_us":9.5}"#,
            r#"{"time":4,"seen_by":{"socket":"/g/mp_socket"},"direction":"in","kind":"request","name":"map","peer":{"socket":"/g/mp_reply_7_f"},"hex":"","fds":[{}]}"#,
            r#"{"time":5,"seen_by":{"socket":"/g/mp_socket_7_a"},"direction":"in","kind":"message","name":"told","peer":{"socket":"/g/mp_socket"},"hex":"03"}"#,
            r#"{"time":6,"seen_by":{"socket":"/g/mp_socket"},"direction":"in","kind":null,"name":null,"hex":"ff"}"#,
        ]
        .map(saved);
        let (to_primary, left_out) = again(&all, false);
        assert_eq!(to_primary, [Again { saved: &all[1], answer: Some(&all[2]) }]);
        assert_eq!(left_out, LeftOut { with_fds: 1, for_others: 1 });
        let (to_one, left_out) = again(&all, true);
        assert_eq!(to_one.iter().map(|again| again.saved.time).collect::<Vec<_>>(), [2.0, 5.0]);
        assert_eq!(left_out, LeftOut { with_fds: 1, for_others: 0 });
    }
}
