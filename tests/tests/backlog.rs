//! Requests that have waited behind a slow handler, and whose requesters have given up meanwhile, are not handled.

use tests::{Lie, Process, RawSocket, eventually, group};

/// A primary whose handler is slow until it is released.
fn stalled(group: &tests::Group) -> (Process, Process) {
    let (mut primary, mut client) = (group.primary(), group.client());
    client.call("begin ask stall 60000");
    primary.event("stall");
    (primary, client)
}

/// Waits until so many wait behind it.
fn wait_for_backlog(primary: &mut Process, count: u64) {
    assert!(eventually(|| primary.counter("backlogged") == count), "they wait");
}

#[test]
fn a_request_given_up_while_it_waited_is_not_handled_but_counted() {
    let group = group!();
    let (mut primary, mut client) = stalled(&group);
    let [mut late, mut dead, mut patient] = [(); 3].map(|()| group.client());
    assert!(late.call("ask keep 100").contains("TimedOut"));
    dead.call("begin ask keep 60000");
    wait_for_backlog(&mut primary, 2);
    dead.kill();
    patient.call("begin ask echo 60000 hi");
    wait_for_backlog(&mut primary, 3);
    primary.call("release 1");
    assert!(patient.event("done").ends_with(" hi"));
    client.event("done");
    assert!(!primary.has_told("keep"), "nobody waits for those");
    assert_eq!(primary.counter("given_up"), 2);
}

#[test]
fn a_request_to_many_that_was_given_up_is_not_handled_either() {
    let group = group!();
    let (mut primary, mut secondary) = (group.primary(), group.secondary());
    primary.call("begin ask stall 60000");
    secondary.event("stall");
    primary.call("ask keep 100");
    primary.call("later ask keep 100");
    wait_for_backlog(&mut secondary, 2);
    secondary.call("release 1");
    primary.event("done");
    assert!(primary.call("ask echo 5000 hi").contains(":Replied"));
    assert!(!secondary.has_told("keep"));
    assert_eq!(secondary.counter("given_up"), 2);
}

#[test]
fn a_request_of_a_process_that_only_has_its_members_socket_is_handled() {
    let group = group!();
    let (mut primary, _client) = stalled(&group);
    // As one in C asks.
    let member = RawSocket::bound(&group.join("mp_socket_1_1"));
    member.send(&group.join("mp_socket"), &Lie::request("echo", b"hi").bytes());
    wait_for_backlog(&mut primary, 1);
    primary.call("release 1");
    assert_eq!(member.receive(), (2, "echo".into(), b"hi".to_vec()));
    assert_eq!(primary.counter("given_up"), 0);
}
