//! Any bytes, decoded as any type: no panic, no large allocation, and what is a value is one again after encoding it.
//!
//! Three programs give it bytes: the fuzz target, which a nightly compiler instruments (`cargo +nightly fuzz run decode
//! fuzz/corpus/decode fuzz/seeds -- -max_len=300 -malloc_limit_mb=1` in the root of the repository); `tests/replay.rs`,
//! which gives it the seeds and their neighbours on any compiler; and `examples/seeds.rs`, which writes the seeds.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    num::{NonZeroU16, Wrapping},
    time::{Duration, SystemTime},
};

use mp_typed::{Body, DecodeOwned, Message, Payload, Request, Response, decode, encode};

#[derive(Message)]
#[message(name = "scalars")]
struct Scalars {
    a: u8,
    b: i128,
    c: Option<f64>,
    d: char,
    e: (bool, NonZeroU16, Wrapping<i32>),
    f: [Option<char>; 3],
    g: Result<Duration, SystemTime>,
    h: (IpAddr, SocketAddr),
}

#[derive(Message)]
#[message(name = "lists")]
struct Lists {
    #[message(max_len = 16)]
    a: Option<String>,
    #[message(max_len = 4)]
    b: Vec<(u8, Option<u32>)>,
    #[message(max_len = 4)]
    c: BTreeMap<u16, bool>,
    #[message(max_len = 4)]
    d: BTreeSet<char>,
    #[message(max_len = 4)]
    e: VecDeque<u16>,
    f: heapless::String<8>,
    g: heapless::Vec<u16, 4>,
    h: arrayvec::ArrayVec<Nested, 2>,
    #[message(max_size = 24)]
    i: Vec<u64>,
}

#[derive(Payload)]
struct Nested {
    #[payload(max_len = 4)]
    text: String,
    number: u16,
}

#[derive(Request)]
#[message(name = "event", response = InC)]
enum Event {
    Quiet,
    Text(#[message(max_len = 32)] String),
    Nested { nested: [Nested; 2], mode: Mode },
}

#[derive(Payload)]
enum Mode {
    Poll,
    Interrupt(u16, Option<InnerC>),
}

#[derive(Response)]
#[message(layout = "C")]
struct InC {
    a: u8,
    b: [InnerC; 3],
    c: bool,
    d: f32,
}

#[derive(Payload)]
#[payload(layout = "C")]
struct InnerC {
    a: u16,
    b: u64,
    c: bool,
}

/// Decodes these bytes as each of the types.
///
/// # Panics
/// If what was decoded cannot be encoded, or is another value when it is decoded again.
pub fn decode_all(bytes: &[u8]) {
    check::<Scalars>(bytes);
    check::<Lists>(bytes);
    check::<Event>(bytes);
    check::<InC>(bytes);
    let text: Result<Borrowed<'_>, _> = decode(bytes, []);
    if let Ok(text) = text {
        assert_eq!(encode(&text).expect("it was decoded").param(), bytes);
    }
}

/// A value of each type, and of each variant, encoded.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    fn seed(name: &'static str, value: &impl Body) -> (&'static str, Vec<u8>) {
        (name, encode(value).expect("it fits").param().to_vec())
    }
    let nested = || Nested { text: "mp".to_owned(), number: 7 };
    let inner = |a| InnerC { a, b: u64::MAX, c: true };
    vec![
        seed(
            "scalars",
            &Scalars {
                a: 1,
                b: -2,
                c: Some(0.5),
                d: '\u{10ffff}',
                e: (true, NonZeroU16::MIN, Wrapping(-1)),
                f: [Some('a'), None, Some('é')],
                g: Err(SystemTime::UNIX_EPOCH),
                h: (IpAddr::from([127, 0, 0, 1]), SocketAddr::from(([0; 16], 80))),
            },
        ),
        seed(
            "lists",
            &Lists {
                a: Some("sixteen bytes ok".to_owned()),
                b: vec![(1, None), (2, Some(3))],
                c: BTreeMap::from([(1, true), (2, false)]),
                d: BTreeSet::from(['a', 'b']),
                e: VecDeque::from([1, 2, 3, 4]),
                f: heapless::String::try_from("heapless").expect("it fits"),
                g: heapless::Vec::from_slice(&[1, 2]).expect("it fits"),
                h: arrayvec::ArrayVec::from([nested(), nested()]),
                i: vec![1, 2],
            },
        ),
        seed("quiet", &Event::Quiet),
        seed("text", &Event::Text("a text".to_owned())),
        seed("polls", &Event::Nested { nested: [nested(), nested()], mode: Mode::Poll }),
        seed(
            "interrupts",
            &Event::Nested { nested: [nested(), nested()], mode: Mode::Interrupt(3, Some(inner(1))) },
        ),
        seed("in_c", &InC { a: 1, b: [inner(1), inner(2), inner(3)], c: true, d: 1.5 }),
        seed("borrowed", &Borrowed { text: "text", bytes: Some(&[0, 255]) }),
    ]
}

#[derive(Message)]
#[message(name = "borrowed")]
struct Borrowed<'a> {
    #[message(max_len = 100)]
    text: &'a str,
    #[message(max_len = 100)]
    bytes: Option<&'a [u8]>,
}

/// Decoding may forget (the order and repetition of map entries, padding, fractions of seconds beyond one), but only once.
fn check<T: DecodeOwned>(bytes: &[u8]) {
    let Ok(value) = decode::<T>(bytes, []) else { return };
    let encoded = encode(&value).expect("it was decoded");
    assert!(encoded.param().len() <= T::MAX_SIZE);
    let again: T = decode(encoded.param(), []).expect("it was encoded");
    assert_eq!(encode(&again).expect("it was decoded").param(), encoded.param());
}
