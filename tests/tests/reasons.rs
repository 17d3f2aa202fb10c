//! Why a peer asks to be ignored: each reason made to happen, and seen by the requester.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use mp_core::{Client, Outcome, Primary, Request as Asked, RequestError, Secondary};
use mp_typed::{
    Message, Name, Peer, Reason, Rejection, Request, RequestError as TypedError, Response, Why,
    mp_core::{self, Message as Raw},
};
use tempfile::TempDir;
use tests::{Lie, RawSocket, WITHIN, eventually};

/// A runtime directory of its own.
fn runtime_dir() -> TempDir {
    tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir().expect("made")
}

fn raw(name: &'static str) -> Raw {
    Raw::new(Name::from_static(name))
}

/// What a client hears of a request that is not answered.
fn why(dir: &TempDir, request: &Raw) -> Why {
    let client = Client::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    match client.request(request, WITHIN) {
        Err(RequestError::Ignored { why }) => why,
        other => panic!("{other:?}"),
    }
}

fn ends_without_answer(request: Asked<'_>) {
    drop(request);
}

fn panics(_request: Asked<'_>) {
    panic!("as it must")
}

fn declines(request: Asked<'_>) {
    request.ignore("the link is down");
}

#[test]
fn a_raw_requester_hears_what_became_of_its_request() {
    let dir = runtime_dir();
    let primary = Primary::builder("any")
        .runtime_dir(dir.path())
        .on(Name::from_static("note"), |_, _| ())
        .serve(Name::from_static("forgets"), ends_without_answer)
        .serve(Name::from_static("panics"), panics)
        .serve(Name::from_static("declines"), declines)
        .start()
        .expect("it starts");
    let cases = [
        ("nothing", Why::from(Reason::NoAction)),
        ("note", Why::new(Reason::NoAction, "it takes messages, not requests")),
        ("forgets", Why::new(Reason::HandlerFailed, "it ended without an answer")),
        ("panics", Why::new(Reason::HandlerFailed, "it panicked")),
        ("declines", Why::from("the link is down")),
    ];
    for (name, expected) in cases {
        assert_eq!(why(&dir, &raw(name)), expected, "{name}");
    }
    let text = RequestError::Ignored { why: why(&dir, &raw("declines")) }.to_string();
    assert_eq!(text, "the peer ignores this request: it declines: the link is down");
    // Counted once it is sent.
    assert!(eventually(|| primary.statistics().ignores_sent == 6));
}

#[test]
fn each_of_many_says_why_for_itself() {
    let dir = runtime_dir();
    let primary = Primary::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let name = Name::from_static("open");
    let secondary = || Secondary::builder("any").runtime_dir(dir.path());
    let _without = secondary().start().expect("it starts");
    let _forgetful = secondary().serve(name, ends_without_answer).start().expect("it starts");
    let _proud = secondary().serve(name, declines).start().expect("it starts");
    let mut whys: Vec<_> = primary
        .request(&Raw::new(name), WITHIN)
        .expect("they were asked")
        .outcomes
        .into_iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Ignored { why } => why.to_string(),
            other => panic!("{other}"),
        })
        .collect();
    whys.sort_unstable();
    assert_eq!(
        whys,
        [
            "it declines: the link is down",
            "it has no action of that name",
            "its handler failed: it ended without an answer"
        ]
    );
}

