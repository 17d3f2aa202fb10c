//! `--match name=..,kind=..,peer=..`: which datagrams are wanted.

use std::str::FromStr;

use super::Event;

/// The names of kinds.
const KINDS: [&str; 4] = ["message", "request", "reply", "ignore"];

/// Which datagrams are wanted: those that fit one of each sort that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matching {
    names: Vec<String>,
    kinds: Vec<String>,
    peers: Vec<String>,
}

/// What is wrong with a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MatchingError {
    NoPair(String),
    Key(String),
    Kind(String),
}

impl std::error::Error for MatchingError {}

impl std::fmt::Display for MatchingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPair(word) => write!(f, "{word:?} is no match; write name=.., kind=.. or peer=.."),
            Self::Key(key) => write!(f, "{key:?} is nothing to match; match name, kind or peer"),
            Self::Kind(kind) => write!(f, "{kind:?} is no kind; write {}", KINDS.join(", ")),
        }
    }
}

impl FromStr for Matching {
    type Err = MatchingError;

    fn from_str(text: &str) -> Result<Self, MatchingError> {
        let mut matching = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let (key, value) = word.split_once('=').ok_or_else(|| MatchingError::NoPair(word.to_owned()))?;
            let value = value.to_owned();
            match key {
                "name" => matching.names.push(value),
                "kind" if !KINDS.contains(&value.as_str()) => return Err(MatchingError::Kind(value)),
                "kind" => matching.kinds.push(value),
                "peer" => matching.peers.push(value),
                _ => return Err(MatchingError::Key(key.to_owned())),
            }
        }
        Ok(matching)
    }
}

impl FromIterator<Self> for Matching {
    /// All of them as one.
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |mut sum, one| {
            sum.names.extend(one.names);
            sum.kinds.extend(one.kinds);
            sum.peers.extend(one.peers);
            sum
        })
    }
}

impl Matching {
    /// The one name that members need to send copies of; `None` if there are several, or any.
    pub(crate) fn only_name(&self) -> Option<&str> {
        match &self.names[..] {
            [name] => Some(name),
            _ => None,
        }
    }

    pub(crate) fn wants(&self, event: &Event) -> bool {
        let is_own = |name: &str| name.starts_with("mp.");
        let name = match (&event.name, &self.names[..]) {
            // What monitors and the like ask members themselves is shown to who asks for it.
            (Some(name), []) => !is_own(name),
            (None, []) => true,
            (Some(name), names) => names.iter().any(|wanted| fits(wanted, name)),
            (None, _) => false,
        };
        let kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| Some(kind.as_str()) == event.kind);
        let peer = self.peers.is_empty()
            || self.peers.iter().any(|peer| event.seen_by.is(peer) || event.peer.is(peer));
        name && kind && peer
    }
}

/// `*` at the end stands for anything.
fn fits(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Party, *};

    fn event(kind: &'static str, name: &str, by: u32, peer: u32) -> Event {
        let party = |pid: u32| Party { pid: Some(pid), socket: Some(format!("/g/mp_socket_{pid}_a")) };
        Event {
            kind: Some(kind),
            name: Some(name.into()),
            seen_by: party(by),
            peer: party(peer),
            ..Event::default()
        }
    }

    fn wants(matching: &str, event: &Event) -> bool {
        matching.parse::<Matching>().expect(matching).wants(event)
    }

    #[test]
    fn one_of_each_sort_that_is_given_must_fit() {
        let request = event("request", "ring_open", 7, 9);
        for fitting in [
            "",
            "name=ring_open",
            "name=ring_*",
            "name=x,name=ring_open",
            "kind=request",
            "peer=7",
            "peer=9",
            "peer=mp_socket_9_a",
            "name=ring_open, kind=reply, kind=request, peer=9",
        ] {
            assert!(wants(fitting, &request), "{fitting}");
        }
        for other in ["name=ring", "name=*_open", "kind=reply", "peer=8", "name=ring_open,kind=message"] {
            assert!(!wants(other, &request), "{other}");
        }
    }

    #[test]
    fn what_is_asked_of_members_themselves_is_shown_when_asked_for() {
        let own = event("request", "mp.status", 7, 9);
        assert!(!wants("", &own) && !wants("kind=request", &own));
        assert!(wants("name=mp.*", &own));
        let malformed = Event { kind: None, name: None, ..own };
        assert!(wants("", &malformed) && !wants("name=x", &malformed) && !wants("kind=request", &malformed));
    }

    #[test]
    fn what_is_wrong_with_a_match_is_told() {
        let told = |text: &str| text.parse::<Matching>().expect_err(text).to_string();
        assert!(told("ring").starts_with("\"ring\" is no match; write name="));
        assert!(told("port=7").starts_with("\"port\" is nothing to match"));
        assert_eq!(told("kind=answer"), "\"answer\" is no kind; write message, request, reply, ignore");
    }
}
