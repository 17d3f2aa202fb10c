//! A service whose tests need no other process: `InProcess` is a group of a test's own.
//!
//! ```text
//! cargo run -p examples --bin unit_tested     says what there is
//! cargo test -p examples --bin unit_tested    runs the tests below
//! ```

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use mp_typed::{Builder, Message, Peer, Primary, Request, Response, StartError};

/// Tells that a port's link is up or down.
#[derive(Message)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    up: bool,
}

/// Asks how many links are up.
#[derive(Request)]
#[message(name = "links", response = Links)]
struct HowMany;

#[derive(Debug, PartialEq, Response)]
struct Links {
    up: u16,
    down: u16,
}

/// The service: it hears of links and tells how many are up.
///
/// It takes a builder, so that its user says where it is; a test says `in_process`.
fn serve(builder: Builder<Primary>) -> Result<Primary, StartError> {
    let ports = Arc::new(Mutex::new(BTreeMap::new()));
    let told = Arc::clone(&ports);
    builder
        .on(move |state: LinkState, _: &Peer| {
            told.lock().unwrap_or_else(PoisonError::into_inner).insert(state.port, state.up);
        })
        .serve(move |_: HowMany, _: &Peer| {
            let ports = ports.lock().unwrap_or_else(PoisonError::into_inner);
            let up = ports.values().filter(|up| **up).count();
            Links { up: up as u16, down: (ports.len() - up) as u16 }
        })
        .start()
}

fn main() -> Result<(), StartError> {
    let group = mp_typed::InProcess::new();
    let primary = serve(Primary::builder("packet-app").in_process(&group))?;
    println!("serving; its tests: cargo test -p examples --bin unit_tested");
    drop(primary);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mp_typed::{Client, InProcess};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The service, and somebody who talks to it, in a group that no other test has.
    fn service() -> (Primary, Client) {
        let group = InProcess::new();
        let primary = serve(Primary::builder("any").in_process(&group)).expect("nobody else is there");
        let client = Client::builder("any").in_process(&group).start().expect("it needs nothing");
        (primary, client)
    }

    #[test]
    fn without_links_none_is_up() {
        let (_primary, client) = service();
        assert_eq!(client.request(&HowMany, SECOND).expect("it answers"), Links { up: 0, down: 0 });
    }

    #[test]
    fn the_last_word_on_a_link_counts() {
        let (_primary, client) = service();
        for (port, up) in [(0, true), (1, true), (0, false)] {
            client.send(&LinkState { port, up }).expect("there is room");
        }
        assert_eq!(client.request(&HowMany, SECOND).expect("it answers"), Links { up: 1, down: 1 });
    }

    #[test]
    fn a_service_that_has_stopped_is_told_as_such() {
        let (primary, client) = service();
        drop(primary);
        let error = client.request(&HowMany, SECOND).expect_err("nobody is there");
        assert!(error.to_string().contains("no primary"), "{error}");
    }
}
