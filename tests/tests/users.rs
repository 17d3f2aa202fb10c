//! Processes of several users in one group, by choice: shared with a system group, or root beside
//! another user's.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

use tests::{
    Group, Process, RawSocket, StartFailed, eventually, group,
    users::{ALICE, BOB, SHARED, as_user, is_root},
};

const NOBODY: u32 = 65_534;

/// The options of who shares the directory.
fn sharing() -> [String; 2] {
    ["--share-with-group".into(), SHARED.to_string()]
}

fn with(options: &[String], more: &[&str]) -> Vec<String> {
    options.iter().cloned().chain(more.iter().map(|option| (*option).into())).collect()
}

fn command(group: &Group, role: &str, options: &[String]) -> Command {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    group.command(role, &options)
}

/// A member that shares the directory, of root.
fn roots(group: &Group, role: &str) -> Process {
    Process::start(command(group, role, &sharing())).expect("it starts")
}

/// The same of another user, in the group.
fn of(uid: u32, group: &Group, role: &str) -> Process {
    Process::start(as_user(uid, SHARED, &command(group, role, &sharing()))).expect("it starts")
}

fn refusal(command: Command) -> String {
    match Process::start(command) {
        Ok(_) => panic!("it started"),
        Err(StartFailed(error)) => error,
    }
}

fn mode_and_group(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).expect("it is there");
    (metadata.permissions().mode() & 0o7777, metadata.gid())
}

/// All ways to reach the primary, from who does not belong to its user, with descriptors.
fn assert_reaches_primary(asker: &mut Process, primary: &mut Process) {
    for how in ["ask", "later ask"] {
        assert!(asker.call(&format!("{how} echo 5000 hi")).ends_with(" hi"), "{how}");
        let reply = asker.call(&format!("{how} files 5000 3"));
        assert!(reply.contains("fds=3") && reply.contains(&format!("pid={}", primary.pid())), "{reply}");
    }
    assert!(asker.call("send note 5000 hello").ends_with("Sent"));
    assert!(primary.event("note").contains("hello"));
}

/// The same the other way round.
fn assert_reaches_all(primary: &mut Process, members: &mut [&mut Process]) {
    for how in ["ask", "later ask"] {
        let result = primary.call(&format!("{how} echo 5000 hi"));
        for member in members.iter() {
            assert!(result.contains(&format!("{}:Replied", member.pid())), "{how}: {result}");
        }
    }
    let sent = primary.call("send note 5000 hello");
    for member in members {
        assert!(sent.contains(&format!("{}:Sent", member.pid())), "{sent}");
        assert!(member.event("note").contains("hello"));
    }
}

#[test]
fn a_root_primary_and_workers_of_nobody_reach_each_other() {
    if !is_root() {
        return;
    }
    let group = group!();
    let mut primary = roots(&group, "primary");
    assert_eq!(mode_and_group(group.path()), (0o1770, SHARED));
    assert_eq!(mode_and_group(&group.join("mp_socket")), (0o660, SHARED));
    primary.call("watch");
    let mut workers = [of(NOBODY, &group, "secondary"), of(NOBODY, &group, "secondary")];
    for worker in &mut workers {
        primary.line(|line| *line == format!("!joined {}", worker.pid()));
        assert_reaches_primary(worker, &mut primary);
    }
    for name in group.files("mp_") {
        assert_eq!(
            mode_and_group(&group.join(&name)),
            if name == "mp_primary" { (0o640, SHARED) } else { (0o660, SHARED) },
            "{name}"
        );
    }
    let [one, two] = &mut workers;
    assert_reaches_all(&mut primary, &mut [one, two]);
    assert_reaches_primary(&mut of(ALICE, &group, "client"), &mut primary);
    let (killed, leaves) = (one.pid(), two.pid());
    one.kill();
    primary.line(|line| *line == format!("!died {killed}"));
    assert!(eventually(|| group.files(&format!("mp_socket_{killed}_")).is_empty()), "root has removed it");
    let [_, two] = workers;
    assert!(two.finish());
    primary.line(|line| *line == format!("!left {leaves}"));
    assert!(primary.finish());
    assert_eq!(group.files("mp_socket"), [""; 0]);
}

