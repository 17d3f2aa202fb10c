//! `groups`, `members`, and messages in words.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixDatagram,
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use mp_core::{Message, Name};
use serde_json::{Value, json};
use tests::Process;

use crate::{Group, Run, in_a_pid_namespace, line, mpctl, own_uid, ready};

#[test]
fn members_tells_who_is_there() {
    let group = Group::new();
    let primary = group.primary().start().unwrap();
    let mut secondary = group.start(&["listen"]);
    let socket = ready(&mut secondary);
    let stale = group.path().join("mp_socket_4000000_f");
    drop(UnixDatagram::bind(&stale).unwrap());

    let run = group.run(&["--json", "members"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let mut rows = run.jsons();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["socket"], json!(primary.address().path()));
    rows.sort_by_key(|row| row["socket"].to_string().contains("4000000"));
    let [first, second, third] = &rows[..] else { unreachable!() };
    let command = second["command"].as_str().expect("it is alive");
    assert!(
        command.ends_with(&format!("--runtime-dir {} --json listen", group.path().display())),
        "{command}"
    );
    let row = |role: &str, pid: u32, socket: &Path, state: &str, command: &Value| json!({ "role": role, "pid": pid, "uid": own_uid(), "command": command, "socket": socket, "state": state });
    let own = &first["command"];
    assert_eq!(*first, row("primary", std::process::id(), &group.socket(), "alive", own));
    assert_eq!(*second, row("secondary", secondary.pid(), &socket, "alive", &second["command"]));
    assert_eq!(*third, row("secondary", 4_000_000, &stale, "stale", &Value::Null));
    assert!(stale.exists(), "looking removes nothing");

    let text = group.run(&["members"]).out;
    assert!(text.starts_with("ROLE") && text.lines().count() == 4, "{text}");
}

#[test]
fn groups_finds_those_of_this_host() {
    let base = Group::new();
    let elsewhere = Group::new();
    let dpdk = base.path().join("dpdk");
    let config = |prefix: &str, word: u32| {
        fs::create_dir_all(dpdk.join(prefix)).unwrap();
        let config = [19_820_526_u32.to_ne_bytes(), word.to_ne_bytes()].concat();
        fs::write(dpdk.join(prefix).join("config"), config).unwrap();
    };
    config("old", 0x160b_0b63);
    config("new", 0x190b_0063);
    fs::create_dir_all(dpdk.join("nothing")).unwrap();
    drop(UnixDatagram::bind(dpdk.join("new/mp_socket_7_f")).unwrap());
    let _primary = elsewhere.primary().start().unwrap();

    let run = Run::of(mpctl().args(["--json", "groups"]).env("RUNTIME_DIRECTORY", base.path()));
    // Of what else there is on this host, some may be closed to this user.
    assert_eq!(run.status, i32::from(!run.err.is_empty()), "{run:?}");
    assert!(run.err.lines().all(|line| line.starts_with("mpctl: not listed: ")), "{run:?}");
    let rows = run.jsons();
    let of = |dir: &Path| rows.iter().find(|row| row["runtime_dir"] == json!(dir));
    assert_eq!(
        of(&dpdk.join("old")),
        Some(&json!({
            "file_prefix": "old", "runtime_dir": dpdk.join("old"), "primary": null,
            "members": 0, "stale": 0, "dpdk": "22.11.11", "layout": 332,
        }))
    );
    assert_eq!(
        of(&dpdk.join("new")),
        Some(&json!({
            "file_prefix": "new", "runtime_dir": dpdk.join("new"), "primary": null,
            "members": 0, "stale": 1, "dpdk": "25.11.0", "layout": 340,
        }))
    );
    assert_eq!(of(&dpdk.join("nothing")), None);
    let elsewhere = of(elsewhere.path()).expect("it is found wherever it is");
    assert_eq!(
        [&elsewhere["primary"], &elsewhere["members"], &elsewhere["dpdk"]],
        [&json!("alive"), &json!(1), &Value::Null]
    );
}

#[test]
fn messages_of_dpdk_are_told_in_words() {
    let group = Group::new();
    let reply = [&3_i32.to_ne_bytes()[..], &2_i32.to_ne_bytes(), &[0; 64]].concat();
    let builder = group.primary().serve(Name::from_static("bus_vdev_mp"), move |request| {
        request.reply(&reply, &[]).unwrap();
    });
    let primary = builder.start().unwrap();
    let scan = format!("01{}", "00".repeat(71));
    let run = group.run(&["--json", "request", "bus_vdev_mp", "--hex", &scan]);
    assert_eq!(run.json()["replies"][0]["decoded"], json!({ "type": "scan_reply", "num": 2 }));
    let text = group.run(&["request", "bus_vdev_mp", "--hex", &scan]).out;
    assert!(text.contains("  = type scan_reply, num 2\n"), "{text}");

    let mut listener = group.start(&["listen", "--count", "1"]);
    ready(&mut listener);
    let devargs = [&[0; 4], &b"vdev:net_null1"[..], &[0; 118]].concat();
    primary
        .send(&Message::new(Name::from_static("eal_dev_mp_request")).with_param(devargs).unwrap())
        .unwrap();
    let decoded = json!({ "type": "attach", "devargs": "vdev:net_null1", "result": 0 });
    assert_eq!(line(&mut listener)["decoded"], decoded);
}

#[test]
fn a_pid_is_told_only_of_a_process_that_holds_the_socket() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    let mut bystander = group.start(&["listen"]);
    ready(&mut bystander);
    // As a process of another pid namespace would call itself: the number is somebody else's here.
    let foreign = group.path().join(format!("mp_socket_{}_f", bystander.pid()));
    let _held = UnixDatagram::bind(&foreign).unwrap();

    let rows = group.run(&["--json", "members"]).jsons();
    let of = |socket: &Path| rows.iter().find(|row| row["socket"] == json!(socket)).expect("it is listed");
    let row = of(&foreign);
    assert_eq!([&row["state"], &row["pid"], &row["command"]], [&json!("alive"), &Value::Null, &Value::Null]);
    assert_eq!(of(&group.socket())["pid"], json!(std::process::id()));
    assert_eq!(rows.iter().filter(|row| row["pid"] == json!(bystander.pid())).count(), 1, "{rows:?}");
}

