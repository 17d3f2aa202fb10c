//! What a member tells about itself: `mp.describe` and `mp.status`, also while its handlers are stuck.

use std::{
    thread,
    time::{Duration, Instant},
};

use mp_core::{
    Client, Member, Message, Name, Primary, RegisterError, Secondary, StartError,
    inspect::{self, InspectError},
};
use serde_json::Value;
use tests::{Group, WITHIN, eventually, group};

const SECOND: Duration = Duration::from_secs(1);

fn client(group: &Group) -> Client {
    Client::builder("mp-faults").runtime_dir(group.path()).start().expect("a short path")
}

fn member(client: &Client, pid: u32) -> Member {
    let members = client.members().expect("the directory can be listed");
    members.into_iter().find(|member| member.pid() == Some(pid)).expect("it has joined")
}

fn status_of(client: &Client, member: &Member) -> Value {
    let text = inspect::status(client.to(member), SECOND).expect("it answers");
    serde_json::from_str(&text).expect("JSON")
}

fn primary_status(client: &Client) -> Value {
    let text = inspect::status(client, SECOND).expect("it answers");
    serde_json::from_str(&text).expect("JSON")
}

/// Looks until there is what is wanted, and returns it.
fn wait_for(mut look: impl FnMut() -> Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + WITHIN;
    loop {
        let status = look();
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "{status:#}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn len(value: &Value) -> usize {
    value.as_array().expect("an array").len()
}

#[test]
fn a_status_tells_what_the_member_is_and_has_done() {
    let group = group!();
    let primary = group.start("primary", &["--backlog", "7"]);
    let client = client(&group);
    client.request(&Message::new(Name::from_static("echo")), SECOND).expect("an echo");
    let status = primary_status(&client);
    assert_eq!(status["mp.status"], 1);
    assert_eq!(status["pid"], primary.pid());
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["role"], "primary");
    assert_eq!(status["socket"], group.join("mp_socket").to_str().expect("UTF-8"));
    assert_eq!((&status["layout"], &status["dpdk"]), (&332.into(), &Value::Null));
    assert_eq!(status["backlog"], serde_json::json!({"waiting": 0, "bound": 7}));
    assert_eq!(status["counters"]["requests_received"], 2, "the echo, and this question");
    assert_eq!(status["counters"]["replies_sent"], 1);
    assert_eq!((len(&status["handlers"]), len(&status["requests"])), (0, 0));
    assert_eq!(status["rejected"], serde_json::json!({}));
    assert!(status["uptime_ms"].as_u64().is_some_and(|ms| ms < 10_000), "{status:#}");
    let secondary = group.secondary();
    let status = status_of(&client, &member(&client, secondary.pid()));
    assert_eq!((&status["role"], &status["pid"]), (&"secondary".into(), &secondary.pid().into()));
}

#[test]
fn it_is_told_while_a_handler_is_stuck_and_others_wait_behind_it() {
    let group = group!();
    let mut primary = group.primary();
    let mut asking: Vec<_> = (0..3).map(|_| group.client()).collect();
    asking[0].tell("ask stall 60000");
    primary.event("stall");
    for client in &mut asking[1..] {
        client.tell("ask echo 60000");
    }
    let client = client(&group);
    let status = wait_for(
        || primary_status(&client),
        |status| status["backlog"]["waiting"] == 2 && status["handlers"][0]["age_ms"].as_u64() > Some(100),
    );
    assert_eq!(len(&status["handlers"]), 1);
    let handler = &status["handlers"][0];
    assert_eq!((&handler["name"], &handler["kind"]), (&"stall".into(), &"request".into()));
    assert_eq!(handler["pid"], asking[0].pid());
    let comm = format!("/proc/{}/task/{}/comm", primary.pid(), handler["thread"]);
    assert_eq!(std::fs::read_to_string(comm).expect("its thread").trim(), "mp_handle");
    primary.call("release 9");
    wait_for(|| primary_status(&client), |status| len(&status["handlers"]) == 0);
}

