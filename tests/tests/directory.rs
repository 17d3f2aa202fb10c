//! The runtime directory: whose it is, where it is, and what is in it.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use pollster::block_on;
use rustix::process::geteuid;
use tests::{Group, Lie, Process, RawSocket, StartFailed, eventually, group};

/// A DPDK `config` file: its magic number, and that of a version.
fn config(group: &Group, magic: u32, version: u32) {
    let bytes = [magic.to_ne_bytes(), version.to_ne_bytes(), [0; 4]].concat();
    fs::write(group.join("config"), bytes).expect("the directory is ours");
}

const MAGIC: u32 = 19_820_526;
const V25_11: u32 = 25 << 24 | 11 << 16 | 99;

/// That a member cannot start, and why.
fn refusal(command: Command) -> String {
    match Process::start(command) {
        Ok(_) => panic!("it started"),
        Err(StartFailed(error)) => error,
    }
}

#[test]
fn a_directory_that_is_open_to_others_is_refused() {
    let group = group!();
    for mode in [0o755, 0o770, 0o701, 0o704, 0o702] {
        fs::set_permissions(group.path(), Permissions::from_mode(mode)).expect("it is ours");
        for role in ["primary", "secondary"] {
            let error = refusal(group.command(role, &[]));
            assert!(error.contains(&format!("has mode {mode:04o}")), "{error}");
            assert!(error.contains(group.path().to_str().expect("ASCII")), "{error}");
        }
        let result = group.client().call("ask echo 1000");
        assert!(result.contains(&format!("has mode {mode:04o}")), "{result}");
    }
    assert_eq!(group.files(""), [""; 0]);
    fs::set_permissions(group.path(), Permissions::from_mode(0o700)).expect("it is ours");
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !geteuid().is_root() {
        eprintln!("only root can give a directory away");
        return;
    }
    let group = group!();
    std::os::unix::fs::chown(group.path(), Some(65_534), None).expect("root may");
    for role in ["primary", "secondary"] {
        let error = refusal(group.command(role, &[]));
        assert!(error.contains("belongs to uid 65534, not to uid 0"), "{error}");
    }
    let result = group.client().call("ask echo 1000");
    assert!(result.contains("belongs to uid 65534"), "{result}");
}

#[test]
fn a_path_that_is_too_long_is_named_before_anything_is_made() {
    let group = group!();
    let long = group.join(&"x".repeat(90));
    for role in ["primary", "secondary", "client"] {
        let error = refusal(in_dir(&group, role, &long));
        assert!(error.contains(long.to_str().expect("ASCII")), "{error}");
        assert!(error.contains("the limit is 107"), "{error}");
    }
    assert_eq!(group.files(""), [""; 0]);
}

/// The command that starts a member of another group.
fn in_dir(group: &Group, role: &str, dir: &Path) -> Command {
    let mut command = Command::new(group.command(role, &[]).get_program());
    command.arg(role).arg("--dir").arg(dir);
    command
}

#[test]
fn a_directory_need_not_be_utf8() {
    let group = group!();
    let odd = group.path().join(OsStr::from_bytes(b"\xff\xfe dir"));
    let started = |role| Process::start(in_dir(&group, role, &odd)).expect("it starts");
    let (mut primary, mut secondary, mut client) =
        (started("primary"), started("secondary"), started("client"));
    for asker in [&mut secondary, &mut client] {
        assert!(asker.call("ask echo 5000 hi").ends_with(" hi"));
    }
    assert!(primary.call("ask echo 5000 hi").contains(&format!("{}:Replied", secondary.pid())));
}

