//! What a shell and a terminal see: completions and colour.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{Group, Run, mpctl, ready};

/// What bash offers for the last of these words, in a shell that has sourced the completions.
fn offered(words: &[&str], environment: &[(&str, &Path)]) -> Vec<String> {
    let program = tests::mpctl();
    let script = r#"
        source <(mpctl completions bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        complete -p mpctl >/dev/null || exit 1
        _clap_complete_mpctl mpctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let path = format!(
        "{}:{}",
        program.parent().expect("a folder").display(),
        std::env::var("PATH").expect("a path")
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash"]).args(words).env("PATH", path);
    let run = Run::of(bash.envs(environment.iter().copied()).stdin(Stdio::null()));
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    run.out.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let commands = offered(&["mpctl", ""], &[]);
    for command in ["groups", "members", "request", "send", "serve", "listen", "ping"] {
        assert!(commands.iter().any(|offer| offer == command), "{command}: {commands:?}");
    }
    assert_eq!(offered(&["mpctl", "request", "--reply-"], &[]), ["--reply-as"]);
}

#[test]
fn bash_completes_the_prefixes_there_are() {
    let base = Group::new();
    let dir = base.path().join("dpdk/packet-app");
    fs::create_dir_all(&dir).unwrap();
    drop(UnixDatagram::bind(dir.join("mp_socket_7_f")).unwrap());
    let offers = offered(&["mpctl", "--file-prefix", "pack"], &[("RUNTIME_DIRECTORY", base.path())]);
    assert_eq!(offers, ["packet-app"]);
}

#[test]
fn bash_completes_the_members_of_the_group_that_the_line_names() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    let mut secondary = group.start(&["listen"]);
    let socket = ready(&mut secondary);
    let dir = group.path().to_str().unwrap();
    let offers = |begun: &str| {
        let mut offers = offered(&["mpctl", "--runtime-dir", dir, "request", "echo", "--to", begun], &[]);
        offers.sort();
        offers
    };
    let mut pids = [std::process::id().to_string(), secondary.pid().to_string()];
    pids.sort();
    assert_eq!(offers(""), pids);
    assert_eq!(offers(&pids[0]), [pids[0].clone()]);
    assert_eq!(offers("mp_socket_"), [socket.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(offered(&["mpctl", "--runtime-dir", "/no/such", "request", "echo", "--to", ""], &[]), [""; 0]);
}

#[test]
fn bash_completes_names_of_actions() {
    assert_eq!(offered(&["mpctl", "request", "bus_"], &[]), ["bus_vdev_mp"]);
    let group = Group::new();
    let _primary = group.echoing();
    let mut secondary = group.start(&["serve", "ring_open"]);
    ready(&mut secondary);
    let (dir, pid) = (group.path().to_str().unwrap(), secondary.pid().to_string());
    assert_eq!(offered(&["mpctl", "--runtime-dir", dir, "request", "ec"], &[]), ["echo"]);
    let offers = offered(&["mpctl", "--runtime-dir", dir, "request", "--to", &pid, "ring"], &[]);
    assert_eq!(offers, ["ring_open"]);
}

#[test]
fn every_shell_has_a_script_that_asks_mpctl() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Run::of(mpctl().args(["completions", shell]));
        assert!(
            script.status == 0 && script.out.contains("mpctl") && script.out.contains("COMPLETE"),
            "{script:?}"
        );
    }
}

/// What it prints on a terminal.
fn on_a_terminal(mut command: Command) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("it is ours");
    unlockpt(&master).expect("it is ours");
    let name = ptsname(&master, Vec::new()).expect("it has one");
    let terminal =
        File::options().read(true).write(true).open(name.to_str().expect("text")).expect("it is ours");
    let output = OwnedFd::from(terminal);
    let mut child = command.stdin(Stdio::null()).stdout(output).spawn().expect("it starts");
    // The command's copy of the terminal is closed with it, so that reading ends when the child does.
    drop(command);
    let mut text = Vec::new();
    // Linux says EIO where a terminal has nobody left on its other side.
    let _: io::Result<usize> = File::from(master).read_to_end(&mut text);
    child.wait().expect("it is our child");
    String::from_utf8(text).expect("text")
}

#[test]
fn colour_is_for_terminals_only_and_can_be_turned_off() {
    let group = Group::new();
    drop(UnixDatagram::bind(group.path().join("mp_socket_7_f")).unwrap());
    let members = || {
        let mut command = group.command(&["members"]);
        command.env_remove("NO_COLOR").env("TERM", "xterm");
        command
    };
    let coloured = on_a_terminal(members());
    assert!(coloured.contains("\x1b[33msecondary  stale"), "{coloured:?}");
    let mut without = members();
    without.env("NO_COLOR", "1");
    let without = on_a_terminal(without);
    assert!(without.contains("secondary  stale") && !without.contains('\x1b'), "{without:?}");
    assert!(!Run::of(&mut members()).out.contains('\x1b'), "a pipe is no terminal");
    let mut json = members();
    json.arg("--json");
    assert!(!on_a_terminal(json).contains('\x1b'));
}
