//! Encoding and decoding, in this process, beside what the codec rests on.

use std::{hint::black_box, time::Instant};

use mp_typed::{Message, Payload};
use serde::{Deserialize, Serialize};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    args::Args,
    report::{Number, Report, Table},
    samples::{Ratio, median},
};

/// As messages are: some numbers, an enum, a nested value. 87 bytes at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "mixed")]
struct Mixed {
    port: u16,
    up: bool,
    speed: Option<u32>,
    duplex: Duplex,
    counters: Counters,
    queues: [u16; 8],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Payload)]
enum Duplex {
    Half,
    Full,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Payload)]
struct Counters {
    packets: u64,
    bytes: u64,
    errors: [u64; 4],
}

/// With a text, which is allocated for on receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(name = "labelled")]
struct Labelled {
    port: u16,
    #[message(max_len = 64)]
    label: String,
}

/// As C has it: 104 bytes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "in_c", layout = "C")]
struct InC {
    kind: u32,
    number: u32,
    counters: [u64; 12],
}

#[derive(Debug, Clone, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct PlainC {
    kind: u32,
    number: u32,
    counters: [u64; 12],
}

pub(super) fn run(args: &Args, report: &mut Report) {
    let mixed = Mixed {
        port: 7,
        up: true,
        speed: Some(100_000),
        duplex: Duplex::Full,
        counters: Counters { packets: 1, bytes: 2, errors: [3, 4, 5, 6] },
        queues: [1, 2, 3, 4, 5, 6, 7, 8],
    };
    let labelled = Labelled { port: 7, label: "eth0: uplink to the spine".to_owned() };
    let (in_c, plain_c) =
        (InC { kind: 1, number: 2, counters: [3; 12] }, PlainC { kind: 1, number: 2, counters: [3; 12] });
    let mut table = Table::new(["value", "mp-typed, ns", "plain, ns", "ratio"]);
    let mut compare = |name: &str, title: &str, ours: &mut dyn FnMut(), plain: &mut dyn FnMut()| {
        let (ours, plain) = turns(args, ours, plain);
        let ratio = Ratio::by_round(&ours, &plain);
        report.ratio(name, ratio);
        let cells = [median(ours), median(plain), ratio.value].map(|value| Number(value).to_string());
        table.row([title.to_owned()].into_iter().chain(cells));
    };
    compare("codec_vs_bincode", "numbers, beside bincode", &mut || by_us(&mixed), &mut || by_bincode(&mixed));
    compare("codec_vs_bincode/text", "a text, beside bincode", &mut || by_us(&labelled), &mut || {
        by_bincode(&labelled)
    });
    compare("codec_vs_zerocopy", "C layout, beside zerocopy", &mut || by_us(&in_c), &mut || {
        let mut param = [0_u8; 256];
        let value = black_box(&plain_c);
        value.write_to_prefix(&mut param).expect("it fits");
        let (back, _) = PlainC::read_from_prefix(black_box(&param)).expect("it is all there");
        assert!(back == plain_c);
    });
    report.section("Encoding and decoding", table.finish());
}

fn by_us<T: Message + mp_typed::DecodeOwned + PartialEq>(value: &T) {
    let encoded = mp_typed::encode(black_box(value)).expect("it fits");
    let back: T = mp_typed::decode(black_box(encoded.param()), []).expect("it is all there");
    assert!(back == *value);
}

fn by_bincode<T: Serialize + for<'de> Deserialize<'de> + PartialEq>(value: &T) {
    let config = bincode::config::standard().with_fixed_int_encoding().with_limit::<256>();
    let mut param = [0_u8; 256];
    let size = bincode::serde::encode_into_slice(black_box(value), &mut param, config).expect("it fits");
    let (back, used): (T, usize) =
        bincode::serde::borrow_decode_from_slice(black_box(&param[..size]), config).expect("all is there");
    assert!(back == *value && used == size);
}

/// Nanoseconds a run of each, in turns.
fn turns(args: &Args, one: &mut dyn FnMut(), other: &mut dyn FnMut()) -> (Vec<f64>, Vec<f64>) {
    let count = args.times(40_000);
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..count).for_each(|_| run());
        start.elapsed().as_nanos() as f64 / count as f64
    };
    // The first of each only warms up.
    time(one);
    time(other);
    (0..args.rounds() * 2).map(|_| (time(one), time(other))).unzip()
}