#[test]
fn a_circle_of_three_processes_shows_in_their_statuses() {
    let group = group!();
    let mut a = group.primary();
    let (b, c) = (group.secondary(), group.secondary());
    let mut asking = group.client();
    // `a` asks `b`, which asks `c`, which asks `a`, where the last handler waits for the first one's end.
    asking.tell(&format!("ask route 4000 {} {} p wait", b.pid(), c.pid()));
    let client = client(&group);
    let members = [None, Some(member(&client, b.pid())), Some(member(&client, c.pid()))];
    let look = |member: &Option<Member>| match member {
        None => primary_status(&client),
        Some(member) => status_of(&client, member),
    };
    let statuses =
        members.each_ref().map(|member| wait_for(|| look(member), |status| len(&status["requests"]) == 1));
    let socket = |status: &Value| status["socket"].clone();
    for (i, status) in statuses.iter().enumerate() {
        let next = &statuses[(i + 1) % 3];
        let request = &status["requests"][0];
        assert_eq!((&request["name"], &request["kind"]), (&"route".into(), &"blocking".into()));
        assert_eq!(request["to"], serde_json::json!([socket(next)]), "whom it waits for");
        assert_eq!(request["waits_for"], "answer");
        assert!(request["age_ms"].as_u64() >= Some(20) && request["timeout_ms"] == 5000, "{request}");
        // The handler that makes it, by its thread; and there the handler that it waits for, by its number.
        let by = |key: &str, status: &Value| {
            let is_it = |handler: &&Value| handler[key] == request[key];
            status["handlers"].as_array().expect("an array").iter().find(is_it).cloned()
        };
        assert_eq!(by("thread", status).expect("it is made by a handler")["name"], "route");
        assert_eq!(by("sequence", next).expect("a handler that runs")["pid"], status["pid"]);
    }
    assert_eq!(len(&statuses[0]["handlers"]), 2, "the first, and the one that waits for its end");
    a.call("release 1");
    asking.line(|line| line.starts_with('='));
    wait_for(|| primary_status(&client), |status| len(&status["requests"]) == 0);
}

#[test]
fn with_as_many_handlers_as_there_are_threads_it_is_told_still() {
    let group = group!();
    let mut primary = group.primary();
    let secondary = group.secondary();
    // Each asks the other, through as many handlers as one member has threads for, and the last waits.
    let hop = format!("{} p ", secondary.pid());
    let mut asking = group.client();
    asking.tell(&format!("ask route 4000 {}wait", hop.repeat(24)));
    let client = client(&group);
    let stuck = wait_for(
        || primary_status(&client),
        |status| len(&status["handlers"]) >= 25 && len(&status["requests"]) >= 24,
    );
    assert!(stuck["threads"]["all"].as_u64() >= Some(26), "{}", stuck["threads"]);
    let there = status_of(&client, &member(&client, secondary.pid()));
    assert!(len(&there["requests"]) >= 24);
    primary.call("release 1");
    asking.line(|line| line.starts_with('='));
}

#[test]
fn requests_to_who_does_not_read_are_told_to_wait_for_room() {
    let group = group!();
    let mut primary = group.primary();
    let stopped = group.secondary();
    stopped.pause();
    for _ in 0..20 {
        primary.call("begin ask echo 3000 hi");
    }
    let client = client(&group);
    let status = wait_for(|| primary_status(&client), |status| len(&status["requests"]) == 20);
    let requests = status["requests"].as_array().expect("an array");
    let of = |what: &str| requests.iter().filter(|request| request["waits_for"] == what).count();
    assert!(of("answer") >= 10 && of("room") >= 5, "{status:#}");
    stopped.resume();
    wait_for(|| primary_status(&client), |status| len(&status["requests"]) == 0);
}

