//! What is said of values that cannot be sent and bytes that cannot be read: every fault there is,
//! with its text.

use std::error::Error;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::{Duration, SystemTime};

use mp_typed::{DecodeFault, DecodeOwned, EncodeFault, Message, Payload, decode, encode};
use serde::{Deserialize, Serialize, Serializer};

#[derive(Message, Debug)]
#[message(name = "all")]
struct All {
    #[message(max_len = 4)]
    text: String,
    nested: Nested,
    #[message(max_size = 12)]
    foreign: Vec<u8>,
    time: SystemTime,
}

#[derive(Payload, Debug)]
struct Nested {
    #[payload(max_len = 2)]
    list: Vec<u16>,
}

#[test]
fn what_cannot_be_sent_is_named_with_figures() {
    let fine = || All {
        text: "four".into(),
        nested: Nested { list: vec![1, 2] },
        foreign: vec![1, 2, 3, 4],
        time: SystemTime::UNIX_EPOCH,
    };
    assert!(encode(&fine()).is_ok());
    let cases = [
        (
            All { text: "fives".into(), ..fine() },
            "`All.text` cannot be sent: its length is 5, its `max_len` is 4",
        ),
        (
            All { nested: Nested { list: vec![0; 3] }, ..fine() },
            "`All.nested` cannot be sent: its length is 3, its `max_len` is 2",
        ),
        (
            All { foreign: vec![0; 5], ..fine() },
            "`All.foreign` cannot be sent: it takes 13 bytes, its `max_size` is 12",
        ),
        (
            All { foreign: vec![0; 1000], ..fine() },
            "`All.foreign` cannot be sent: it does not fit into what is left of the message",
        ),
        (
            All { time: SystemTime::UNIX_EPOCH - Duration::from_nanos(1), ..fine() },
            "`All.time` cannot be sent: it is a time before 1970-01-01",
        ),
    ];
    for (value, text) in cases {
        let error = encode(&value).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.message, "All");
        assert!(error.source().is_none(), "its cause is told once");
    }
}

#[test]
fn what_a_foreign_type_says_is_passed_on() {
    #[derive(Debug, Deserialize)]
    struct Moody;

    impl Serialize for Moody {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }

    #[derive(Message, Debug)]
    #[message(name = "foreign")]
    struct Foreign {
        #[message(max_size = 8)]
        moody: Moody,
    }

    let error = encode(&Foreign { moody: Moody }).unwrap_err();
    assert!(matches!(error.fault, EncodeFault::Serialize(_)));
    assert_eq!(error.to_string(), "`Foreign.moody` cannot be sent: not today");

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    struct Address(u8);

    impl TryFrom<u8> for Address {
        type Error = &'static str;

        fn try_from(_: u8) -> Result<Self, Self::Error> {
            Err("no such address")
        }
    }

    #[derive(Message, Debug)]
    #[message(name = "address")]
    struct Connect {
        #[message(max_size = 1)]
        address: Address,
    }

    assert_eq!(fault_text::<Connect>(&[1]), "`Connect.address` cannot be read: no such address");

    #[derive(Message, Debug)]
    #[message(name = "small")]
    struct Small {
        #[message(max_size = 4)]
        list: Vec<u8>,
    }

    let text = "`Small.list` cannot be read: it takes 8 bytes, its `max_size` is 4";
    assert_eq!(fault_text::<Small>(&[0; 8]), text);
}

#[test]
fn what_cannot_be_read_is_named() {
    macro_rules! texts {
        ($($ty:ty: $bytes:expr => $text:literal;)*) => { $({
            #[derive(Message, Debug)]
            #[message(name = "one")]
            struct One {
                field: $ty,
            }

            assert_eq!(fault_text::<One>(&$bytes), concat!("`One.field` cannot be read: ", $text));
        })* };
    }

    texts! {
        u32: [1, 2, 3] => "the param ends too early";
        [u8; 4]: [1, 2, 3] => "the param ends too early";
        bool: [7] => "a `bool` is 0 or 1";
        Option<()>: [2] => "a `bool` is 0 or 1";
        char: [0xff] => "a `char` is one UTF-8 sequence";
        NonZeroU16: [0, 0] => "a non-zero number is zero";
        heapless::String<4>: [2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] => "the text is not UTF-8";
        heapless::String<4>: [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => "its length is 5, its bound is 4";
        arrayvec::ArrayVec<u8, 4>: [0xff; 12] => "its length is 18446744073709551615, its bound is 4";
        Duration: [0xff; 12] => "a `Duration` is out of range";
        SystemTime: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] => "a `SystemTime` is out of range";
        IpAddr: [2, 0, 0, 0, 1, 2, 3, 4] => "there is no variant 2";
        Result<u8, u8>: [3, 0, 0, 0, 0] => "there is no variant 3";
    }
}

#[test]
fn what_is_left_over_is_counted() {
    #[derive(Message, Debug)]
    #[message(name = "one")]
    struct One {
        field: u16,
    }

    assert_eq!(
        decode::<One>(&[1, 2, 3], []).unwrap_err().to_string(),
        "`One` takes 2 of the 3 bytes received"
    );
    let null = std::fs::File::open("/dev/null").unwrap();
    let error = decode::<One>(&[1, 2], [null.into()]).unwrap_err();
    assert_eq!(error.to_string(), "`One` has places for 0 of the 1 file descriptors received");
    let nulls = [(); 9].map(|()| std::fs::File::open("/dev/null").unwrap().into());
    let error = decode::<One>(&[1, 2], nulls).unwrap_err();
    assert_eq!(error.to_string(), "`One` came with 9 file descriptors, the limit is 8");
}

#[test]
fn faults_can_be_told_apart() {
    let error = decode::<All>(&[5, 0, 0, 0, 0, 0, 0, 0], []).unwrap_err();
    let mp_typed::DecodeError::Field { message, field, fault } = error else { panic!("{error}") };
    assert_eq!((message, field), ("All", "text"));
    assert!(matches!(fault, DecodeFault::TooLong { len: 5, max_len: 4 }));
}

fn fault_text<T: DecodeOwned + std::fmt::Debug>(bytes: &[u8]) -> String {
    decode::<T>(bytes, []).expect_err("the bytes are none").to_string()
}
