//! Definitions are compared: whatever is defined otherwise at the two ends is told to be so, and not
//! decoded as something else.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]
#![allow(unreachable_pub, reason = "modules stand for crates here")]

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mp_typed::{
    Client, Definition, Layouts, Message, Name, Outcome, Payload, Peer, Primary, Reason, Rejection, Request,
    RequestError, Responder, Response, Sealed, Secondary, mp_core,
};
use tests::{Lie, RawDatagram, RawSocket, eventually};

const SECOND: Duration = Duration::from_secs(1);

fn dir() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir().unwrap()
}

fn primary(dir: &Path) -> mp_typed::Builder<Primary> {
    Primary::builder("fingerprints").runtime_dir(dir)
}

fn client(dir: &Path) -> Client {
    Client::builder("fingerprints").runtime_dir(dir).start().unwrap()
}

/// The definition that the primary has, in all of the tests.
mod here {
    use super::*;

    #[derive(Request, Debug)]
    #[message(name = "set", response = Answer)]
    pub struct Set {
        pub port: u32,
        pub rate: u32,
        pub shape: Shape,
        pub event: Event,
    }

    #[derive(Payload, Debug)]
    pub struct Shape {
        pub width: u32,
        pub height: u32,
    }

    #[derive(Payload, Debug)]
    pub enum Event {
        Up,
        Down,
    }

    #[derive(Response, Debug)]
    pub struct Answer {
        pub old: u32,
        pub new: u32,
    }
}

/// The same but for what is given; the value is all zeros in bytes, which any of them decodes.
macro_rules! otherwise {
    ($(fn $test:ident() is { $($fields:tt)* } $shape:tt $event:tt $answer:tt;)*) => { $(
        #[test]
        fn $test() {
            #[derive(Request, Debug, Default)]
            #[message(name = "set", response = Answer)]
            struct Set { $($fields)* shape: Shape, event: Event }

            #[derive(Payload, Debug, Default)]
            struct Shape $shape

            #[derive(Payload, Debug, Default)]
            enum Event $event

            #[derive(Response, Debug)]
            struct Answer $answer

            assert_is_another(&Set::default());
        }
    )* };
}

fn assert_is_another<Q: Request<Response: mp_typed::DecodeOwned> + std::fmt::Debug>(request: &Q) {
    let dir = dir();
    let primary = primary(dir.path())
        .serve(|set: here::Set, _: &Peer| -> here::Answer { panic!("it is another definition: {set:?}") })
        .start()
        .unwrap();
    match client(dir.path()).request(request, SECOND).map(drop) {
        Err(RequestError::OtherDefinition { ours, theirs }) => {
            assert_eq!(theirs, Definition::of_request::<here::Set>());
            assert_eq!(ours, Definition::of_request::<Q>());
            assert_ne!(ours.fingerprint, theirs.fingerprint);
        }
        other => panic!("{other:?}"),
    }
    // Counted as the handler's turn ends, which is after its answer.
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::OtherDefinition) == 1));
    assert_eq!(primary.statistics().handler_panics, 0);
}

