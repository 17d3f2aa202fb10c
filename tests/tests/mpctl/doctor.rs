//! `doctor`: each fault is made to happen, is found, and is told with its remedy.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown, symlink},
        net::UnixDatagram,
    },
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tests::Process;

use crate::{Group, Run, in_a_pid_namespace, mpctl, own_uid, ready};

/// What is found, which must be this and nothing else.
#[track_caller]
fn only(run: &Run, check: &str) -> Value {
    assert_eq!((run.status, run.err.as_str()), (1, ""), "{run:?}");
    let findings = run.jsons();
    let [finding] = &findings[..] else { panic!("one {check} was expected: {run:?}") };
    assert_eq!(finding["check"], json!(check), "{run:?}");
    assert!(["wrong", "remedy"].iter().all(|key| finding[key].as_str().is_some_and(|text| !text.is_empty())));
    finding.clone()
}

fn doctor(group: &Group) -> Run {
    group.run(&["--json", "doctor"])
}

#[track_caller]
fn assert_text(finding: &Value, key: &str, text: &str) {
    assert!(finding[key].as_str().is_some_and(|value| value.contains(text)), "{text}: {finding}");
}

#[test]
fn a_group_in_order_has_nothing_wrong() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut secondary = group.start(&["listen"]);
    ready(&mut secondary);
    let run = doctor(&group);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, "", ""));
    assert_eq!(group.run(&["doctor"]).out, "nothing is wrong: 2 members\n");
}

#[test]
fn stale_sockets_are_found_and_nothing_is_removed() {
    let group = Group::new();
    let _primary = group.echoing();
    let stale = group.path().join("mp_socket_4000000_f");
    drop(UnixDatagram::bind(&stale).unwrap());
    let finding = only(&doctor(&group), "stale_socket");
    assert_eq!([&finding["subject"], &finding["pid"]], [&json!(stale), &json!(4_000_000)]);
    assert_text(&finding, "remedy", &format!("rm {}", stale.display()));
    let text = group.run(&["doctor"]);
    assert!(text.out.starts_with(&format!("stale_socket: {} is left over", stale.display())), "{text:?}");
    assert!(stale.exists());
    fs::remove_file(&stale).unwrap();

    let reply = group.path().join("mp_reply_4000000_f");
    drop(UnixDatagram::bind(&reply).unwrap());
    let finding = only(&doctor(&group), "stale_reply_socket");
    assert_eq!(finding["subject"], json!(reply));
    let held = UnixDatagram::bind(group.path().join("mp_reply_4000000_e")).unwrap();
    assert_text(&only(&doctor(&group), "stale_reply_socket"), "wrong", "1 reply socket in all");
    drop(held);
}

#[test]
fn a_directory_that_is_open_to_others_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    fs::set_permissions(group.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let finding = only(&doctor(&group), "directory_mode");
    assert_eq!(finding["subject"], json!(group.path()));
    assert_text(&finding, "wrong", "0755");
    assert_text(&finding, "remedy", &format!("chmod 700 {}", group.path().display()));
}

#[test]
fn a_directory_of_another_user_is_found() {
    let group = Group::new();
    let run = if own_uid() == 0 {
        let _primary = group.echoing();
        chown(group.path(), Some(65534), None).unwrap();
        doctor(&group)
    } else {
        // Root's, and open to look into.
        Run::of(mpctl().args(["--json", "--runtime-dir", "/usr", "doctor"]))
    };
    let found = run.jsons();
    assert!(found.iter().any(|finding| finding["check"] == json!("directory_owner")), "{run:?}");
    assert_eq!(run.status, 1);
}

#[test]
fn a_path_that_is_too_long_is_found() {
    let long = format!("/tmp/{}", "d".repeat(100));
    let run = Run::of(mpctl().args(["--json", "--runtime-dir", &long, "doctor"]));
    assert_text(&only(&run, "path_too_long"), "remedy", "shorter file-prefix");
}

#[test]
fn a_directory_that_is_a_link_is_found() {
    let (group, base) = (Group::new(), Group::new());
    fs::create_dir(base.path().join("dpdk")).unwrap();
    symlink(group.path(), base.path().join("dpdk/g")).unwrap();
    let mut command = mpctl();
    command.args(["--json", "--file-prefix", "g", "doctor"]).env("RUNTIME_DIRECTORY", base.path());
    assert_text(&only(&Run::of(&mut command), "link"), "remedy", "give the directory itself");
}

#[test]
fn a_config_that_tells_no_layout_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    let config = group.path().join("config");
    fs::write(&config, "nothing of DPDK's").unwrap();
    let finding = only(&doctor(&group), "layout_unknown");
    assert_eq!(finding["subject"], json!(config));
    assert_text(&finding, "remedy", &format!("remove {}", config.display()));
}

