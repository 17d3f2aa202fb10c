//! What `mp.monitor` shows of a member's datagrams, and that no monitor holds it up, whatever that does.

use std::{
    fs::File,
    os::{fd::AsFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use mp_core::{
    Client, Member, Message, MessageRef, Name, Rejection, RequestError,
    inspect::{self, DatagramKind, Direction, FdKind, Filter, InspectError, Monitor, MonitorError, Record},
};
use serde_json::Value;
use tests::{Group, RawSocket, WITHIN, eventually, group};

const SECOND: Duration = Duration::from_secs(1);
const ECHO: Name = Name::from_static("echo");

fn client(group: &Group) -> Client {
    Client::builder("mp-faults").runtime_dir(group.path()).start().expect("a short path")
}

fn member(client: &Client, pid: u32) -> Member {
    let members = client.members().expect("the directory can be listed");
    members.into_iter().find(|member| member.pid() == Some(pid)).expect("it has joined")
}

fn monitors(client: &Client) -> Value {
    let text = inspect::status(client, SECOND).expect("it answers");
    let status: Value = serde_json::from_str(&text).expect("JSON");
    status["monitors"].clone()
}

fn next(monitor: &mut Monitor) -> Record {
    monitor.next_within(WITHIN).expect("it has not ended").expect("there is one")
}

fn echo(client: &Client) {
    client.request(&Message::new(ECHO), WITHIN).expect("an echo");
}

#[test]
fn each_datagram_in_and_out_is_copied_with_who_sent_it_and_what_came_along() {
    let group = group!();
    let primary = group.primary();
    let client = client(&group);
    let mut monitor = inspect::monitor(&client, Filter::all().name("echo"), SECOND).expect("it is allowed");
    let file = File::open("/proc/self/status").expect("it is there");
    let (stream, _other) = UnixStream::pair().expect("a pair");
    let fds = [file.as_fd(), stream.as_fd()];
    let before = primary.open_fds();
    client.request(MessageRef::new(&ECHO, b"hi", &fds).expect("short"), SECOND).expect("an echo");

    let (question, answer) = (next(&mut monitor), next(&mut monitor));
    assert_eq!((question.direction, answer.direction), (Direction::In, Direction::Out));
    assert_eq!((question.sender.pid, answer.sender.pid), (std::process::id(), primary.pid()));
    let path = question.address.as_deref().expect("a reply socket");
    assert!(path.starts_with(group.path()) && answer.address.as_deref() == Some(path), "{path:?}");
    let (asked, answered) =
        (question.content().expect("well-formed"), answer.content().expect("well-formed"));
    assert_eq!((asked.kind, answered.kind), (DatagramKind::Request, DatagramKind::Reply));
    assert!(asked.name == ECHO && answered.name == ECHO && *asked.param == *b"hi");
    assert!(
        asked.sequence.is_some() && asked.sequence == answered.sequence,
        "an answer is told by its number"
    );
    assert!(question.monotonic <= answer.monotonic);
    for record in [&question, &answer] {
        assert_eq!(
            record.fds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
            [FdKind::File, FdKind::Socket]
        );
        assert_eq!((record.rejected, record.errno, record.dropped), (None, None, 0));
    }
    primary.assert_open_fds(before);
}

#[test]
fn what_a_member_asks_itself_is_copied_and_so_is_what_it_sends_to_all() {
    let group = group!();
    let mut primary = group.primary();
    let (secondary, other) = (group.secondary(), group.secondary());
    let client = client(&group);
    let mut monitor = inspect::monitor(&client, Filter::all(), SECOND).expect("it is allowed");
    let mut kinds = |count: usize| {
        let of = |record: Record| {
            let content = record.content().expect("well-formed");
            let address = record.address.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            (record.direction, content.kind, content.name.to_string(), address)
        };
        let mut all: Vec<_> = (0..count).map(|_| of(next(&mut monitor))).collect();
        all.retain(|(_, _, name, _)| name != "mp.monitor");
        all
    };
    kinds(1);
    primary.call("ask echo 5000 hi");
    let asked = kinds(4);
    let count = |direction, kind| asked.iter().filter(|seen| (seen.0, seen.1) == (direction, kind)).count();
    assert_eq!(count(Direction::Out, DatagramKind::Request), 2, "{asked:?}");
    assert_eq!(count(Direction::In, DatagramKind::Reply), 2, "{asked:?}");
    for pid in [secondary.pid(), other.pid()] {
        let is_to = |seen: &&(Direction, _, _, String)| seen.3.contains(&format!("mp_socket_{pid}_"));
        assert_eq!(asked.iter().filter(is_to).count(), 2, "{asked:?}");
    }
    primary.call("send note 1000 hi");
    let sent = kinds(2);
    assert!(sent.iter().all(|seen| (seen.0, seen.1) == (Direction::Out, DatagramKind::Message)), "{sent:?}");
    // A request to one peer, of a secondary.
    let mut of_secondary =
        inspect::monitor(client.to(&member(&client, other.pid())), Filter::all().name("route"), SECOND)
            .expect("it is allowed");
    drop(secondary);
    primary.call("ask route 5000 p end");
    let seen: Vec<_> = (0..4).map(|_| next(&mut of_secondary)).collect();
    let sequence = |at: usize| seen[at].content().expect("well-formed").sequence;
    let direction: Vec<_> = seen.iter().map(|record| record.direction).collect();
    assert_eq!(direction, [Direction::In, Direction::Out, Direction::In, Direction::Out]);
    assert!(sequence(0) == sequence(3) && sequence(1) == sequence(2) && sequence(0) != sequence(1));
}

#[test]
fn a_filter_keeps_the_rest_away() {
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    let filter = Filter::all().name("no*").replies(false);
    let mut monitor = inspect::monitor(&client, filter, SECOND).expect("it is allowed");
    echo(&client);
    client.send(&Message::new(Name::from_static("note"))).expect("there is room");
    primary.event("note");
    assert_eq!(next(&mut monitor).content().expect("well-formed").name, Name::from_static("note"));
    assert_eq!(monitor.next_within(Duration::ZERO).expect("it has not ended"), None);
}

#[test]
fn why_something_was_rejected_is_told() {
    let group = group!();
    let _primary = group.primary();
    let mut monitor = inspect::monitor(&client(&group), Filter::all(), SECOND).expect("it is allowed");
    next(&mut monitor);
    let socket = RawSocket::unbound();
    socket.try_send(&group.join("mp_socket"), b"garbage").expect("there is room");
    let record = next(&mut monitor);
    assert!(record.content().is_none() && record.datagram == b"garbage");
    let rejected = Rejection::ALL[usize::from(record.rejected.expect("it is"))];
    assert_eq!(rejected.name(), "malformed_length");
    assert_eq!((record.sender.pid, record.address), (std::process::id(), None));
}

#[test]
fn a_monitor_that_does_not_read_holds_up_nobody_and_is_told_what_it_missed() {
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let time = || {
        let start = Instant::now();
        (0..3000).for_each(|_| echo(&client));
        start.elapsed()
    };
    let alone = time();
    let mut monitor = inspect::monitor(&client, Filter::all().name("echo"), SECOND).expect("it is allowed");
    // It takes some thousands of records until its socket is full, and more of each than that.
    let mut watched = Duration::ZERO;
    let mut rounds = 0;
    while monitors(&client)[0]["dropped"] == 0 || rounds < 2 {
        watched = time();
        rounds += 1;
        assert!(rounds < 20, "its socket is never full");
    }
    assert!(watched < alone * 4 + SECOND, "{watched:?}, and {alone:?} without a monitor");

    let told = monitors(&client);
    let (sent, dropped) =
        (told[0]["sent"].as_u64().expect("it is"), told[0]["dropped"].as_u64().expect("it is"));
    assert_eq!(sent + dropped, rounds * 6000);
    for _ in 0..sent {
        next(&mut monitor);
    }
    assert_eq!(monitor.next_within(Duration::ZERO).expect("it has not ended"), None);
    echo(&client);
    assert_eq!(next(&mut monitor).dropped, dropped, "told with the first that there is room for");
}

#[test]
fn a_monitor_that_is_stopped_or_killed_holds_up_nobody_and_is_let_go_of() {
    let group = group!();
    let primary = group.primary();
    let client = client(&group);
    inspect::status(&client, SECOND).expect("it answers");
    // What the status came in is closed before this is answered.
    echo(&client);
    let fds = primary.open_fds();
    let mut watching: Vec<_> = (0..3).map(|_| group.client()).collect();
    for process in &mut watching {
        assert_eq!(process.call("monitor"), "attached");
        process.pause();
    }
    for _ in 0..5000 {
        echo(&client);
    }
    let told = monitors(&client);
    for (i, process) in watching.iter().enumerate() {
        assert_eq!(told[i]["pid"], process.pid());
    }
    drop(watching);
    echo(&client);
    assert_eq!(monitors(&client), serde_json::json!([]), "with the next datagram");
    primary.assert_open_fds(fds);
}

#[test]
fn monitors_that_come_and_go_leave_nothing_behind_and_lose_no_request() {
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    inspect::status(&client, SECOND).expect("it answers");
    // What the status came in is closed before this is answered.
    echo(&client);
    let fds = primary.open_fds();
    let mut storm = group.client();
    storm.tell("storm 4 1000");
    for _ in 0..500 {
        let monitor = inspect::monitor(&client, Filter::all(), WITHIN);
        assert!(
            matches!(&monitor, Ok(_) | Err(InspectError::Refused { .. })),
            "it is attached, unless those before are not yet let go of: {monitor:?}"
        );
    }
    assert_eq!(storm.line(|line| line.starts_with('=')), "=0 mixed up of 4000");
    assert_eq!(primary.counter("lost"), 0);
    echo(&client);
    primary.assert_open_fds(fds);
    assert!(eventually(|| monitors(&client) == serde_json::json!([])));
}

#[test]
fn there_are_eight_at_most_and_one_more_is_refused_in_words() {
    let group = group!();
    let _primary = group.primary();
    let client = client(&group);
    let attach = || inspect::monitor(&client, Filter::all(), SECOND);
    let mut attached: Vec<_> = (0..8).map(|_| attach().expect("there is room")).collect();
    let refused = attach().expect_err("one too many");
    assert!(matches!(refused, InspectError::Refused { .. }), "{refused}");
    assert!(refused.to_string().ends_with("it has 8 monitors, as many as may be"), "{refused}");
    attached.pop();
    attached.push(attach().expect("there is room again"));
}

#[test]
fn a_monitor_ends_with_the_member() {
    let group = group!();
    let mut primary = group.primary();
    let secondary = group.secondary();
    let client = client(&group);
    let mut of_primary = inspect::monitor(&client, Filter::all(), SECOND).expect("it is allowed");
    let mut of_secondary =
        inspect::monitor(client.to(&member(&client, secondary.pid())), Filter::all(), SECOND)
            .expect("it is allowed");
    let end = |monitor: &mut Monitor| loop {
        match monitor.next_within(WITHIN) {
            Ok(record) => assert!(record.is_some(), "it does not end"),
            Err(error) => break error,
        }
    };
    assert_eq!(primary.call("stop 5000"), "true");
    assert!(matches!(end(&mut of_primary), MonitorError::Ended));
    drop(secondary);
    assert!(matches!(end(&mut of_secondary), MonitorError::Ended));
}

#[test]
fn whatever_else_is_sent_along_is_refused() {
    let group = group!();
    let mut primary = group.primary();
    let client = client(&group);
    let name = Name::from_static("mp.monitor");
    let file = File::open("/dev/null").expect("it is there");
    let (stream, _other) = UnixStream::pair().expect("a pair");
    for fds in [&[][..], &[file.as_fd()], &[stream.as_fd()]] {
        let message = MessageRef::new(&name, &[1, 0, 15, 0], fds).expect("short");
        let error = client.request(message, SECOND).expect_err("no such socket");
        let RequestError::Ignored { why } = error else { panic!("{error}") };
        assert!(why.text().contains("SOCK_SEQPACKET"), "{why}");
    }
    assert_eq!(primary.counter("Undecodable"), 3);
    // A message asks nothing.
    let before = primary.counter("NoAction");
    client.send(&Message::new(Name::from_static("mp.status"))).expect("there is room");
    assert!(eventually(|| primary.counter("NoAction") == before + 1));
}