#[test]
fn a_missing_directory_is_made_private() {
    let group = group!();
    let new = group.join("new");
    let _primary = Process::start(in_dir(&group, "primary", &new)).expect("it starts");
    assert_eq!(fs::metadata(&new).expect("it is there").permissions().mode() & 0o7777, 0o700);
    let socket = fs::metadata(new.join("mp_socket")).expect("it is there");
    assert_eq!(socket.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let (group, elsewhere) = (group!(), group!());
    let link = group.join("link");
    std::os::unix::fs::symlink(elsewhere.path(), &link).expect("it is free");
    for role in ["primary", "secondary"] {
        let error = refusal(in_dir(&group, role, &link));
        let expected = format!("{link:?} is a symbolic link to {:?}", elsewhere.path());
        assert!(error.contains(&expected), "{error}");
    }
}

/// What the user need not know by heart: which of the four the base directory is, and why.
#[test]
fn an_error_below_the_base_directory_says_what_chose_it() {
    let group = group!();
    let missing = group.join("missing");
    for role in ["primary", "secondary"] {
        let mut command = Command::new(group.command(role, &[]).get_program());
        command.args([role, "--file-prefix", "any"]).env("RUNTIME_DIRECTORY", &missing);
        let error = refusal(command);
        assert!(error.contains("No such file"), "{error}");
        assert!(error.contains(&format!("(below {missing:?}, since $RUNTIME_DIRECTORY says so)")), "{error}");
    }
    let below = |role: &str| {
        let mut command = Command::new(group.command(role, &[]).get_program());
        command.args([role, "--file-prefix", "any"]).env("RUNTIME_DIRECTORY", group.path());
        command
    };
    let of_base = format!("(below {:?}, since $RUNTIME_DIRECTORY says so)", group.path());
    let primary = Process::start(below("primary")).expect("it starts");
    let error = refusal(below("primary"));
    assert!(error.contains("already has a primary") && error.contains(&of_base), "{error}");
    let mut client = Process::start(below("client")).expect("it starts");
    fs::write(group.join("dpdk/any/config"), "nothing of DPDK's").expect("the directory is ours");
    for call in ["ask echo 1000", "send note 1000"] {
        let error = client.call(call);
        assert!(error.contains("magic number") && error.contains(&of_base), "{call}: {error}");
    }
    drop(primary);
}

#[test]
fn the_base_directory_is_found_as_dpdk_does() {
    let (runtime, xdg) = (group!(), group!());
    let command = |role: &str| {
        let mut command = Command::new(runtime.command(role, &[]).get_program());
        command.args([role, "--file-prefix", "faults"]);
        command.env_remove("RUNTIME_DIRECTORY").env("XDG_RUNTIME_DIR", xdg.path());
        command
    };
    let mut by_runtime = command("primary");
    by_runtime.env("RUNTIME_DIRECTORY", runtime.path());
    let _primary = Process::start(by_runtime).expect("it starts");
    let dir = runtime.join("dpdk/faults");
    assert!(dir.join("mp_socket").exists());
    for dir in [&dir, &runtime.join("dpdk")] {
        assert_eq!(fs::metadata(dir).expect("it is there").permissions().mode() & 0o7777, 0o700);
    }
    // For root `/var/run` comes before `$XDG_RUNTIME_DIR`, and is not ours to litter.
    if !geteuid().is_root() {
        let _primary = Process::start(command("primary")).expect("it starts");
        assert!(xdg.join("dpdk/faults/mp_socket").exists());
    }
}

#[test]
fn a_config_without_the_magic_is_an_error_before_anything_is_sent() {
    let group = group!();
    let listener = RawSocket::bound(&group.join("mp_socket"));
    for contents in [&b""[..], b"short", &[0; 4096]] {
        fs::write(group.join("config"), contents).expect("the directory is ours");
        let mut client = group.client();
        for call in ["ask echo 1000", "send note 1000"] {
            let result = client.call(call);
            assert!(result.contains("does not begin with DPDK's magic number"), "{result}");
            assert!(result.contains(group.join("config").to_str().expect("ASCII")), "{result}");
        }
        assert!(listener.is_empty());
    }
    drop(listener);
    // A process that another test is starting may hold a copy for a moment.
    let mut error = String::new();
    let refused = eventually(|| {
        error = refusal(group.command("primary", &[]));
        !error.contains("already has a primary")
    });
    assert!(refused && error.contains("does not begin with DPDK's magic number"), "{error}");
}

#[test]
fn with_the_config_of_25_11_datagrams_are_340_bytes_long() {
    let group = group!();
    config(&group, MAGIC, V25_11);
    let listener = std::os::unix::net::UnixDatagram::bind(group.join("mp_socket")).expect("it is free");
    let mut client = group.client();
    client.tell("send note 1000 hi");
    let mut bytes = [0; 400];
    assert_eq!(listener.recv(&mut bytes).expect("it was sent"), 340);
    assert_eq!(bytes[..340], Lie::message("note", b"hi").bytes_340());
}

#[test]
fn with_the_config_of_25_11_a_primary_asks_in_340_bytes() {
    let group = group!();
    config(&group, MAGIC, V25_11);
    let mut primary = group.primary();
    let listener = RawSocket::bound(&group.join("mp_socket_1_1"));
    primary.call("begin ask echo 60000 hi");
    assert_eq!(listener.receive(), (1, "echo".into(), b"hi".to_vec()));
    let answer = Lie { kind: 3, ..Lie::request("echo", b"") };
    let reply_socket = group.files("mp_reply_").pop().expect("it asked from one");
    listener.send(&group.join(&reply_socket), &answer.bytes_340());
    assert!(primary.event("done").contains(":Ignored"));
}

#[test]
fn a_locked_config_refuses_a_second_primary_and_names_the_holder() {
    let group = group!();
    config(&group, MAGIC, V25_11);
    let file = File::options().write(true).open(group.join("config")).expect("it is there");
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::LockExclusive).expect("it is free");
    let error = refusal(group.command("primary", &[]));
    assert!(error.contains(&format!("the DPDK process {}", std::process::id())), "{error}");
    // A secondary may join all the same.
    let secondary = group.secondary();
    assert!(secondary.finish());
    drop(file);
    let primary = group.primary();
    assert!(primary.finish());
}

