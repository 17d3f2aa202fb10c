//! Datagrams that are not what they say, and senders that are not to be heard.
//!
//! Each goes to a live primary, which must reject it, count it, close what came
//! with it and go on.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    os::{
        fd::AsFd,
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::PathBuf,
    time::Instant,
};

use tests::{Group, Lie, OUT_OF_DESCRIPTORS, Process, RawSocket, WITHIN, eventually, group};

/// A primary, and an honest socket beside it.
struct Scene {
    group: Group,
    primary: Process,
    honest: RawSocket,
    to: PathBuf,
    fds: usize,
}

impl Scene {
    fn new(options: &[&str]) -> Self {
        let group = group!();
        let primary = group.start("primary", options);
        let (honest, to) = (RawSocket::bound(&group.join("honest")), group.join("mp_socket"));
        let fds = primary.open_fds();
        Self { group, primary, honest, to, fds }
    }

    /// That as many datagrams as `times` were rejected for `reason`, that it
    /// has leaked nothing and still answers.
    #[track_caller]
    fn assert_rejected(&mut self, reason: &str, times: u64) {
        self.honest.assert_answers(&self.to);
        assert_eq!(self.primary.counter(reason), times, "{}", self.primary.call("stats"));
        self.primary.assert_open_fds(self.fds);
    }
}

#[test]
fn a_datagram_of_any_other_length_is_rejected() {
    let mut scene = Scene::new(&[]);
    let lengths = [0, 1, 75, 331, 333, 334, 335, 336, 337, 338, 339, 341, 4096, 64 * 1024];
    for (sent, len) in (1..).zip(lengths) {
        scene.honest.send(&scene.to, &vec![0; len]);
        scene.assert_rejected("Malformed(Length)", sent);
    }
}

#[test]
fn a_datagram_of_another_length_loses_its_descriptors() {
    let mut scene = Scene::new(&[]);
    scene.honest.send_with_copies(&scene.to, &[0; 64 * 1024], 253);
    scene.honest.send_with_copies(&scene.to, &[0; 5], 8);
    scene.assert_rejected("Malformed(Length)", 2);
}

#[test]
fn both_layouts_are_understood_and_answered_in_kind() {
    let mut scene = Scene::new(&[]);
    let request = Lie::request("echo", b"hi");
    for bytes in [request.bytes(), request.bytes_340()] {
        scene.honest.send(&scene.to, &bytes);
        assert_eq!(scene.honest.receive(), (2, "echo".into(), b"hi".to_vec()));
    }
    scene.assert_rejected("Malformed(Length)", 0);
}

#[test]
fn a_param_length_out_of_range_is_rejected() {
    let mut scene = Scene::new(&[]);
    for (sent, len_param) in (1..).zip([-1, i32::MIN, 257, 1 << 20, i32::MAX]) {
        let lie = Lie { len_param, ..Lie::request("echo", b"hi") };
        scene.honest.send(&scene.to, &lie.bytes());
        scene.honest.send(&scene.to, &lie.bytes_340());
        scene.assert_rejected("Malformed(ParamLength)", 2 * sent);
    }
}

#[test]
fn a_number_of_descriptors_that_did_not_come_is_rejected() {
    let mut scene = Scene::new(&[]);
    for (sent, num_fds) in (1..).zip([-1, i32::MIN, 1, 8, 253, i32::MAX]) {
        let lie = Lie { num_fds, ..Lie::message("note", b"hi") };
        scene.honest.send(&scene.to, &lie.bytes());
        scene.assert_rejected("Malformed(FdCount)", sent);
    }
}

#[test]
fn descriptors_that_were_not_announced_are_closed() {
    let mut scene = Scene::new(&[]);
    let lies = [(0, 1), (1, 2), (3, 2), (-1, 8), (8, 253), (i32::MAX, 253)];
    for (sent, (num_fds, came)) in (1..).zip(lies) {
        let lie = Lie { num_fds, ..Lie::message("note", b"hi") };
        scene.honest.send_with_copies(&scene.to, &lie.bytes(), came);
        scene.assert_rejected("Malformed(FdCount)", sent);
    }
    assert!(!scene.primary.has_told("note"));
}

#[test]
fn as_many_descriptors_as_the_kernel_passes_are_received() {
    let mut scene = Scene::new(&[]);
    let message = Lie { num_fds: 253, ..Lie::message("note", b"many") };
    scene.honest.send_with_copies(&scene.to, &message.bytes(), 253);
    assert!(scene.primary.event("note").starts_with("many fds=253"));
    scene.assert_rejected("Malformed(FdCount)", 0);
}

