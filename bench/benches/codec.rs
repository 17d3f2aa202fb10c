//! Encoding plus decoding of a typical message, against bincode on the plain serde struct of the same fields.
//!
//! Both sides run in turns in one process, and what counts is the ratio of the medians: machines differ, the ratio hardly
//! does. Run with `cargo bench -p bench --bench codec`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use mp_typed::{Payload, Request};
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 401;
const CALLS: u32 = 2_000;

type Config = Configuration<LittleEndian, Fixint, Limit<256>>;
const CONFIG: Config = bincode::config::standard().with_fixed_int_encoding().with_limit::<256>();

#[derive(Request, Clone, Debug, PartialEq)]
#[message(name = "ring_open", response = ())]
struct OpenRing {
    port: u16,
    queue: u32,
    flags: u64,
    enabled: bool,
    geometry: Geometry,
    mac: [u8; 6],
    node: Option<u32>,
    mode: Mode,
    #[message(max_len = 32)]
    label: String,
}

#[derive(Payload, Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Geometry {
    slots: u32,
    head: [u64; 4],
}

#[derive(Payload, Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Mode {
    Poll,
    Interrupt { vector: u16, moderation: u32 },
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Plain {
    port: u16,
    queue: u32,
    flags: u64,
    enabled: bool,
    geometry: Geometry,
    mac: [u8; 6],
    node: Option<u32>,
    mode: Mode,
    label: String,
}

fn main() {
    let (ours, plain) = values();
    assert_eq!(ours_encoded(&ours), plain_encoded(&plain), "both sides do the same work");

    let (mut ours_times, mut plain_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours_times.push(time(|| ours_there_and_back(black_box(&ours))));
        plain_times.push(time(|| plain_there_and_back(black_box(&plain))));
    }
    let (ours, plain) = (median(ours_times), median(plain_times));
    let per_call = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(CALLS);
    println!("encode + decode, {} bytes, median of {ROUNDS} rounds", plain_encoded(&values().1).len());
    println!("  mp-typed        {:6.1} ns", per_call(ours));
    println!("  bincode, serde  {:6.1} ns", per_call(plain));
    println!("  ratio           {:6.2}", ours.as_secs_f64() / plain.as_secs_f64());
}

fn ours_there_and_back(value: &OpenRing) {
    let encoded = mp_typed::encode(value).expect("it keeps its bounds");
    let back: OpenRing = mp_typed::decode(black_box(encoded.param()), []).expect("it was encoded here");
    black_box(back);
}

fn plain_there_and_back(value: &Plain) {
    let mut buffer = [0; 256];
    let len = bincode::serde::encode_into_slice(value, &mut buffer, CONFIG).expect("it fits");
    let (back, used): (Plain, usize) =
        bincode::serde::decode_from_slice(black_box(&buffer[..len]), CONFIG).expect("it was encoded here");
    assert_eq!(used, len);
    black_box(back);
}

fn time(mut there_and_back: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..CALLS {
        there_and_back();
    }
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ours_encoded(value: &OpenRing) -> Vec<u8> {
    mp_typed::encode(value).expect("it keeps its bounds").param().to_vec()
}

fn plain_encoded(value: &Plain) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, CONFIG).expect("it fits")
}

fn values() -> (OpenRing, Plain) {
    let geometry = Geometry { slots: 1024, head: [1, 2, 3, u64::MAX] };
    let mode = Mode::Interrupt { vector: 7, moderation: 125_000 };
    let (mac, node, label) = ([2, 0, 0, 0, 0, 1], Some(1), "rx-queue-3".to_owned());
    let plain = Plain {
        port: 3,
        queue: 17,
        flags: 0x8000_0000_0000_0001,
        enabled: true,
        geometry,
        mac,
        node,
        mode,
        label,
    };
    let Plain { port, queue, flags, enabled, geometry, mac, node, mode, label } = plain.clone();
    (OpenRing { port, queue, flags, enabled, geometry, mac, node, mode, label }, plain)
}
