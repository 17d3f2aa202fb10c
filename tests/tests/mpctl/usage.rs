//! What the command line takes, and what it says where it cannot go on.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt};

use serde_json::json;

use crate::{Group, Run, mpctl};

#[test]
fn what_cannot_be_done_is_one_line_that_says_what_to_do() {
    let group = Group::new();
    let none = group.path().join("none");
    for arguments in [
        &["request", "echo"][..],
        &["send", "echo"],
        &["serve", "echo"],
        &["listen"],
        &["ping", "echo"],
        &["members"],
    ] {
        let run = Run::of(mpctl().arg("--runtime-dir").arg(&none).args(arguments));
        run.assert_failed(1, "`mpctl groups` lists the groups");
        assert!(!none.exists(), "{arguments:?} made it");
    }
    for arguments in [&["request", "echo"][..], &["send", "echo"], &["ping", "echo"]] {
        group.run(arguments).assert_failed(1, "no primary in");
    }
    assert_eq!(group.files(), [""; 0]);
}

#[test]
fn who_cannot_be_found_is_told_with_where_was_looked_and_why() {
    let base = Group::new();
    let by = |variable: &str, arguments: &[&str]| {
        let mut command = mpctl();
        command.env_remove("RUNTIME_DIRECTORY").env_remove("XDG_RUNTIME_DIR").env(variable, base.path());
        Run::of(command.args(arguments))
    };
    let below = format!("(below {:?}, since $RUNTIME_DIRECTORY says so)", base.path());
    for command in [&["members"][..], &["request", "echo"]] {
        let run = by("RUNTIME_DIRECTORY", command);
        run.assert_failed(1, &below);
        run.assert_failed(1, "DPDK processes with --no-shconf or --in-memory take no part in IPC");
    }
    // Started so, DPDK makes the directory, and nothing in it.
    DirBuilder::new().recursive(true).mode(0o700).create(base.path().join("dpdk/rte")).unwrap();
    let run = by("RUNTIME_DIRECTORY", &["request", "echo"]);
    run.assert_failed(1, &below);
    run.assert_failed(1, "--no-shconf");
    let otherwise = match crate::own_uid() {
        0 => "since this is root, and $RUNTIME_DIRECTORY is not set",
        _ => "since $XDG_RUNTIME_DIR says so",
    };
    by("XDG_RUNTIME_DIR", &["--file-prefix", "no_such_group", "members"]).assert_failed(1, otherwise);
    base.run(&["request", "echo"]).assert_failed(1, "no primary in");
    assert!(!base.run(&["request", "echo"]).err.contains("since"), "it was named, so nobody chose it");
}

#[test]
fn wrong_usage_is_status_2() {
    let group = Group::new();
    let _primary = group.echoing();
    let (large, long) = ("00".repeat(257), "n".repeat(64));
    let files = [["--fd", "/dev/null"]; 9].concat();
    let cases: [(&[&str], &str); 11] = [
        (&["request", "echo", "--hex", "0g"], "'g' is no hexadecimal digit; write two digits"),
        (&["request", "echo", "--hex", "012"], "a byte has one digit only; write two digits"),
        (
            &["request", "echo", "--hex", &large],
            "a payload of 257 bytes does not fit a message, which carries 256",
        ),
        (&["request", "echo", "--file", "/dev/zero"], "a payload of over 1048576 bytes does not fit"),
        (&["request", "echo", "--file", "/no/such"], "cannot read \"/no/such\""),
        (&["request", "echo", "--fd", "/no/such"], "cannot open \"/no/such\""),
        (&[&["send", "echo"][..], &files].concat(), "9 files are too many for a message, which carries 8"),
        (&["ping", &long], "64 bytes long; the limit is 63"),
        (&["--timeout", "1", "request", "echo"], "'1'"),
        (&["listen", "--count", "0"], "'0'"),
        (&["serve", "a", "a"], "\"a\" is given twice"),
    ];
    for (arguments, text) in cases {
        group.run(arguments).assert_failed(2, text);
    }
    // What a line cannot say, the usage does.
    for arguments in
        [&["request"][..], &["request", "echo", "--hex", "00", "--text", "x"], &["reqest", "echo"], &[]]
    {
        let run = group.run(arguments);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
        assert!(run.err.contains("Usage: mpctl"), "{run:?}");
    }
    for command in ["members", "listen"] {
        let nested = Run::of(mpctl().args(["--file-prefix", "a/b", command]));
        nested.assert_failed(2, "cannot be a file-prefix");
        let long = Run::of(mpctl().args(["--runtime-dir", &format!("/{}", "d".repeat(100)), command]));
        long.assert_failed(2, "use a shorter file-prefix or runtime directory");
    }
    let both = Run::of(mpctl().args(["--file-prefix", "p", "--runtime-dir", "/d", "members"]));
    assert_eq!(both.status, 2, "{both:?}");
}

