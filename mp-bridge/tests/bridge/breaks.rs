//! What breaks: the server, a bridge, the way between two hosts. Requests end by their deadlines,
//! nothing comes twice, and what has broken mends itself.

use std::time::Instant;

use rustix::process::Signal;
use tests::{Process, eventually};

use crate::common::{Bridge, Hosts, SECOND, Server, command, start, timed};

/// A grace that tests can wait out.
const GRACE: &[&str] = &["--grace", "1s"];

/// The result of a request that was begun, without its time.
fn done(process: &mut Process) -> String {
    let done = process.event("done");
    timed(&done).1.to_owned()
}

#[test]
fn a_server_that_is_gone_for_long_takes_the_primary_along_and_brings_it_back() {
    let mut hosts = Hosts::joined_with(GRACE);
    let mut primary = hosts.primary();
    let (mut client, mut secondary) = (hosts.away.client(), hosts.secondary());
    client.call("begin ask keep 60000");
    primary.event("keep");
    hosts.server.kill();
    assert!(done(&mut client).starts_with("Gone"), "whoever waits sees the primary gone");
    hosts.has_no_primary();
    hosts.has_members(0);
    assert!(client.call("ask echo 60000 x").contains("NoPrimary"));
    hosts.server.start_again();
    hosts.has_primary();
    hosts.has_members(1);
    assert!(client.call("ask echo 60000 x").ends_with('x'));
    assert!(primary.call("ask echo 60000 x").contains("sent=1 received=1"));
    assert!(secondary.call("ask echo 60000 y").ends_with('y'));
}

#[test]
fn a_server_that_restarts_at_once_is_hardly_seen() {
    let mut hosts = Hosts::joined_with(&["--grace", "10s"]);
    let mut primary = hosts.primary();
    let (mut client, mut secondary) = (hosts.away.client(), hosts.secondary());
    client.call("begin ask keep 60000");
    primary.event("keep");
    hosts.server.kill();
    hosts.away_bridge.says("is lost");
    hosts.home_bridge.says("is lost");
    // What is said meanwhile waits.
    for number in 0..50 {
        assert!(secondary.call(&format!("send note 1000 {number}")).ends_with("Sent"));
    }
    secondary.call("begin ask echo 60000 meanwhile");
    hosts.server.start_again();
    for number in 0..50 {
        assert!(primary.event("note").starts_with(&format!("{number} ")), "in order and once");
    }
    assert!(done(&mut secondary).ends_with("meanwhile"));
    assert_eq!(primary.call("answer kept"), "Ok(())");
    assert!(done(&mut client).ends_with("kept"), "its answer comes over the new connection");
    assert!(!primary.has_told("note"));
}

#[test]
fn a_queue_that_is_full_while_the_server_is_gone_drops_messages_and_refuses_requests() {
    let mut hosts = Hosts::joined_with(&["--grace", "20s", "--queue", "10"]);
    let mut primary = hosts.primary();
    let mut secondary = hosts.secondary();
    hosts.server.kill();
    hosts.away_bridge.says("is lost");
    for number in 0..30 {
        assert!(secondary.call(&format!("send note 1000 {number}")).ends_with("Sent"));
    }
    let answer = secondary.call("ask echo 60000 x");
    let (ms, error) = timed(&answer);
    assert!(error.starts_with("Ignored") && ms < 5000, "{answer}");
    hosts.server.start_again();
    for number in 0..10 {
        assert!(primary.event("note").starts_with(&format!("{number} ")));
    }
    assert!(secondary.call("ask echo 60000 x").ends_with('x'));
    assert!(!primary.has_told("note"));
    assert!(hosts.away_bridge.finish());
    let said = hosts.away_bridge.says("in all");
    assert!(said.contains("dropped 20") && said.contains("refused 1"), "{said}");
}

