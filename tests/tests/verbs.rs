//! The verbs: the same for every role, handle and member.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::{sync::mpsc::channel, thread, time::Duration};

use mp_core::{Client, Member, Message, MessageRef, Name, Outcome, Primary, Secondary, SendError};
use pollster::block_on;
use tests::{Group, Lie, RawSocket, WITHIN, group};

const LONG: Duration = Duration::from_secs(60);
const ECHO: Name = Name::from_static("echo");
const NOTE: Name = Name::from_static("note");

/// Asks one member in every way there is.
macro_rules! assert_answers {
    ($asks:expr, $member:expr) => {{
        let asks = $asks;
        let one = asks.to($member);
        let echo = Message::new(ECHO).with_param("hi").unwrap();
        one.send(&echo).unwrap();
        one.within(Duration::ZERO).send(&echo).unwrap();
        // What `within` returns keeps nothing of what `to` returned.
        let kept = asks.to($member).within(LONG);
        kept.send(&echo).and(kept.send(&echo)).unwrap();
        let reply = one.request(&echo, LONG).unwrap();
        assert_eq!((&*reply.message.param, Some(reply.peer.pid())), (&b"hi"[..], $member.pid()));
        assert_eq!(&*block_on(one.request_async(&echo, LONG)).unwrap().message.param, b"hi");
        let (sender, called) = channel();
        one.request_then(&echo, LONG, move |_, reply| sender.send(reply.unwrap().message.param).unwrap());
        assert_eq!(&*called.recv_timeout(WITHIN).unwrap(), b"hi");
    }};
}

fn members(group: &Group) -> Vec<Member> {
    Client::builder("mp-verbs").runtime_dir(group.path()).start().unwrap().members().unwrap()
}

#[test]
fn any_process_asks_any_member_with_a_primary_or_without() {
    let group = group!();
    let other = group.secondary();
    let client = Client::builder("mp-verbs").runtime_dir(group.path()).start().unwrap();
    let secondary = Secondary::builder("mp-verbs").runtime_dir(group.path()).start().unwrap();
    let members = client.members().unwrap();
    let member = members.iter().find(|member| member.pid() == Some(other.pid())).unwrap();
    assert_eq!(secondary.members().unwrap(), members);
    assert_eq!(secondary.handle().members().unwrap(), members);
    assert_answers!(&client, member);
    assert_answers!(&secondary, member);
    assert_answers!(secondary.handle(), member);

    let primary = Primary::builder("mp-verbs").runtime_dir(group.path()).start().unwrap();
    assert_eq!(primary.members().unwrap(), members);
    assert_answers!(&primary, member);
    assert_answers!(primary.handle(), member);
    assert_answers!(&client, member);
}

#[test]
fn a_secondary_may_ask_itself_and_from_inside_a_handler_another() {
    let group = group!();
    let builder = Secondary::builder("mp-verbs").runtime_dir(group.path());
    let handle = builder.handle();
    let first = builder
        .serve(NOTE, move |request| {
            let param = request.param();
            let members = handle.members().expect("it can be listed");
            let echoed = members.iter().map(|member| {
                let echo = MessageRef::new(&ECHO, param, &[]).expect("it fits");
                handle.to(member).request(echo, LONG).expect("it echoes").message.param.to_vec()
            });
            let _ = request.reply(&echoed.flatten().collect::<Vec<_>>(), &[]);
        })
        .serve(ECHO, |request| {
            let param = request.param();
            let _ = request.reply(param, &[]);
        })
        .start()
        .unwrap();
    let _other = group.secondary();
    let own = first.members().unwrap().into_iter().find(|member| member.address() == first.address());
    let note = Message::new(NOTE).with_param("x").unwrap();
    assert_eq!(&*first.to(&own.unwrap()).request(&note, LONG).unwrap().message.param, b"xx");
}

#[test]
fn a_deadline_of_its_own_takes_the_place_of_the_builders() {
    let group = group!();
    let stuck = group.secondary();
    stuck.pause();
    let (member, filler) = (members(&group).remove(0), RawSocket::unbound());
    while filler.try_send(member.address().path(), &Lie::message("note", b"").bytes()).is_ok() {}
    let primary = Primary::builder("mp-verbs").runtime_dir(group.path()).send_timeout(LONG).start().unwrap();
    let note = Message::new(NOTE);
    let short = Duration::from_millis(10);
    let full = |sent: Result<(), SendError>, timeout: Duration| match sent {
        Err(SendError::QueueFull { timeout: told }) => assert_eq!(told, timeout),
        sent => panic!("{sent:?}"),
    };
    full(primary.to(&member).within(Duration::ZERO).send(&note), Duration::ZERO);
    full(primary.to(&member).within(short).send(&note), short);
    let all = primary.within(short).send(&note).unwrap();
    assert_eq!(all.outcomes, [(member.clone(), Outcome::QueueFull)]);

    // The builder's holds where none is given.
    let sending = thread::spawn(move || primary.to(&member).send(&note));
    stuck.resume();
    assert!(sending.join().unwrap().is_ok());
}

#[test]
fn members_of_a_group_that_is_not_there_are_an_absent_directory() {
    let group = group!();
    let nowhere = group.path().join("nowhere");
    let client = Client::builder("mp-verbs").runtime_dir(nowhere).start().unwrap();
    assert!(client.members().unwrap_err().is_absent());
    assert!(client.watch().unwrap_err().is_absent());
}
