//! Errors that are a part of the answer: `response = Result<Answer, Error>`.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mp_typed::{
    Body, Client, DecodeError, DecodeFault, Peer, Primary, Reason, Request, RequestError, Responder,
    Response, Secondary, decode, encode,
};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Request)]
#[message(name = "ring_open", response = Result<Ring, OpenError>)]
struct OpenRing {
    port: u16,
}

#[derive(Response, Debug)]
struct Ring {
    slots: u32,
    #[fd]
    memory: OwnedFd,
}

#[derive(Response)]
#[message(lends = Ring)]
struct LentRing<'a> {
    slots: u32,
    #[fd]
    memory: BorrowedFd<'a>,
}

#[derive(Response, Debug)]
enum OpenError {
    NoSuchPort {
        port: u16,
        ports: u16,
    },
    Busy,
    /// The log tells why.
    Logged(#[fd] OwnedFd, #[fd] Option<File>),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this text must not be what the requester gets")
    }
}

fn dir() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o700)).tempdir().unwrap()
}

fn zero() -> OwnedFd {
    File::open("/dev/zero").unwrap().into()
}

fn open(port: u16) -> Result<Ring, OpenError> {
    match port {
        0 => Ok(Ring { slots: 8, memory: zero() }),
        1 => Err(OpenError::Busy),
        2 => Err(OpenError::Logged(zero(), None)),
        port => Err(OpenError::NoSuchPort { port, ports: 3 }),
    }
}

fn assert_is_zero(fd: OwnedFd) {
    let mut byte = [1];
    File::from(fd).read_exact(&mut byte).unwrap();
    assert_eq!(byte, [0]);
}

#[test]
fn a_handlers_error_arrives_as_the_value_that_it_is() {
    let dir = dir();
    let primary = Primary::builder("errors")
        .runtime_dir(dir.path())
        .serve(|request: OpenRing, _: &Peer| open(request.port))
        .start()
        .unwrap();
    let client = Client::builder("errors").runtime_dir(dir.path()).start().unwrap();
    let ask = |port| client.request(&OpenRing { port }, SECOND).unwrap();

    let ring = ask(0).unwrap();
    assert_eq!(ring.slots, 8);
    assert_is_zero(ring.memory);
    assert!(matches!(ask(1), Err(OpenError::Busy)));
    let Err(OpenError::Logged(log, None)) = ask(2) else { panic!("it is port 2") };
    assert_is_zero(log);
    assert!(matches!(ask(9), Err(OpenError::NoSuchPort { port: 9, ports: 3 })));
    let later = pollster::block_on(client.request_async(&OpenRing { port: 1 }, SECOND)).unwrap();
    assert!(matches!(later, Err(OpenError::Busy)));
    assert_eq!(primary.statistics().replies_sent, 5);
    assert_eq!(primary.statistics().ignores_sent, 0);
}

#[test]
fn all_secondaries_may_answer_with_errors() {
    let dir = dir();
    let primary = Primary::builder("errors").runtime_dir(dir.path()).start().unwrap();
    let secondary = |_| {
        let builder = Secondary::builder("errors").runtime_dir(dir.path());
        builder.serve(|request: OpenRing, _: &Peer| open(request.port)).start().unwrap()
    };
    let _secondaries: Vec<_> = (0..3).map(secondary).collect();
    let replies = primary.request(&OpenRing { port: 1 }, SECOND).unwrap();
    assert_eq!(replies.received(), 3);
    assert!(replies.replies.iter().all(|reply| matches!(reply.response, Err(OpenError::Busy))));
}

#[test]
fn an_error_beside_the_response_is_told_as_the_reason_to_ignore() {
    let dir = dir();
    let _primary = Primary::builder("errors")
        .runtime_dir(dir.path())
        .serve(|request: OpenRing, _: &Peer| -> Result<Result<Ring, OpenError>, String> {
            if request.port > 100 {
                Err(format!("no port is {}", request.port))
            } else {
                Ok(open(request.port))
            }
        })
        .start()
        .unwrap();
    let client = Client::builder("errors").runtime_dir(dir.path()).start().unwrap();
    assert!(client.request(&OpenRing { port: 0 }, SECOND).unwrap().is_ok());
    assert!(client.request(&OpenRing { port: 1 }, SECOND).unwrap().is_err());
    let Err(RequestError::Ignored { why }) = client.request(&OpenRing { port: 101 }, SECOND) else {
        panic!("it is told to ignore")
    };
    assert_eq!((why.reason(), why.text()), (Reason::HandlerFailed, "no port is 101"));
}

#[test]
fn the_answer_within_may_be_lent() {
    let dir = dir();
    let memory = zero();
    let _primary = Primary::builder("errors")
        .runtime_dir(dir.path())
        .serve_later(move |request: OpenRing, _: &Peer, responder: Responder<Result<Ring, OpenError>>| {
            let lent = LentRing { slots: 4, memory: memory.as_fd() };
            let _ = match request.port {
                0 => responder.reply(&Ok::<_, OpenError>(lent)),
                _ => responder.reply(&Err::<LentRing<'_>, _>(OpenError::Busy)),
            };
        })
        .start()
        .unwrap();
    let client = Client::builder("errors").runtime_dir(dir.path()).start().unwrap();
    let ring = client.request(&OpenRing { port: 0 }, SECOND).unwrap().unwrap();
    assert_eq!(ring.slots, 4);
    assert_is_zero(ring.memory);
    assert!(matches!(client.request(&OpenRing { port: 1 }, SECOND).unwrap(), Err(OpenError::Busy)));
}

#[test]
fn it_is_encoded_as_bincode_encodes_a_result() {
    type Answer = Result<Ring, OpenError>;
    let ok: Answer = Ok(Ring { slots: 8, memory: zero() });
    assert_eq!(encode(&ok).unwrap().param(), [0, 0, 0, 0, 8, 0, 0, 0]);
    let err: Answer = Err(OpenError::NoSuchPort { port: 9, ports: 3 });
    assert_eq!(encode(&err).unwrap().param(), [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 0]);
    assert_eq!((Answer::MAX_SIZE, Answer::MAX_FDS), (4 + 4 + 4, 2));
    type Nothing = Result<(), OpenError>;
    assert_eq!(encode(&Nothing::Ok(())).unwrap().param(), [0; 4]);
    assert!(matches!(decode::<Nothing>(&[0; 4], []), Ok(Ok(()))));
}

#[test]
fn what_is_neither_is_refused_and_its_descriptors_closed() {
    type Answer = Result<Ring, OpenError>;
    let refused = |param: &[u8]| {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let error = decode::<Answer>(param, [ours.into()]).unwrap_err();
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0, "it is closed");
        error
    };
    assert!(matches!(
        refused(&[2, 0, 0, 0]),
        DecodeError::Field { message: "Result<Ring, OpenError>", fault: DecodeFault::UnknownVariant(2), .. }
    ));
    assert!(matches!(
        refused(&[0; 4]),
        DecodeError::Field { field: "slots", fault: DecodeFault::Truncated, .. }
    ));
    assert!(matches!(refused(&[0; 9]), DecodeError::TrailingBytes { used: 8, len: 9, .. }));
    assert!(matches!(
        refused(&[1, 0, 0, 0, 1, 0, 0, 0]),
        DecodeError::TrailingFds { used: 0, received: 1, .. }
    ));
}