otherwise! {
    fn swapped_fields_are_another_definition() is
        { rate: u32, port: u32, } { width: u32, height: u32 } { #[default] Up, Down } { old: u32, new: u32 };
    fn an_i32_for_a_u32_is_another_definition() is
        { port: i32, rate: u32, } { width: u32, height: u32 } { #[default] Up, Down } { old: u32, new: u32 };
    fn an_f32_for_a_u32_is_another_definition() is
        { port: u32, rate: f32, } { width: u32, height: u32 } { #[default] Up, Down } { old: u32, new: u32 };
    fn a_renamed_field_is_another_definition() is
        { port: u32, speed: u32, } { width: u32, height: u32 } { #[default] Up, Down } { old: u32, new: u32 };
    fn swapped_fields_inside_are_another_definition() is
        { port: u32, rate: u32, } { height: u32, width: u32 } { #[default] Up, Down } { old: u32, new: u32 };
    fn reordered_variants_are_another_definition() is
        { port: u32, rate: u32, } { width: u32, height: u32 } { #[default] Down, Up } { old: u32, new: u32 };
    fn one_variant_more_is_another_definition() is
        { port: u32, rate: u32, } { width: u32, height: u32 } { #[default] Up, Down, Gone } { old: u32, new: u32 };
    fn another_response_is_another_definition() is
        { port: u32, rate: u32, } { width: u32, height: u32 } { #[default] Up, Down } { new: u32, old: u32 };
}

/// The definition that is the same but in what does not show on the wire.
mod twin {
    use super::*;

    #[derive(Request)]
    #[message(name = "open", response = Result<Ring, u32Error>)]
    pub struct Open {
        #[message(max_len = 8)]
        pub label: String,
        #[fd]
        pub table: Sealed<Vec<u64>>,
        pub at: (u8, Option<[u16; 2]>),
    }

    #[derive(Response)]
    pub struct Ring {
        #[fd]
        pub memory: OwnedFd,
    }

    #[derive(Response)]
    #[message(lends = Ring)]
    pub struct LentRing<'a> {
        #[fd]
        pub memory: BorrowedFd<'a>,
    }

    #[allow(non_camel_case_types, reason = "names of types do not count")]
    #[derive(Response, Debug)]
    pub struct u32Error(pub u32);

    /// Lends what the other owns, with another bound.
    #[derive(Request)]
    #[message(name = "open", response = Result<Ring, u32Error>)]
    pub struct Lends<'a> {
        #[message(max_len = 16)]
        pub label: &'a str,
        #[fd]
        pub table: BorrowedFd<'a>,
        pub at: (u8, Option<[u16; 2]>),
    }
}

#[test]
fn what_shows_not_on_the_wire_makes_no_other_definition() {
    let dir = dir();
    let memory: OwnedFd = File::open("/dev/zero").unwrap().into();
    let _primary = primary(dir.path())
        .serve_later(move |open: twin::Open, _: &Peer, responder: Responder<_>| {
            assert_eq!((&*open.label, open.at), ("rx", (1, Some([2, 3]))));
            let _ = responder.reply(&Ok::<_, twin::u32Error>(twin::LentRing { memory: memory.as_fd() }));
        })
        .start()
        .unwrap();
    let table = Sealed::new(&vec![1_u64]).unwrap();
    let open = twin::Lends { label: "rx", table: table.as_fd(), at: (1, Some([2, 3])) };
    assert_ne!(twin::Open::FINGERPRINT, 0);
    assert_eq!(<twin::Open as Request>::FINGERPRINT, <twin::Lends<'_> as Request>::FINGERPRINT);
    assert!(client(dir.path()).request(&open, SECOND).unwrap().is_ok());
}

#[derive(Message)]
#[message(name = "note")]
struct Note {
    a: u16,
    b: u16,
}

#[derive(Message)]
#[message(name = "note")]
struct OtherNote {
    b: u16,
    a: u16,
}

#[test]
fn a_message_of_another_definition_is_rejected_and_counted() {
    let dir = dir();
    let (seen, notes) = mpsc::channel();
    let primary = primary(dir.path())
        .on(move |note: Note, _: &Peer| seen.send((note.a, note.b)).unwrap())
        .start()
        .unwrap();
    let client = client(dir.path());
    client.send(&OtherNote { a: 1, b: 2 }).unwrap();
    client.send(&Note { a: 3, b: 4 }).unwrap();
    assert_eq!(notes.recv().unwrap(), (3, 4));
    // It came before the one that has been handled.
    assert_eq!(primary.statistics().rejected_for(Rejection::OtherDefinition), 1);

    // And to all.
    let (seen, notes) = mpsc::channel();
    let secondary = |_| {
        let seen = seen.clone();
        let builder = Secondary::builder("fingerprints").runtime_dir(dir.path());
        builder.on(move |note: Note, _: &Peer| seen.send((note.a, note.b)).unwrap()).start().unwrap()
    };
    let secondaries: Vec<_> = (0..2).map(secondary).collect();
    primary.send(&OtherNote { a: 1, b: 2 }).unwrap();
    primary.send(&Note { a: 5, b: 6 }).unwrap();
    for secondary in &secondaries {
        assert_eq!(notes.recv().unwrap(), (5, 6));
        assert!(eventually(|| secondary.statistics().rejected_for(Rejection::OtherDefinition) == 1));
    }
}

#[derive(Request, Default)]
#[message(name = "set", response = Answer)]
struct OtherSet {
    other: u32,
}

#[derive(Response, Debug)]
struct Answer {
    _new: u32,
}

#[test]
fn it_is_told_in_every_way_of_asking() {
    let dir = dir();
    let builder = primary(dir.path()).serve(|_: here::Set, _: &Peer| here::Answer { old: 0, new: 0 });
    let primary = builder.start().unwrap();
    let client = client(dir.path());
    let is_told = |result: Result<Answer, RequestError>| {
        matches!(result, Err(RequestError::OtherDefinition { theirs, .. })
            if theirs.fingerprint == here::Set::FINGERPRINT && theirs.fields.starts_with("Set { port: u32,"))
    };
    assert!(is_told(client.request(&OtherSet::default(), SECOND)));
    assert!(is_told(pollster::block_on(client.request_async(&OtherSet::default(), SECOND))));
    let (told, result) = mpsc::channel();
    client.request_then(OtherSet::default(), SECOND, move |_, result| told.send(result).unwrap());
    assert!(is_told(result.recv().unwrap()));

    let secondary = Secondary::builder("fingerprints").runtime_dir(dir.path());
    let secondary =
        secondary.serve(|_: here::Set, _: &Peer| here::Answer { old: 0, new: 0 }).start().unwrap();
    let replies = primary.request(&OtherSet::default(), SECOND).unwrap();
    let [(_, Outcome::Ignored { why })] = &replies.outcomes[..] else { panic!("{replies:?}") };
    assert_eq!(why.reason(), Reason::OtherDefinition);
    assert!(why.text().starts_with(&format!("{:016x} Set {{", here::Set::FINGERPRINT)), "{why}");
    drop(secondary);
}

#[test]
fn the_error_names_both_definitions() {
    let dir = dir();
    let _primary =
        primary(dir.path()).serve(|_: here::Set, _: &Peer| here::Answer { old: 0, new: 0 }).start();
    let error = client(dir.path()).request(&OtherSet::default(), SECOND).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the peer has another definition of this request: there {:016x} Set {{ port: u32, rate: u32, shape: \
             {{ width: u32, height: u32 }}, event: Up | Down }} -> Answer {{ old: u32, new: u32 }}; here {:016x} \
             OtherSet {{ other: u32 }} -> Answer {{ _new: u32 }}",
            here::Set::FINGERPRINT,
            OtherSet::FINGERPRINT
        )
    );
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidData);
}

/// A primary without this library, that answers one request.
fn raw_primary(dir: &Path, answer: fn(&RawDatagram) -> Vec<u8>) -> thread::JoinHandle<()> {
    let socket = RawSocket::bound(&dir.join("mp_socket"));
    thread::spawn(move || {
        let asked = socket.receive_raw();
        socket.send(&asked.from, &answer(&asked));
    })
}

/// With the response all zeros; and 8 bytes long, as the request is that is echoed.
#[derive(Request)]
#[message(name = "echo", response = Pair)]
struct Pair1 {
    a: u32,
    b: u32,
}

#[derive(Response, Debug, PartialEq)]
struct Pair {
    a: u32,
    b: u32,
}

#[test]
fn a_c_peer_that_echoes_or_leaves_garbage_or_zeros_answers_as_before() {
    let zeroed = |asked: &RawDatagram| {
        let mut bytes = asked.fresh_reply();
        bytes[4 + 40..4 + 64].fill(0);
        bytes
    };
    let answers: [fn(&RawDatagram) -> Vec<u8>; 3] =
        [RawDatagram::echoed_reply, RawDatagram::fresh_reply, zeroed];
    for answer in answers {
        let dir = dir();
        let primary = raw_primary(dir.path(), answer);
        let pair = client(dir.path()).request(&Pair1 { a: 1, b: 2 }, SECOND).unwrap();
        assert_eq!(pair, Pair { a: 1, b: 2 });
        primary.join().unwrap();
    }
}

#[test]
fn what_a_c_peer_asks_or_sends_is_taken_whatever_is_behind_the_name() {
    let dir = dir();
    let (seen, notes) = mpsc::channel();
    let primary = primary(dir.path())
        .serve(|pair: Pair1, _: &Peer| Pair { a: pair.a, b: pair.b })
        .on(move |note: Note, _: &Peer| seen.send((note.a, note.b)).unwrap())
        .start()
        .unwrap();
    let (peer, to) = (RawSocket::bound(&dir.path().join("peer")), dir.path().join("mp_socket"));
    for garbage in [0, 0xa5, 0xff] {
        let behind = |mut bytes: Vec<u8>, name: &str| {
            bytes[4 + name.len() + 1..4 + 64].fill(garbage);
            bytes
        };
        peer.send(&to, &behind(Lie::request("echo", &[1, 0, 0, 0, 2, 0, 0, 0]).bytes(), "echo"));
        assert_eq!(peer.receive(), (2, "echo".into(), vec![1, 0, 0, 0, 2, 0, 0, 0]));
        peer.send(&to, &behind(Lie::message("note", &[7, 0, 8, 0]).bytes(), "note"));
        assert_eq!(notes.recv().unwrap(), (7, 8));
    }
    assert_eq!(primary.statistics().rejected_for(Rejection::OtherDefinition), 0);
}

#[test]
fn who_has_no_fingerprint_is_believed() {
    #[derive(Request)]
    #[message(name = "set", response = Answer, fingerprint = false)]
    struct Without {
        words: [u32; 5],
    }

    #[derive(Message)]
    #[message(name = "note", layout = "C")]
    struct InC {
        one: u32,
    }

    #[derive(Request)]
    #[message(name = "a_name_of_forty_bytes_leaves_no_room_000", response = ())]
    struct Long(u32);

    mod other {
        #[derive(mp_typed::Request)]
        #[message(name = "a_name_of_forty_bytes_leaves_no_room_000", response = ())]
        pub(super) struct Long(pub(super) f32);
    }

    assert_eq!((Without::FINGERPRINT, InC::FINGERPRINT), (0, 0));
    let dir = dir();
    let (seen, notes) = mpsc::channel();
    let _primary = primary(dir.path())
        .serve(|set: here::Set, _: &Peer| here::Answer { old: set.port, new: set.rate })
        .serve(|_: Long, _: &Peer| ())
        .on(move |note: Note, _: &Peer| seen.send((note.a, note.b)).unwrap())
        .start()
        .unwrap();
    let client = client(dir.path());
    // Another response, so what came is no value of it; but it was handled.
    let answer = client.request(&Without { words: [1, 2, 3, 4, 0] }, SECOND);
    assert!(matches!(answer, Err(RequestError::Decode(_))));
    client.send(&InC { one: 1 }).unwrap();
    assert_eq!(notes.recv().unwrap(), (1, 0));
    client.request(&other::Long(0.5), SECOND).unwrap();
    // And without types.
    let raw = mp_core::Message::new(Name::new("note").unwrap()).with_param([9, 0, 9, 0]).unwrap();
    client.core().send(&raw).unwrap();
    assert_eq!(notes.recv().unwrap(), (9, 9));
    // What is forwarded keeps the fingerprint of whoever made it.
    let foreign = raw.with_fingerprint(Note::FINGERPRINT ^ 1);
    client.core().send(&foreign).unwrap();
    client.core().send(&foreign.with_fingerprint(Note::FINGERPRINT)).unwrap();
    assert_eq!(notes.recv().unwrap(), (9, 9));
}

/// What the previous release had.
mod old {
    use super::*;

    #[derive(Request)]
    #[message(name = "ring_open", response = Ring)]
    pub struct OpenRing {
        pub port: u16,
    }

    #[derive(Response, Debug)]
    pub struct Ring {
        #[fd]
        pub memory: OwnedFd,
    }

    #[derive(Message)]
    #[message(name = "note")]
    pub struct Note {
        pub a: u16,
    }
}

/// What this release has.
mod new {
    use super::*;

    #[derive(Request)]
    #[message(name = "ring_open", response = Ring, accepts = old::OpenRing)]
    pub struct OpenRing {
        pub queue: u8,
        pub port: u16,
    }

    impl From<old::OpenRing> for OpenRing {
        fn from(old: old::OpenRing) -> Self {
            Self { queue: 9, port: old.port }
        }
    }

    #[derive(Response, Debug)]
    pub struct Ring {
        pub slots: u32,
        #[fd]
        pub memory: OwnedFd,
    }

    impl From<Ring> for old::Ring {
        fn from(new: Ring) -> Self {
            Self { memory: new.memory }
        }
    }

    #[derive(Message)]
    #[message(name = "note", accepts = old::Note)]
    pub struct Note {
        pub a: u16,
        pub b: u16,
    }

    impl From<old::Note> for Note {
        fn from(old: old::Note) -> Self {
            Self { a: old.a, b: 0 }
        }
    }
}

#[test]
fn one_release_serves_itself_and_the_one_before() {
    let dir = dir();
    let (seen, notes) = mpsc::channel();
    let (asked, opens) = mpsc::channel();
    let primary = primary(dir.path())
        .serve(move |open: new::OpenRing, _: &Peer| {
            asked.send((open.queue, open.port)).unwrap();
            new::Ring { slots: 8, memory: File::open("/dev/zero").unwrap().into() }
        })
        .on(move |note: new::Note, _: &Peer| seen.send((note.a, note.b)).unwrap())
        .start()
        .unwrap();
    let client = client(dir.path());
    let ring = client.request(&old::OpenRing { port: 1 }, SECOND).unwrap();
    assert_eq!(std::io::Read::read(&mut File::from(ring.memory), &mut [1; 2]).unwrap(), 2);
    assert_eq!(client.request(&new::OpenRing { queue: 3, port: 2 }, SECOND).unwrap().slots, 8);
    assert_eq!((opens.recv().unwrap(), opens.recv().unwrap()), ((9, 1), (3, 2)));
    client.send(&old::Note { a: 1 }).unwrap();
    client.send(&new::Note { a: 2, b: 3 }).unwrap();
    assert_eq!((notes.recv().unwrap(), notes.recv().unwrap()), ((1, 0), (2, 3)));
    assert_eq!(primary.statistics().rejected_for(Rejection::OtherDefinition), 0);

    #[derive(Message)]
    #[message(name = "note")]
    struct Older(f32);
    client.send(&Older(0.0)).unwrap();
    assert!(eventually(|| primary.statistics().rejected_for(Rejection::OtherDefinition) == 1));
}

#[test]
fn all_layouts_are_one_text_to_commit_and_compare() {
    let layouts = Layouts::new()
        .message::<Note>()
        .request::<here::Set>()
        .request::<twin::Open>()
        .request::<new::OpenRing>()
        .to_string();
    expect_test::expect_file!["../layouts.txt"].assert_eq(&layouts);
}

/// Answer and error, of which one release has others than the next.
mod results {
    use mp_typed::{Request, Response};

    #[derive(Request)]
    #[message(name = "speed", response = Result<OldSpeed, OldError>)]
    pub struct OldSetSpeed(pub u32);

    #[derive(Response, Debug, PartialEq)]
    pub struct OldSpeed(pub u32);

    #[derive(Response, Debug, PartialEq)]
    pub enum OldError {
        Refused,
    }

    #[derive(Request)]
    #[message(name = "speed", response = Result<Speed, Error>, accepts = OldSetSpeed)]
    pub struct SetSpeed(pub u64);

    #[derive(Response, Debug, PartialEq)]
    pub struct Speed(pub u64);

    #[derive(Response, Debug, PartialEq)]
    pub enum Error {
        TooFast { most: u64 },
        LinkDown,
    }

    /// From before errors were part of the answer.
    #[derive(Request)]
    #[message(name = "slow", response = OldestSpeed)]
    pub struct OldestSetSpeed(pub u32);

    #[derive(Response, Debug, PartialEq)]
    pub struct OldestSpeed(pub u32);

    #[derive(Request)]
    #[message(name = "slow", response = Result<Speed, Error>, accepts = OldestSetSpeed)]
    pub struct SetSlow(pub u64);

    impl From<OldSetSpeed> for SetSpeed {
        fn from(old: OldSetSpeed) -> Self {
            Self(old.0.into())
        }
    }

    impl From<OldestSetSpeed> for SetSlow {
        fn from(old: OldestSetSpeed) -> Self {
            Self(old.0.into())
        }
    }

    impl From<Speed> for OldSpeed {
        fn from(new: Speed) -> Self {
            Self(u32::try_from(new.0).unwrap_or(u32::MAX))
        }
    }

    impl From<Error> for OldError {
        fn from(_: Error) -> Self {
            Self::Refused
        }
    }

    impl From<Result<Speed, Error>> for OldestSpeed {
        fn from(new: Result<Speed, Error>) -> Self {
            Self(new.map_or(0, |speed| OldSpeed::from(speed).0))
        }
    }

    pub fn set(speed: u64) -> Result<Speed, Error> {
        match speed {
            0 => Err(Error::LinkDown),
            1..=100 => Ok(Speed(speed)),
            _ => Err(Error::TooFast { most: 100 }),
        }
    }
}

#[test]
fn answer_and_error_become_those_of_the_release_before_each_by_itself() {
    use results::*;
    let dir = dir();
    let _primary = primary(dir.path())
        .serve(|SetSpeed(speed): SetSpeed, _: &Peer| set(speed))
        .serve(|SetSlow(speed): SetSlow, _: &Peer| set(speed))
        .start()
        .unwrap();
    let client = client(dir.path());
    assert_eq!(client.request(&OldSetSpeed(7), SECOND).unwrap(), Ok(OldSpeed(7)));
    assert_eq!(client.request(&OldSetSpeed(0), SECOND).unwrap(), Err(OldError::Refused));
    assert_eq!(client.request(&SetSpeed(0), SECOND).unwrap(), Err(Error::LinkDown));
    assert_eq!(client.request(&SetSpeed(101), SECOND).unwrap(), Err(Error::TooFast { most: 100 }));
    assert_eq!(client.request(&OldestSetSpeed(7), SECOND).unwrap(), OldestSpeed(7));
    assert_eq!(client.request(&OldestSetSpeed(0), SECOND).unwrap(), OldestSpeed(0));
}