#[test]
fn a_second_primary_is_refused_and_told_who_is_the_first() {
    let group = group!();
    let mut first = group.primary();
    let fds = first.open_fds();
    for _ in 0..3 {
        let error = refusal(group.command("primary", &[]));
        assert!(error.contains(&format!("already has a primary: process {}", first.pid())), "{error}");
    }
    assert!(group.client().call("ask echo 5000 hi").ends_with(" hi"));
    first.assert_open_fds(fds);
    first.kill();
    assert!(group.primary().finish());
}

#[test]
fn a_primary_paused_for_long_is_still_the_primary() {
    let group = group!();
    let first = group.primary();
    first.pause();
    let error = refusal(group.command("primary", &[]));
    assert!(error.contains(&format!("process {}", first.pid())), "{error}");
    first.resume();
}

#[test]
fn a_directory_that_vanishes_is_told_and_survived() {
    let group = group!();
    let inner: PathBuf = group.join("inner");
    let started = |role| Process::start(in_dir(&group, role, &inner)).expect("it starts");
    let (mut primary, mut secondary) = (started("primary"), started("secondary"));
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
    fs::remove_dir_all(&inner).expect("it is ours");
    // What is connected goes on; what has to look says that there is nothing.
    let result = primary.call("ask echo 1000");
    assert!(result.contains("sent=0") || result.contains("inner"), "{result}");
    let result = started("client").call("ask echo 1000");
    assert!(result.contains("NoPrimary"), "{result}");
    // The place is free for another group.
    let _second = started("primary");
    assert!(started("client").call("ask echo 5000 hi").ends_with(" hi"));
    assert!(primary.finish());
    assert!(inner.join("mp_socket").exists(), "the first has not removed the second's");
    assert!(secondary.call("ask echo 5000 hi").ends_with(" hi"));
    assert!(secondary.finish());
}

#[test]
fn a_file_that_is_in_the_primarys_place_is_told() {
    let group = group!();
    fs::create_dir(group.join("mp_socket")).expect("it is free");
    let error = refusal(group.command("primary", &[]));
    assert!(error.contains(group.join("mp_socket").to_str().expect("ASCII")), "{error}");
}

#[test]
fn an_action_under_a_name_of_dpdks_own_is_refused_beside_dpdk() {
    let group = group!();
    config(&group, MAGIC, V25_11);
    for name in ["mp_malloc_sync", "mp_pdump", "mp_testpmd"] {
        let name = mp_core::Name::new(name).expect("a name");
        let builder = mp_core::Secondary::builder("any").runtime_dir(group.path()).on(name, |_, _| ());
        let error = builder.start().expect_err("DPDK answers to it");
        assert!(matches!(error, mp_core::StartError::Register(_)), "{error}");
    }
}

/// A POSIX lock on `config`, as a DPDK primary in this process holds it.
fn locked_config(group: &Group) -> File {
    let file = File::options().write(true).open(group.join("config")).expect("it is there");
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::LockExclusive).expect("it is free");
    file
}

