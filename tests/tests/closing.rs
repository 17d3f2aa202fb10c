//! Descriptors whose last `close` takes long, sent by a peer: nobody waits for them.
//!
//! A connection that lingers is closed only when all that was written to it has been read, which
//! here never happens; within another socket that is sent, nothing shows of it. Closing a packet
//! socket takes the kernel some 14 ms.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType, socket, sockopt};
use tests::{Group, Lie, Process, RawSocket, eventually, group};

/// How long the peers' connections linger.
const LINGER: Duration = Duration::from_secs(30);

/// What is answered in milliseconds is answered in that, on a busy machine too.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A connection that lingers, and what would read from it.
fn lingering() -> (TcpStream, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
    let stream = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    sockopt::set_socket_linger(&stream, Some(LINGER)).expect("it is a socket");
    stream.set_nonblocking(true).expect("it is a socket");
    while (&stream).write(&[0; 1 << 16]).is_ok() {}
    (stream, listener)
}

/// Descriptors to send, and what must be kept so that their last close takes long.
struct Slow {
    fds: Vec<OwnedFd>,
    _kept: Vec<TcpListener>,
}

impl Slow {
    /// A lingering connection.
    fn bare() -> Self {
        let (stream, listener) = lingering();
        Self { fds: vec![stream.into()], _kept: vec![listener] }
    }

    /// One that waits, unread, in another socket.
    fn nested() -> Self {
        let (stream, listener) = lingering();
        let dir = tempfile::tempdir().expect("a directory");
        let inner = UnixDatagram::bind(dir.path().join("inner")).expect("the path is free");
        RawSocket::unbound().send_with(&dir.path().join("inner"), b"", &[stream.as_fd()]);
        Self { fds: vec![inner.into()], _kept: vec![listener] }
    }

    /// As many packet sockets as can be sent at once. They take a privilege.
    fn packets() -> Option<Self> {
        let packet = || socket(AddressFamily::PACKET, SocketType::DGRAM, None);
        let fds: Result<Vec<_>, _> = (0..250).map(|_| packet()).collect();
        match fds {
            Ok(fds) => Some(Self { fds, _kept: Vec::new() }),
            Err(errno) => {
                println!("without packet sockets: {errno}");
                None
            }
        }
    }

    /// One of each kind.
    fn all() -> impl Iterator<Item = Self> {
        [Self::bare(), Self::nested()].into_iter().chain(Self::packets())
    }

    /// One of each kind that makes a test take no longer itself.
    fn lingering() -> impl Iterator<Item = Self> {
        [Self::bare(), Self::nested()].into_iter()
    }

    /// Sends them so that the receiver, which is stopped meanwhile, has the last copies.
    fn send(self, from: &RawSocket, to: &Path, lie: &Lie, receiver: &Process) -> Vec<TcpListener> {
        receiver.pause();
        let fds: Vec<BorrowedFd<'_>> = self.fds.iter().map(AsFd::as_fd).collect();
        let lie = Lie { num_fds: fds.len() as i32, ..lie.clone() };
        from.send_with(to, &lie.bytes(), &fds);
        drop(self.fds);
        receiver.resume();
        self._kept
    }
}

/// A primary, and an honest socket beside it.
struct Scene {
    group: Group,
    primary: Process,
    honest: RawSocket,
    to: PathBuf,
    fds: usize,
}

impl Scene {
    fn new() -> Self {
        let group = group!();
        let primary = group.primary();
        let (honest, to) = (RawSocket::bound(&group.join("honest")), group.join("mp_socket"));
        honest.assert_answers(&to);
        let fds = primary.open_fds();
        Self { group, primary, honest, to, fds }
    }

    /// That descriptors sent with `lie` keep the primary from nothing.
    #[track_caller]
    fn assert_unheld_by(&self, lie: &Lie, slow: impl Iterator<Item = Slow>) {
        let sender = RawSocket::bound(&self.group.join("sender"));
        for slow in slow {
            let threads = self.primary.threads();
            let _kept = slow.send(&sender, &self.to, lie, &self.primary);
            let start = Instant::now();
            self.honest.assert_answers(&self.to);
            assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
            self.primary.assert_open_fds(self.fds);
            // Those that close have ended: one that the kernel keeps cannot be stopped.
            assert!(eventually(|| self.primary.threads() <= threads));
        }
        drop(sender);
        std::fs::remove_file(self.group.join("sender")).expect("it is there");
    }
}

#[test]
fn with_datagrams_that_are_rejected() {
    let scene = Scene::new();
    scene.assert_unheld_by(&Lie { kind: 9, ..Lie::message("note", b"") }, Slow::all());
    scene.assert_unheld_by(&Lie { kind: 2, ..Lie::message("note", b"") }, Slow::lingering());
    scene.assert_unheld_by(&Lie::message("nobody_knows", b""), Slow::lingering());
    scene.assert_unheld_by(&Lie::request("nobody_knows", b""), Slow::lingering());
}

