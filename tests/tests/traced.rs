//! What a tracing subscriber is told.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use mp_core::{Client, InProcess, Message as Raw, Name, Peer, Primary, Rejection, Secondary};
use mp_typed::{Message, Request, Response};
use tests::{Lie, RawSocket, eventually, in_a_child};
use tracing::{Event, Level, Metadata, Subscriber, field, span};

/// Keeps the names of spans, and the messages of events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, text: String) {
        self.lines().push(text);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of an event's fields; warnings and errors are marked.
struct Told<'a> {
    log: &'a Log,
    level: Level,
}

impl field::Visit for Told<'_> {
    fn record_debug(&mut self, field: &field::Field, value: &dyn Debug) {
        let mark = match self.level {
            Level::ERROR => "ERROR ",
            Level::WARN => "WARN ",
            _ => "",
        };
        if ["message", "name", "reason", "error", "ours", "theirs"].contains(&field.name()) {
            self.log.push(format!("{mark}{} {value:?}", field.name()));
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mp_")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.push(span.metadata().name().to_owned());
        span.record(&mut Told { log: self, level: *span.metadata().level() });
        span::Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Told { log: self, level: *event.metadata().level() });
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The one of this process.
fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let made = || {
        let log = Log::default();
        tracing::subscriber::set_global_default(log.clone()).expect("the only one of this process");
        log
    };
    LOG.get_or_init(made).clone()
}

/// A secondary that only answers hears of it when its primary, which came later, first asks.
#[test]
fn a_primary_that_spells_the_directory_otherwise_is_warned_of_once() {
    let (group, other) = (tests::group!(), tests::group!());
    let secondary = Secondary::builder("any").runtime_dir(group.path()).start().expect("a private directory");
    let links = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink(group.path(), links.path().join("link")).expect("it is free");
    let warnings = || {
        let is_of_it =
            |line: &&String| line.contains("WARN message the primary spells the runtime directory");
        log().lines().iter().filter(is_of_it).count()
    };
    let sent_from = |dir: &std::path::Path, name: &str, received: u64| {
        let socket = RawSocket::bound(&dir.join(name));
        socket.send(secondary.address().path(), &Lie::message("note", b"").bytes());
        assert!(eventually(|| secondary.statistics().messages_received == received));
        drop(socket);
        std::fs::remove_file(dir.join(name)).expect("it is there");
    };
    let _log = log();
    sent_from(group.path(), "mp_socket", 1);
    sent_from(other.path(), "mp_socket", 2);
    sent_from(&links.path().join("link"), "mp_socket_1_1", 3);
    assert_eq!(warnings(), 0, "nobody who said so is the primary");
    sent_from(&links.path().join("link"), "mp_socket", 4);
    assert!(eventually(|| warnings() == 1));
    sent_from(&links.path().join("link"), "mp_socket", 5);
    assert_eq!(warnings(), 1);
}

#[derive(Message)]
#[message(name = "twice_told")]
struct TwoBytes(u16);

#[test]
fn what_cannot_be_decoded_is_warned_of_once_a_kind() {
    let log = log();
    let group = InProcess::new();
    let primary =
        mp_typed::Primary::builder("any").in_process(&group).on(|_: TwoBytes, _: &Peer| ()).start().unwrap();
    let client = Client::builder("any").in_process(&group).start().unwrap();
    // Too short, in two lengths; too long, in two lengths: two kinds.
    for len in [0, 1, 0, 3, 4, 3] {
        let message = Raw::new(Name::from_static("twice_told")).with_param([0; 8].split_at(len).0).unwrap();
        client.send(&message).unwrap();
    }
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::Undecodable) == 6));
    let of_kind = |text: &str| log.lines().iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(of_kind("WARN message could not decode"), 2, "{:?}", log.lines());
    assert_eq!(of_kind("message could not decode"), 4);
    assert_eq!(of_kind("WARN error `TwoBytes` takes 2 of the 3 bytes received"), 1);
}

#[derive(Message)]
#[message(name = "defined_twice")]
struct HereAU16(u16);

#[derive(Message)]
#[message(name = "defined_twice")]
struct ThereAnI16(i16);

#[test]
fn another_definition_is_warned_of_once_with_both() {
    let log = log();
    let group = InProcess::new();
    let primary =
        mp_typed::Primary::builder("any").in_process(&group).on(|_: HereAU16, _: &Peer| ()).start().unwrap();
    let client = mp_typed::Client::builder("any").in_process(&group).start().unwrap();
    for _ in 0..3 {
        client.send(&ThereAnI16(7)).unwrap();
    }
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::OtherDefinition) == 3));
    let ours = format!("WARN ours {:016x} HereAU16 {{ 0: u16 }}", HereAU16::FINGERPRINT);
    let theirs = format!("WARN theirs {:016x}", ThereAnI16::FINGERPRINT);
    for (times, text) in [
        (1, "WARN message its sender has another definition"),
        (2, "message its sender has another definition"),
        (1, &ours),
        (1, &theirs),
    ] {
        let lines = log.lines();
        assert_eq!(lines.iter().filter(|line| line.starts_with(text)).count(), times, "{text}: {lines:?}");
    }
}