#[test]
fn a_primary_of_one_user_and_secondaries_of_root_and_another_reach_each_other() {
    if !is_root() {
        return;
    }
    let group = group!();
    chown(group.path(), Some(ALICE), None).expect("root may");
    let mut primary = of(ALICE, &group, "primary");
    assert_eq!(mode_and_group(group.path()), (0o1770, SHARED));
    primary.call("watch");
    let (mut root, mut bob) = (roots(&group, "secondary"), of(BOB, &group, "secondary"));
    for member in [&mut root, &mut bob] {
        assert_reaches_primary(member, &mut primary);
    }
    assert_reaches_all(&mut primary, &mut [&mut root, &mut bob]);
    // Who owns the directory may remove the sockets of the dead, be they root's.
    for mut member in [root, bob] {
        member.kill();
        primary.line(|line| *line == format!("!died {}", member.pid()));
        assert!(eventually(|| group.files(&format!("mp_socket_{}_", member.pid())).is_empty()));
    }
}

#[test]
fn mpctl_of_root_and_of_a_member_looks_in_and_asks() {
    if !is_root() {
        return;
    }
    let group = group!();
    let primary = roots(&group, "primary");
    let worker = of(NOBODY, &group, "secondary");
    let mut mpctl = Command::new(tests::mpctl());
    let dir = group.path().to_str().expect("ASCII");
    mpctl.args(["--runtime-dir", dir, "--group", &SHARED.to_string()]);
    for run in
        [|command: &Command| as_user(0, 0, command), |command: &Command| as_user(ALICE, SHARED, command)]
    {
        let output = |arguments: &[&str]| {
            let mut command = Command::new(mpctl.get_program());
            command.args(mpctl.get_args()).args(arguments);
            let output = run(&command).output().expect("it runs");
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let members = output(&["members"]);
        assert!(members.contains(&NOBODY.to_string()) && !members.contains("stale"), "{members}");
        let reply = output(&["request", "echo", "--text", "hi"]);
        assert!(reply.contains(&format!("pid {}", primary.pid())), "{reply}");
    }
    assert!(worker.finish() && primary.finish());
}

/// Tries, as a user, to do something to a file; whether it could.
fn could(uid: u32, gid: u32, program: &str, arguments: &[&Path]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments);
    as_user(uid, gid, &command).output().expect("it runs").status.success()
}

#[test]
fn no_member_can_remove_or_replace_the_socket_of_another_user() {
    if !is_root() {
        return;
    }
    let group = group!();
    let mut primary = roots(&group, "primary");
    let mut worker = of(NOBODY, &group, "secondary");
    assert!(worker.call("ask echo 5000 hi").ends_with(" hi"), "it has a reply socket now");
    let own = group.join("own");
    for name in group.files("mp_") {
        let socket = group.join(&name);
        let before = fs::metadata(&socket).expect("it is there").ino();
        assert!(could(BOB, SHARED, "touch", &[&own]), "a member can make files");
        assert!(!could(BOB, SHARED, "rm", &["-f".as_ref(), &socket]), "{name}");
        assert!(!could(BOB, SHARED, "mv", &["-f".as_ref(), &socket, &group.join("elsewhere")]), "{name}");
        assert!(!could(BOB, SHARED, "mv", &["-f".as_ref(), &own, &socket]), "{name}");
        assert_eq!(fs::metadata(&socket).expect("it is there").ino(), before);
    }
    fs::remove_file(&own).expect("root may");
    assert_reaches_all(&mut primary, &mut [&mut worker]);
}

/// Which group the directory is shared with, and both ways in.
#[track_caller]
fn assert_tells_outsider(what: &str, told: &str) {
    for told_of in [
        format!("is shared with group {SHARED}, and uid {BOB} is not in that: add it to the group"),
        format!("setpriv --groups {SHARED}"),
        format!("share_with_group({SHARED}) (mpctl: --group {SHARED})"),
        "or run this as uid 0".into(),
    ] {
        assert!(told.contains(&told_of), "{what}: no {told_of:?} in {told}");
    }
}

#[test]
fn who_is_not_in_the_group_is_kept_out() {
    if !is_root() {
        return;
    }
    let group = group!();
    let mut primary = roots(&group, "primary");
    let outsider = as_user(BOB, BOB, &command(&group, "secondary", &sharing()));
    let error = refusal(outsider);
    assert!(error.contains(&format!("uid {BOB} is not in group {SHARED}")), "{error}");
    assert!(error.contains("setpriv"), "{error}");
    for what in ["secondary", "client"] {
        let mut outsider = as_user(BOB, BOB, &command(&group, what, &[]));
        outsider.stderr(std::process::Stdio::null());
        let result = match Process::start(outsider) {
            Ok(mut client) => client.call("ask echo 1000 hi"),
            Err(StartFailed(error)) => error,
        };
        assert!(result.contains("Permission denied"), "{what}: {result}");
        assert_tells_outsider(what, &result);
    }
    let mut outsider = Command::new(tests::mpctl());
    outsider.arg("--runtime-dir").arg(group.path()).arg("members");
    let output = as_user(BOB, BOB, &outsider).output().expect("setpriv");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("Permission denied"), "{told}");
    assert_tells_outsider("mpctl", &told);
    assert!(!could(BOB, BOB, "ls", &[group.path()]));
    assert!(primary.call("ask echo 1000 hi").contains("sent=0"));
}

