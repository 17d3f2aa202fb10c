//! What just fits compiles: 256 bytes and 8 descriptors, in every way of getting there. What is one
//! more does not; that side is `compile-fail/payload_257_every_way.rs` and
//! `compile-fail/fds_nine_every_way.rs`, the same ways in the same order.

use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

use mp_typed::{Body, Message, Payload, Request, Response};

#[derive(Payload)]
struct Inner([u8; 256]);

#[derive(Payload)]
struct Twice<T>(T, T);

#[derive(Payload)]
#[payload(layout = "C")]
struct InnerC(u64, u8, [u64; 30]);

macro_rules! messages_of_256_bytes {
    ($($name:ident($($content:tt)*))*) => {
        $(
            #[derive(Message)]
            #[message(name = "full")]
            #[allow(dead_code, reason = "only its size matters")]
            struct $name($($content)*);

            const _: () = assert!($name::MAX_SIZE == 256);
        )*
    };
}

messages_of_256_bytes! {
    Array([u8; 256])
    Fields([u8; 248], u64)
    Tuple((u8, [u16; 127], u8))
    Opt(Option<[u8; 255]>)
    Res(Result<[u8; 252], ()>)
    Nested(Inner)
    Generic(Twice<[u8; 128]>)
    Text(#[message(max_len = 248)] String)
    List(#[message(max_len = 62)] Vec<u32>)
    MaybeText(#[message(max_len = 247)] Option<String>)
    Map(#[message(max_len = 31)] BTreeMap<u32, u32>)
    Foreign(#[message(max_size = 256)] PathBuf)
    Heapless(heapless::String<248>)
    Arrays(arrayvec::ArrayVec<u8, 248>)
    MaybeFd([u8; 255], #[fd] Option<OwnedFd>)
    Fds([u8; 248], #[fd] #[message(max_len = 1)] Vec<OwnedFd>)
    NestedC(InnerC)
}

#[derive(Message)]
#[message(name = "event")]
#[allow(dead_code, clippy::large_enum_variant, reason = "only its size matters")]
enum Event {
    Small(u8),
    Large([u8; 252]),
}

const _: () = assert!(Event::MAX_SIZE == 256);

#[derive(Message)]
#[message(name = "c", layout = "C")]
struct InC([u8; 248], u64);

const _: () = assert!(InC::MAX_SIZE == 256);

#[derive(Response)]
struct Answer([u8; 256]);

#[derive(Request)]
#[message(name = "question", response = Answer)]
struct Question([u8; 256]);

macro_rules! messages_of_8_fds {
    ($($name:ident $(<$a:lifetime>)? ($($content:tt)*))*) => {
        $(
            #[derive(Message)]
            #[message(name = "full")]
            #[allow(dead_code, reason = "only its size matters")]
            struct $name $(<$a>)? ($($content)*);

            const _: () = assert!($name::MAX_FDS == 8);
        )*
    };
}

mod fds {
    use super::{Body, BorrowedFd, Message, OwnedFd};

    messages_of_8_fds! {
        Array(#[fd] [OwnedFd; 8])
        Fields(#[fd] [OwnedFd; 7], #[fd] OwnedFd)
        Maybe(#[fd] [OwnedFd; 7], #[fd] Option<OwnedFd>)
        MaybeArray(#[fd] Option<[OwnedFd; 8]>)
        ArrayMaybe(#[fd] [Option<OwnedFd>; 8])
        Nested(#[fd] [[OwnedFd; 4]; 2])
        List(#[fd] #[message(max_len = 8)] Vec<OwnedFd>)
        Heapless(#[fd] heapless::Vec<OwnedFd, 8>)
        Arrays(#[fd] arrayvec::ArrayVec<OwnedFd, 8>)
        Lent<'a>(#[fd] [BorrowedFd<'a>; 8])
    }

    #[derive(Message)]
    #[message(name = "event")]
    #[allow(dead_code, reason = "only its size matters")]
    enum Event {
        Few(#[fd] OwnedFd),
        Many {
            #[fd]
            first: [OwnedFd; 4],
            #[fd]
            second: [OwnedFd; 4],
        },
    }

    const _: () = assert!(Event::MAX_FDS == 8);
}

#[test]
fn a_full_message_goes_there_and_back() {
    let encoded = mp_typed::encode(&Question([7; 256])).map(|encoded| encoded.param().to_vec());
    let param = encoded.expect("all of it fits");
    assert_eq!(param, [7; 256]);
    assert_eq!(mp_typed::decode::<Answer>(&param, []).expect("it is any 256 bytes").0, [7; 256]);
    let text = Text("x".repeat(248));
    let param = mp_typed::encode(&text).map(|encoded| encoded.param().to_vec()).expect("all of it fits");
    assert_eq!(param.len(), 256);
    assert_eq!(mp_typed::decode::<Text>(&param, []).expect("it was encoded here").0, text.0);
    let c = InC([1; 248], 2);
    let encoded = mp_typed::encode(&c).expect("all of it fits");
    assert_eq!(encoded.param().len(), 256);
    let back: InC = mp_typed::decode(encoded.param(), []).expect("it was encoded here");
    assert_eq!((back.0, back.1), (c.0, c.1));
}
