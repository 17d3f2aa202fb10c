//! Members in namespaces of their own, made by hand as a container runtime makes them.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

use tests::{
    Group, Process, StartFailed, eventually, group,
    users::{ALICE, NAMESPACES, as_user, in_container, is_root, run_by},
};

fn contained(group: &Group, role: &str) -> Command {
    in_container(group.path(), &group.command(role, &[]))
}

/// Whether the kernel lets this be made; says that the test is skipped if not.
fn is_possible(program: &str, arguments: &[&str]) -> bool {
    let made = Command::new(program).args(arguments).arg("true").output();
    let made = made.is_ok_and(|output| output.status.success());
    if !made {
        eprintln!("skipped: this kernel does not allow {program} {}", arguments.join(" "));
    }
    made
}

fn refusal(command: Command) -> String {
    match Process::start(command) {
        Ok(_) => panic!("it started"),
        Err(StartFailed(error)) => error,
    }
}

#[test]
fn a_sidecar_in_a_container_is_a_member_with_all_that_belongs_to_it() {
    if !is_root() || !is_possible("unshare", &NAMESPACES) {
        return;
    }
    let group = group!();
    let mut primary = group.primary();
    primary.call("watch");
    let mut sidecar = Process::start(contained(&group, "secondary")).expect("it starts");
    // The pid in its socket's name is its own there; here that number is somebody else's.
    let inside = primary.event("joined");
    assert_ne!(inside, sidecar.pid().to_string());
    for how in ["ask", "later ask"] {
        let reply = sidecar.call(&format!("{how} files 5000 3"));
        assert!(reply.contains("fds=3"), "{how}: {reply}");
        assert!(reply.contains("pid=0 "), "the primary's cannot be seen from there: {reply}");
        let replies = primary.call(&format!("{how} echo 5000 hi"));
        assert!(replies.contains(&format!("{inside}:Replied")), "{how}: {replies}");
    }
    assert!(sidecar.call("send note 5000 hi").ends_with("Sent"));
    assert!(!primary.event("note").ends_with("pid=0"), "it is seen from here");
    // No pid is told that may be another's.
    let found = mp_core::inspect::Group::in_dir(group.path()).expect("it is there");
    let member = found.members.iter().find(|member| member.role == mp_core::inspect::Role::Secondary);
    assert!(member.is_some_and(|member| member.alive && member.pid.is_none()), "{found:?}");
    // It dies: that number runs here still.
    sidecar.kill();
    assert_eq!(primary.event("died"), inside);
    assert!(eventually(|| group.files("mp_socket_").is_empty()), "{:?}", group.files(""));
    assert!(primary.call("ask echo 5000 hi").contains("sent=0"));
}

#[test]
fn a_primary_in_a_container_that_dies_and_comes_again_is_told_and_found() {
    if !is_root() || !is_possible("unshare", &NAMESPACES) {
        return;
    }
    let group = group!();
    let mut primary = Process::start(contained(&group, "primary")).expect("it starts");
    let (mut secondary, mut client) = (group.secondary(), group.client());
    for asker in [&mut secondary, &mut client] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
    secondary.tell("ask stall 60000 x");
    primary.event("stall");
    primary.kill();
    let result = secondary.line(|line| line.starts_with('='));
    assert!(result.contains("Gone"), "long before the deadline: {result}");
    assert!(client.call("ask echo 5000 hi").contains("NoPrimary"));
    let _next = Process::start(contained(&group, "primary")).expect("the dead one's place is free");
    for asker in [&mut secondary, &mut client] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
}

/// In a container without root, its root is the user who made it; whom it does not map it sees as 65534.
#[test]
fn in_a_user_namespace_members_of_a_mapped_user_meet() {
    if !is_root() || !is_possible("unshare", &["--user", "--map-root-user"]) {
        return;
    }
    let group = group!();
    chown(group.path(), Some(ALICE), Some(ALICE)).expect("root may");
    let of_alice = |command: &Command| as_user(ALICE, ALICE, command);
    let mut primary = Process::start(of_alice(&group.command("primary", &[]))).expect("it starts");
    for options in [&["--user", "--map-root-user"][..], &["--user"]] {
        let inside = run_by("unshare", options.iter().map(OsStr::new), &group.command("secondary", &[]));
        let mut sidecar = Process::start(of_alice(&inside)).expect("it starts");
        assert!(sidecar.call("ask echo 5000 hi").ends_with(" hi"), "{options:?}");
        assert!(
            primary.call("ask echo 5000 hi").contains(&format!("{}:Replied", sidecar.pid())),
            "{options:?}"
        );
        assert!(sidecar.finish());
    }
}

#[test]
fn in_a_user_namespace_who_is_not_mapped_is_not_listened_to() {
    if !is_root() || !is_possible("unshare", &["--user", "--map-root-user"]) {
        return;
    }
    let group = group!();
    chown(group.path(), Some(ALICE), Some(ALICE)).expect("root may");
    // Root beside Alice: in her namespace, root outside is nobody.
    let mut primary = group.start("primary", &["--beside-user", &ALICE.to_string()]);
    let inside =
        run_by("unshare", ["--user", "--map-root-user"].map(OsStr::new), &group.command("secondary", &[]));
    let mut sidecar = Process::start(as_user(ALICE, ALICE, &inside)).expect("it starts");
    assert!(primary.call("ask echo 300 hi").contains("TimedOut"), "it does not listen");
    assert!(sidecar.counter("Untrusted") > 0);
}

#[test]
fn on_a_read_only_mount_nobody_joins_or_asks_and_the_error_says_why() {
    if !is_root() || !is_possible("unshare", &["--mount"]) {
        return;
    }
    let group = group!();
    let _primary = group.primary();
    let read_only = |role: &str| {
        let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
        let arguments = ["--mount", "sh", "-c", script, "sh"].map(OsStr::new);
        run_by("unshare", arguments.into_iter().chain([group.path().as_os_str()]), &group.command(role, &[]))
    };
    let told = |error: &str| {
        assert!(error.contains("Read-only file system") && error.contains("mount it writable"), "{error}");
    };
    told(&refusal(read_only("secondary")));
    let mut client = Process::start(read_only("client")).expect("it need not write yet");
    for call in ["ask echo 1000 hi", "later ask echo 1000 hi", "send note 1000 hi"] {
        told(&client.call(call));
    }
}

/// The host's other end of what a container is given: nothing but the group's own directory.
#[test]
fn a_container_is_given_the_runtime_directory_and_nothing_else_of_the_host() {
    if !is_root() || !is_possible("unshare", &NAMESPACES) {
        return;
    }
    let group = group!();
    let other = tests::group!();
    let _primary = group.primary();
    let mut sidecar = Process::start(contained(&group, "secondary")).expect("it starts");
    let root = format!("/proc/{}/root", child_of(sidecar.pid()));
    let inside = |path: &Path| Path::new(&root).join(path.strip_prefix("/").expect("absolute"));
    assert_eq!(inode(&inside(group.path())), inode(group.path()));
    assert!(!inside(other.path()).exists());
    assert!(sidecar.call("ask echo 5000 hi").ends_with(" hi"));
    assert_eq!(fs::metadata(group.path()).expect("it is there").permissions().mode() & 0o777, 0o700);
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{path:?}: {error}")).ino()
}

fn child_of(pid: u32) -> String {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it lives");
    children.trim().to_owned()
}