#[test]
fn a_member_is_refused_by_its_credentials() {
    if !is_root() {
        return;
    }
    let group = group!();
    let options = with(&sharing(), &["--trust-uid", &ALICE.to_string()]);
    let mut primary = Process::start(command(&group, "primary", &options)).expect("it starts");
    let (mut alice, mut bob) = (of(ALICE, &group, "secondary"), of(BOB, &group, "secondary"));
    assert!(alice.call("ask echo 5000 hi").ends_with(" hi"));
    assert!(bob.call("ask echo 200 hi").contains("TimedOut"));
    assert_eq!(primary.counter("Untrusted"), 1);
    // Its answers are not heard, either.
    let result = primary.call("ask echo 300 hi");
    assert!(result.contains(&format!("{}:Replied", alice.pid())), "{result}");
    assert!(result.contains(&format!("{}:TimedOut", bob.pid())), "{result}");
}

/// The directory is Alice's, the primary Bob's: it may not remove what Carol leaves behind.
#[test]
fn the_dead_of_a_user_are_left_out_until_somebody_may_remove_their_sockets() {
    if !is_root() {
        return;
    }
    const CAROL: u32 = 64_103;
    let group = group!();
    chown(group.path(), Some(ALICE), Some(SHARED)).expect("root may");
    fs::set_permissions(group.path(), fs::Permissions::from_mode(0o1770)).expect("root may");
    let mut primary = of(BOB, &group, "primary");
    primary.call("watch");
    let mut carol = of(CAROL, &group, "secondary");
    primary.line(|line| *line == format!("!joined {}", carol.pid()));
    carol.kill();
    primary.line(|line| *line == format!("!died {}", carol.pid()));
    let left = || group.files(&format!("mp_socket_{}_", carol.pid())).len();
    assert_eq!(left(), 1, "Bob may not remove it");
    for call in ["send note 1000 hi", "ask echo 1000 hi", "members"] {
        let result = primary.call(call);
        assert!(!result.contains(&carol.pid().to_string()), "{call}: {result}");
    }
    // Another of Bob's cannot, one of Carol's can.
    assert!(of(BOB, &group, "secondary").finish());
    assert_eq!(left(), 1);
    assert!(of(CAROL, &group, "secondary").finish());
    assert_eq!(left(), 0);
}

#[test]
fn a_member_found_dead_by_a_request_is_an_outcome_once_if_its_socket_must_stay() {
    if !is_root() {
        return;
    }
    let group = group!();
    chown(group.path(), Some(ALICE), Some(SHARED)).expect("root may");
    fs::set_permissions(group.path(), fs::Permissions::from_mode(0o1770)).expect("root may");
    let mut primary = of(BOB, &group, "primary");
    let (mut nobody, alice) = (of(NOBODY, &group, "secondary"), of(ALICE, &group, "secondary"));
    nobody.kill();
    let result = primary.call("ask echo 5000 hi");
    assert!(result.contains(&format!("{}:Gone", nobody.pid())), "{result}");
    let result = primary.call("ask echo 5000 hi");
    assert!(!result.contains(&nobody.pid().to_string()), "{result}");
    assert!(result.contains(&format!("{}:Replied", alice.pid())), "{result}");
}

#[test]
fn a_dead_primarys_place_is_taken_by_who_may_and_others_are_told_who_that_is() {
    if !is_root() {
        return;
    }
    let group = group!();
    chown(group.path(), Some(ALICE), Some(SHARED)).expect("root may");
    fs::set_permissions(group.path(), fs::Permissions::from_mode(0o1770)).expect("root may");
    of(BOB, &group, "primary").kill();
    let error = refusal(as_user(NOBODY, SHARED, &command(&group, "primary", &sharing())));
    let expected = format!(
        "was left behind by a process of uid {BOB}, and uid {NOBODY} may not remove it: uid {BOB}, uid {ALICE}, who owns the directory, and root may"
    );
    assert!(error.contains(&expected), "{error}");
    assert!(of(BOB, &group, "primary").finish());
    of(BOB, &group, "primary").kill();
    assert!(of(ALICE, &group, "primary").finish());
}

