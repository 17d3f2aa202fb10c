//! Whose answer it is: none is ever taken for one to another request.
//!
//! The peers here speak the wire without `mp-core`, and say what no peer should:
//! twice, late, under forged tags, from elsewhere.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mp_core::{Client, Message, Name, Outcome, Primary, Rejection, RequestError};
use pollster::block_on;
use tests::{Group, Lie, RawDatagram, RawSocket, WITHIN, eventually, group};

const REQUESTS: usize = 2_000;

/// Longer than any test takes: a request with it never times out.
// Reply sockets that are retired are files that come and go, which some file systems are slow at.
const LONG: Duration = Duration::from_secs(300);

/// How a peer writes its answers.
type Style = fn(&RawDatagram) -> Vec<u8>;

const FRESH: Style = RawDatagram::fresh_reply;
const ECHOED: Style = RawDatagram::echoed_reply;
const TAGGED: Style = |request| request.tagged_reply(0);

/// A primary without `mp-core`, on a thread of its own.
struct RawPrimary {
    path: PathBuf,
    thread: Option<JoinHandle<()>>,
    /// The address of each request's sender, once it has been seen to.
    seen: Receiver<PathBuf>,
}

impl RawPrimary {
    /// Sees to each request by `answer`.
    fn new(group: &Group, mut answer: impl FnMut(&RawSocket, RawDatagram) + Send + 'static) -> Self {
        let path = group.join("mp_socket");
        let socket = RawSocket::bound(&path);
        let (sender, seen) = channel();
        let thread = thread::spawn(move || {
            loop {
                let datagram = socket.receive_raw();
                let (from, (_, name, _)) = (datagram.from.clone(), datagram.parts());
                if name == "end" {
                    return;
                }
                answer(&socket, datagram);
                // The test may have seen enough.
                let _ = sender.send(from);
            }
        });
        Self { path, thread: Some(thread), seen }
    }

    /// One that answers everything twice.
    fn that_answers_twice(group: &Group, style: Style) -> Self {
        Self::new(group, move |socket, request| {
            // Whoever is answered twice may close its socket at any time, and asks anew elsewhere.
            socket.send_if_there(&request.from, &style(&request));
            let _ = socket.try_send(&request.from, &style(&request));
        })
    }

    fn await_seen(&self) -> PathBuf {
        self.seen.recv_timeout(WITHIN).expect("a request in time")
    }
}

impl Drop for RawPrimary {
    fn drop(&mut self) {
        // Unless it has panicked.
        let _ = RawSocket::unbound().try_send(&self.path, &Lie::message("end", b"").bytes());
        let ended = self.thread.take().expect("it is joined once").join();
        assert!(ended.is_ok() || thread::panicking(), "the raw primary panicked");
    }
}

fn client(group: &Group) -> Client {
    Client::builder("mp-exact").runtime_dir(group.path()).start().expect("a client")
}

fn message(name: &str, text: &str) -> Message {
    Message::new(Name::new(name).expect("a name")).with_param(text).expect("it fits")
}

/// What comes back of `text`.
fn ask(client: &Client, name: &str, text: &str) -> Result<String, RequestError> {
    let reply = client.request(&message(name, text), LONG)?;
    Ok(String::from_utf8_lossy(&reply.message.param).into_owned())
}

#[track_caller]
fn assert_echoes(client: &Client, name: &str, text: &str) {
    assert_eq!(ask(client, name, text).expect("an answer"), text);
}

#[test]
fn a_peer_that_answers_twice_answers_no_later_request() {
    for style in [ECHOED, TAGGED] {
        let group = group!();
        let (_primary, client) = (RawPrimary::that_answers_twice(&group, style), client(&group));
        (0..REQUESTS).for_each(|i| assert_echoes(&client, "echo", &i.to_string()));
        let statistics = client.statistics();
        assert_eq!(statistics.replies_received, REQUESTS as u64);
        assert!(statistics.rejected_for(Rejection::Late) > 0);
    }
}

#[test]
fn a_peer_that_answers_twice_answers_no_later_asynchronous_request() {
    for style in [ECHOED, TAGGED] {
        let group = group!();
        let (_primary, client) = (RawPrimary::that_answers_twice(&group, style), client(&group));
        let ask = |i: usize| client.request_async(&message("echo", &i.to_string()), LONG);
        let replies: Vec<_> = (0..REQUESTS).map(ask).collect();
        for (i, reply) in replies.into_iter().enumerate() {
            let reply = block_on(reply).expect("an answer");
            assert_eq!(String::from_utf8_lossy(&reply.message.param), i.to_string());
        }
        assert!(client.statistics().rejected_for(Rejection::Late) > 0);
    }
}