#[test]
fn an_empty_or_endless_name_is_rejected() {
    let mut scene = Scene::new(&[]);
    for (sent, name) in (1..).zip([vec![0], vec![b'n'; 64], b"\0echo".to_vec()]) {
        let lie = Lie { name, ..Lie::request("", b"") };
        scene.honest.send(&scene.to, &lie.bytes());
        scene.honest.send(&scene.to, &lie.bytes_340());
        scene.assert_rejected("Malformed(Name)", 2 * sent);
    }
}

#[test]
fn an_unknown_type_is_rejected() {
    let mut scene = Scene::new(&[]);
    for (sent, kind) in (1..).zip([-1, 4, i32::MAX, i32::MIN]) {
        let lie = Lie { kind, ..Lie::request("echo", b"") };
        scene.honest.send(&scene.to, &lie.bytes());
        scene.assert_rejected("Malformed(Kind)", sent);
    }
}

#[test]
fn an_answer_to_a_question_that_was_not_asked_is_rejected() {
    let mut scene = Scene::new(&[]);
    for (sent, kind) in (1..).zip([2, 3]) {
        let lie = Lie { kind, num_fds: 2, ..Lie::request("echo", b"") };
        scene.honest.send_with_copies(&scene.to, &lie.bytes(), 2);
        scene.assert_rejected("Unexpected", sent);
    }
}

#[test]
fn a_request_from_a_socket_without_a_path_is_rejected() {
    let mut scene = Scene::new(&[]);
    let request = Lie { num_fds: 3, ..Lie::request("echo", b"") };
    let name = format!("mp-faults-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a name");
    let abstract_ = RawSocket::around(UnixDatagram::bind_addr(&address).expect("a free name"));
    for (sent, nameless) in (1..).zip([RawSocket::unbound(), abstract_]) {
        nameless.send_with_copies(&scene.to, &request.bytes(), 3);
        scene.assert_rejected("NoReturnAddress", sent);
    }
}

#[test]
fn a_request_from_a_path_that_leaves_no_room_for_a_nul_is_rejected() {
    let mut scene = Scene::new(&[]);
    let mut path = scene.group.path().as_os_str().to_owned();
    path.push("/");
    while path.len() < 108 {
        path.push("x");
    }
    let endless = tests::bind_108(&PathBuf::from(path));
    endless.send(&scene.to, &Lie::request("echo", b"").bytes());
    scene.assert_rejected("NoReturnAddress", 1);
}

#[test]
fn a_message_from_a_socket_without_a_path_is_heard() {
    let mut scene = Scene::new(&[]);
    RawSocket::unbound().send(&scene.to, &Lie::message("note", b"anonymous").bytes());
    let pid = std::process::id();
    assert_eq!(scene.primary.event("note"), format!("anonymous fds=0 pid={pid}"));
    scene.assert_rejected("NoReturnAddress", 0);
}

#[test]
fn a_sender_that_is_not_trusted_is_not_heard() {
    let mut scene = Scene::new(&["--trust-nobody"]);
    let request = Lie { num_fds: 8, ..Lie::request("echo", b"") };
    scene.honest.send_with_copies(&scene.to, &request.bytes(), 8);
    scene.honest.send(&scene.to, &Lie::message("note", b"psst").bytes());
    assert!(eventually(|| scene.primary.counter("Untrusted") == 2));
    assert!(!scene.primary.has_told("note"));
    assert!(scene.honest.is_empty(), "not even ignored");
    scene.primary.assert_open_fds(scene.fds);
}

#[test]
fn a_sender_of_another_user_is_not_heard_unless_a_policy_says_so() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root can send with another user's credentials");
        return;
    }
    let mut scene = Scene::new(&[]);
    let note = Lie::message("note", b"psst").bytes();
    scene.honest.send_as(65_534, &scene.to, &note);
    scene.assert_rejected("Untrusted", 1);
    assert!(!scene.primary.has_told("note"));
    scene.honest.send_as(0, &scene.to, &note);
    assert!(scene.primary.event("note").starts_with("psst"));
}

#[test]
fn a_request_whose_descriptors_do_not_fit_is_answered_ignore() {
    let mut scene = Scene::new(&[]);
    // The limit is a number that no descriptor may reach: two are left.
    scene.primary.call(&format!("max-fds {}", scene.fds + 1));
    let request = Lie { num_fds: 8, ..Lie::request("echo", b"") };
    scene.honest.send_with_copies(&scene.to, &request.bytes(), 8);
    assert_eq!(scene.honest.receive_ignore(), ("echo".into(), OUT_OF_DESCRIPTORS));
    scene.assert_rejected("FdsLost", 1);
    scene.primary.call("max-fds 1024");
    scene.honest.send_with_copies(&scene.to, &request.bytes(), 8);
    assert_eq!(scene.honest.receive(), (2, "echo".into(), vec![]));
    scene.assert_rejected("FdsLost", 1);
}

