//! Descriptors beside the payload: which field gets which, how many there must be, and that none is
//! ever left open.

use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use mp_typed::{Body, DecodeError, DecodeFault, EncodeFault, Message, decode, encode};

#[derive(Message, Debug)]
#[message(name = "mixed")]
struct Mixed {
    before: u8,
    #[fd]
    one: OwnedFd,
    #[fd]
    maybe: Option<File>,
    between: u16,
    #[fd]
    pair: [UnixStream; 2],
    #[fd]
    #[message(max_len = 3)]
    list: Vec<OwnedFd>,
}

/// The bytes of a `Mixed` with six descriptors.
const MIXED: [u8; 12] = [1, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn descriptors_go_to_their_fields_in_order() {
    let (ours, _theirs) = sockets(6);
    let numbers: Vec<_> = ours.iter().map(AsRawFd::as_raw_fd).collect();
    let mut ours = ours.into_iter();
    let mut next = || ours.next().expect("there are six");
    let sent = Mixed {
        before: 1,
        one: next(),
        maybe: Some(next().into()),
        between: 2,
        pair: [next().into(), next().into()],
        list: vec![next(), next()],
    };
    let encoded = encode(&sent).unwrap();
    // As for bincode with `()` in place of a descriptor: one byte for the `Option`, eight for the
    // length of the list.
    assert_eq!(encoded.param(), MIXED);
    assert_eq!(encoded.fds().iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>(), numbers);
    assert_eq!((Mixed::MAX_SIZE, Mixed::MAX_FDS), (12, 7));

    let (received, _others) = sockets(6);
    let numbers: Vec<_> = received.iter().map(AsRawFd::as_raw_fd).collect();
    let back: Mixed = decode(encoded.param(), received).unwrap();
    let maybe = back.maybe.as_ref().unwrap();
    let fds =
        [back.one.as_fd(), maybe.as_fd(), back.pair[0].as_fd(), back.pair[1].as_fd(), back.list[0].as_fd()];
    assert_eq!(fds.map(|fd| fd.as_raw_fd()), numbers[..5]);
    assert_eq!((back.before, back.between, back.list.len()), (1, 2, 2));
}

#[test]
fn whatever_owns_a_descriptor_can_be_a_field() {
    #[derive(Message)]
    #[message(name = "sockets")]
    #[allow(dead_code, reason = "what is sent is what counts")]
    struct Sockets {
        #[fd]
        stream: UnixStream,
        #[fd]
        datagram: UnixDatagram,
        #[fd]
        listener: UnixListener,
        #[fd]
        tcp: TcpStream,
        #[fd]
        tcp_listener: TcpListener,
        #[fd]
        udp: UdpSocket,
        #[fd]
        list: Option<arrayvec::ArrayVec<OwnedFd, 1>>,
        #[fd]
        other_list: heapless::Vec<File, 1>,
    }

    let (received, _files) = every_socket_and_two_files();
    let numbers: Vec<_> = received.iter().map(AsRawFd::as_raw_fd).collect();
    let param = [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let back: Sockets = decode(&param, received).unwrap();
    assert_eq!((back.udp.as_raw_fd(), back.other_list[0].as_raw_fd()), (numbers[5], numbers[7]));
    let encoded = encode(&back).unwrap();
    assert_eq!(encoded.param(), param);
    assert_eq!(encoded.fds().iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>(), numbers);
}

#[test]
fn one_descriptor_more_or_less_is_an_error() {
    for (count, expected) in
        [(5, "MissingFd"), (7, "TrailingFds { message: \"Mixed\", used: 6, received: 7 }")]
    {
        let (received, theirs) = sockets(count);
        let error = decode::<Mixed>(&MIXED, received).unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{error:?}");
        assert_closed(theirs);
    }
}

#[test]
fn more_descriptors_than_any_message_carries_are_an_error() {
    for count in [9, 253] {
        let (received, theirs) = sockets(count);
        let error = decode::<Mixed>(&MIXED, received).unwrap_err();
        assert!(matches!(error, DecodeError::TooManyFds { received, .. } if received == count), "{error:?}");
        assert_closed(theirs);
    }
}

#[test]
fn bytes_that_are_no_value_close_all_descriptors() {
    let mut no_option = MIXED;
    no_option[1] = 2;
    let mut long_list = MIXED;
    long_list[4] = 4;
    let mut huge_list = MIXED;
    huge_list[11] = 0xff;
    let mut trailing = MIXED.to_vec();
    trailing.push(0);
    for param in [&no_option[..], &long_list, &huge_list, &trailing, &MIXED[..11], &MIXED[..1], &[]] {
        let (received, theirs) = sockets(6);
        let error = decode::<Mixed>(param, received).unwrap_err();
        assert!(!error.to_string().is_empty());
        assert_closed(theirs);
    }
}

#[test]
fn descriptors_of_an_error_name_their_field() {
    let (received, _theirs) = sockets(2);
    let error = decode::<Mixed>(&MIXED, received).unwrap_err();
    assert!(
        matches!(error, DecodeError::Field { field: "pair", fault: DecodeFault::MissingFd, .. }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), "`Mixed.pair` cannot be read: its file descriptor is missing");
}

#[test]
fn borrowed_descriptors_are_lent() {
    #[derive(Message)]
    #[message(name = "lend")]
    struct Lend<'a> {
        #[fd]
        one: BorrowedFd<'a>,
        #[fd]
        maybe: Option<BorrowedFd<'a>>,
        #[fd]
        #[message(max_len = 2)]
        list: Vec<BorrowedFd<'a>>,
        #[message(max_len = 4)]
        text: &'a str,
    }

    let (fds, _theirs) = sockets(4);
    let [a, b, c, d] = &fds[..] else { panic!("there are four") };
    let lend =
        Lend { one: a.as_fd(), maybe: Some(b.as_fd()), list: vec![c.as_fd(), d.as_fd()], text: "text" };
    let encoded = encode(&lend).unwrap();
    let numbers: Vec<_> = encoded.fds().iter().map(AsRawFd::as_raw_fd).collect();
    assert_eq!(numbers, fds.iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
    assert_eq!(encoded.param().len(), 1 + 8 + 8 + 4);

    let too_long = Lend { list: vec![a.as_fd(); 3], ..lend };
    let error = encode(&too_long).unwrap_err();
    assert!(matches!(error.fault, EncodeFault::TooLong { len: 3, max_len: 2 }), "{error:?}");
}

#[test]
fn in_a_c_layout_the_number_of_descriptors_tells() {
    #[derive(Message)]
    #[message(name = "queues", layout = "C")]
    struct Queues {
        #[fd]
        first: OwnedFd,
        count: u32,
        #[fd]
        #[message(max_len = 4)]
        others: Vec<OwnedFd>,
    }

    for others in 0..=4 {
        let (received, _theirs) = sockets(1 + others);
        let back: Queues = decode(&7_u32.to_ne_bytes(), received).unwrap();
        assert_eq!((back.count, back.others.len()), (7, others));
        let encoded = encode(&back).unwrap();
        assert_eq!(encoded.param(), 7_u32.to_ne_bytes());
        assert_eq!(encoded.fds()[0].as_raw_fd(), back.first.as_raw_fd());
        assert_eq!(encoded.fds().len(), 1 + others);
    }
    for count in [0, 6] {
        let (received, theirs) = sockets(count);
        assert!(decode::<Queues>(&7_u32.to_ne_bytes(), received).is_err());
        assert_closed(theirs);
    }
}

#[test]
fn enums_carry_the_descriptors_of_their_variant() {
    #[derive(Message)]
    #[message(name = "event")]
    enum Event {
        Nothing,
        One(#[fd] OwnedFd),
        Two {
            #[fd]
            both: [OwnedFd; 2],
        },
    }

    assert_eq!(Event::MAX_FDS, 2);
    for (tag, count) in [0, 1, 2].into_iter().zip([0, 1, 2]) {
        let (received, _theirs) = sockets(count);
        let back: Event = decode(&[tag, 0, 0, 0], received).unwrap();
        let taken = match &back {
            Event::Nothing => 0,
            Event::One(_) => 1,
            Event::Two { both } => both.len(),
        };
        assert_eq!((taken, encode(&back).unwrap().fds().len()), (count, count));
        let (received, theirs) = sockets(count + 1);
        assert!(decode::<Event>(&[tag, 0, 0, 0], received).is_err());
        assert_closed(theirs);
    }
    let error = decode::<Event>(&[3, 0, 0, 0], []).err().unwrap();
    assert_eq!(error.to_string(), "`Event` cannot be read: there is no variant 3");
}

/// One of each of `std`'s sockets, and two files; and a folder that holds some of them.
fn every_socket_and_two_files() -> (Vec<OwnedFd>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("listener");
    let tcp_listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let tcp = TcpStream::connect(tcp_listener.local_addr().expect("it is bound")).expect("it listens");
    let fds = vec![
        UnixStream::pair().expect("there are descriptors left").0.into(),
        UnixDatagram::unbound().expect("there are descriptors left").into(),
        UnixListener::bind(path).expect("the path is free").into(),
        tcp.into(),
        tcp_listener.into(),
        UdpSocket::bind("127.0.0.1:0").expect("a port is free").into(),
        File::open("/dev/null").expect("every Unix has it").into(),
        File::open("/").expect("every Unix has it").into(),
    ];
    (fds, folder)
}

/// As many sockets, and their other ends, which notice when they are closed.
fn sockets(count: usize) -> (Vec<OwnedFd>, Vec<UnixStream>) {
    let pair = || {
        let (ours, theirs) = UnixStream::pair().expect("there are descriptors left");
        theirs.set_read_timeout(Some(Duration::from_secs(10))).expect("it is a socket");
        (OwnedFd::from(ours), theirs)
    };
    (0..count).map(|_| pair()).unzip()
}

/// The other end reads its end only if there is nobody left to write. What may close slowly, as a
/// socket may, is closed on a thread of its own, a moment later.
fn assert_closed(theirs: Vec<UnixStream>) {
    for mut end in theirs {
        assert_eq!(end.read(&mut [0]).expect("a descriptor was left open"), 0);
    }
}