#[test]
fn options_may_follow_the_command() {
    let group = Group::new();
    let _primary = group.echoing();
    let dir = group.path().to_str().unwrap();
    let run = Run::of(mpctl().args(["request", "echo", "--json", "--timeout", "5s", "--runtime-dir", dir]));
    assert_eq!((run.status, &run.json()["received"]), (0, &json!(1)));
}

#[test]
fn verbose_prints_what_is_traced() {
    let group = Group::new();
    let _primary = group.echoing();
    let dir = group.path().to_str().unwrap();
    let run = |verbose: &[&str], log: &str| {
        let mut mpctl = mpctl();
        mpctl.args(verbose).env("RUST_LOG", log);
        Run::of(mpctl.args(["--timeout", "5s", "--runtime-dir", dir, "request", "echo"]))
    };
    assert_eq!(run(&[], "").err, "", "nothing an operator must see");
    for told in [run(&["-v"], ""), run(&["-vv"], ""), run(&[], "mp_core=debug")] {
        assert_eq!(told.status, 0, "{told:?}");
        assert!(told.err.contains("mp_request") && told.err.contains("name=echo"), "{told:?}");
    }
    assert_eq!(run(&[], "mp_core=error").err, "");
    let refused = run(&[], "mp_core=loud");
    assert_eq!(refused.status, 2);
    assert!(refused.err.contains("RUST_LOG"), "{refused:?}");
}

/// The commands that `mpctl --help` lists.
fn commands() -> Vec<String> {
    let help = Run::of(mpctl().arg("--help"));
    assert_eq!((help.status, help.err.as_str()), (0, ""));
    assert!(help.out.contains("2 on wrong usage"), "{help:?}");
    let list = help.out.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = list
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn every_command_is_in_the_manual_and_its_json_in_the_documentation() {
    let man = Run::of(mpctl().arg("man"));
    assert_eq!((man.status, man.err.as_str()), (0, ""));
    assert!(man.out.contains(".TH mpctl 1"), "{man:?}");
    let docs = include_str!("../../../docs/mpctl.md");
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        assert!(man.out.contains(&format!(".SH \"MPCTL {}\"", command.to_uppercase())), "{command}");
        let synopsis =
            docs.split("COMMAND\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it is there");
        assert!(
            synopsis.lines().any(|line| line.starts_with(&format!("  {command} ")) || line.trim() == command),
            "{command}"
        );
        let json = docs.split("\n## JSON\n").nth(1).expect("it is there");
        let rows = json.lines().filter(|line| line.starts_with("| `"));
        let mut cells = rows.filter_map(|row| row.split('|').nth(1));
        assert!(cells.any(|cell| cell.contains(&format!("`{command}`"))), "{command} prints JSON");
    }
    for option in ["hex", "count", "allow", "reply\\-as"] {
        assert!(man.out.contains(option), "{option}");
    }
}