/// Closing any descriptor of a file ends the process's POSIX locks on it.
#[test]
fn a_dpdk_primary_in_this_process_keeps_its_lock_whatever_looks_at_its_config() {
    let group = group!();
    config(&group, MAGIC, V25_11);
    let _lock = locked_config(&group);
    let listener = RawSocket::bound(&group.join("mp_socket"));
    let assert_locked = |after: &str| {
        let error = refusal(group.command("primary", &[]));
        assert!(
            error.contains(&format!("the DPDK process {}", std::process::id())),
            "after {after}: {error}"
        );
    };
    assert_locked("nothing");
    let name = mp_core::Name::from_static("note");
    let message = mp_core::Message::new(name);
    for _ in 0..2 {
        let found = mp_core::inspect::groups();
        assert!(found.iter().any(|found| found.dir == group.path()), "{found:?}");
        assert_locked("a look at all groups");
        let client = mp_core::Client::builder("any").runtime_dir(group.path()).start().expect("it starts");
        client.send(&message).expect("the listener has room");
        drop(client);
        assert_locked("a client's message");
        let secondary = mp_core::Secondary::builder("any").runtime_dir(group.path()).start();
        drop(secondary.expect("it starts"));
        assert_locked("a secondary");
        let error = mp_core::Primary::builder("any").runtime_dir(group.path()).start();
        let error = error.expect_err("the group has a primary, if in this process").to_string();
        assert!(error.contains(&format!("the DPDK process {}", std::process::id())), "{error}");
        assert_locked("a primary that was refused");
    }
    drop(listener);
}

/// A DPDK primary writes its magic number at the end of its start, long after its socket is bound.
#[test]
fn a_dpdk_primary_that_is_starting_is_waited_for_until_the_deadline() {
    let group = group!();
    config(&group, 0, V25_11);
    let _lock = locked_config(&group);
    let listener = RawSocket::bound(&group.join("mp_socket"));
    let mut client = group.client();
    for call in ["ask echo 100 hi", "later ask echo 100 hi", "send note 100 hi"] {
        let result = client.call(call);
        assert!(result.contains("is still starting"), "{call}: {result}");
        let took: u64 = result.split(' ').next().and_then(|ms| ms.parse().ok()).expect("milliseconds");
        assert!((100..5000).contains(&took), "{call}: {result}");
    }
    assert!(listener.is_empty());
    let fds = client.open_fds();
    client.call("begin ask echo 60000 hi");
    client.tell("later ask echo 60000 hi");
    assert!(eventually(|| client.open_fds() > fds), "it has connected, and waits");
    config(&group, MAGIC, V25_11);
    for _ in 0..2 {
        let (from, request) = listener.receive_from();
        assert_eq!(request, (1, "echo".into(), b"hi".to_vec()));
        listener.send(&from, &Lie { kind: 2, ..Lie::request("echo", b"started") }.bytes_340());
    }
    assert!(client.event("done").ends_with(" started"));
    assert!(client.line(|line| line.starts_with('=')).ends_with(" started"));
}

#[test]
fn a_request_that_waits_for_a_starting_primary_can_be_stopped() {
    let group = group!();
    config(&group, 0, V25_11);
    let _lock = locked_config(&group);
    let _listener = RawSocket::bound(&group.join("mp_socket"));
    let mut secondary = group.secondary();
    secondary.call("begin later ask echo 60000 hi");
    assert_eq!(secondary.call("stop 5000"), "true");
    assert!(secondary.event("done").contains("Stopped"));
}

/// Two names of one directory: `real/g`, and `link/g` through a symbolic link.
fn two_names(group: &Group) -> [PathBuf; 2] {
    fs::create_dir(group.join("real")).expect("it is free");
    fs::create_dir(group.join("real/g")).expect("it is free");
    fs::set_permissions(group.join("real/g"), Permissions::from_mode(0o700)).expect("it is ours");
    std::os::unix::fs::symlink("real", group.join("link")).expect("it is free");
    [group.join("real/g"), group.join("link/g")]
}

