//! Rust processes and DPDK processes talk to each other, in every pair of roles.
#![cfg(feature = "dpdk")]

use std::time::Duration;

use mp_typed::{Message, Peer, Rejection, Request, Response, Secondary};
use tests::dpdk::{
    Group, Memory, Mode, Process, Role,
    exchange::{self, Unknown},
};

const SECOND: Duration = Duration::from_secs(1);

fn rust(group: &Group, role: Role) -> Process {
    group.rust(role, env!("CARGO_BIN_EXE_rust_peer")).start()
}

/// All that a Rust process can do with a DPDK process it asks.
fn rust_asks_dpdk(rust: &Process, dpdk: &Process) {
    exchange::requests(rust, dpdk);
    exchange::async_requests(rust, dpdk);
    exchange::messages(rust, dpdk);
    exchange::timeouts(rust, dpdk);
    exchange::late_replies(rust, dpdk);
    exchange::unknown_names(rust, dpdk, Unknown::TimesOut);
}

/// All that a DPDK process can do with a Rust process it asks.
fn dpdk_asks_rust(dpdk: &Process, rust: &Process) {
    exchange::requests(dpdk, rust);
    exchange::async_requests(dpdk, rust);
    exchange::messages(dpdk, rust);
    exchange::timeouts(dpdk, rust);
    exchange::unknown_names(dpdk, rust, Unknown::Ignored);
}

#[test]
fn a_dpdk_primary_and_a_rust_secondary() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let secondary = rust(&group, Role::Secondary);
    rust_asks_dpdk(&secondary, &primary);
    dpdk_asks_rust(&primary, &secondary);
    secondary.quit();
    primary.quit();
}

#[test]
fn a_dpdk_primary_and_a_rust_client() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let client = rust(&group, Role::Client);
    rust_asks_dpdk(&client, &primary);
    // It is no member: a broadcast finds nobody.
    let requested = primary.request("anybody", &[], 0, SECOND).expect("nobody to wait for is no error");
    assert_eq!((requested.sent, requested.received), (0, 0));
    client.quit();
    primary.quit();
}

/// Of a definition, whose fingerprint DPDK neither reads nor clears.
#[derive(Request)]
#[message(name = "typed", response = Typed)]
struct AskTyped {
    a: u32,
    b: u16,
}

#[derive(Response, Debug, PartialEq)]
struct Typed {
    b: u32,
    a: u16,
}

#[derive(Message)]
#[message(name = "typed_note")]
struct TypedNote(u32);

#[test]
fn a_dpdk_primary_and_rust_types_that_have_fingerprints() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let (seen, notes) = std::sync::mpsc::channel();
    let secondary = Secondary::builder(group.file_prefix())
        .runtime_dir(group.runtime_dir())
        .serve(|ask: AskTyped, _: &Peer| Typed { b: ask.a, a: ask.b })
        .on(move |note: TypedNote, _: &Peer| seen.send(note.0).expect("the test runs"))
        .start()
        .expect("it joins");
    primary.register("typed", Mode::Echo).expect("the name is free");
    primary.register("typed_note", Mode::Print).expect("the name is free");
    let typed = secondary.request(&AskTyped { a: 1, b: 2 }, SECOND).expect("it is echoed");
    assert_eq!(typed, Typed { b: 1, a: 2 });
    secondary.send(&TypedNote(3)).expect("it is sent");
    let _told = primary.next_arrival();
    let requested = primary.request("typed", &[1, 0, 0, 0, 2, 0], 0, SECOND).expect("it is answered");
    assert_eq!((requested.sent, requested.received), (1, 1));
    primary.send("typed_note", &[4, 0, 0, 0], 0).expect("it is sent");
    assert_eq!(notes.recv_timeout(SECOND), Ok(4));
    assert_eq!(secondary.statistics().rejected_for(Rejection::OtherDefinition), 0);
    drop(secondary);
    primary.quit();
}

#[test]
fn a_rust_primary_and_a_dpdk_secondary() {
    let group = Group::new(Memory::Huge);
    // DPDK's secondary starts with a DPDK primary only, and goes on asking whoever takes its place.
    let first = group.dpdk(Role::Primary).start();
    let secondary = group.dpdk(Role::Secondary).start();
    first.quit();
    let primary = rust(&group, Role::Primary);
    rust_asks_dpdk(&primary, &secondary);
    dpdk_asks_rust(&secondary, &primary);
    primary.quit();
    secondary.quit();
}