#[test]
fn what_a_peer_without_tags_leaves_in_an_idle_reply_socket_answers_nothing() {
    let group = group!();
    let (primary, client) = (RawPrimary::that_answers_twice(&group, FRESH), client(&group));
    for i in 0..200 {
        assert_echoes(&client, "echo", &i.to_string());
        // Now the second answer has come.
        primary.await_seen();
    }
    for i in 0..200 {
        let reply = block_on(client.request_async(&message("echo", &i.to_string()), LONG));
        assert_eq!(String::from_utf8_lossy(&reply.expect("an answer").message.param), i.to_string());
        primary.await_seen();
    }
    let late = client.statistics().rejected_for(Rejection::Late);
    assert!(late >= 398, "{late}");
}

#[test]
fn a_reply_socket_to_which_too_much_came_is_not_used_again() {
    for style in [FRESH, ECHOED, TAGGED] {
        let group = group!();
        let (primary, client) = (RawPrimary::that_answers_twice(&group, style), client(&group));
        let mut used = HashSet::new();
        for i in 0..20 {
            assert_echoes(&client, "echo", &i.to_string());
            used.insert(primary.await_seen());
        }
        // One without tags is looked over before the second request, the others while it waits.
        let least = if style as usize == FRESH as usize { 20 } else { 10 };
        assert!(used.len() >= least, "{} reply sockets", used.len());
        assert!(group.files("mp_reply_").len() <= 1, "{:?}", group.files("mp_reply_"));
    }
}

#[test]
fn a_peer_that_answers_once_is_asked_on_one_reply_socket() {
    for style in [FRESH, ECHOED, TAGGED] {
        let group = group!();
        let primary = RawPrimary::new(&group, move |socket, request| {
            socket.send(&request.from, &style(&request));
        });
        let client = client(&group);
        let mut used = HashSet::new();
        for i in 0..100 {
            assert_echoes(&client, "echo", &i.to_string());
            used.insert(primary.await_seen());
        }
        assert_eq!(used.len(), 1);
        assert_eq!(client.statistics().rejected_in_all(), 0);
    }
}

#[test]
fn a_c_peer_may_send_back_what_it_got_at_one_time_and_answer_anew_at_another() {
    let group = group!();
    let mut count = 0;
    let _primary = RawPrimary::new(&group, move |socket, request| {
        count += 1;
        let style = if count % 2 == 0 { FRESH } else { ECHOED };
        socket.send(&request.from, &style(&request));
    });
    let client = client(&group);
    (0..100).for_each(|i| assert_echoes(&client, "echo", &i.to_string()));
    assert_eq!(client.statistics().rejected_in_all(), 0);
}

#[test]
fn an_answer_under_a_forged_tag_is_late_and_the_right_one_counts() {
    let group = group!();
    let _primary = RawPrimary::new(&group, |socket, request| {
        for later in [1, u64::MAX, 1 << 40] {
            socket.send(&request.from, &request.tagged_reply(later));
        }
        // It has shown that it knows tags: without one it is not heard any more.
        socket.send(&request.from, &request.fresh_reply());
        socket.send(&request.from, &request.tagged_reply(0));
    });
    let client = client(&group);
    for i in 1..=20 {
        assert_echoes(&client, "echo", &i.to_string());
        assert_eq!(client.statistics().rejected_for(Rejection::Late), 4 * i);
    }
}

#[test]
fn a_late_reply_that_came_is_counted_and_a_later_one_learns_that_nobody_waits() {
    let group = group!();
    let primary = RawPrimary::new(&group, |socket, request| {
        // As late as can be: the second answer to the first request of a reply socket.
        socket.send(&request.from, &request.tagged_reply(0));
        socket.send(&request.from, &request.tagged_reply(0));
    });
    let client = client(&group);
    assert_echoes(&client, "echo", "first");
    let socket = primary.await_seen();
    assert_echoes(&client, "echo", "second");
    assert_eq!(primary.await_seen(), socket);
    assert!((1..=3).contains(&client.statistics().rejected_for(Rejection::Late)));
    let gone = RawSocket::unbound().try_send(&socket, &Lie::message("note", b"").bytes());
    assert!(gone.is_err(), "the reply socket is there still");
}

#[test]
fn names_without_room_for_a_tag_are_answered_and_nothing_left_over_is_taken() {
    let group = group!();
    let style: Style = |request| if request.parts().1 == "short" { TAGGED(request) } else { ECHOED(request) };
    let primary = RawPrimary::that_answers_twice(&group, style);
    let client = client(&group);
    for long in [40, 63].map(|len| "n".repeat(len)) {
        for name in ["short", &long, &long, "short", "short", &long] {
            for i in 0..10 {
                assert_echoes(&client, name, &format!("{name} {i}"));
                primary.await_seen();
            }
        }
    }
}