#[test]
fn asynchronous_requests_are_told_too() {
    let group = group!();
    let mut primary = group.primary();
    let stopped = group.secondary();
    stopped.pause();
    primary.call("begin later ask echo 3000 hi");
    let client = client(&group);
    let status = wait_for(|| primary_status(&client), |status| len(&status["requests"]) == 1);
    let request = &status["requests"][0];
    assert_eq!((&request["kind"], &request["name"]), (&"async".into(), &"echo".into()));
    let to = request["to"][0].as_str().expect("a socket");
    assert!(to.contains(&format!("mp_socket_{}_", stopped.pid())), "{to}");
    stopped.resume();
    wait_for(|| primary_status(&client), |status| len(&status["requests"]) == 0);
}

#[test]
fn who_is_asked_in_another_version_says_so() {
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    for name in ["mp.status", "mp.describe", "mp.monitor"] {
        let message = Message::new(Name::new(name).expect("short")).with_param([9, 0]).expect("short");
        let error = client.request(&message, SECOND).expect_err("an unknown version").to_string();
        assert!(
            error.ends_with(&format!("version 9 of \"{name}\" is not known here: version 1 is")),
            "{error}"
        );
    }
    let unknown = client.request(&Message::new(Name::from_static("mp.kill")), SECOND).expect_err("no such");
    assert!(unknown.to_string().contains("which version"), "{unknown}");
    let status = primary_status(&client);
    assert_eq!(status["rejected"], serde_json::json!({"undecodable": 4}));
}

#[test]
fn a_description_names_the_actions_without_types() {
    let group = group!();
    let primary = group.primary();
    let text = inspect::describe(&client(&group), SECOND).expect("it answers");
    let described: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&described["mp.describe"], &described["pid"]), (&1.into(), &primary.pid().into()));
    let names: Vec<_> =
        described["actions"].as_array().expect("an array").iter().map(|a| &a["name"]).collect();
    assert!(names.contains(&&"echo".into()) && names.contains(&&"stall".into()), "{names:?}");
}

#[test]
fn a_builder_can_say_no_and_the_names_stay_reserved() {
    let group = group!();
    let primary =
        Primary::builder("mp-faults").runtime_dir(group.path()).without_inspection().start().expect("free");
    let client = client(&group);
    let no = |error: InspectError| {
        assert!(matches!(error, InspectError::NotKnown { .. }), "{error}");
        assert!(error.to_string().contains("without_inspection"), "{error}");
    };
    no(inspect::status(&client, SECOND).expect_err("it was told not to"));
    no(inspect::describe(&client, SECOND).expect_err("it was told not to"));
    no(inspect::monitor(&client, inspect::Filter::all(), SECOND).expect_err("it was told not to"));

    let name = Name::from_static("mp.mine");
    let refused = primary.actions().on(name, |_, _| ()).expect_err("reserved");
    assert_eq!(refused, RegisterError::Reserved { name });
    assert!(refused.to_string().starts_with("\"mp.mine\" begins with \"mp.\""), "{refused}");
    let builder = Secondary::builder("mp-faults").runtime_dir(group.path());
    let refused = builder.serve(name, |_| ()).start().expect_err("reserved");
    assert!(matches!(refused, StartError::Register(RegisterError::Reserved { .. })), "{refused}");
}

#[test]
fn who_is_not_trusted_is_told_nothing() {
    let group = group!();
    let mut primary = group.start("primary", &["--trust-nobody"]);
    let error = inspect::status(&client(&group), Duration::from_millis(200)).expect_err("it trusts nobody");
    assert!(matches!(error, InspectError::Silent { .. }), "{error}");
    assert!(eventually(|| primary.counter("Untrusted") == 1));
}

#[test]
fn asking_leaves_nothing_behind() {
    let group = group!();
    let primary = group.primary();
    let client = client(&group);
    inspect::status(&client, SECOND).expect("it answers");
    // What the status came in is closed before this is answered.
    client.request(&Message::new(Name::from_static("echo")), SECOND).expect("an echo");
    let before = primary.open_fds();
    for _ in 0..200 {
        inspect::status(&client, SECOND).expect("it answers");
        inspect::describe(&client, SECOND).expect("it answers");
    }
    primary.assert_open_fds(before);
}
