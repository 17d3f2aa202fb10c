//! Two hosts, one group: what crosses, and how it arrives.

use crate::common::{Hosts, timed};
use tests::eventually;

#[test]
fn a_request_to_the_primary_is_answered_across_hosts() {
    let hosts = Hosts::joined();
    let _primary = hosts.primary();
    let mut client = hosts.away.client();
    let answer = client.call("ask echo 10000 hello");
    assert!(answer.ends_with("fds=0 hello"), "{answer}");
    let mut secondary = hosts.secondary();
    let answer = secondary.call("ask echo 10000 again");
    assert!(answer.ends_with("fds=0 again"), "{answer}");
}

#[test]
fn a_request_to_all_reaches_the_members_of_each_host() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let (_here, _there, _there_too) = (hosts.home.secondary(), hosts.secondary(), hosts.secondary());
    let answer = primary.call("ask echo 10000 all");
    assert!(answer.contains("sent=3 received=3"), "{answer}");
    assert_eq!(answer.matches("Replied").count(), 3, "{answer}");
}

#[test]
fn messages_cross_in_order_both_ways() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let mut secondary = hosts.secondary();
    for number in 0..100 {
        assert!(secondary.call(&format!("send note 1000 {number}")).ends_with("Sent"));
        assert!(primary.call(&format!("send note 1000 {number}")).contains("Sent"));
    }
    for number in 0..100 {
        assert!(primary.event("note").starts_with(&format!("{number} ")));
        assert!(secondary.event("note").starts_with(&format!("{number} ")));
    }
}

#[test]
fn members_come_and_go_at_home_as_they_do_away() {
    let hosts = Hosts::joined();
    let _primary = hosts.primary();
    let (first, mut second) = (hosts.secondary(), hosts.secondary());
    assert!(first.finish());
    hosts.has_members(1);
    second.kill();
    hosts.has_members(0);
}

#[test]
fn many_requests_of_one_name_at_once_are_not_mixed_up() {
    let hosts = Hosts::joined();
    let _primary = hosts.primary();
    let mut client = hosts.away.client();
    assert_eq!(client.call("storm 8 50"), "0 mixed up of 400");
}

#[test]
fn an_ignore_crosses_with_its_reason() {
    let hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let mut client = hosts.away.client();
    for (name, reason) in [("nobody_knows", "no action"), ("forget", "without an answer")] {
        let answer = client.call(&format!("ask {name} 60000"));
        let (ms, error) = timed(&answer);
        assert!(error.starts_with("Ignored") && error.contains(reason), "{error}");
        assert!(ms < 5000, "{ms} ms");
    }
    let _secondary = hosts.secondary();
    let answer = primary.call("ask nobody_knows 60000");
    assert!(answer.contains("Ignored(NoAction)"), "{answer}");
}

#[test]
fn what_dpdk_asks_for_its_own_sake_is_ignored_on_the_spot() {
    let mut hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let _secondary = hosts.secondary();
    // Not even the bridge of the other host is needed.
    hosts.away_bridge.signal(rustix::process::Signal::STOP);
    let answer = primary.call("ask mp_malloc_sync 2000");
    assert!(answer.contains("Ignored(NoAction)"), "{answer}");
    hosts.away_bridge.signal(rustix::process::Signal::CONT);
    assert!(hosts.home_bridge.finish());
    assert!(hosts.home_bridge.says("in all").contains("dpdk 1"));
}

#[test]
fn a_primary_that_comes_and_goes_does_so_on_every_host() {
    let hosts = Hosts::joined();
    let mut client = hosts.away.client();
    let answer = client.call("ask echo 10000");
    assert!(answer.contains("NoPrimary"), "{answer}");
    let primary = hosts.primary();
    assert!(client.call("ask echo 10000 x").ends_with('x'));
    assert!(primary.finish());
    hosts.has_no_primary();
    let _another = hosts.primary();
    assert!(eventually(|| client.call("ask echo 10000 x").ends_with('x')));
}