#[test]
fn nothing_that_is_open_is_inherited_by_a_program_that_a_member_starts() {
    let mut scene = Scene::new(&[]);
    scene.primary.call("ask echo 1000");
    let message = Lie { num_fds: 8, ..Lie::message("hold", b"") };
    scene.honest.send_with_copies(&scene.to, &message.bytes(), 8);
    scene.primary.event("hold");
    // A client that has asked nobody has nothing open but what it was given itself.
    let given = scene.group.client().call("fds-of-a-child");
    assert_eq!(scene.primary.call("fds-of-a-child"), given);
    scene.primary.call("release 1");
    scene.honest.assert_answers(&scene.to);
}

/// A connection whose last `close` blocks: it lingers, and nobody reads what it
/// has sent.
fn lingering() -> (TcpStream, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
    let stream = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    rustix::net::sockopt::set_socket_linger(&stream, Some(WITHIN * 3)).expect("it is a socket");
    stream.set_nonblocking(true).expect("it is a socket");
    while (&stream).write(&[0; 1 << 16]).is_ok() {}
    (stream, listener)
}

#[test]
fn descriptors_that_take_long_to_close_hold_up_nobody() {
    let scene = Scene::new(&[]);
    let lies = [
        Lie { num_fds: 2, ..Lie::message("note", b"") },
        Lie { num_fds: 1, kind: 2, ..Lie::message("note", b"") },
        Lie { num_fds: 1, ..Lie::message("nobody_knows", b"") },
    ];
    for lie in &lies {
        let (stream, _listener) = lingering();
        scene.primary.pause();
        scene.honest.send_with(&scene.to, &lie.bytes(), &[stream.as_fd()]);
        // Now the primary has the last copy.
        drop(stream);
        let sent = Instant::now();
        scene.primary.resume();
        scene.honest.assert_answers(&scene.to);
        assert!(sent.elapsed() < WITHIN / 2, "{:?}", sent.elapsed());
    }
    scene.primary.assert_open_fds(scene.fds);
}

#[test]
fn answers_that_do_not_count_hold_up_no_request_and_leak_nothing() {
    let mut scene = Scene::new(&[]);
    // Two, since the kernel itself sees to it that nobody else answers for a sole member.
    let member = RawSocket::bound(&scene.group.join("mp_socket_1_1"));
    let silent = RawSocket::bound(&scene.group.join("mp_socket_2_1"));
    scene.primary.call("begin ask what 60000");
    assert_eq!(member.receive(), (1, "what".into(), vec![]));
    assert_eq!(silent.receive(), (1, "what".into(), vec![]));
    let reply_socket = scene.group.join(&scene.group.files("mp_reply_").remove(0));
    let reply = Lie { kind: 2, num_fds: 1, ..Lie::request("what", b"") };
    let (stream, _listener) = lingering();
    scene.primary.pause();
    // Under another name, of another kind, from somebody who was not asked.
    member.send_with(
        &reply_socket,
        &Lie { name: b"else\0".into(), ..reply.clone() }.bytes(),
        &[stream.as_fd()],
    );
    member.send_with(&reply_socket, &Lie { kind: 0, ..reply.clone() }.bytes(), &[stream.as_fd()]);
    scene.honest.send_with(&reply_socket, &reply.bytes(), &[stream.as_fd()]);
    member.send_with(&reply_socket, &Lie { kind: 3, ..reply.clone() }.bytes(), &[stream.as_fd()]);
    silent.send(&reply_socket, &Lie { kind: 3, num_fds: 0, ..reply }.bytes());
    drop(stream);
    let sent = Instant::now();
    scene.primary.resume();
    assert!(scene.primary.event("done").ends_with("sent=0 received=0 1:Ignored(Unknown) 2:Ignored(Unknown)"));
    assert!(sent.elapsed() < WITHIN / 2, "{:?}", sent.elapsed());
    assert_eq!(scene.primary.counter("Unexpected"), 3);
    // A reply socket to which came what it should not is not used again.
    scene.primary.assert_open_fds(scene.fds);
}

#[test]
fn garbage_of_every_length_and_content_ends_nothing() {
    let scene = Scene::new(&[]);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..2000 {
        let len = if random() % 2 == 0 { [332, 340][random() % 2] } else { random() % 400 };
        let bytes: Vec<u8> = (0..len).map(|_| random() as u8).collect();
        scene.honest.send_with_copies(&scene.to, &bytes, random() % 4);
    }
    scene.honest.assert_answers(&scene.to);
    scene.primary.assert_open_fds(scene.fds);
}
