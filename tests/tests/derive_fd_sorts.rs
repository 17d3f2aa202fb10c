//! A descriptor of another sort than its field's type stands for is refused: by us for types of
//! `std`, which takes anything, and by their own words for types that are `TryFrom<OwnedFd>`.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails ends it, in its helpers too")]

use std::fmt;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::{Duration, Instant};

use mp_typed::{DecodeError, DecodeFault, DecodeOwned, Message, decode, encode};
use rustix::fs::{MemfdFlags, SealFlags};

/// One of each sort, with the words for it.
fn sorts() -> Vec<(&'static str, OwnedFd)> {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("listener")).unwrap();
    let tcp_listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = TcpStream::connect(tcp_listener.local_addr().unwrap()).unwrap();
    let (reads, writes) = std::io::pipe().unwrap();
    vec![
        ("a Unix stream socket", UnixStream::pair().unwrap().0.into()),
        ("a Unix datagram socket", UnixDatagram::unbound().unwrap().into()),
        ("a listening Unix socket", listener.into()),
        ("a TCP stream", tcp.into()),
        ("a listening TCP socket", tcp_listener.into()),
        ("a UDP socket", UdpSocket::bind("127.0.0.1:0").unwrap().into()),
        ("the reading end of a pipe", reads.into()),
        ("the writing end of a pipe", writes.into()),
        ("a device", File::open("/dev/null").unwrap().into()),
        ("a directory", File::open("/").unwrap().into()),
        ("a regular file", tempfile::tempfile().unwrap().into()),
        (
            "neither a socket nor a pipe",
            rustix::event::eventfd(0, rustix::event::EventfdFlags::empty()).unwrap(),
        ),
    ]
}