#[test]
fn a_directory_that_is_not_shared_or_shared_otherwise_is_named_with_the_remedy() {
    if !is_root() {
        return;
    }
    let group = group!();
    let _primary = roots(&group, "primary");
    // Without the setting: which one it is.
    let error = refusal(group.command("secondary", &[]));
    assert!(error.contains(&format!("call share_with_group({SHARED})")), "{error}");
    // Another user's directory, which that user would have to share.
    let other = tests::group!();
    chown(other.path(), Some(ALICE), None).expect("root may");
    let error = refusal(command(&other, "secondary", &sharing()));
    assert!(error.contains(&format!("so it is not shared with group {SHARED}")), "{error}");
    assert!(error.contains("chmod 1770"), "{error}");
}

/// Below DPDK's base directory, whoever makes `dpdk` lets the others through, and nobody list it.
#[test]
fn below_the_base_directory_members_are_let_through() {
    if !is_root() {
        return;
    }
    let base = group!();
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let by_prefix = |role: &str| {
        let mut command = Command::new(base.command(role, &[]).get_program());
        command.args([role, "--file-prefix", "shared"]).args(sharing());
        command.env("RUNTIME_DIRECTORY", base.path());
        command
    };
    let mut primary = Process::start(by_prefix("primary")).expect("it starts");
    assert_eq!(mode_and_group(&base.join("dpdk")).0, 0o711);
    assert_eq!(mode_and_group(&base.join("dpdk/shared")), (0o1770, SHARED));
    let mut worker = Process::start(as_user(NOBODY, SHARED, &by_prefix("secondary"))).expect("it starts");
    assert_reaches_primary(&mut worker, &mut primary);
    assert_reaches_all(&mut primary, &mut [&mut worker]);
}

/// A private directory of Alice's with a primary of hers, and the options of who is beside it.
fn alices() -> (Group, Process, [String; 2]) {
    let group = group!();
    chown(group.path(), Some(ALICE), Some(ALICE)).expect("root may");
    let primary = Process::start(as_user(ALICE, ALICE, &command(&group, "primary", &[]))).expect("it starts");
    (group, primary, ["--beside-user".into(), ALICE.to_string()])
}

#[test]
fn root_beside_another_users_processes_reaches_them_and_they_reach_it() {
    if !is_root() {
        return;
    }
    let (group, mut primary, beside) = alices();
    primary.call("watch");
    let mut sidecar = Process::start(command(&group, "secondary", &beside)).expect("it starts");
    primary.line(|line| *line == format!("!joined {}", sidecar.pid()));
    let mut client = Process::start(command(&group, "client", &beside)).expect("it starts");
    for asker in [&mut sidecar, &mut client] {
        assert_reaches_primary(asker, &mut primary);
    }
    assert_reaches_all(&mut primary, &mut [&mut sidecar]);
    for name in group.files("mp_") {
        let file = fs::metadata(group.join(&name)).expect("it is there");
        assert_eq!((file.uid(), file.permissions().mode() & 0o777), (ALICE, 0o600), "{name}");
    }
    // Nobody else is listened to, save root.
    sidecar.kill();
    primary.line(|line| *line == format!("!died {}", sidecar.pid()));
    assert!(eventually(|| group.files("mp_socket_").is_empty()), "Alice's primary removes it");
    // As that user itself, the setting changes nothing.
    let own = as_user(ALICE, ALICE, &command(&group, "secondary", &beside));
    assert!(Process::start(own).expect("it starts").finish());
}

#[test]
fn root_beside_another_user_may_be_the_primary_and_leaves_nothing() {
    if !is_root() {
        return;
    }
    let (group, primary, beside) = alices();
    assert!(primary.finish());
    let mut primary = Process::start(command(&group, "primary", &beside)).expect("it starts");
    let mut alice =
        Process::start(as_user(ALICE, ALICE, &command(&group, "secondary", &[]))).expect("it starts");
    assert_reaches_primary(&mut alice, &mut primary);
    assert_reaches_all(&mut primary, &mut [&mut alice]);
    assert!(alice.finish() && primary.finish());
    assert_eq!(group.files(""), [""; 0]);
}

#[test]
fn without_the_setting_root_is_told_of_it_and_with_another_user_named_it_is_refused() {
    if !is_root() {
        return;
    }
    let (group, _primary, _) = alices();
    for role in ["primary", "secondary"] {
        let error = refusal(group.command(role, &[]));
        for remedy in
            [&format!("beside_user({ALICE})"), &format!("setpriv --reuid={ALICE}"), "mpctl: --owner"]
        {
            assert!(error.contains(remedy), "{error}");
        }
        let error = refusal(group.command(role, &["--beside-user", &BOB.to_string()]));
        assert!(error.contains(&format!("belongs to uid {ALICE}, not to uid {BOB}")), "{error}");
    }
    let other = as_user(BOB, BOB, &group.command("secondary", &["--beside-user", &ALICE.to_string()]));
    assert!(refusal(other).contains(&format!("uid {BOB} cannot act as uid {ALICE}")));
}