#[test]
fn a_server_that_is_slow_costs_each_request_no_more_than_its_deadline() {
    let hosts = Hosts::joined_with(GRACE);
    let mut primary = hosts.primary();
    let (mut client, _secondary) = (hosts.away.client(), hosts.secondary());
    hosts.server.signal(Signal::STOP);
    let answer = client.call("ask echo 300 x");
    let (ms, error) = timed(&answer);
    assert!(error.starts_with("TimedOut") && (300..2000).contains(&ms), "{answer}");
    let answer = primary.call("ask echo 300 x");
    assert!(answer.contains("TimedOut"), "{answer}");
    // Silent for longer than the grace, it takes the other host along.
    hosts.has_no_primary();
    hosts.has_members(0);
    hosts.server.signal(Signal::CONT);
    hosts.has_primary();
    hosts.has_members(1);
    // What was asked before is neither answered nor asked again.
    assert!(eventually(|| client.call("ask echo 1000 new").ends_with("new")));
    assert!(primary.call("ask echo 10000 new").contains("sent=1 received=1"));
}

#[test]
fn a_home_bridge_that_is_killed_takes_its_members_along_at_once_and_comes_back() {
    let mut hosts = Hosts::joined_with(&["--grace", "60s"]);
    let mut primary = hosts.primary();
    let (mut client, mut secondary) = (hosts.away.client(), hosts.secondary());
    client.call("begin ask keep 60000");
    primary.event("keep");
    primary.call("begin ask keep 60000");
    secondary.event("keep");
    hosts.home_bridge.kill();
    assert!(done(&mut primary).contains("Gone"), "the stand-in died with it");
    assert!(done(&mut client).starts_with("Gone"), "the server tells that the home is not there");
    hosts.has_no_primary();
    hosts.start_home_bridge();
    hosts.has_primary();
    // The dead one's file may still be there; whoever sends finds that out.
    assert!(eventually(|| primary.call("ask echo 10000 x").contains("sent=1 received=1")));
    // The answers to what was asked before find nobody.
    assert_eq!(secondary.call("answer late"), "Ok(())");
    assert!(primary.call("answer late").contains("Gone"));
    assert!(client.call("ask echo 10000 new").ends_with("new"));
}

#[test]
fn an_away_bridge_that_is_killed_takes_its_members_along_at_once_and_comes_back() {
    let mut hosts = Hosts::joined_with(&["--grace", "60s"]);
    let mut primary = hosts.primary();
    let (mut client, mut secondary) = (hosts.away.client(), hosts.secondary());
    client.call("begin ask keep 60000");
    primary.event("keep");
    primary.call("begin ask keep 60000");
    secondary.event("keep");
    hosts.away_bridge.kill();
    assert!(done(&mut client).starts_with("Gone"), "the primary away died with it");
    assert!(done(&mut primary).contains("Gone"), "the server tells that the bridge is not there");
    hosts.has_members(0);
    hosts.start_away_bridge();
    hosts.has_members(1);
    assert!(eventually(|| client.call("ask echo 10000 x").ends_with('x')));
    assert!(primary.call("ask echo 10000 x").contains("sent=1 received=1"));
}

#[test]
fn a_member_that_is_killed_while_it_is_asked_is_gone_and_not_late() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let (mut secondary, _other) = (hosts.secondary(), hosts.secondary());
    primary.call("begin ask keep 60000");
    secondary.event("keep");
    secondary.kill();
    hosts.has_members(1);
    // The other one keeps it, too; only one is gone.
    let _ = primary.call("sync");
    let mut other = _other;
    other.event("keep");
    assert_eq!(other.call("answer here"), "Ok(())");
    let answer = done(&mut primary);
    assert!(answer.contains("Gone") && answer.contains("Replied"), "{answer}");
}

#[test]
fn a_primary_that_is_killed_while_it_is_asked_is_gone_on_the_other_host() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let mut client = hosts.away.client();
    client.call("begin ask keep 60000");
    primary.event("keep");
    primary.kill();
    assert!(done(&mut client).starts_with("Gone"));
    hosts.has_no_primary();
}