/// C primaries take an answer only from the very path that they asked.
#[test]
fn a_secondary_is_bound_as_its_primary_spells_the_directory() {
    let group = group!();
    for (ours, primarys) in {
        let [real, link] = two_names(&group);
        [(real.clone(), link.clone()), (link.join("../g/."), link.clone()), (link, real)]
    } {
        let primary = RawSocket::bound(&primarys.join("mp_socket"));
        let mut secondary = Process::start(in_dir(&group, "secondary", &ours)).expect("it starts");
        let asked = primarys.join(group.files_in("real/g", "mp_socket_").pop().expect("it has joined"));
        primary.send(&asked, &Lie::request("echo", b"hi").bytes());
        assert_eq!(primary.receive_from(), (asked, (2, "echo".into(), b"hi".to_vec())));
        // Its own requests, too, come from where the primary can find it.
        secondary.call("begin ask echo 60000 hi");
        let (from, request) = primary.receive_from();
        assert_eq!((from.parent(), request.0), (Some(primarys.as_path()), 1));
        primary.send(&from, &Lie { kind: 2, ..Lie::request("echo", b"hi") }.bytes());
        assert!(secondary.event("done").ends_with(" hi"));
        assert!(secondary.finish());
        drop(primary);
        fs::remove_file(primarys.join("mp_socket")).expect("it is there");
    }
}

#[test]
fn a_primary_is_bound_without_links_and_dots() {
    let group = group!();
    let [real, link] = two_names(&group);
    for given in [link.clone(), link.join("../../real/./g"), real.join(".")] {
        let mut primary = Process::start(in_dir(&group, "primary", &given)).expect("it starts");
        let asker = RawSocket::bound(&group.join("asker"));
        asker.send(&link.join("mp_socket"), &Lie::request("echo", b"hi").bytes());
        assert_eq!(asker.receive_from(), (real.join("mp_socket"), (2, "echo".into(), b"hi".to_vec())));
        fs::remove_file(group.join("asker")).expect("it is there");
        // Of its own directory it knows its members, however they came there.
        let secondary = Process::start(in_dir(&group, "secondary", &link)).expect("it starts");
        assert!(primary.call("ask echo 5000 hi").contains(&format!("{}:Replied", secondary.pid())));
        assert!(primary.finish());
    }
}

#[test]
fn a_directory_mounted_elsewhere_is_told_at_once() {
    if !geteuid().is_root() {
        eprintln!("only root can mount");
        return;
    }
    let group = group!();
    let [here, there] = ["here", "there"].map(|name| group.join(name));
    for dir in [&here, &there] {
        fs::create_dir(dir).expect("it is free");
        fs::set_permissions(dir, Permissions::from_mode(0o700)).expect("it is ours");
    }
    // In a mount namespace of its own, what is `here` for others is `there`.
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$1\" \"$2\" && exec \"$3\" primary --dir \"$2\"";
    command.args(["-m", "sh", "-c", script, "sh"]).args([&here, &there]);
    command.arg(group.command("primary", &[]).get_program());
    let _primary = Process::start(command).expect("it starts");

    let told = |error: &str| {
        let bound = format!("the peer is bound as {:?}", there.join("mp_socket"));
        assert!(error.contains(&bound) && error.contains("mount the directory at the same path"), "{error}");
    };
    let mut client = Process::start(in_dir(&group, "client", &here)).expect("it need not have a primary");
    for call in ["ask echo 60000 hi", "later ask echo 60000 hi"] {
        told(&client.call(call));
    }
    told(&refusal(in_dir(&group, "secondary", &here)));
    fs::remove_dir(&there).expect("it is empty here");
    told(&client.call("ask echo 60000 hi"));
    // A look tells what there is all the same.
    let found = mp_core::inspect::Group::in_dir(&here).expect("it is there");
    assert!(found.primary().is_some_and(|primary| primary.alive), "{found:?}");
}

/// A DPDK primary that starts takes `mp_socket` away from whoever has it, and may speak another layout: a datagram of
/// the wrong length ends the IPC of every process in its group.
#[test]
fn a_primary_that_another_has_replaced_sends_nothing_more() {
    let group = group!();
    let mut primary = group.primary();
    let member = RawSocket::bound(&group.join("mp_socket_1_1"));
    primary.call("send note 1000 hi");
    assert_eq!(member.receive(), (0, "note".into(), b"hi".to_vec()));
    // As DPDK does it.
    config(&group, MAGIC, V25_11);
    fs::remove_file(group.join("mp_socket")).expect("it is there");
    let usurper = RawSocket::bound(&group.join("mp_socket"));
    let _second = RawSocket::bound(&group.join("mp_socket_1_2"));
    for call in ["send note 1000 hi", "ask echo 1000 hi", "later ask echo 1000 hi"] {
        let result = primary.call(call);
        assert!(
            result.contains("Superseded: another primary has taken this one's place"),
            "{call}: {result}"
        );
        assert!(result.contains(group.path().to_str().expect("ASCII")), "{result}");
    }
    assert!(member.is_empty());
    // It leaves without taking anything from the other.
    assert!(primary.finish());
    let asker = group.client();
    drop(asker);
    usurper.send(&group.join("mp_socket_1_1"), &Lie::message("note", b"mine").bytes_340());
    assert_eq!(member.receive(), (0, "note".into(), b"mine".to_vec()));
    assert!(group.join("mp_socket").exists());
}