/// What the user puts in the way leads root nowhere that the user cannot go.
#[test]
fn root_beside_a_user_who_puts_a_link_in_the_way_does_not_follow_it() {
    if !is_root() {
        return;
    }
    let (group, primary, beside) = alices();
    assert!(primary.finish());
    let roots = group!();
    let closed = RawSocket::bound(&roots.join("closed"));
    std::os::unix::fs::symlink(roots.join("closed"), group.join("mp_socket")).expect("it is free");
    std::os::unix::fs::symlink(roots.join("closed"), group.join("mp_socket_1_1")).expect("it is free");
    let mut client = Process::start(command(&group, "client", &beside)).expect("it starts");
    for call in ["send note 100 hi", "ask echo 100 hi", "later ask echo 100 hi"] {
        let result = client.call(call);
        assert!(result.contains("Refused"), "{call}: {result}");
    }
    fs::remove_file(group.join("mp_socket")).expect("it is there");
    let mut primary = Process::start(command(&group, "primary", &beside)).expect("it starts");
    for call in ["send note 100 hi", "ask echo 100 hi"] {
        let result = primary.call(call);
        assert!(result.contains("1:Refused"), "{call}: {result}");
    }
    assert!(closed.is_empty());
}

#[test]
fn mpctl_of_root_asks_beside_another_user_if_that_is_named() {
    if !is_root() {
        return;
    }
    let (group, _primary, _) = alices();
    let mpctl = |options: &[&str]| {
        let mut command = Command::new(tests::mpctl());
        command.arg("--runtime-dir").arg(group.path()).args(options);
        command.args(["request", "echo", "--text", "hi"]).output().expect("it runs")
    };
    let refused = mpctl(&[]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains(&format!("--owner {ALICE}")), "{error}");
    let output = mpctl(&["--owner", &ALICE.to_string()]);
    assert!(output.status.success(), "{output:?}");
}

/// A member's own words of a call.
fn told_of_the_change(result: &str) -> bool {
    result.contains("started as uid 0 and is uid 65534 now")
}

#[test]
fn who_drops_privileges_in_a_shared_group_goes_on() {
    if !is_root() {
        return;
    }
    let group = group!();
    let (mut primary, mut worker) = (roots(&group, "primary"), roots(&group, "secondary"));
    primary.call("watch");
    for member in [&mut primary, &mut worker] {
        member.call(&format!("become {NOBODY} {SHARED}"));
    }
    let mut alice = of(ALICE, &group, "secondary");
    for asker in [&mut worker, &mut alice] {
        assert_reaches_primary(asker, &mut primary);
    }
    assert_reaches_all(&mut primary, &mut [&mut worker, &mut alice]);
    primary.line(|line| *line == format!("!joined {}", alice.pid()));
}

/// Today's alternative: answers vanish, and only a counter tells.
#[test]
fn who_drops_privileges_in_a_private_group_is_told_by_every_call() {
    if !is_root() {
        return;
    }
    let group = group!();
    let (mut primary, mut secondary) = (group.primary(), group.secondary());
    let mut client = group.client();
    // Its reply sockets are connected: what it has it keeps.
    assert!(client.call("ask keep 100 x").contains("TimedOut"));
    for member in [&mut primary, &mut secondary] {
        member.call(&format!("become {NOBODY} {NOBODY}"));
    }
    let answered = primary.call("answer late");
    assert!(
        answered.contains("UserChanged { started_as: 0, now: 65534 }") || answered.contains("Gone"),
        "{answered}"
    );
    for call in ["send note 500 hi", "ask echo 500 hi", "later ask echo 500 hi", "members", "watch"] {
        let result = primary.call(call);
        assert!(told_of_the_change(&result), "{call}: {result}");
    }
    for call in ["send note 500 hi", "ask echo 500 hi", "later ask echo 500 hi"] {
        let result = secondary.call(call);
        assert!(told_of_the_change(&result), "{call}: {result}");
    }
    // An answer that is due is lost, and that is told where it is given.
    assert!(client.call("ask keep 300 x").contains("TimedOut"));
    client.tell("ask keep 3000 x");
    primary.line(|line| line == "!keep");
    primary.line(|line| line == "!keep");
    primary.line(|line| line == "!keep");
    let answered = primary.call("answer late");
    assert!(answered.contains("UserChanged { started_as: 0, now: 65534 }"), "{answered}");
    assert!(primary.counter("lost") > 0);
}