#[test]
fn one_with_too_much_to_do_and_one_that_stops_say_so() {
    let dir = runtime_dir();
    let (entered, has_entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let may_leave = Mutex::new(may_leave);
    let primary = Primary::builder("any")
        .runtime_dir(dir.path())
        .backlog(1)
        .serve(Name::from_static("busy"), move |request| {
            entered.send(()).expect("the test waits");
            may_leave.lock().expect("alone").recv().expect("the test says when");
            request.reply(b"", &[]).expect("it waits");
        })
        .start()
        .expect("it starts");
    let client = Client::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let ask = || {
        let client = client.clone();
        thread::spawn(move || client.request(&raw("busy"), WITHIN))
    };
    let first = ask();
    has_entered.recv().expect("it runs");
    let waiting = ask();
    while primary.statistics().backlogged == 0 {
        thread::yield_now();
    }
    assert_eq!(why(&dir, &raw("busy")), Reason::Overloaded.into());

    let stopping = thread::spawn(move || primary.stop(WITHIN));
    // What waits is refused at once, and what comes from then on.
    match waiting.join().expect("no panic") {
        Err(RequestError::Ignored { why }) => assert_eq!(why, Reason::Stopping.into()),
        other => panic!("{other:?}"),
    }
    for name in ["busy", "nothing"] {
        assert_eq!(why(&dir, &raw(name)), Reason::Stopping.into(), "{name}");
    }
    leave.send(()).expect("it waits");
    assert!(first.join().expect("no panic").is_ok());
    assert!(stopping.join().expect("no panic"));
}

#[derive(Request)]
#[message(name = "open", response = Opened)]
struct Open {
    port: u16,
}

/// The same, as another release has it.
#[derive(Request)]
#[message(name = "open", response = Opened, fingerprint = false)]
struct OpenNamed {
    #[message(max_len = 8)]
    name: String,
}

#[derive(Response, Debug)]
struct Opened {
    #[message(max_len = 4)]
    label: String,
}

#[derive(Message)]
#[message(name = "note")]
struct Note;

#[derive(Request)]
#[message(name = "note", response = ())]
struct NoteAsked;

fn open(open: Open, _: &Peer) -> Result<Opened, String> {
    match open.port {
        0 => Ok(Opened { label: "none".into() }),
        1 => Ok(Opened { label: "longer".into() }),
        2 => panic!("as it must"),
        port => Err(format!("no such port: {port}")),
    }
}

#[test]
fn a_typed_requester_hears_what_became_of_its_request() {
    let dir = runtime_dir();
    let primary = mp_typed::Primary::builder("any")
        .runtime_dir(dir.path())
        .serve(open)
        .on(|_: Note, _: &Peer| ())
        .start()
        .expect("it starts");
    let client = mp_typed::Client::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let why = |result: Result<Opened, TypedError>| match result {
        Err(TypedError::Ignored { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(client.request(&Open { port: 0 }, WITHIN).expect("it answers").label, "none");
    assert_eq!(
        why(client.request(&Open { port: 1 }, WITHIN)),
        Why::new(Reason::HandlerFailed, "`Opened.label` cannot be sent: its length is 6, its `max_len` is 4")
    );
    assert_eq!(
        why(client.request(&Open { port: 2 }, WITHIN)),
        Why::new(Reason::HandlerFailed, "it panicked")
    );
    assert_eq!(
        why(client.request(&Open { port: 7 }, WITHIN)),
        Why::new(Reason::HandlerFailed, "no such port: 7")
    );
    let undecodable = why(client.request(&OpenNamed { name: "seven".into() }, WITHIN));
    assert_eq!(undecodable, Why::new(Reason::Undecodable, "`Open` takes 2 of the 13 bytes received"));
    let Err(TypedError::Ignored { why }) = client.request(&NoteAsked, WITHIN) else { panic!("a message") };
    assert_eq!(why, Why::new(Reason::NoAction, "it takes messages, not requests"));
    // Counted as the handler's turn ends, which is after its answer.
    for rejection in [Rejection::Undecodable, Rejection::NoAction] {
        assert!(eventually(|| primary.statistics().rejected_for(rejection) == 1), "{rejection}");
    }
}

#[test]
fn a_typed_handler_declines_in_its_own_words() {
    let dir = runtime_dir();
    let _primary = mp_typed::Primary::builder("any")
        .runtime_dir(dir.path())
        .serve_later(|open: Open, _: &Peer, responder: mp_typed::Responder<Opened>| {
            responder.ignore(format!("port {} is busy", open.port));
        })
        .start()
        .expect("it starts");
    let client = mp_typed::Client::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let Err(TypedError::Ignored { why }) = client.request(&Open { port: 7 }, WITHIN) else {
        panic!("it declines")
    };
    assert_eq!((why.reason(), why.text()), (Reason::Declined, "port 7 is busy"));
}

/// Answers requests at `path` with an *ignore* of these params, one after the other.
fn ignores_with(path: PathBuf, params: Vec<Vec<u8>>) -> thread::JoinHandle<()> {
    let socket = RawSocket::bound(&path);
    thread::spawn(move || {
        for param in params {
            let (from, (_, name, _)) = socket.receive_from();
            socket.send(&from, &Lie { kind: 3, ..Lie::request(&name, &param) }.bytes());
        }
    })
}

#[test]
fn what_a_c_process_leaves_in_an_ignore_says_nothing() {
    let dir = runtime_dir();
    let garbage = vec![
        Vec::new(),
        vec![0; 256],
        vec![0xa5; 256],
        b"why".to_vec(),
        b"why\x01\x01\x00\x00\x00\x00\x00".to_vec(),
        b"why\x01\x04\xff\x00\x00\x00\x00".to_vec(),
        (0..=255).collect(),
    ];
    let count = garbage.len();
    let peer = ignores_with(dir.path().join("mp_socket"), garbage);
    for _ in 0..count {
        assert_eq!(why(&dir, &raw("open")), Reason::Unknown.into());
    }
    peer.join().expect("no panic");
}

#[test]
fn an_ignore_without_a_reason_is_told_in_words() {
    let text = RequestError::Ignored { why: Reason::Unknown.into() }.to_string();
    assert_eq!(text, "the peer ignores this request: it does not say why");
    assert_eq!(
        Outcome::Ignored { why: Why::new(Reason::Undecodable, "`Open` ends too early") }.to_string(),
        "asked to be ignored: it cannot make sense of the request: `Open` ends too early"
    );
}

#[test]
fn a_request_error_tells_its_errno_and_whether_time_ran_out() {
    let dir = runtime_dir();
    let client = mp_typed::Client::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let error = client.request(&Open { port: 0 }, WITHIN).expect_err("nobody there");
    assert!(matches!(error, TypedError::NoPrimary { .. }));
    assert_eq!((error.errno(), error.is_timeout()), (Some(libc::ENOENT), false));

    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let _primary = mp_typed::Primary::builder("any")
        .runtime_dir(dir.path())
        .serve_later(move |_: Open, _: &Peer, responder: mp_typed::Responder<Opened>| {
            keep.lock().expect("alone").push(responder);
        })
        .start()
        .expect("it starts");
    let error = client.request(&Open { port: 0 }, Duration::from_millis(50)).expect_err("it is kept");
    assert!(matches!(error, TypedError::TimedOut { .. }));
    assert_eq!((error.errno(), error.is_timeout()), (Some(libc::ETIMEDOUT), true));
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn an_error_of_sending_means_the_same_to_a_responder_as_to_a_requester() {
    let dir = runtime_dir();
    let (requests, waiting) = mpsc::channel();
    let _primary = Primary::builder("any")
        .runtime_dir(dir.path())
        .serve(Name::from_static("open"), move |request| _ = requests.send(request.defer()))
        .start()
        .expect("a primary");
    let path = dir.path().join("mp_reply");
    let ask = || {
        let requester = RawSocket::bound(&path);
        requester.send(&dir.path().join("mp_socket"), &Lie::request("open", b"").bytes());
        let responder = waiting.recv_timeout(WITHIN).expect("the request");
        std::fs::remove_file(&path).expect("its file");
        responder
    };
    assert!(matches!(ask().reply(b"", &[]), Err(mp_core::ReplyError::Gone)));

    // A loop of links in its place: as for a member whose file is one.
    let responder = ask();
    std::os::unix::fs::symlink("mp_reply", &path).expect("it is free");
    assert!(matches!(responder.reply(b"", &[]), Err(mp_core::ReplyError::Refused)));
    std::fs::remove_file(&path).expect("the link");
}

#[test]
fn one_that_stands_in_for_another_says_that_it_is_gone_or_nothing() {
    let dir = runtime_dir();
    let (gone, silent) = (Name::from_static("gone"), Name::from_static("silent"));
    let join = || {
        Secondary::builder("any")
            .runtime_dir(dir.path())
            .serve(gone, |request| request.ignore(Reason::Gone))
            .serve(silent, |request| request.defer().leave_unanswered())
            .start()
            .expect("it joins")
    };
    let (_one, _other) = (join(), join());
    let primary = Primary::builder("any").runtime_dir(dir.path()).start().expect("it starts");
    let replies = primary.request(&Raw::new(gone), WITHIN).expect("both are asked");
    assert!(replies.outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Gone), "{replies:?}");
    let members = primary.members().expect("they are listed");
    let asked = primary.to(&members[0]);
    assert!(matches!(asked.request(&Raw::new(gone), WITHIN), Err(RequestError::Gone)));
    let short = Duration::from_millis(50);
    assert!(matches!(asked.request(&Raw::new(silent), short), Err(RequestError::TimedOut { .. })));
}