#[test]
fn with_a_request_to_a_messages_action_and_the_reverse() {
    let scene = Scene::new();
    scene.assert_unheld_by(&Lie::request("note", b""), Slow::all());
    scene.assert_unheld_by(&Lie::message("echo", b""), Slow::all());
}

#[test]
fn with_messages_and_requests_that_a_handler_drops() {
    let scene = Scene::new();
    scene.assert_unheld_by(&Lie::message("note", b""), Slow::all());
    scene.assert_unheld_by(&Lie::request("forget", b""), Slow::lingering());
    scene.assert_unheld_by(&Lie::request("panic", b""), Slow::lingering());
}

#[test]
fn with_messages_and_requests_whose_descriptors_a_handler_takes_and_drops() {
    let scene = Scene::new();
    scene.assert_unheld_by(&Lie::message("take", b""), Slow::all());
    scene.assert_unheld_by(&Lie::request("take_and_answer", b""), Slow::lingering());
    // A type's field owns it.
    scene.assert_unheld_by(&Lie::message("take_one", b""), Slow::lingering());
}

#[test]
fn with_what_is_answered_to_who_does_not_read_it() {
    let mut scene = Scene::new();
    let deaf = RawSocket::bound(&scene.group.join("deaf"));
    for _ in 0..12 {
        deaf.send(&scene.to, &Lie::request("echo", b"").bytes());
    }
    // The reply to this one is held back, with a copy of what came.
    let _kept = Slow::nested().send(&deaf, &scene.to, &Lie::request("echo", b""), &scene.primary);
    scene.honest.assert_answers(&scene.to);
    drop(deaf);
    // That nobody can have it any more is found out while it is tried again.
    assert!(eventually(|| scene.primary.counter("lost") > 0));
    let late = RawSocket::bound(&scene.group.join("late"));
    for _ in 0..12 {
        late.send(&scene.to, &Lie::request("echo", b"").bytes());
    }
    let start = Instant::now();
    for _ in 0..12 {
        assert_eq!(late.receive().0, 2);
    }
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    scene.primary.assert_open_fds(scene.fds);
}

#[test]
fn many_lingering_connections_hold_up_neither_each_other_nor_threads() {
    let scene = Scene::new();
    let threads = scene.primary.threads();
    let sender = RawSocket::unbound();
    let kept: Vec<_> = (0..60)
        .map(|_| Slow::nested().send(&sender, &scene.to, &Lie::message("note", b""), &scene.primary))
        .collect();
    let start = Instant::now();
    scene.honest.assert_answers(&scene.to);
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    // Long before the first has lingered to its end.
    scene.primary.assert_open_fds(scene.fds);
    assert!(eventually(|| scene.primary.threads() <= threads), "{} threads", scene.primary.threads());
    drop(kept);
}

#[test]
fn what_a_sender_keeps_lingers_as_it_was_told_to() {
    let scene = Scene::new();
    let (stream, _listener) = lingering();
    let lies = [Lie { kind: 9, ..Lie::message("note", b"") }, Lie::message("note", b"")];
    for lie in lies {
        let lie = Lie { num_fds: 1, ..lie };
        scene.honest.send_with(&scene.to, &lie.bytes(), &[stream.as_fd()]);
        scene.honest.assert_answers(&scene.to);
        assert_eq!(sockopt::socket_linger(&stream), Ok(Some(LINGER)));
    }
    scene.primary.assert_open_fds(scene.fds);
}

/// One that asks, and the sockets of those that are asked.
struct Asked {
    asker: Process,
    peers: Vec<RawSocket>,
    /// How many threads it has at most, that for asynchronous requests among them.
    threads: usize,
    group: Group,
}

impl Asked {
    /// A client and its primary.
    fn one() -> Self {
        let group = group!();
        let peers = vec![RawSocket::bound(&group.join("mp_socket"))];
        Self { asker: group.client(), peers, threads: 2, group }
    }

    /// A primary and its members.
    fn two() -> Self {
        let group = group!();
        let asker = group.primary();
        let peers = ["mp_socket_1_1", "mp_socket_2_1"].map(|name| RawSocket::bound(&group.join(name))).into();
        Self { asker, peers, threads: 4, group }
    }

