//! The runtime directory: whose it is, where it is, and what is in it.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

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
    let error = refusal(in_dir(&group, "primary", &link));
    assert!(error.contains(link.to_str().expect("ASCII")), "{error}");
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