#[test]
fn requests_handlers_rejections_and_members_are_told() {
    let log = log();
    let group = InProcess::new();
    let (echo, unknown) = (Name::from_static("echo"), Name::from_static("unknown"));
    let primary = Primary::builder("any")
        .in_process(&group)
        .serve(echo, |request| {
            let param = request.param();
            request.reply(param, &[]).unwrap();
        })
        .start()
        .unwrap();
    let secondary = Secondary::builder("any").in_process(&group).start().unwrap();
    secondary.request(&Raw::new(echo), Duration::from_secs(1)).unwrap();
    secondary.request(&Raw::new(unknown), Duration::from_secs(1)).unwrap_err();
    primary.request(&Raw::new(echo), Duration::from_secs(1)).unwrap();
    drop((secondary, primary));
    for told in [
        "message joined",
        "mp_request",
        "mp_handle",
        "name echo",
        "message rejected a datagram",
        "reason no action is registered under its name",
        "mp_request_all",
        "message left",
    ] {
        let lines = log.lines();
        assert!(lines.iter().any(|line| line == told), "{told:?} is not in {lines:?}");
    }
}

/// The kernel knows users of threads: so this one becomes another, and the other tests do not.
#[test]
fn who_dropped_privileges_is_warned_once_of_all_that_comes_of_it() {
    use rustix::process::{Uid, geteuid};
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can become another user");
    }
    let log = log();
    let group = tests::group!();
    let primary = Primary::builder("any").runtime_dir(group.path()).start().unwrap();
    let _secondary = Secondary::builder("any").runtime_dir(group.path()).start().unwrap();
    let nobody = Uid::from_raw(65_534);
    std::thread::scope(|scope| {
        let dropped = scope.spawn(|| {
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            for _ in 0..3 {
                let error = primary.send(&Raw::new(Name::from_static("note"))).unwrap_err();
                assert!(error.to_string().contains("started as uid 0 and is uid 65534 now"), "{error}");
                primary.request(&Raw::new(Name::from_static("ask")), Duration::from_secs(1)).unwrap_err();
            }
        });
        dropped.join().unwrap();
    });
    let lines = log.lines();
    let warned: Vec<_> = lines.iter().filter(|line| line.contains("started as another user")).collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    for consequence in
        ["cannot answer, send, list members", "remove its socket", "share_with_group", "before start()"]
    {
        assert!(warned[0].starts_with("WARN ") && warned[0].contains(consequence), "{warned:?}");
    }
}

#[derive(Request)]
#[message(name = "fails", response = Short)]
struct Fails;

#[derive(Request)]
#[message(name = "fails_later", response = Short)]
struct FailsLater;

#[derive(Request)]
#[message(name = "too_long", response = Short)]
struct TooLong;

#[derive(Debug, Response)]
struct Short(#[message(max_len = 2)] String);

fn three() -> Short {
    Short("three".into())
}

/// What anybody who can send may make happen as often as he likes. Alone in its process, so that all that is
/// warned of is counted.
#[test]
fn a_flood_is_at_most_one_warning_a_cause() {
    if !in_a_child("a_flood_is_at_most_one_warning_a_cause", &[]) {
        return;
    }
    const EACH: usize = 20;
    let (log, group) = (log(), tests::group!());
    let primary = mp_typed::Primary::builder("any")
        .runtime_dir(group.path())
        .on(|_: TwoBytes, _: &Peer| panic!("as it does each time"))
        .serve(|_: Fails, _: &Peer| Err::<Short, _>("it cannot"))
        .serve_async(|_: FailsLater, _: Peer| async { Err::<Short, _>("it cannot") })
        .serve(|_: TooLong, _: &Peer| three())
        .spawn_with(|task| drop(std::thread::spawn(|| pollster::block_on(task))))
        .start()
        .unwrap();
    let client = mp_typed::Client::builder("any").runtime_dir(group.path()).start().unwrap();
    let within = Duration::from_secs(10);
    let (raw, place) = (RawSocket::unbound(), group.path().join("mp_socket"));
    for _ in 0..EACH {
        raw.send(&place, b"of no known length");
        raw.send(&place, &Lie::message("unknown", b"").bytes());
        raw.send(&place, &Lie::request("fails", b"").bytes());
        client.send(&TwoBytes(7)).unwrap();
        client.request(&Fails, within).unwrap_err();
        client.request(&FailsLater, within).unwrap_err();
        client.request(&TooLong, within).unwrap_err();
        let (sender, called) = std::sync::mpsc::channel();
        client.request_then(Fails, within, move |_, _| {
            sender.send(()).unwrap();
            panic!("as it does each time");
        });
        called.recv_timeout(within).unwrap();
    }
    let each = EACH as u64;
    let panics = || primary.statistics().handler_panics + client.statistics().handler_panics;
    assert!(eventually(|| panics() == 2 * each));
    assert_eq!(primary.statistics().rejected_for(Rejection::NoAction), each);
    assert_eq!(primary.statistics().rejected_for(Rejection::NoReturnAddress), each);
    let told = |text: &str| log.lines().iter().filter(|line| line.starts_with(text)).count();
    for (first, more, times) in [
        ("ERROR message a handler panicked", "message a handler panicked", 1),
        ("ERROR message a callback panicked", "message a callback panicked", 1),
        // Of two actions.
        ("WARN message a handler failed", "message a handler failed", 2),
        ("WARN message a response was not delivered", "message a response was not delivered", 1),
    ] {
        assert_eq!(told(first), times, "{first}: {:?}", log.lines());
        assert!(told(more) >= times * (EACH - 1), "{more}: {:?}", log.lines());
    }
    assert!(told("message rejected a datagram") >= 3 * EACH, "{:?}", log.lines());
    assert_eq!((told("WARN message"), told("ERROR message")), (3, 2), "{:?}", log.lines());
}