macro_rules! only {
    ($($test:ident: $ty:ty = $expected:literal;)*) => { $(
        #[test]
        fn $test() {
            #[derive(Message, Debug)]
            #[message(name = "one")]
            struct One(#[fd] $ty);

            for (found, fd) in sorts() {
                match decode::<One>(&[], [fd]) {
                    Ok(_) => assert_eq!(found, $expected),
                    Err(error) => assert_eq!(
                        error.to_string(),
                        format!("`One.0` cannot be read: its file descriptor is {found}, not {}", $expected)
                    ),
                }
            }
        }
    )* };
}

only! {
    a_unix_stream_is_nothing_else: UnixStream = "a Unix stream socket";
    a_unix_datagram_socket_is_nothing_else: UnixDatagram = "a Unix datagram socket";
    a_unix_listener_is_nothing_else: UnixListener = "a listening Unix socket";
    a_tcp_stream_is_nothing_else: TcpStream = "a TCP stream";
    a_tcp_listener_is_nothing_else: TcpListener = "a listening TCP socket";
    a_udp_socket_is_nothing_else: UdpSocket = "a UDP socket";
    a_pipes_reader_is_nothing_else: PipeReader = "the reading end of a pipe";
    a_pipes_writer_is_nothing_else: PipeWriter = "the writing end of a pipe";
}

#[test]
fn what_stands_for_any_descriptor_takes_any() {
    #[derive(Message, Debug)]
    #[message(name = "two")]
    struct Two(#[fd] OwnedFd, #[fd] Option<File>);

    for ((_, one), (_, other)) in sorts().into_iter().zip(sorts()) {
        decode::<Two>(&[1], [one, other]).unwrap();
    }
}

#[test]
fn one_that_is_refused_is_closed_with_the_others() {
    #[derive(Message, Debug)]
    #[message(name = "list")]
    struct List(#[fd] [UnixStream; 2], #[fd] Option<UnixStream>);

    let ((ours, mut theirs), null) = (UnixStream::pair().unwrap(), File::open("/dev/null").unwrap());
    let error = decode::<List>(&[0], [ours.into(), null.into()]).unwrap_err();
    assert!(
        matches!(error, DecodeError::Field { field: "0", fault: DecodeFault::WrongFd { .. }, .. }),
        "{error:?}"
    );
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}

/// Memory that nobody can change any more.
#[derive(Debug)]
struct Sealed(OwnedFd);

#[derive(Debug)]
struct NotSealed(SealFlags);

impl fmt::Display for NotSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the memory has {} of 2 seals", self.0.bits().count_ones())
    }
}

impl TryFrom<OwnedFd> for Sealed {
    type Error = NotSealed;

    fn try_from(fd: OwnedFd) -> Result<Self, NotSealed> {
        let seals = rustix::fs::fcntl_get_seals(&fd).unwrap_or(SealFlags::empty());
        if seals.contains(SealFlags::WRITE | SealFlags::SHRINK) {
            Ok(Self(fd))
        } else {
            Err(NotSealed(seals))
        }
    }
}

impl AsFd for Sealed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn memory(seals: SealFlags) -> OwnedFd {
    let memory = rustix::fs::memfd_create("sealed", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::fs::fcntl_add_seals(&memory, seals).unwrap();
    memory
}

#[test]
fn a_type_of_the_users_refuses_in_its_own_words() {
    #[derive(Message, Debug)]
    #[message(name = "table")]
    struct Table {
        #[fd]
        table: Sealed,
        #[fd]
        #[message(max_len = 2)]
        more: Vec<Sealed>,
    }

    let sealed = || memory(SealFlags::WRITE | SealFlags::SHRINK);
    let param = [1, 0, 0, 0, 0, 0, 0, 0];
    let table: Table = decode(&param, [sealed(), sealed()]).unwrap();
    let encoded = encode(&table).unwrap();
    assert_eq!(encoded.fds()[0].as_raw_fd(), table.table.0.as_raw_fd());
    assert_eq!(encoded.param(), param);

    let error = decode::<Table>(&param, [sealed(), memory(SealFlags::SHRINK)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Table.more` cannot be read: its file descriptor is refused: the memory has 1 of 2 seals"
    );
}

/// Refuses everything.
#[derive(Debug)]
struct Never(OwnedFd);

impl TryFrom<OwnedFd> for Never {
    type Error = &'static str;

    fn try_from(_: OwnedFd) -> Result<Self, &'static str> {
        Err("never")
    }
}

impl AsFd for Never {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A connection whose last close waits for a reader, which never reads.
fn lingering() -> (TcpStream, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::from_secs(30))).unwrap();
    stream.set_nonblocking(true).unwrap();
    while (&stream).write(&[0; 1 << 16]).is_ok() {}
    (stream, listener)
}

/// That decoding `T` fails, and that nobody waits for what lingers meanwhile.
#[track_caller]
fn assert_refuses_at_once<T: DecodeOwned + fmt::Debug>(param: &[u8], fds: Vec<OwnedFd>, words: &str) {
    let start = Instant::now();
    let error = decode::<T>(param, fds).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    assert!(error.to_string().ends_with(words), "{error}");
}

#[test]
fn nobody_waits_for_the_close_of_what_is_refused_or_was_taken_before() {
    #[derive(Message, Debug)]
    #[message(name = "sorts")]
    struct Sorts(#[fd] TcpStream, #[fd] UnixStream);

    #[derive(Message, Debug)]
    #[message(name = "words")]
    struct Words(#[fd] TcpStream, #[fd] Never);

    #[derive(Message, Debug)]
    #[message(name = "lists")]
    struct Lists(#[fd] Option<TcpStream>, #[fd] [Option<Never>; 2]);

    let (stream, _kept) = lingering();
    assert_refuses_at_once::<Sorts>(
        &[],
        vec![stream.into(), File::open("/dev/null").unwrap().into()],
        "socket",
    );
    let ((one, _kept_too), (other, _and_this)) = (lingering(), lingering());
    assert_refuses_at_once::<Words>(&[], vec![one.into(), other.into()], "refused: never");
    let ((one, _kept_too), (other, _and_this)) = (lingering(), lingering());
    assert_refuses_at_once::<Lists>(&[1, 0, 1], vec![one.into(), other.into()], "refused: never");
}

#[test]
fn what_is_taken_after_all_is_left_without_copies() {
    #[derive(Message, Debug)]
    #[message(name = "one")]
    struct One(#[fd] UnixStream, #[fd] Choosy);

    #[derive(Debug)]
    struct Choosy(OwnedFd);

    impl TryFrom<OwnedFd> for Choosy {
        type Error = String;

        fn try_from(fd: OwnedFd) -> Result<Self, String> {
            Ok(Self(fd))
        }
    }

    impl AsFd for Choosy {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    let ((ours, mut theirs), (other, _kept)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    let one: One = decode(&[], [ours.into(), other.into()]).unwrap();
    drop(one);
    // A copy would keep the connection open.
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}