#[test]
fn members_of_other_pid_namespaces_are_alive_and_have_no_pid() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    let mut here = group.start(&["listen"]);
    let here = (ready(&mut here), here);
    let Some(mut listen) = in_a_pid_namespace(&group) else { return };
    listen.arg("listen");
    // It calls itself by the pid that it has there: 1, which is another process here.
    let mut there = Process::spawn(listen);
    let socket = ready(&mut there);

    let pids = |rows: &[Value]| {
        assert!(rows.iter().all(|row| row["state"] == json!("alive")), "{rows:?}");
        let pids = rows.iter().map(|row| (row["socket"].to_string(), row["pid"].clone()));
        pids.collect::<BTreeMap<_, _>>()
    };
    let from_here = pids(&group.run(&["--json", "members"]).jsons());
    let seen_here = [
        (json!(group.socket()).to_string(), json!(std::process::id())),
        (json!(here.0).to_string(), json!(here.1.pid())),
        (json!(socket).to_string(), Value::Null),
    ];
    assert_eq!(from_here, BTreeMap::from(seen_here.clone()));

    // Looking out of a third namespace, nobody's pid is known.
    let mut looking = in_a_pid_namespace(&group).expect("it was allowed before");
    let from_there = pids(&Run::of(looking.arg("members")).jsons());
    assert_eq!(from_there, BTreeMap::from(seen_here.map(|(socket, _)| (socket, Value::Null))));
}

#[test]
fn a_group_that_may_not_be_looked_into_is_told() {
    let group = Group::new();
    let _primary = group.primary().start().unwrap();
    let mut command = if own_uid() == 0 {
        // Root may look everywhere, so somebody else does, with a copy that he may run.
        let nobody = 65534;
        let copy = group.path().with_extension("mpctl");
        fs::copy(tests::mpctl(), &copy).unwrap();
        let mut command = Command::new(copy);
        command.uid(nobody).gid(nobody);
        command
    } else {
        fs::set_permissions(group.path(), fs::Permissions::from_mode(0o000)).unwrap();
        mpctl()
    };
    let run = Run::of(command.args(["--json", "groups"]).current_dir("/"));
    fs::set_permissions(group.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let _ = fs::remove_file(group.path().with_extension("mpctl"));
    let line = run.err.lines().find(|line| line.contains(group.path().to_str().unwrap()));
    let line = line.unwrap_or_else(|| panic!("{run:?}"));
    assert!(line.starts_with("mpctl: not listed: ") && line.contains("run this as the user of"), "{line}");
    assert_eq!(run.status, 1);
    assert!(run.jsons().iter().all(|row| row["runtime_dir"] != json!(group.path())), "{run:?}");
}

#[test]
fn a_directory_may_be_named_by_a_link() {
    let group = Group::new();
    let _primary = group.echoing();
    let links = tempfile::tempdir().unwrap();
    let (direct, by_another) = (links.path().join("direct"), links.path().join("by_another"));
    symlink(group.path(), &direct).unwrap();
    symlink("direct", &by_another).unwrap();
    for link in [direct, by_another] {
        for command in [&["members"][..], &["request", "echo"]] {
            let run = Run::of(mpctl().arg("--json").arg("--runtime-dir").arg(&link).args(command));
            assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
            assert!(
                run.out.contains(group.socket().to_str().unwrap()),
                "spelled as the link leads to: {run:?}"
            );
        }
    }
}
