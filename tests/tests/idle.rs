//! What an idle member costs: nothing.

use std::{thread, time::Duration};

use tests::{eventually, group};

/// The second thread of a member watches for slow handlers as long as there is
/// traffic, and for about a second after.
#[test]
fn an_idle_member_makes_no_wake_ups() {
    let group = group!();
    let (mut primary, mut secondary, mut client) = (group.primary(), group.secondary(), group.client());
    assert!(primary.call("ask echo 5000 hi").contains("received=1"));
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    for process in [&primary, &secondary, &client] {
        // Waiting is inherent here: that nothing happens takes time to see.
        let mut before = process.context_switches();
        let settled = eventually(|| {
            thread::sleep(Duration::from_millis(300));
            let now = process.context_switches();
            std::mem::replace(&mut before, now) == now
        });
        assert!(settled, "process {} never sleeps", process.pid());
    }
    let before = [&primary, &secondary, &client].map(|process| process.context_switches());
    thread::sleep(Duration::from_secs(2));
    let after = [&primary, &secondary, &client].map(|process| process.context_switches());
    assert_eq!(before, after);
}

#[test]
fn a_member_has_two_threads_and_a_client_none() {
    let group = group!();
    let (primary, mut secondary, mut client) = (group.primary(), group.secondary(), group.client());
    for _ in 0..20 {
        assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
        assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    }
    assert_eq!([primary.threads(), secondary.threads(), client.threads()], [3, 3, 1]);
}

#[test]
fn threads_that_a_deep_chain_needed_leave_when_it_is_over() {
    let group = group!();
    let (primary, mut secondary) = (group.primary(), group.secondary());
    let hop = format!("{} p ", secondary.pid());
    for _ in 0..3 {
        let result = secondary.call(&format!("ask route 5000 {}end", hop.repeat(10)));
        assert!(result.ends_with(" end"), "{result}");
    }
    for process in [&primary, &secondary] {
        assert!(eventually(|| process.threads() == 3), "{} threads", process.threads());
    }
}