/// Leaves a reply in every reply socket it finds, as fast as it can.
struct Forger {
    is_over: Arc<AtomicBool>,
    tried: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Forger {
    fn new(group: &Group) -> Self {
        let (is_over, tried, left) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let dir = group.path().to_owned();
        let thread = {
            let (is_over, tried, left) = (Arc::clone(&is_over), Arc::clone(&tried), Arc::clone(&left));
            thread::spawn(move || {
                while !is_over.load(SeqCst) {
                    forge(&dir, &tried, &left);
                }
            })
        };
        Self { is_over, tried, left, threads: vec![thread] }
    }

    fn end(self) -> (usize, usize) {
        self.is_over.store(true, SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        (self.tried.load(SeqCst), self.left.load(SeqCst))
    }
}

fn forge(dir: &Path, tried: &AtomicUsize, left: &AtomicUsize) {
    let forged = Lie { kind: 2, ..Lie::request("echo", b"forged") }.bytes();
    let socket = RawSocket::unbound();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("mp_reply_") {
            tried.fetch_add(1, SeqCst);
            let sent: io::Result<()> = socket.try_send(&entry.path(), &forged);
            left.fetch_add(usize::from(sent.is_ok()), SeqCst);
        }
    }
}

#[test]
fn nobody_can_leave_an_answer_in_a_new_reply_socket() {
    let group = group!();
    let _primary = RawPrimary::new(&group, |socket, request| {
        socket.send(&request.from, &request.fresh_reply());
    });
    let forger = Forger::new(&group);
    for i in 0..800 {
        let client = client(&group);
        // The second would get what the first left behind.
        for part in ["first", "second"] {
            assert_echoes(&client, "echo", &format!("{part} of {i}"));
        }
    }
    let (tried, left) = forger.end();
    assert!(tried > 0, "it never found a reply socket");
    assert_eq!(left, 0, "of {tried}");
}

/// A primary that asks two raw members.
struct Broadcast {
    group: Group,
    primary: Primary,
    members: [RawSocket; 2],
}

impl Broadcast {
    fn new() -> Self {
        let group = group!();
        let primary = Primary::builder("mp-exact").runtime_dir(group.path()).start().expect("a primary");
        let members = ["mp_socket_1_1", "mp_socket_2_1"].map(|name| RawSocket::bound(&group.join(name)));
        Self { group, primary, members }
    }

    /// Asks both; `answer` sees to their requests.
    fn ask(&self, answer: impl FnOnce([RawDatagram; 2])) -> Vec<(Outcome, String)> {
        thread::scope(|scope| {
            let asking = scope.spawn(|| self.primary.request(&message("echo", "?"), WITHIN));
            answer([0, 1].map(|member: usize| self.members[member].receive_raw()));
            let replies = asking.join().expect("no panic").expect("it can be made");
            let text = |pid: Option<u32>| {
                let is_of = |reply: &&mp_core::Reply| {
                    reply.peer.address().map(|address| address.file_name())
                        == pid.map(|pid| format!("mp_socket_{pid}_1")).as_deref().map(std::ffi::OsStr::new)
                };
                let reply = replies.replies.iter().find(is_of);
                reply.map_or(String::new(), |reply| String::from_utf8_lossy(&reply.message.param).into())
            };
            replies.outcomes.iter().map(|(member, outcome)| (outcome.clone(), text(member.pid()))).collect()
        })
    }

    fn late(&self) -> u64 {
        self.primary.statistics().rejected_for(Rejection::Late)
    }

