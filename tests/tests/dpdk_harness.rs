//! The harness itself, and its C peer, against datagrams that are made by hand: nothing here rests on mp-core.
#![cfg(feature = "dpdk")]

use std::time::Duration;

use tests::dpdk::{
    Event, Golden, Group, Hand, Kind, Layout, Memory, Mode, Process, Role,
    exchange::{self, Unknown},
};

const SECOND: Duration = Duration::from_secs(1);

fn datagram(layout: Layout, kind: Kind, name: &str, param: &[u8]) -> Vec<u8> {
    Golden { kind, name, param, fds: 0 }.bytes(layout, 0)
}

/// Both can do with each other what the suite will ask of them.
fn assert_talk(one: &Process, other: &Process) {
    for (asker, answerer) in [(one, other), (other, one)] {
        exchange::requests(asker, answerer);
        exchange::async_requests(asker, answerer);
        exchange::messages(asker, answerer);
        exchange::timeouts(asker, answerer);
        exchange::unknown_names(asker, answerer, Unknown::TimesOut);
    }
}

#[test]
fn a_primary_without_huge_pages_comes_up_and_ends() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    assert_eq!(primary.ready().field("role"), Some("primary"));
    assert_eq!(primary.ready().field("runtime_dir"), group.runtime_dir().to_str());
    assert_eq!(primary.devices(), ["net_null0"]);
    let fds = primary.open_fds();
    primary.attach("net_null1").expect("nobody objects");
    assert_eq!(primary.devices(), ["net_null0", "net_null1"]);
    primary.detach("net_null1").expect("nobody objects");
    assert_eq!(primary.open_fds(), fds);
    primary.quit();
    assert!(!group.runtime_dir().join("mp_socket").exists());
}

#[test]
fn a_primary_echoes_a_request_made_by_hand() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    primary.register("echo", Mode::Echo).expect("the name is free");
    let peer = Hand::bind(&group, "by_hand");
    peer.send("mp_socket", &datagram(group.layout(), Kind::Request, "echo", &[1, 2, 3]), &[]);
    let echo = Golden { kind: Kind::Reply, name: "echo", param: &[1, 2, 3], fds: 0 };
    echo.assert_said_by(&peer.receive(), group.layout());
}

#[test]
fn a_primary_prints_what_arrives_and_where_from() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    primary.register("told", Mode::Print).expect("the name is free");
    Hand::bind(&group, "by_hand").send(
        "mp_socket",
        &datagram(group.layout(), Kind::Message, "told", b"x"),
        &[],
    );
    let Event::Arrived { content, peer } = primary.next_event() else { panic!("an arrival was expected") };
    assert_eq!(
        (content.name.as_str(), content.param.as_slice(), content.fds.len()),
        ("told", b"x".as_slice(), 0)
    );
    assert_eq!(peer, group.runtime_dir().join("by_hand"));
}

#[test]
fn a_primary_asks_a_member_made_by_hand() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let member = Hand::bind(&group, "mp_socket_1_1");

    primary.request_begin("ask", &[7; 256], 0, 10 * SECOND);
    let request = Golden { kind: Kind::Request, name: "ask", param: &[7; 256], fds: 0 };
    request.assert_said_by(&member.receive(), group.layout());
    member.send("mp_socket", &datagram(group.layout(), Kind::Reply, "ask", &[9]), &[]);
    let requested = primary.request_end(10 * SECOND).expect("the member replied");
    assert_eq!((requested.sent, requested.received), (1, 1));
    assert_eq!(requested.replies[0].param, [9]);

    primary.request_async("later", &[], 0, 10 * SECOND).expect("it is sent");
    let _ = member.receive();
    member.send("mp_socket", &datagram(group.layout(), Kind::Reply, "later", &[]), &[]);
    let Event::Async(requested) = primary.next_event() else { panic!("the end of the request was expected") };
    assert_eq!((requested.sent, requested.received), (1, 1));

    let refused = primary.request("unanswered", &[], 0, SECOND / 10).expect_err("the member is silent");
    assert!(refused.took >= SECOND / 10, "{refused:?}");
}

#[test]
fn processes_of_dpdk_talk_over_huge_pages() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    let secondary = group.dpdk(Role::Secondary).start();
    assert_eq!(secondary.devices(), ["net_null0"]);
    primary.malloc(20 << 20).expect("the secondary agrees");
    primary.free().expect("the secondary agrees");
    assert_talk(&primary, &secondary);
    secondary.quit();
    primary.quit();
}

#[test]
fn a_peer_of_340_bytes_keeps_to_them() {
    let group = Group::without_dpdk(Layout::Bytes340);
    let primary = group.peer_340(Role::Primary);
    let secondary = group.peer_340(Role::Secondary);
    assert_talk(&primary, &secondary);
    primary.register("told", Mode::Print).expect("the name is free");
    Hand::bind(&group, "by_hand").send(
        "mp_socket",
        &datagram(Layout::Bytes332, Kind::Message, "told", b"x"),
        &[],
    );
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| primary.next_event()));
    let text = *refused.expect_err("the primary is gone").downcast::<String>().expect("a text");
    assert!(text.contains("a datagram of 332 bytes, where 340 are the rule"), "{text}");
}

#[test]
fn a_killed_process_leaves_no_trace_of_its_group() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).start();
    let base = group.base().to_owned();
    primary.kill();
    drop(group);
    assert!(!base.exists());
}

#[test]
#[should_panic(expected = "ended with exit status: 1 before being ready")]
fn a_process_that_does_not_come_up_fails_the_test() {
    let group = Group::new(Memory::Fixed);
    let _ = group.dpdk(Role::Primary).vdev("no_such_driver0").start();
}
