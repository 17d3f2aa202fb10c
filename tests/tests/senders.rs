//! Whose a datagram is: which member sent it, however many are in one process, and which primary answered.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use mp_typed::{Client, Member, Message, Peer, Primary, Request, Response, Secondary};
use pollster::block_on;
use tests::{Group, Lie, RawSocket, WITHIN, group};

#[derive(Response, PartialEq, Debug)]
struct Number(u32);

#[derive(Message)]
#[message(name = "hello")]
struct Hello(u32);

#[derive(Message)]
#[message(name = "welcome")]
struct Welcome(u32);

#[derive(Request)]
#[message(name = "who_am_i", response = Number)]
struct WhoAmI(u32);

/// What every process of the tests answers.
#[derive(Request)]
#[message(name = "echo", response = Number)]
struct Echo(u32);

/// A primary that tells what it takes each sender for: the number that was sent, and the member.
fn primary(group: &Group) -> (Primary, Receiver<(u32, Option<Member>)>) {
    let (told, senders) = channel();
    let builder = Primary::builder("any").runtime_dir(group.path());
    let (on, serve, tell) = (builder.handle(), builder.handle(), told.clone());
    let primary = builder
        .on(move |hello: Hello, peer: &Peer| {
            let member = on.member_of(peer);
            if let Some(member) = &member {
                on.to(member).send(&Welcome(hello.0)).unwrap();
            }
            told.send((hello.0, member)).unwrap();
        })
        .serve(move |who: WhoAmI, peer: &Peer| {
            tell.send((who.0, serve.member_of(peer))).unwrap();
            Number(who.0)
        })
        .start()
        .unwrap();
    (primary, senders)
}

#[test]
fn every_message_and_request_is_told_from_the_others_of_its_process() {
    let group = group!();
    let (_primary, senders) = primary(&group);
    let (told, welcomed) = channel();
    let secondaries: Vec<_> = (0..5)
        .map(|number| {
            let told = told.clone();
            Secondary::builder("any")
                .runtime_dir(group.path())
                .on(move |welcome: Welcome, _: &Peer| told.send((number, welcome.0)).unwrap())
                .start()
                .unwrap()
        })
        .collect();
    let client = Client::builder("any").runtime_dir(group.path()).start().unwrap();
    // The reply sockets of each are used again and again, and by several requests at once.
    for _ in 0..3 {
        for (number, secondary) in (0..).zip(&secondaries) {
            let is_it = |(told, member): (u32, Option<Member>)| {
                assert_eq!(told, number);
                assert_eq!(member.as_ref().map(Member::address), Some(secondary.address()), "{number}");
            };
            secondary.send(&Hello(number)).unwrap();
            is_it(senders.recv_timeout(WITHIN).unwrap());
            assert_eq!(
                welcomed.recv_timeout(WITHIN).unwrap(),
                (number, number),
                "a welcome went to the wrong one"
            );
            let (one, other) = (WhoAmI(number), WhoAmI(number));
            let under_way = secondary.handle().request_async(&one, WITHIN);
            assert_eq!(secondary.request(&other, WITHIN).unwrap(), Number(number));
            assert_eq!(block_on(under_way).unwrap(), Number(number));
            is_it(senders.recv_timeout(WITHIN).unwrap());
            is_it(senders.recv_timeout(WITHIN).unwrap());
        }
        client.send(&Hello(99)).unwrap();
        assert_eq!(senders.recv_timeout(WITHIN).unwrap(), (99, None), "a client is no member");
        client.request(&WhoAmI(98), WITHIN).unwrap();
        assert_eq!(senders.recv_timeout(WITHIN).unwrap(), (98, None));
    }
}

#[test]
fn a_member_in_c_is_known_by_its_socket_and_a_liar_by_its_process() {
    let group = group!();
    let (primary, senders) = primary(&group);
    let other = group.secondary();
    let members = primary.members().unwrap();
    let [member] = &members[..] else { panic!("{members:?}") };
    let hello = |from: &RawSocket, number: u32| {
        from.send(&group.join("mp_socket"), &Lie::message("hello", &number.to_le_bytes()).bytes());
        senders.recv_timeout(WITHIN).unwrap()
    };
    // As a C process does: from the socket it is bound at.
    let own = format!("mp_socket_{}_7f", std::process::id());
    let as_c = RawSocket::bound(&group.join(&own));
    let (number, sender) = hello(&as_c, 1);
    assert_eq!(
        (number, sender.map(|sender| sender.address().path().to_owned())),
        (1, Some(group.join(&own)))
    );
    // Under a name that would be the other's: the kernel knows better.
    let name = member.to_string();
    let number = u64::from_str_radix(name.rsplit_once('_').unwrap().1, 16).unwrap() + 1;
    let liar = RawSocket::bound(&group.join(&format!("mp_reply_{}_{number:x}", other.pid())));
    assert_eq!(hello(&liar, 2), (2, None));
}

#[test]
fn a_reply_tells_one_primary_from_the_next() {
    let group = group!();
    let client = Client::builder("any").runtime_dir(group.path()).start().unwrap();
    let secondary = Secondary::builder("any").runtime_dir(group.path()).start().unwrap();
    let (first, _senders) = primary(&group);
    let reply = client.with_peer().request(&WhoAmI(1), WITHIN).unwrap();
    assert_eq!((reply.response, reply.peer.pid()), (Number(1), std::process::id()));
    let reply = block_on(secondary.with_peer().request_async(&WhoAmI(2), WITHIN)).unwrap();
    assert_eq!((reply.response, reply.peer.pid()), (Number(2), std::process::id()));
    assert!(first.stop(WITHIN));

    let next = group.primary();
    let (told, replies) = channel();
    client.with_peer().request_then(Echo(3), WITHIN, move |_, reply| told.send(reply.unwrap()).unwrap());
    let reply = replies.recv_timeout(WITHIN).unwrap();
    assert_eq!((reply.response, reply.peer.pid()), (Number(3), next.pid()));
    let members = client.members().unwrap();
    let member = members.iter().find(|member| member.address() == secondary.address()).unwrap();
    assert!(
        client.to(member).with_peer().request(&WhoAmI(4), Duration::from_millis(200)).is_err(),
        "no such action"
    );
}