    fn unexpected(&self) -> u64 {
        self.primary.statistics().rejected_for(Rejection::Unexpected)
    }
}

fn replied(text: &str) -> (Outcome, String) {
    (Outcome::Replied, text.to_owned())
}

fn with_text(mut reply: Vec<u8>, text: &str) -> Vec<u8> {
    let (_, _, param) = RawDatagram { bytes: reply.clone(), from: PathBuf::new() }.parts();
    assert_eq!(param.len(), text.len());
    reply[76..76 + text.len()].copy_from_slice(text.as_bytes());
    reply
}

#[test]
fn a_socket_of_a_members_name_in_another_directory_does_not_answer_for_it() {
    let broadcast = Broadcast::new();
    let elsewhere = group!();
    let forger = RawSocket::bound(&elsewhere.join("mp_socket_1_1"));
    let outcomes = broadcast.ask(|[first, second]| {
        forger.send(&first.from, &with_text(first.echoed_reply(), "!"));
        forger.send(&first.from, &with_text(first.tagged_reply(0), "!"));
        broadcast.members[1].send(&second.from, &second.fresh_reply());
        broadcast.members[0].send(&first.from, &first.fresh_reply());
    });
    assert_eq!(outcomes, [replied("?"), replied("?")]);
    assert_eq!(broadcast.unexpected(), 2);
}

#[test]
fn a_member_that_spells_the_directory_otherwise_counts() {
    let mut broadcast = Broadcast::new();
    let links = tempfile::tempdir().expect("a temporary directory");
    let link = links.path().join("link");
    symlink(broadcast.group.path(), &link).expect("a free name");
    fs::remove_file(broadcast.group.join("mp_socket_1_1")).expect("it is there");
    broadcast.members[0] = RawSocket::bound(&link.join("mp_socket_1_1"));
    for _ in 0..3 {
        let outcomes = broadcast.ask(|requests| {
            for (member, request) in broadcast.members.iter().zip(requests) {
                member.send(&request.from, &request.fresh_reply());
            }
        });
        assert_eq!(outcomes, [replied("?"), replied("?")]);
    }
    assert_eq!(broadcast.primary.statistics().rejected_in_all(), 0);
}

#[test]
fn second_late_and_forged_answers_of_members_count_for_nothing() {
    for style in [FRESH, ECHOED, TAGGED] {
        let broadcast = Broadcast::new();
        for round in 1..=20 {
            let outcomes = broadcast.ask(|[first, second]| {
                let [a, b] = &broadcast.members;
                let answer = style(&first);
                a.send(&first.from, &answer);
                // Again, and for the next request.
                a.send(&first.from, &with_text(answer, "2"));
                a.send(&first.from, &with_text(first.tagged_reply(1), "+"));
                // One cannot answer for the other.
                a.send(&second.from, &with_text(style(&second), "a"));
                b.send(&second.from, &style(&second));
            });
            assert_eq!(outcomes, [replied("?"), replied("?")]);
            assert_eq!(broadcast.late(), 3 * round);
        }
    }
}

#[test]
fn what_members_without_tags_leave_in_an_idle_reply_socket_answers_nothing() {
    let broadcast = Broadcast::new();
    let mut used = HashSet::new();
    for round in 1..=20 {
        let mut last = None;
        let outcomes = broadcast.ask(|[first, second]| {
            let [a, b] = &broadcast.members;
            used.insert(first.from.clone());
            a.send(&first.from, &first.fresh_reply());
            b.send(&second.from, &second.fresh_reply());
            last = Some(second);
        });
        assert_eq!(outcomes, [replied("?"), replied("?")]);
        // Once more, when nobody waits any more.
        let last = last.expect("it was asked");
        broadcast.members[1].send(&last.from, &with_text(last.fresh_reply(), "!"));
        assert_eq!(used.len(), round, "each was given up");
    }
    assert!(eventually(|| broadcast.late() == 19));
}

/// Asks one raw member alone, by a primary of the same process. Where from it was asked.
fn ask_alone(primary: &Primary, member: &RawSocket, name: &str) -> PathBuf {
    let members = primary.members().expect("it can be listed");
    let is_it = |member: &&mp_core::Member| member.address().file_name() == name;
    let to = members.iter().find(is_it).expect("it is a member");
    thread::scope(|scope| {
        let asking = scope.spawn(|| primary.to(to).request(&message("echo", "?"), LONG));
        let request = member.receive_raw();
        member.send(&request.from, &request.fresh_reply());
        asking.join().expect("no panic").expect("an answer");
        request.from
    })
}

#[test]
fn members_that_came_and_went_leave_no_reply_sockets_and_cost_those_that_stay_none() {
    for leaves_its_file in [false, true] {
        let group = group!();
        let primary = Primary::builder("mp-exact").runtime_dir(group.path()).start().expect("a primary");
        for pid in 1..=40 {
            let name = format!("mp_socket_{pid}_1");
            let member = RawSocket::bound(&group.join(&name));
            ask_alone(&primary, &member, &name);
            drop(member);
            if !leaves_its_file {
                fs::remove_file(group.join(&name)).expect("it is there");
            }
        }
        let name = "mp_socket_41_1";
        let member = RawSocket::bound(&group.join(name));
        let used: HashSet<_> = (0..100).map(|_| ask_alone(&primary, &member, name)).collect();
        assert_eq!(used.len(), 1, "reply sockets to one member");
        assert_eq!(group.files("mp_reply_").len(), 1, "of 41 members, one of which is there");
    }
}

#[test]
fn with_more_members_than_reply_sockets_are_kept_for_each_is_asked_on_a_kept_one_in_a_row() {
    let group = group!();
    let primary = Primary::builder("mp-exact").runtime_dir(group.path()).start().expect("a primary");
    let names: Vec<_> = (1..=40).map(|pid| format!("mp_socket_{pid}_1")).collect();
    let members: Vec<_> = names.iter().map(|name| RawSocket::bound(&group.join(name))).collect();
    for _ in 0..2 {
        for (member, name) in members.iter().zip(&names) {
            let used: HashSet<_> = (0..3).map(|_| ask_alone(&primary, member, name)).collect();
            assert_eq!(used.len(), 1, "reply sockets to {name}");
        }
    }
    assert_eq!(group.files("mp_reply_").len(), 32);
}
