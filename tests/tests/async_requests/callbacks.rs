//! What is called back, where, and that a callback harms nobody.

use super::*;

#[test]
fn a_callback_is_called_once_whatever_happens() {
    let _alone = alone();
    let group = group!();
    let mut primary = group.primary();
    let (sender, reports) = channel();
    let client = client(&group);
    let ask = |name: &str, text: &str, timeout| {
        client.request_then(&message(name, text), timeout, report(&sender));
    };
    ask("echo", "a", LONG);
    assert_eq!(reported(&reports), ("a".into(), "a".into()));
    ask("forget", "b", LONG);
    assert_eq!(reported(&reports), ("b".into(), "Ignored".into()));
    ask("keep", "c", SHORT);
    assert_eq!(reported(&reports), ("c".into(), "TimedOut".into()));
    ask("keep", "d", LONG);
    primary.event("keep");
    primary.event("keep");
    primary.kill();
    assert_eq!(reported(&reports), ("d".into(), "Gone".into()));
    ask("echo", "e", LONG);
    assert_eq!(reported(&reports), ("e".into(), "NoPrimary".into()));
    let primary = group.primary();
    primary.pause();
    fill_queue(&group, "mp_socket");
    ask("echo", "f", SHORT);
    assert_eq!(reported(&reports), ("f".into(), "QueueFull".into()));
    ask("echo", "g", LONG);
    drop(client);
    assert_eq!(reported(&reports), ("g".into(), "Stopped".into()));
    drop(sender);
    assert!(reports.recv().is_err(), "and no more than once");
}

#[test]
fn a_panic_in_a_callback_is_counted_and_harms_no_other() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let (sender, reports) = channel();
    client.request_then(&message("echo", ""), LONG, |_, _| panic!("as this test wants it"));
    client.request_then(&message("echo", "next"), LONG, report(&sender));
    assert_eq!(reported(&reports).1, "next");
    assert_eq!(client.statistics().handler_panics, 1);
}

#[test]
fn a_callback_may_ask_again_and_may_hold_the_last_of_its_role() {
    let _alone = alone();
    let group = group!();
    let _primary = group.primary();
    let fds = open_fds();
    let (sender, reports) = channel();
    {
        let client = client(&group);
        let last = client.clone();
        client.request_then(&message("echo", "first"), LONG, move |_, first| {
            last.request_then(&message("echo", &told(first)), LONG, report(&sender));
            // Dropping it here stops the role, and with it what was just asked.
        });
    }
    assert!(["first", "Stopped"].contains(&&*reported(&reports).1));
    assert!(reports.recv().is_err());
    assert_nothing_left(&group, fds);
}

/// By one that closes all that is open, as daemons do which think that it is theirs.
#[test]
fn after_its_descriptors_were_closed_behind_its_back_callbacks_are_called_all_the_same() {
    let _turn = alone();
    let group = group!();
    let (mut primary, mut client) = (group.primary(), group.client());
    assert!(client.call("later ask echo 5000 hi").ends_with(" hi"));
    // Idle when they are closed, and then with a request under way.
    for under_way in [false, true] {
        if under_way {
            client = group.client();
            client.call("begin later ask stall 2000");
            primary.event("stall");
        }
        assert_eq!(client.call("close-all"), "0");
        let begun = Instant::now();
        client.call("begin later ask echo 2000");
        for _ in 0..1 + usize::from(under_way) {
            let result = client.event("done");
            assert!(result.contains(": "), "an error: {result}");
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    primary.call("release 1");
}
