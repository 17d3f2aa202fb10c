//! The examples that need no DPDK, run as a reader would run them. What talks to DPDK is in `dpdk_examples.rs`.

use std::{collections::BTreeSet, fs, path::Path};

use tests::{example, example_of_a_runtime, run};

/// What it printed, once it has ended well.
#[track_caller]
fn printed(program: &Path) -> String {
    let output = run(program);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn quickstart_shows_messages_requests_and_outcomes() {
    let printed = printed(&example("quickstart"));
    for line in [
        "[primary    ] sent to 3 secondaries",
        "[primary    ] asked 3, 3 replied",
        "[secondary 3] saw 1000 packets received, 998 sent; the last square is 1046529",
        "[primary    ] asked 3, 2 replied",
        "Done: the secondaries have ended, and the runtime directory is removed.",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "no {line:?} in\n{printed}");
    }
    let heard = printed.lines().filter(|line| line.ends_with("port 0 is up: true")).count();
    assert_eq!(heard, 3, "{printed}");
}

#[test]
fn ring_passes_every_number() {
    let expected = "got a ring of 64 slots\nread 1000 numbers through it; their sum is 500500\n";
    assert_eq!(printed(&example("ring")), expected);
}

#[test]
fn stragglers_are_told_from_those_who_answer() {
    let printed = printed(&example("stragglers"));
    let lines: Vec<_> = printed.lines().collect();
    let [first, second, ignores, times_out, sum] = &lines[..] else { panic!("{printed}") };
    assert_eq!([*first, second], ["worker 1: 20 %", "worker 2: 70 %"]);
    assert!(ignores.contains("ignore") && times_out.contains("time"), "{printed}");
    assert_eq!(*sum, "2 of 3 that know the question answered in time");
}

#[test]
fn deferred_answers_come_in_any_order() {
    let printed = printed(&example("deferred"));
    let lines: Vec<_> = printed.lines().collect();
    let [first, second, third] = &lines[..] else { panic!("{printed}") };
    assert_eq!([*first, third], ["host 1: 192.0.2.1", "host 3: 192.0.2.3"]);
    assert!(second.contains("host 2 is not to be served"), "the reason comes along: {second}");
}

#[test]
fn with_tokio_asks_a_hundred_times_at_once_and_gives_up() {
    let printed = printed(&example_of_a_runtime("with_tokio"));
    let expected = "100 requests under way at once; the sum of the squares is 338350\ngiven up: true\n";
    assert_eq!(printed, expected);
}

#[test]
fn event_loop_handles_requests_between_other_things() {
    let expected = "100 requests handled in the loop; the sum of the squares is 338350\n";
    assert_eq!(printed(&example("event_loop")), expected);
}

#[test]
fn async_fd_has_the_runtime_handle_what_comes() {
    let expected = "100 requests handled by the runtime; the sum of the squares is 338350\n";
    assert_eq!(printed(&example_of_a_runtime("async_fd")), expected);
}

#[test]
fn serve_with_tokio_answers_by_tasks_and_from_a_stream() {
    let printed = printed(&example_of_a_runtime("serve_with_tokio"));
    let lines: Vec<_> = printed.lines().collect();
    let [waited, first, second, third, refused, ended] = &lines[..] else { panic!("{printed}") };
    assert_eq!(*waited, "ten tasks have waited side by side, 550 ms in all");
    assert_eq!([*first, second, third], ["opened number 1", "opened number 2", "opened number 3"]);
    assert!(refused.contains("process here asks for too many"), "{printed}");
    assert_eq!(*ended, "the stream has ended with the primary, after 4 requests");
}

#[test]
fn supervisor_hands_out_a_configuration_reloads_it_and_tells_who_did_not() {
    let printed = printed(&example_of_a_runtime("supervisor"));
    let expected = "a configuration of 12296 bytes\n\
        their generations, from their rings: [1, 1, 1, 1]\n\
        reload of worker 1: replied\n\
        reload of worker 2: replied\n\
        reload of worker 3: did not answer in time\n\
        reload of worker 4: replied\n\
        and now: [2, 2, 2]\n\
        100 requests at once to the tokio worker; the sum of the squares is 338350\n\
        the stuck worker was killed\n\
        the others have left\n";
    assert_eq!(printed, expected);
}

#[test]
fn unit_tested_says_where_its_tests_are() {
    assert!(printed(&example("unit_tested")).contains("cargo test -p examples --bin unit_tested"));
}

#[test]
fn every_example_is_short_and_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut examples = BTreeSet::new();
    for folder in ["examples/src/bin", "examples/examples"] {
        for file in fs::read_dir(root.join(folder)).expect("a folder").flatten() {
            let lines = fs::read_to_string(file.path()).expect("text").lines().count();
            // One plays five processes, and shows what a deployment has.
            let most = if file.path().ends_with("supervisor.rs") { 199 } else { 120 };
            assert!(lines <= most, "{:?} has {lines} lines", file.path());
            examples.insert(file.path().file_stem().expect("a name").to_str().expect("text").to_owned());
        }
    }
    let tests = ["examples.rs", "dpdk_examples.rs", "systemd.rs"]
        .map(|file| fs::read_to_string(root.join("tests/tests").join(file)).expect("the tests"))
        .concat();
    let missing: Vec<_> =
        examples.iter().filter(|example| !tests.contains(&format!("(\"{example}\")"))).collect();
    assert!(missing.is_empty() && examples.len() >= 9, "no test runs {missing:?} of {examples:?}");
}
