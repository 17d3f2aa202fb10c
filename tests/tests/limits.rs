//! What the system is short of, and what is too long: each with words that say what to do.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tests::{
    Group, Process, StartFailed, group,
    users::{is_root, run_by},
};

fn in_dir(group: &Group, role: &str, dir: &Path) -> Command {
    let mut command = Command::new(group.command(role, &[]).get_program());
    command.arg(role).arg("--dir").arg(dir);
    command
}

fn refusal(command: Command) -> String {
    match Process::start(command) {
        Ok(_) => panic!("it started"),
        Err(StartFailed(error)) => error,
    }
}

/// A directory below the group's, whose path has this many bytes.
fn dir_of_length(group: &Group, length: usize) -> PathBuf {
    let room = length - group.path().as_os_str().len() - 1;
    group.join(&"d".repeat(room))
}

/// A C primary runs wherever `mp_socket` fits, which is up to 97 bytes; names of ours are as short as that takes.
#[test]
fn in_a_directory_with_a_long_path_everybody_takes_part_as_far_as_names_fit() {
    let group = group!();
    // DPDK's own names of secondaries would need up to 35 bytes.
    for (length, secondaries) in [(73, true), (80, true), (84, true), (97, false)] {
        let dir = dir_of_length(&group, length);
        let started = |role| Process::start(in_dir(&group, role, &dir)).expect("it starts");
        let (mut primary, mut client) = (started("primary"), started("client"));
        for how in ["ask", "later ask"] {
            for _ in 0..20 {
                assert!(client.call(&format!("{how} echo 5000 hi")).ends_with(" hi"), "{length} {how}");
            }
        }
        if secondaries {
            let (mut one, two) = (started("secondary"), started("secondary"));
            assert!(one.call("ask echo 5000 hi").ends_with(" hi"), "{length}");
            let replies = primary.call("ask echo 5000 hi");
            for member in [&one, &two] {
                assert!(replies.contains(&format!("{}:Replied", member.pid())), "{length}: {replies}");
            }
            assert!(one.finish() && two.finish());
        } else {
            let error = refusal(in_dir(&group, "secondary", &dir));
            assert!(error.contains("the limit is 107: use a shorter"), "{error}");
        }
        assert!(client.finish() && primary.finish());
        assert_eq!(fs::read_dir(&dir).expect("it is there").count(), 0, "{length}: nothing is left");
    }
    let error = refusal(in_dir(&group, "primary", &dir_of_length(&group, 98)));
    assert!(error.contains("is 108 bytes long; the limit is 107"), "{error}");
}

#[test]
fn what_died_with_a_short_name_is_removed_by_the_next() {
    let group = group!();
    let dir = dir_of_length(&group, 97);
    let started = |role| Process::start(in_dir(&group, role, &dir)).expect("it starts");
    let (mut primary, mut client) = (started("primary"), started("client"));
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
    client.kill();
    primary.kill();
    assert_eq!(fs::read_dir(&dir).expect("it is there").count(), 3, "two sockets and the primary's word");
    // A reply socket may only be on its way for a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let _next = started("primary");
    assert_eq!(fs::read_dir(&dir).expect("it is there").count(), 2);
}

/// A file system of its own, unmounted when this is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(at: PathBuf, options: &str) -> Self {
        fs::create_dir(&at).expect("it is free");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(&at).status();
        assert!(status.expect("mount runs").success());
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_file_system_full_of_bytes_holds_up_nobody() {
    if !is_root() {
        return;
    }
    let group = group!();
    let small = Mounted::tmpfs(group.join("small"), "size=64k,mode=0700");
    let filler = fs::write(small.0.join("filler"), vec![1; 1 << 20]);
    assert!(filler.is_err(), "it is full");
    let started = |role| Process::start(in_dir(&group, role, &small.0)).expect("it starts");
    let (mut primary, mut secondary, mut client) =
        (started("primary"), started("secondary"), started("client"));
    for asker in [&mut secondary, &mut client] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
    assert!(primary.call("ask echo 5000 hi").contains("received=1"));
    assert!(secondary.finish() && client.finish() && primary.finish());
}

#[test]
fn a_file_system_without_room_for_a_socket_is_told_with_what_to_do() {
    if !is_root() {
        return;
    }
    let group = group!();
    let small = Mounted::tmpfs(group.join("small"), "size=64k,nr_inodes=5,mode=0700");
    let started = |role| Process::start(in_dir(&group, role, &small.0)).expect("it starts");
    // The directory itself, the primary's socket and its word.
    let (_primary, mut client) = (started("primary"), started("client"));
    for name in 0.. {
        if fs::write(small.0.join(name.to_string()), "").is_err() {
            break;
        }
    }
    let told = |error: &str| {
        assert!(error.contains("No space left on device") && error.contains("make room there"), "{error}");
    };
    told(&refusal(in_dir(&group, "secondary", &small.0)));
    for call in ["ask echo 1000 hi", "later ask echo 1000 hi", "send note 1000 hi"] {
        told(&client.call(call));
    }
    fs::remove_file(small.0.join("0")).expect("it was made");
    assert!(client.call("ask echo 5000 hi").ends_with(" hi"));
}

#[test]
fn without_descriptors_a_start_and_a_request_say_which_limit_it_is() {
    let group = group!();
    let _primary = group.primary();
    let told = |error: &str| {
        assert!(error.contains("Too many open files") && error.contains("ulimit -n"), "{error}");
    };
    let limited = ["-c", "ulimit -n 5 && exec \"$@\"", "sh"].map(OsStr::new);
    told(&refusal(run_by("sh", limited, &group.command("secondary", &[]))));
    let mut client = group.client();
    let limit = client.fd_limit_with_room_for(1);
    client.call(&format!("max-fds {limit}"));
    told(&client.call("ask echo 1000 hi"));
}

/// The limit is that of a user in a user namespace, of which this makes one.
#[test]
fn without_inotify_instances_a_watch_says_which_limit_it_is() {
    let group = group!();
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    let arguments = ["--user", "--map-root-user", "sh", "-c", script, "sh"].map(OsStr::new);
    let possible = run_by("unshare", arguments, &Command::new("true")).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this kernel does not allow a user namespace with limits of its own");
        return;
    }
    let command = run_by("unshare", arguments, &group.command("primary", &[]));
    let mut primary = Process::start(command).expect("it starts without");
    let error = primary.call("watch");
    assert!(error.contains("fs.inotify.max_user_instances"), "{error}");
    let script = "echo 0 > /proc/sys/user/max_inotify_watches && exec \"$@\"";
    let arguments = ["--user", "--map-root-user", "sh", "-c", script, "sh"].map(OsStr::new);
    let mut secondary =
        Process::start(run_by("unshare", arguments, &group.command("secondary", &[]))).expect("it starts");
    let error = secondary.call("watch");
    assert!(error.contains("fs.inotify.max_user_watches"), "{error}");
    // All else goes on.
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
    assert_eq!(fs::metadata(group.path()).expect("it is there").permissions().mode() & 0o777, 0o700);
}
