//! Both layouts, byte by byte: what each kind of process sends, against datagrams written down from the documentation,
//! and what it makes of them when it receives them.
#![cfg(feature = "dpdk")]

use std::{ops::Range, os::fd::AsFd, time::Duration};

use tests::dpdk::{
    Golden, Group, Hand, Handed, Kind, LAYOUTS, Layout, Memory, Mode, Process, Role,
    exchange::{self, Unknown},
};

const SECOND: Duration = Duration::from_secs(1);

/// What fills the unused bytes of the test's own datagrams, as it might be with a C peer.
const GARBAGE: u8 = 0xa5;

const LONGEST_NAME: &str = "a_name_of_63_bytes_which_is_the_longest_that_fits_with_its_NUL!";

fn rust(group: &Group, role: Role) -> Process {
    group.rust(role, env!("CARGO_BIN_EXE_rust_peer")).start()
}

/// A group as the last DPDK of one layout, or the first of the other, leaves it.
fn group(layout: Layout) -> Group {
    let group = Group::without_dpdk(layout);
    group.write_config(
        25,
        match layout {
            Layout::Bytes332 => 7,
            Layout::Bytes340 => 11,
            other => panic!("say here which DPDK begins {other:?}"),
        },
    );
    group
}

/// Every combination worth sending: the shortest, the longest, and one between.
fn contents() -> [(&'static str, Vec<u8>, u32); 3] {
    [("n", vec![], 0), ("told", vec![1, 2, 3], 1), (LONGEST_NAME, (0..=255).collect(), 8)]
}

/// Where a request's tag is in the name field, behind the NUL, if there is room; how it begins.
const TAG: Range<usize> = 40..64;
const ASKING: u32 = 0x6d70_0a51;

/// The param of an *ignore* of ours where there is no action: "why", version 1, code 1, no text, checksum.
const NO_ACTION: &[u8] = &[b'w', b'h', b'y', 1, 1, 0, 209, 204, 195, 113];

/// Rust processes leave nothing to chance: what is unused is zero. C peers do not look at a request's tag.
fn assert_exact(golden: &Golden<'_>, handed: &Handed, layout: Layout) {
    let mut bytes = handed.bytes.clone();
    if matches!(golden.kind, Kind::Request) && golden.name.len() < TAG.start {
        let name_at = if layout == Layout::Bytes340 { 8 } else { 4 };
        let tag = &mut bytes[name_at + TAG.start..name_at + TAG.end];
        assert_eq!(tag[..4], ASKING.to_ne_bytes(), "a request says that it knows tags");
        tag.fill(0);
    }
    assert_eq!(bytes, golden.bytes(layout, 0));
    assert_eq!(handed.fds.len(), golden.fds as usize);
}

#[test]
fn a_rust_client_sends_messages_and_requests() {
    for layout in LAYOUTS {
        let group = group(layout);
        let primary = Hand::bind(&group, "mp_socket");
        let client = rust(&group, Role::Client);
        for (name, param, fds) in contents() {
            let golden = Golden { kind: Kind::Message, name, param: &param, fds };
            client.send(name, &param, fds as usize).expect("there is a primary");
            assert_exact(&golden, &primary.receive(), layout);

            client.request_begin(name, &param, fds as usize, 10 * SECOND);
            let request = primary.receive();
            assert_exact(&Golden { kind: Kind::Request, ..golden }, &request, layout);
            let reply = Golden { kind: Kind::Reply, ..golden }.bytes(layout, GARBAGE);
            primary.send(&request.from, &reply, &request.fds.iter().map(AsFd::as_fd).collect::<Vec<_>>());
            let requested = client.request_end(10 * SECOND).expect("a reply");
            assert_eq!(requested.replies, [requested.request.expect("it was sent")]);

            client.request_begin(name, &param, 0, 10 * SECOND);
            let request = primary.receive();
            let ignore = Golden { kind: Kind::Ignore, name, param: &[], fds: 0 }.bytes(layout, GARBAGE);
            primary.send(&request.from, &ignore, &[]);
            let requested =
                client.request_end(10 * SECOND).expect("being ignored is no error of the test's peer");
            assert_eq!((requested.sent, requested.received), (0, 0));
        }
        client.quit();
    }
}

#[test]
fn rust_members_answer_requests_and_take_messages() {
    for layout in LAYOUTS {
        for role in [Role::Secondary, Role::Primary] {
            let group = group(layout);
            let member = rust(&group, role);
            let socket = member.socket().expect("it is a member");
            let socket =
                socket.file_name().and_then(|name| name.to_str()).expect("a name of DPDK's form").to_owned();
            let peer = Hand::bind(&group, "by_hand");
            let file = tempfile::tempfile().expect("a temporary file");
            for (name, param, fds) in contents() {
                let files = vec![file.as_fd(); fds as usize];
                let request = Golden { kind: Kind::Request, name, param: &param, fds };

                member.register(name, Mode::Echo).expect("the name is free");
                peer.send(&socket, &request.bytes(layout, GARBAGE), &files);
                let reply = peer.receive();
                assert_exact(&Golden { kind: Kind::Reply, ..request }, &reply, layout);
                assert_eq!(reply.from, socket, "C peers match replies by the path they asked");
                member.unregister(name).expect("it was registered");

                peer.send(&socket, &request.bytes(layout, GARBAGE), &files);
                let ignore = Golden { kind: Kind::Ignore, name, param: NO_ACTION, fds: 0 };
                assert_exact(&ignore, &peer.receive(), layout);

                member.register(name, Mode::Print).expect("the name is free");
                peer.send(&socket, &Golden { kind: Kind::Message, ..request }.bytes(layout, GARBAGE), &files);
                let arrived = member.next_arrival();
                assert_eq!(
                    (arrived.name.as_str(), &arrived.param, arrived.fds.len()),
                    (name, &param, fds as usize)
                );
                member.unregister(name).expect("it was registered");
            }
            member.quit();
        }
    }
}

#[test]
fn a_rust_primary_sends_to_its_secondaries() {
    for layout in LAYOUTS {
        let group = group(layout);
        let primary = rust(&group, Role::Primary);
        let secondary = Hand::bind(&group, "mp_socket_1_1");
        for (name, param, fds) in contents() {
            let golden = Golden { kind: Kind::Message, name, param: &param, fds };
            primary.send(name, &param, fds as usize).expect("it is sent");
            assert_exact(&golden, &secondary.receive(), layout);
            primary.request_begin(name, &param, fds as usize, 10 * SECOND);
            let request = secondary.receive();
            assert_exact(&Golden { kind: Kind::Request, ..golden }, &request, layout);
            secondary.send(
                &request.from,
                &Golden { kind: Kind::Reply, fds: 0, ..golden }.bytes(layout, GARBAGE),
                &[],
            );
            let requested = primary.request_end(10 * SECOND).expect("a reply");
            assert_eq!((requested.sent, requested.received), (1, 1));
            assert_eq!(requested.replies[0].param, param);
        }
        primary.quit();
    }
}

#[test]
#[should_panic(expected = "datagrams of [332] bytes left a Rust process, where 340 are the rule")]
fn one_datagram_of_another_length_fails_the_test() {
    let group = Group::without_dpdk(Layout::Bytes340);
    let primary = Hand::bind(&group, "mp_socket");
    // Without a `config` file, which a DPDK of 340 bytes would have left.
    let client = rust(&group, Role::Client);
    client.send("stray", &[], 0).expect("there is a primary");
    assert_eq!(primary.receive().bytes.len(), 332);
    client.quit();
}

/// Written down right: processes in C say the same, but for what they leave unset.
#[test]
fn the_datagrams_written_down_are_those_of_c_peers() {
    let real = Group::new(Memory::Fixed);
    let stand_in = Group::without_dpdk(Layout::Bytes340);
    for (group, primary) in
        [(&real, real.dpdk(Role::Primary).start()), (&stand_in, stand_in.peer_340(Role::Primary))]
    {
        let layout = group.layout();
        let secondary = Hand::bind(group, "mp_socket_1_1");
        let file = tempfile::tempfile().expect("a temporary file");
        for (name, param, fds) in contents() {
            let message = Golden { kind: Kind::Message, name, param: &param, fds };
            primary.send(name, &param, fds as usize).expect("it is sent");
            message.assert_said_by(&secondary.receive(), layout);

            primary.request_begin(name, &param, fds as usize, 10 * SECOND);
            Golden { kind: Kind::Request, ..message }.assert_said_by(&secondary.receive(), layout);
            let ignore = Golden { kind: Kind::Ignore, name, param: &[], fds: 0 };
            secondary.send("mp_socket", &ignore.bytes(layout, 0), &[]);
            let requested = primary.request_end(10 * SECOND).expect("being ignored is no error");
            assert_eq!((requested.sent, requested.received), (0, 0));

            primary.register(name, Mode::Echo).expect("the name is free");
            let request = Golden { kind: Kind::Request, ..message };
            secondary.send("mp_socket", &request.bytes(layout, 0), &vec![file.as_fd(); fds as usize]);
            Golden { kind: Kind::Reply, ..message }.assert_said_by(&secondary.receive(), layout);
        }
        primary.quit();
    }
}

#[test]
fn rust_processes_and_c_peers_of_340_bytes_exchange_all_they_can() {
    for (c_role, rust_role) in
        [(Role::Primary, Role::Secondary), (Role::Primary, Role::Client), (Role::Secondary, Role::Primary)]
    {
        let group = group(Layout::Bytes340);
        // A secondary of the 340-byte kind needs no primary to start.
        let c = group.peer_340(c_role);
        let rust = rust(&group, rust_role);
        exchange::requests(&rust, &c);
        exchange::async_requests(&rust, &c);
        exchange::messages(&rust, &c);
        exchange::timeouts(&rust, &c);
        exchange::late_replies(&rust, &c);
        exchange::unknown_names(&rust, &c, Unknown::TimesOut);
        if rust_role != Role::Client {
            exchange::requests(&c, &rust);
            exchange::async_requests(&c, &rust);
            exchange::messages(&c, &rust);
            exchange::timeouts(&c, &rust);
            exchange::unknown_names(&c, &rust, Unknown::Ignored);
        }
        rust.quit();
        c.quit();
    }
}
