//! What members have told of their actions, and which definition a datagram is to be read by. No I/O.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Event, Party, event::name_of};
use crate::{
    schema::{Body, Definition, Description, noted, read},
    show::plain,
};

/// The definitions of the members that are seen, by their sockets' names: a directory may be spelled in
/// several ways.
#[derive(Debug, Default)]
pub(crate) struct Definitions(BTreeMap<String, BTreeMap<String, Definition>>);

/// What a datagram says by its definition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) value: Value,
    /// The same in Rust-like notation.
    pub(crate) noted: String,
}

impl Definitions {
    /// Keeps what a member tells, in place of what was told by who was there before.
    pub(crate) fn tell(&mut self, member: &Party, told: Description) {
        let Some(socket) = &member.socket else { return };
        let typed = told.actions.into_iter().filter_map(|action| Some((action.name, action.definition?)));
        self.0.insert(name_of(socket).to_owned(), typed.collect());
    }

    /// Forgets a member that has gone, or that does not tell.
    pub(crate) fn forget(&mut self, member: &Party) {
        if let Some(socket) = &member.socket {
            self.0.remove(name_of(socket));
        }
    }

    /// What a datagram says; `None` if nobody tells its definition, and why if it is not as that has it.
    pub(crate) fn decode(&self, event: &Event) -> Option<Result<Decoded, String>> {
        let is_answer = match event.kind? {
            "message" | "request" => false,
            "reply" => true,
            // What an "ignore" says is no response.
            _ => return None,
        };
        let receiver = receiver(event, is_answer);
        let definition = match self.definition(receiver, event.name.as_deref()?, event.fingerprint)? {
            Ok(definition) => definition,
            Err(why) => return Some(Err(why)),
        };
        let body = if is_answer { definition.response.as_ref()? } else { &definition.body };
        Some(decode(body, event))
    }

    /// The receiver's definition; where the sender's is another one, or the receiver tells none,
    /// anybody's that is the sender's.
    fn definition(
        &self,
        receiver: &Party,
        name: &str,
        fingerprint: u64,
    ) -> Option<Result<&Definition, String>> {
        let receivers = receiver.socket.as_deref().and_then(|socket| self.0.get(name_of(socket))?.get(name));
        if let Some(own) =
            receivers.filter(|own| [own.fingerprint, 0].contains(&fingerprint) || own.fingerprint == 0)
        {
            return Some(Ok(own));
        }
        let same = |of: &&Definition| fingerprint != 0 && of.fingerprint == fingerprint;
        let anybodys = self.0.values().filter_map(|actions| actions.get(name)).find(same);
        anybodys.map(Ok).or_else(|| {
            receivers.map(|own| {
                let own = own.fingerprint;
                Err(format!("its definition, {fingerprint:016x}, is not the receiver's, {own:016x}, and nobody tells it"))
            })
        })
    }
}

/// Who gets it; of an answer, who got the request.
fn receiver(event: &Event, is_answer: bool) -> &Party {
    if (event.direction == "in") == is_answer { &event.peer } else { &event.seen_by }
}

fn decode(body: &Body, event: &Event) -> Result<Decoded, String> {
    let mut fd = |_: &str, index: usize| json!(event.fds.get(index));
    match read(body, &event.param, event.fds.len(), &mut fd) {
        Ok(value) => Ok(Decoded { noted: plain(&noted(body, &value)), value }),
        Err(fault) => Err(format!("it is no {}: {fault}", body.ty)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Told;

    fn party(socket: &str) -> Party {
        Party { pid: None, socket: Some(socket.to_owned()) }
    }

    /// An action `open` of this fingerprint, which takes one field and answers its number.
    fn told(fingerprint: u64, field: &str) -> Description {
        let text = format!(
            r#"{{"actions":[{{"name":"open","kind":"request","fingerprint":"{fingerprint:016x}",
                "body":{{"struct":"Open","max":2,"fds":0,"fields":[{{"name":"{field}","type":"u16","max":2}}]}},
                "response":{{"struct":"Opened","max":1,"fds":0,"fields":[{{"name":"number","type":"u8","max":1}}]}}}},
                {{"name":"raw","kind":"any"}}]}}"#
        );
        Description::try_from(Told(&text)).expect("it is understood")
    }

    fn event(direction: &'static str, kind: &'static str, peer: &str, fingerprint: u64) -> Event {
        Event {
            seen_by: party("/g/mp_socket"),
            peer: party(peer),
            direction,
            kind: Some(kind),
            name: Some("open".to_owned()),
            param: if kind == "reply" { vec![9] } else { vec![7, 0] },
            fingerprint,
            ..Event::default()
        }
    }

    fn decoded(definitions: &Definitions, event: &Event) -> Option<Result<String, String>> {
        Some(definitions.decode(event)?.map(|decoded| decoded.noted))
    }

    fn both() -> Definitions {
        let mut definitions = Definitions::default();
        definitions.tell(&party("/g/mp_socket"), told(1, "port"));
        definitions.tell(&party("/g/mp_socket_7_a"), told(2, "queue"));
        definitions
    }

    #[test]
    fn a_request_is_read_by_its_receivers_definition_and_an_answer_by_that_of_who_was_asked() {
        let both = both();
        let noted = |event: &Event| decoded(&both, event).expect("it is told").expect("it fits");
        assert_eq!(noted(&event("in", "request", "/g/mp_reply_9_a", 1)), "Open { port: 7 }");
        assert_eq!(noted(&event("in", "request", "/g/mp_reply_9_a", 0)), "Open { port: 7 }", "from C");
        assert_eq!(noted(&event("out", "request", "/link/mp_socket_7_a", 2)), "Open { queue: 7 }");
        assert_eq!(noted(&event("out", "reply", "/g/mp_reply_9_a", 1)), "Opened { number: 9 }");
        assert_eq!(noted(&event("in", "reply", "/g/mp_socket_7_a", 2)), "Opened { number: 9 }");
        assert_eq!(decoded(&both, &event("out", "ignore", "/g/mp_reply_9_a", 1)), None);
    }

    #[test]
    fn a_sender_with_another_definition_is_read_by_whoever_tells_that_one() {
        let mut both = both();
        let other = event("in", "request", "/g/mp_reply_9_a", 2);
        assert_eq!(decoded(&both, &other), Some(Ok("Open { queue: 7 }".to_owned())));
        let silent = event("out", "request", "/g/mp_socket_8_c", 2);
        assert_eq!(decoded(&both, &silent), Some(Ok("Open { queue: 7 }".to_owned())));
        assert_eq!(decoded(&both, &Event { fingerprint: 0, ..silent }), None);
        both.forget(&party("/g/mp_socket_7_a"));
        let why = decoded(&both, &other).expect("there is one").expect_err("nobody tells it");
        assert!(why.contains("0000000000000002, is not the receiver's, 0000000000000001"), "{why}");
    }

    #[test]
    fn what_does_not_fit_and_what_nobody_tells_are_two_things() {
        let both = both();
        let long = Event { param: vec![7; 3], ..event("in", "request", "/g/mp_reply_9_a", 1) };
        let why = decoded(&both, &long).expect("it is told").expect_err("it does not fit");
        assert_eq!(why, "it is no Open: 1 bytes of the payload are left over");
        let raw = Event { name: Some("raw".to_owned()), ..long };
        assert_eq!(decoded(&both, &raw), None);
    }
}