#[test]
fn a_dpdk_primary_asks_secondaries_of_both_kinds_at_once() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).start();
    let members =
        [group.dpdk(Role::Secondary).start(), rust(&group, Role::Secondary), rust(&group, Role::Secondary)];
    for member in &members {
        member.register("echo", Mode::Echo).expect("the name is free");
    }
    let requested = primary.request("echo", b"all", 8, 10 * SECOND).expect("all answer");
    assert_eq!((requested.sent, requested.received), (3, 3));
    let request = requested.request.expect("it was sent");
    assert!(requested.replies.iter().all(|reply| *reply == request));
}

#[test]
fn a_dpdk_secondary_hot_plugs_beside_a_rust_one() {
    let group = Group::new(Memory::Huge);
    let primary = group.dpdk(Role::Primary).vdev("net_null0").start();
    let secondary = group.dpdk(Role::Secondary).start();
    let member = rust(&group, Role::Secondary);
    // The secondary asks the primary, which asks every secondary, also the one that asked.
    secondary.attach("net_null1").expect("nobody objects");
    assert_eq!(primary.devices(), ["net_null0", "net_null1"]);
    assert_eq!(secondary.devices(), ["net_null0", "net_null1"]);
    secondary.detach("net_null1").expect("nobody objects");
    assert_eq!(primary.devices(), ["net_null0"]);
    // Its heap, too, grows by way of the primary and of every secondary.
    secondary.malloc(20 << 20).expect("nobody objects");
    member.quit();
}

#[test]
fn a_rust_primary_asks_secondaries_of_both_kinds_at_once() {
    let group = Group::new(Memory::Huge);
    let first = group.dpdk(Role::Primary).start();
    let members = [
        group.dpdk(Role::Secondary).start(),
        rust(&group, Role::Secondary),
        group.dpdk(Role::Secondary).start(),
    ];
    first.quit();
    let primary = rust(&group, Role::Primary);
    for member in &members {
        member.register("echo", Mode::Echo).expect("the name is free");
    }
    let requested = primary.request("echo", b"all", 8, 10 * SECOND).expect("all answer");
    assert_eq!((requested.sent, requested.received), (3, 3));
    let request = requested.request.expect("it was sent");
    assert!(requested.replies.iter().all(|reply| *reply == request));
}

#[test]
fn without_a_primary_a_rust_client_is_told_at_once() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let client = rust(&group, Role::Client);
    primary.quit();
    let refused = client.request("anything", &[], 0, 10 * SECOND).expect_err("there is nobody");
    assert!(refused.text.contains("no primary"), "{refused:?}");
    assert!(refused.took < SECOND, "{refused:?}");
}

#[test]
fn what_does_not_fit_a_message_is_refused_with_the_figures() {
    let group = Group::new(Memory::Fixed);
    let primary = group.dpdk(Role::Primary).start();
    let client = rust(&group, Role::Client);
    for (payload, fds, figures) in [(257, 0, ["257", "256"]), (0, 9, ["9", "8"])] {
        let refused = client.request("echo", &vec![0; payload], fds, SECOND).expect_err("it does not fit");
        assert!(figures.iter().all(|figure| refused.text.contains(figure)), "{refused:?}");
    }
    primary.quit();
}

#[test]
fn names_of_dpdks_own_are_taken_only_deliberately() {
    const EPERM: i32 = 1;
    const NAMES: [&str; 4] = ["mp_malloc_sync", "eal_dev_mp_request", "bus_vdev_mp", "eal_vfio_mp_sync"];
    let group = Group::new(Memory::Fixed);
    group.make_runtime_dir();
    let without_dpdk = rust(&group, Role::Primary);
    for name in NAMES {
        without_dpdk.register(name, Mode::Echo).expect("nobody else answers to it here");
    }
    without_dpdk.quit();

    let primary = group.dpdk(Role::Primary).start();
    let secondary = rust(&group, Role::Secondary);
    let builder = group.rust(Role::Secondary, env!("CARGO_BIN_EXE_rust_peer"));
    let deliberate = builder.allow_dpdk_actions().start();
    for name in NAMES {
        let refused = secondary.register(name, Mode::Echo).expect_err("DPDK answers to it");
        assert_eq!(refused.errno, EPERM, "{refused:?}");
        assert!(refused.text.contains("allow_dpdk_actions"), "{refused:?}");
        deliberate.register(name, Mode::Echo).expect("it was asked for");
    }
    primary.quit();
}
