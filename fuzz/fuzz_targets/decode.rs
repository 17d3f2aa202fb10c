//! Any bytes, decoded as any type: no panic, no large allocation, and what is a value is one again after encoding it.
//!
//! `cargo +nightly fuzz run decode -- -max_len=300 -malloc_limit_mb=1` in the root of the repository.

#![no_main]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, Wrapping};
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use mp_typed::{DecodeOwned, Message, Payload, Request, Response, decode, encode};

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

fuzz_target!(|bytes: &[u8]| {
    check::<Scalars>(bytes);
    check::<Lists>(bytes);
    check::<Event>(bytes);
    check::<InC>(bytes);
    let text: Result<Borrowed<'_>, _> = decode(bytes, []);
    if let Ok(text) = text {
        assert_eq!(encode(&text).expect("it was decoded").param(), bytes);
    }
});

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