/// One that has the lock on `config` and not the socket yet will have it next.
#[test]
fn a_primary_beside_which_dpdk_is_starting_sends_nothing_more() {
    let group = group!();
    let mut primary = group.primary();
    let member = RawSocket::bound(&group.join("mp_socket_1_1"));
    config(&group, 0, V25_11);
    let _lock = locked_config(&group);
    let result = primary.call("send note 1000 hi");
    assert!(result.contains("Superseded"), "{result}");
    assert!(member.is_empty());
}

/// Takes the primary's place, as a DPDK primary that starts does.
fn take_place(group: &Group) -> RawSocket {
    config(group, MAGIC, V25_11);
    fs::remove_file(group.join("mp_socket")).expect("it is there");
    RawSocket::bound(&group.join("mp_socket"))
}

/// Fills the queue of a member; tells with how many.
fn fill(member: &Path) -> usize {
    let (filler, note) = (RawSocket::unbound(), Lie::message("note", b"filler").bytes());
    (0..).find(|_| filler.try_send(member, &note).is_err()).expect("a queue has an end")
}

type Verb = fn(&mp_core::Primary, &mp_core::Message) -> String;

/// Each verb to all: what became of each member.
const TO_ALL: [(&str, Verb); 3] = [
    ("send", |primary, message| {
        format!("{:?}", primary.within(MINUTE).send(message).map(|sent| sent.outcomes))
    }),
    ("request", |primary, message| format!("{:?}", primary.request(message, MINUTE).map(|all| all.outcomes))),
    ("request_async", |primary, message| {
        let replies = block_on(primary.request_async(message, MINUTE));
        format!("{:?}", replies.map(|all| all.outcomes))
    }),
];

const MINUTE: Duration = Duration::from_secs(60);

/// A message to all may wait for room as long as its deadline, and the primary's place be taken meanwhile.
#[test]
fn a_primary_replaced_while_it_waits_for_room_sends_nothing_more() {
    for (verb, call) in TO_ALL {
        let group = group!();
        let primary = mp_core::Primary::builder("any").runtime_dir(group.path()).start().expect("it starts");
        let [full, free] = ["mp_socket_1_1", "mp_socket_1_2"].map(|name| group.join(name));
        let [full_member, member] = [&full, &free].map(|path| RawSocket::bound(path));
        let filled = fill(&full);
        let message = mp_core::Message::new(mp_core::Name::from_static("news"));
        let outcomes = thread::scope(|scope| {
            let calling = scope.spawn(|| call(&primary, &message));
            // The other, which comes first, had no room then.
            let (from, (kind, name, _)) = member.receive_from();
            assert_eq!(name, "news");
            let _usurper = take_place(&group);
            (0..filled).for_each(|_| assert_eq!(full_member.receive().1, "note"));
            if kind == 1 {
                member.send(&from, &Lie { kind: 2, ..Lie::request("news", b"") }.bytes());
            }
            calling.join().expect("no panic")
        });
        assert!(full_member.is_empty(), "{verb}: {outcomes}");
        assert_eq!(outcomes.matches("Superseded").count(), 1, "{verb}: {outcomes}");
        assert_eq!(
            outcomes.matches("Replied").count() + outcomes.matches("Sent").count(),
            1,
            "{verb}: {outcomes}"
        );
    }
}

