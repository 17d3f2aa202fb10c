//! `max_fds`: types for what DPDK 24.11 and later send, with up to 253 descriptors.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::fs::{File, Permissions};
use std::iter;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

use mp_typed::{
    Body, Client, DecodeError, EncodeFault, Message, Peer, Primary, Request, Response, decode, encode,
};
use tests::{Lie, RawSocket, WITHIN, eventually, open_fds};

/// As `tap_mp_req_start_rxtx` is sent for 9 queues.
#[derive(Message, Debug)]
#[message(name = "start_rxtx", layout = "C", max_fds = 253)]
struct Start {
    port: [u8; 64],
    queues: i32,
    #[fd]
    #[message(max_len = 64)]
    fds: Vec<OwnedFd>,
}

#[derive(Request, Debug)]
#[message(name = "send_fds", response = Fds)]
struct SendFds(u8);

#[derive(Response, Debug)]
#[message(max_fds = LIMIT)]
struct Fds {
    #[fd]
    #[message(max_len = LIMIT)]
    fds: Vec<OwnedFd>,
}

const LIMIT: usize = 253;

const _: () = assert!(Start::MAX_FDS == 64 && Fds::MAX_FDS == 253);

fn runtime_dir() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}

fn nulls(count: usize) -> Vec<OwnedFd> {
    iter::repeat_with(|| File::open("/dev/null").unwrap().into()).take(count).collect()
}

#[test]
fn more_than_eight_are_received_up_to_what_the_type_has_places_for() {
    let param = [0; 68];
    for count in [0, 8, 9, 64] {
        assert_eq!(decode::<Start>(&param, nulls(count)).unwrap().fds.len(), count);
    }
    let error = decode::<Start>(&param, nulls(65)).unwrap_err();
    assert_eq!(error.to_string(), "`Start` has places for 64 of the 65 file descriptors received");
    let error = decode::<Start>(&param, nulls(254)).unwrap_err();
    assert!(matches!(error, DecodeError::TooManyFds { received: 254, limit: 253, .. }), "{error:?}");
}

#[test]
fn no_more_than_eight_are_sent() {
    let fds = |count| Fds { fds: nulls(count) };
    assert_eq!(encode(&fds(8)).unwrap().fds().len(), 8);
    let error = encode(&fds(9)).unwrap_err();
    assert!(matches!(error.fault, EncodeFault::TooManyFds), "{error:?}");
    assert_eq!(
        error.to_string(),
        "`Fds.fds` cannot be sent: with it there are more than 8 file descriptors, which is all that a message is sent with"
    );
}

#[test]
fn a_message_with_nine_descriptors_comes_over_a_real_socket() {
    let (dir, (heard, hears)) = (runtime_dir(), mpsc::channel());
    let primary = Primary::builder("max_fds")
        .runtime_dir(dir.path())
        .on(move |start: Start, _: &Peer| heard.send(start).unwrap())
        .start()
        .unwrap();
    let socket = dir.path().join("mp_socket");
    let mut param = [0; 68];
    param[64..].copy_from_slice(&9_i32.to_ne_bytes());
    let before = open_fds();
    for count in [9, 64] {
        let message = Lie { num_fds: count, ..Lie::message("start_rxtx", &param) };
        RawSocket::unbound().send_with_copies(&socket, &message.bytes(), count as usize);
        let start = hears.recv_timeout(WITHIN).expect("it is heard");
        assert_eq!((start.queues, start.fds.len()), (9, count as usize));
    }
    // One that does not fit is refused whole, and those after it are heard.
    for count in [65, 3] {
        let message = Lie { num_fds: count, ..Lie::message("start_rxtx", &param) };
        RawSocket::unbound().send_with_copies(&socket, &message.bytes(), count as usize);
    }
    assert_eq!(hears.recv_timeout(WITHIN).expect("it is heard").fds.len(), 3);
    drop(primary);
    assert!(eventually(|| open_fds() < before), "a descriptor was left open");
}

#[test]
fn a_reply_with_all_that_the_kernel_passes_is_decoded() {
    let dir = runtime_dir();
    let path = dir.path().join("mp_socket");
    let primary = RawSocket::bound(&path);
    let client = Client::builder("max_fds").runtime_dir(dir.path()).start().unwrap();
    let asking = std::thread::spawn(move || client.request(&SendFds(7), WITHIN));
    let (from, (kind, name, param)) = primary.receive_from();
    assert_eq!((kind, &*name, &*param), (1, "send_fds", &[7][..]));
    let null = File::open("/dev/null").unwrap();
    let fds: Vec<BorrowedFd<'_>> = iter::repeat_n(null.as_fd(), 253).collect();
    let reply = Lie { kind: 2, num_fds: 253, ..Lie::message("send_fds", &253_u64.to_le_bytes()) };
    primary.send_with(&from, &reply.bytes(), &fds);
    let fds = asking.join().unwrap().expect("it is answered").fds;
    assert_eq!(fds.len(), 253);
}