    /// Asks by `command` for 300 ms; the first peer sends `lie`, with each kind of
    /// descriptors, and no answer that counts. That the request ends on time.
    #[track_caller]
    fn assert_on_time(&mut self, command: &str, lie: &Lie, slow: impl Iterator<Item = Slow>) {
        for slow in slow {
            let start = Instant::now();
            self.asker.tell(&format!("{command} what 300"));
            let from: Vec<_> = self.peers.iter().map(RawSocket::receive_from).collect();
            let (to, _) = &from[0];
            let _kept = slow.send(&self.peers[0], to, lie, &self.asker);
            let result = self.asker.line(|line| line.starts_with('='));
            assert!(start.elapsed() < AT_ONCE, "{:?}: {result}", start.elapsed());
            assert!(result.contains("TimedOut"), "{result}");
            assert!(eventually(|| self.group.files("mp_reply_").is_empty()), "it is owed an answer");
            // Those that close have ended: one that the kernel keeps cannot be stopped.
            assert!(eventually(|| self.asker.threads() <= self.threads));
        }
    }

    /// The same with each kind of answer that does not count.
    #[track_caller]
    fn assert_on_time_with_all(&mut self, command: &str) {
        let [first, others @ ..] = worthless();
        self.assert_on_time(command, &first, Slow::all());
        for lie in others {
            self.assert_on_time(command, &lie, Slow::lingering());
        }
    }
}

/// Answers that do not count: of another name, of another kind, not well-formed.
fn worthless() -> [Lie; 3] {
    let reply = Lie { kind: 2, ..Lie::request("what", b"") };
    [
        Lie { name: b"else".into(), ..reply.clone() },
        Lie { kind: 0, ..reply.clone() },
        Lie { kind: 9, ..reply },
    ]
}

#[test]
fn with_answers_that_do_not_count_to_a_request_to_one() {
    Asked::one().assert_on_time_with_all("ask");
}

#[test]
fn with_answers_that_do_not_count_to_a_request_to_all() {
    Asked::two().assert_on_time_with_all("ask");
}

#[test]
fn with_answers_that_do_not_count_to_an_asynchronous_request() {
    for mut asked in [Asked::one(), Asked::two()] {
        asked.assert_on_time_with_all("later ask");
    }
}

#[test]
fn with_answers_that_come_as_the_deadline_passes() {
    for mut asked in [Asked::one(), Asked::two()] {
        for command in ["ask", "later ask"] {
            let reply = Lie { kind: 2, num_fds: 1, ..Lie::request("what", b"") };
            asked.asker.tell(&format!("{command} what 300"));
            let start = Instant::now();
            let from: Vec<_> = asked.peers.iter().map(RawSocket::receive_from).collect();
            asked.asker.pause();
            let slow: Vec<_> = (0..5).map(|_| Slow::nested()).collect();
            for slow in &slow {
                asked.peers[0].send_with(&from[0].0, &reply.bytes(), &[slow.fds[0].as_fd()]);
            }
            let kept: Vec<_> = slow.into_iter().map(|slow| slow._kept).collect();
            // They wait in the reply socket's queue when it is closed.
            assert!(eventually(|| start.elapsed() > Duration::from_millis(400)));
            asked.asker.resume();
            let resumed = Instant::now();
            asked.asker.line(|line| line.starts_with('='));
            assert!(resumed.elapsed() < AT_ONCE, "{:?}", resumed.elapsed());
            assert!(eventually(|| asked.group.files("mp_reply_").is_empty()));
            drop(kept);
        }
    }
}

#[test]
fn with_replies_that_the_caller_drops() {
    let mut asked = Asked::one();
    let reply = Lie { kind: 2, ..Lie::request("what", b"") };
    for slow in Slow::all() {
        let start = Instant::now();
        asked.asker.tell("ask what 5000");
        let (to, _) = asked.peers[0].receive_from();
        let _kept = slow.send(&asked.peers[0], &to, &reply, &asked.asker);
        let result = asked.asker.line(|line| line.starts_with('='));
        assert!(result.contains(" fds="), "{result}");
        asked.asker.call("sync");
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    }
}

#[test]
fn with_replies_whose_descriptors_a_callback_takes_and_drops() {
    for mut asked in [Asked::one(), Asked::two()] {
        let reply = Lie { kind: 2, ..Lie::request("what", b"") };
        for slow in Slow::lingering() {
            let start = Instant::now();
            asked.asker.tell("later take what 5000");
            let from: Vec<_> = asked.peers.iter().map(RawSocket::receive_from).collect();
            for (peer, (to, _)) in asked.peers.iter().zip(&from).skip(1) {
                peer.send(to, &reply.bytes());
            }
            let _kept = slow.send(&asked.peers[0], &from[0].0, &reply, &asked.asker);
            let result = asked.asker.line(|line| line.starts_with('='));
            assert!(result.contains(" fds=1") || result.contains("received=2"), "{result}");
            assert!(start.elapsed() < AT_ONCE, "{:?}: {result}", start.elapsed());
            assert!(eventually(|| asked.asker.threads() <= asked.threads));
        }
    }
}