/// The only member is sent to on a connected socket, as one that is named is.
#[test]
fn a_primary_replaced_while_it_waits_for_one_sends_it_nothing_more() {
    let to_one: [(&str, Verb); 3] = [
        ("send to one", |primary, message| {
            format!("{:?}", primary.to(&only(primary)).within(MINUTE).send(message))
        }),
        ("request to one", |primary, message| {
            format!("{:?}", primary.to(&only(primary)).request(message, MINUTE))
        }),
        ("request_async to one", |primary, message| {
            format!("{:?}", block_on(primary.to(&only(primary)).request_async(message, MINUTE)))
        }),
    ];
    for (verb, call) in to_one.into_iter().chain([TO_ALL[1]]) {
        let group = group!();
        let primary = mp_core::Primary::builder("any").runtime_dir(group.path()).start().expect("it starts");
        let member = RawSocket::bound(&group.join("mp_socket_1_1"));
        let filled = fill(&group.join("mp_socket_1_1"));
        let message = mp_core::Message::new(mp_core::Name::from_static("news"));
        let result = thread::scope(|scope| {
            let calling = scope.spawn(|| call(&primary, &message));
            assert!(eventually(|| !group.files("mp_reply_").is_empty()), "it has a socket to send from");
            let _usurper = take_place(&group);
            (0..filled).for_each(|_| assert_eq!(member.receive().1, "note"));
            calling.join().expect("no panic")
        });
        assert!(member.is_empty(), "{verb}: {result}");
        assert!(result.contains("Superseded"), "{verb}: {result}");
    }
}

fn only(primary: &mp_core::Primary) -> mp_core::Member {
    primary.members().expect("a directory").pop().expect("it has joined")
}

#[test]
fn a_primary_that_another_has_replaced_sends_nothing_to_one_member_either() {
    let group = group!();
    let primary = mp_core::Primary::builder("any").runtime_dir(group.path()).start().expect("it starts");
    let member = RawSocket::bound(&group.join("mp_socket_1_1"));
    let (handle, name) = (primary.handle(), mp_core::Name::from_static("news"));
    let (message, peer) = (mp_core::Message::new(name), only(&primary));
    // Its socket to the member is kept for the next time.
    primary.to(&peer).send(&message).expect("there is room");
    assert_eq!(member.receive().1, "news");
    let _usurper = take_place(&group);
    let assert_superseded = |result: &dyn std::fmt::Debug| {
        assert!(format!("{result:?}").contains("Superseded"), "{result:?}");
    };
    for to in [primary.to(&peer), handle.to(&peer)] {
        assert_superseded(&to.send(&message));
        assert_superseded(&to.within(Duration::ZERO).send(&message));
        assert_superseded(&to.request(&message, MINUTE));
        assert_superseded(&block_on(to.request_async(&message, MINUTE)));
        let (tell, told) = std::sync::mpsc::channel();
        to.request_then(&message, MINUTE, move |_, result| {
            let _ = tell.send(format!("{result:?}"));
        });
        assert_superseded(&told.recv().expect("it is called"));
    }
    assert!(member.is_empty());
}

#[test]
fn a_primary_speaks_the_layout_of_a_config_that_appears() {
    let group = group!();
    let mut primary = group.primary();
    let members = ["mp_socket_1_1", "mp_socket_1_2"].map(|name| RawSocket::bound(&group.join(name)));
    let asked = |primary: &mut Process, bytes: fn(&Lie) -> Vec<u8>| {
        primary.call("begin ask echo 60000 hi");
        for member in &members {
            let (from, request) = member.receive_from();
            assert_eq!(request, (1, "echo".into(), b"hi".to_vec()));
            member.send(&from, &bytes(&Lie { kind: 2, ..Lie::request("echo", b"hi") }));
        }
        let done = primary.event("done");
        assert!(done.contains("received=2"), "{done}");
    };
    asked(&mut primary, Lie::bytes);
    config(&group, MAGIC, V25_11);
    let listener = std::os::unix::net::UnixDatagram::bind(group.join("mp_socket_1_3")).expect("it is free");
    primary.call("send note 1000 hi");
    assert_eq!(listener.recv(&mut [0; 400]).expect("it was sent"), 340);
    fs::remove_file(group.join("mp_socket_1_3")).expect("it is there");
    for member in &members {
        assert_eq!(member.receive().0, 0);
    }
    // Also on the reply socket that was kept for the next request to all.
    let length = std::os::unix::net::UnixDatagram::bind(group.join("mp_socket_1_4")).expect("it is free");
    primary.call("begin ask echo 100 hi");
    assert_eq!(length.recv(&mut [0; 400]).expect("it was sent"), 340);
    primary.event("done");
}