#[test]
fn a_process_whose_dpdk_has_another_layout_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    // To the kernel's tables, whatever has this name is DPDK 22.11.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps
        .lines()
        .find_map(|line| line.find('/').map(|at| &line[at..]).filter(|path| path.contains("/libgcc_s.so")));
    let libraries = tempfile::tempdir().unwrap();
    let preloaded = libraries.path().join("librte_eal.so.23.0");
    fs::copy(library.expect("every program has it"), &preloaded).unwrap();
    let mut command = group.command(&["--json", "listen"]);
    command.env("LD_PRELOAD", &preloaded);
    let mut member = Process::spawn(command);
    let socket = ready(&mut member);
    assert_eq!(doctor(&group).status, 0, "without a config, 332 bytes fit it");

    fs::write(
        group.path().join("config"),
        [19_820_526_u32.to_ne_bytes(), 0x190b_0063_u32.to_ne_bytes()].concat(),
    )
    .unwrap();
    let finding = only(&doctor(&group), "layout");
    assert_eq!([&finding["subject"], &finding["pid"]], [&json!(socket), &json!(member.pid())]);
    assert_text(&finding, "wrong", "whose datagrams have 332 bytes; in this group they have 340");
}

#[test]
fn a_user_without_inotify_instances_is_found() {
    let group = Group::new();
    // A user namespace has limits of its own.
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]).arg(tests::mpctl());
    command.args(["--json", "--runtime-dir"]).arg(group.path()).arg("doctor").stdin(Stdio::null());
    assert_text(&only(&Run::of(&mut command), "inotify"), "remedy", "fs.inotify.max_user_instances");
}

#[test]
fn a_process_that_runs_out_of_descriptors_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut member = group.start(&["listen"]);
    ready(&mut member);
    let most = member.open_fds() as u64 + 1;
    let limit = Rlimit { current: Some(most), maximum: Some(1024) };
    prlimit(Some(Pid::from_raw(member.pid() as i32).unwrap()), Resource::Nofile, limit).unwrap();
    let finding = only(&doctor(&group), "descriptors");
    assert_text(&finding, "wrong", &format!("has {} files open of {most} that it may", most - 1));
    assert_text(&finding, "remedy", &format!("prlimit --pid {} --nofile=", member.pid()));
}

#[test]
fn who_is_stopped_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    let mut member = group.start(&["listen"]);
    ready(&mut member);
    member.pause();
    let finding = only(&doctor(&group), "stopped");
    assert_eq!(finding["pid"], json!(member.pid()));
    assert_text(&finding, "remedy", &format!("kill -CONT {}", member.pid()));
    member.resume();
}

#[test]
fn a_member_that_spells_the_directory_otherwise_is_found() {
    let (group, links) = (Group::new(), tempfile::tempdir().unwrap());
    let _primary = group.echoing();
    let link = links.path().join("link");
    symlink(group.path(), &link).unwrap();
    let name = format!("mp_socket_{}_f", std::process::id());
    let _held = UnixDatagram::bind(link.join(&name)).unwrap();
    let finding = only(&doctor(&group), "spelling");
    assert_eq!(finding["subject"], json!(group.path().join(&name)));
    assert_text(&finding, "wrong", link.to_str().unwrap());
    assert_text(&finding, "remedy", &format!("spelled as {}", group.path().display()));
}

#[test]
fn a_member_of_another_pid_namespace_is_found() {
    let group = Group::new();
    let _primary = group.echoing();
    let Some(mut command) = in_a_pid_namespace(&group) else { return };
    command.arg("listen");
    let mut member = Process::spawn(command);
    let socket = ready(&mut member);
    let finding = only(&doctor(&group), "pid_namespace");
    assert_eq!([&finding["subject"], &finding["pid"]], [&json!(socket), &Value::Null]);
    assert_text(&finding, "remedy", "go by sockets, not by pids");
}

#[test]
fn a_group_whose_primary_has_gone_is_found() {
    let group = Group::new();
    let mut member = {
        let _primary = group.echoing();
        let mut member = group.start(&["listen"]);
        ready(&mut member);
        member
    };
    let finding = only(&doctor(&group), "no_primary");
    assert_text(&finding, "wrong", "1 secondary");
    crate::interrupt(&mut member);
}

#[test]
fn a_group_that_is_not_there_is_told_as_ever() {
    let none = Path::new("/tmp/mp-no-such-group");
    Run::of(mpctl().arg("--runtime-dir").arg(none).arg("doctor")).assert_failed(1, "no such group");
}