#[test]
fn a_late_answer_is_not_taken_for_one_to_a_later_request() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let mut client = hosts.away.client();
    let answer = client.call("ask keep 300 first");
    assert!(timed(&answer).1.starts_with("TimedOut"), "{answer}");
    client.call("begin ask keep 60000 second");
    primary.event("keep");
    primary.event("keep");
    // Both are answered, the first first.
    primary.call("answer both");
    assert!(done(&mut client).ends_with("both"));
}

#[test]
fn a_second_bridge_for_a_group_on_one_host_is_refused() {
    let hosts = Hosts::joined();
    for (side, group) in [("home", &hosts.home), ("away", &hosts.away), ("away", &hosts.home)] {
        let mut second = start(side, group, &hosts.server.url(), &[]);
        assert!(!second.wait_end());
        second.says("has a bridge already");
    }
    let _primary = hosts.primary();
    assert!(hosts.away.client().call("ask echo 10000 x").ends_with('x'));
}

#[test]
fn a_second_home_is_refused_and_both_hosts_are_told() {
    let hosts = Hosts::joined();
    let other = tests::Group::new(tests::peer());
    let mut second = start("home", &other, &hosts.server.url(), &[]);
    assert!(!second.wait_end());
    second.says("the-home has the primary of this group already");
    hosts.home_bridge.says("has a primary of this group, too");
    let _primary = hosts.primary();
    assert!(hosts.away.client().call("ask echo 10000 x").ends_with('x'));
}

#[test]
fn a_host_with_a_primary_of_its_own_is_refused_and_both_hosts_are_told() {
    let mut hosts = Hosts::joined();
    assert!(hosts.away_bridge.finish());
    let mut own = hosts.away.primary();
    let _primary = hosts.home.primary();
    hosts.start_away_bridge();
    assert!(!hosts.away_bridge.wait_end());
    hosts.away_bridge.says("this host has a primary of its own");
    hosts.home_bridge.says("the-away has a primary of its own");
    assert!(own.call("ask echo 1000 x").contains("sent=0"));
}

#[test]
fn a_primary_that_takes_the_bridges_place_is_told_on_both_hosts() {
    let mut hosts = Hosts::joined();
    let _primary = hosts.primary();
    hosts.away_bridge.says("stands in for the primary");
    // As a DPDK primary does, which asks nobody.
    std::fs::remove_file(hosts.away.join("mp_socket")).expect("it is bound");
    let _own = std::os::unix::net::UnixDatagram::bind(hosts.away.join("mp_socket")).expect("it is free");
    assert!(!hosts.away_bridge.wait_end());
    hosts.away_bridge.says("another process has taken the primary's place");
    hosts.home_bridge.says("the-away has a primary of its own");
}

#[test]
fn bridges_may_start_before_their_server() {
    let mut server = Server::start();
    server.kill();
    let peer = tests::peer();
    let (home, away) = (tests::Group::new(&peer), tests::Group::new(&peer));
    let [here, there] = [("home", &home), ("away", &away)]
        .map(|(side, group)| Bridge::spawn(&mut command(side, group, &server.url())));
    here.says("is not there yet");
    there.says("is not there yet");
    server.start_again();
    there.says("has the primary");
}

#[test]
fn a_stuck_member_holds_up_no_other_and_costs_one_deadline() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let (stuck, _other) = (hosts.secondary(), hosts.secondary());
    stuck.pause();
    let started = Instant::now();
    let answer = primary.call("ask echo 1000 x");
    assert!(answer.contains("Replied") && answer.contains("TimedOut"), "{answer}");
    assert!(started.elapsed() < 5 * SECOND);
    // Its queue fills; what finds no room is dropped, and the other gets all.
    let mut other = _other;
    for number in 0..40 {
        primary.call(&format!("send note 100 {number}"));
        assert!(other.event("note").starts_with(&format!("{number} ")));
    }
    stuck.resume();
}
