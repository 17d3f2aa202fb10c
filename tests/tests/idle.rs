//! What an idle member costs: nothing.

use std::{
    thread,
    time::{Duration, Instant},
};

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

/// The other thread of a member only looks at its watch.
#[test]
fn on_the_way_to_a_handler_nothing_is_handed_over_between_threads() {
    let group = group!();
    let (primary, mut client) = (group.primary(), group.client());
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    let (start, before) = (Instant::now(), primary.context_switches_by_thread());
    assert_eq!(client.call("storm 1 5000"), "0 mixed up of 5000");
    let (after, ticks) = (primary.context_switches_by_thread(), start.elapsed().as_millis() as u64 / 10);
    let mut switches: Vec<_> = after.iter().map(|(thread, n)| n - before.get(thread).unwrap_or(&0)).collect();
    switches.sort_unstable();
    let busiest = switches.pop().expect("it has threads");
    // On a busy system the one that receives is suspended now and then for longer
    // than a handler may take; then the other takes its place.
    let others = switches.iter().sum::<u64>();
    assert!(others <= ticks + busiest / 2, "{busiest} {switches:?} in {ticks} ticks");
    assert!(busiest + others <= 5000 + ticks + 500, "{busiest} {switches:?} in {ticks} ticks");
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
