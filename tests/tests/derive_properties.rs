//! What holds for all values of all field types.
//!
//! The types here derive serde's traits beside ours, so that bincode can encode them by itself: its
//! bytes are the standard.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};
use std::time::{Duration, SystemTime};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use mp_typed::{DecodeError, DecodeOwned, Message, Payload, decode, encode};
use proptest::collection::{btree_map, btree_set, hash_map, hash_set, vec, vec_deque};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

type Config = Configuration<LittleEndian, Fixint, Limit<256>>;
const CONFIG: Config = bincode::config::standard().with_fixed_int_encoding().with_limit::<256>();

/// What holds for a value that can be sent.
fn check<T: Message + DecodeOwned + Serialize + DeserializeOwned + Debug>(value: &T) {
    let encoded = encode(value).expect("the strategies keep the bounds");
    let param = encoded.param();
    let standard = bincode::serde::encode_to_vec(value, CONFIG).expect("it fits");
    assert_eq!(param, standard, "the bytes are bincode's own");
    assert!(param.len() <= T::MAX_SIZE, "{} bytes, at most {}", param.len(), T::MAX_SIZE);

    let back: T = decode(param, []).expect("it was encoded here");
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
    for end in 0..param.len() {
        assert!(decode::<T>(&param[..end], []).is_err(), "{end} of {} bytes are not enough", param.len());
    }
    let mut longer = param.to_vec();
    longer.push(0);
    assert!(matches!(decode::<T>(&longer, []), Err(DecodeError::TrailingBytes { .. })));
}

/// What holds for bytes from anywhere: if they are a value, then one that bincode finds in them
/// too.
fn survive<T: DecodeOwned + Serialize + DeserializeOwned + Debug>(bytes: &[u8]) {
    let ours: Result<T, _> = decode(bytes, []);
    let standard = bincode::serde::decode_from_slice::<T, _>(bytes, CONFIG);
    if let Ok(ours) = ours {
        let (standard, used) = standard.expect("bincode agrees");
        assert_eq!(used, bytes.len());
        assert_eq!(format!("{ours:?}"), format!("{standard:?}"));
    }
}

macro_rules! messages {
    ($($test:ident: $name:ident { $($(#[$attr:meta])* $field:ident: $ty:ty = $strategy:expr,)* })*) => {
        $(
            #[derive(Message, Serialize, Deserialize, Clone, Debug)]
            #[message(name = "m")]
            struct $name {
                $($(#[$attr])* $field: $ty,)*
            }
        )*

        proptest! {
            $(
                #[test]
                fn $test($($field in $strategy),*) {
                    check(&$name { $($field),* });
                }
            )*

            #[test]
            fn any_bytes_are_survived(bytes in vec(byte(), 0..300)) {
                $(survive::<$name>(&bytes);)*
                survive::<Event>(&bytes);
            }

            #[test]
            fn any_change_is_survived(
                event in event(), at in any::<prop::sample::Index>(), change in 1_u8..,
            ) {
                let mut bytes = encode(&event).expect("the strategies keep the bounds").param().to_vec();
                let at = at.index(bytes.len());
                bytes[at] ^= change;
                survive::<Event>(&bytes);
            }
        }
    };
}

messages! {
    unsigned_integers: Unsigned {
        a: u8 = any::<u8>(), b: u16 = any::<u16>(), c: u32 = any::<u32>(), d: u64 = any::<u64>(),
        e: u128 = any::<u128>(), f: usize = any::<usize>(),
    }
    signed_integers: Signed {
        a: i8 = any::<i8>(), b: i16 = any::<i16>(), c: i32 = any::<i32>(), d: i64 = any::<i64>(),
        e: i128 = any::<i128>(), f: isize = any::<isize>(),
    }
    other_scalars: Scalars {
        a: f32 = any::<f32>(), b: f64 = any::<f64>(), c: bool = any::<bool>(), d: char = any::<char>(),
        e: () = Just(()), f: PhantomData<String> = Just(PhantomData), g: Wrapping<u32> = any::<Wrapping<u32>>(),
    }
    non_zero_unsigned: NonZeroUnsigned {
        a: NonZeroU8 = any::<NonZeroU8>(), b: NonZeroU16 = any::<NonZeroU16>(), c: NonZeroU32 = any::<NonZeroU32>(),
        d: NonZeroU64 = any::<NonZeroU64>(), e: NonZeroU128 = any::<NonZeroU128>(),
        f: NonZeroUsize = any::<NonZeroUsize>(),
    }
    non_zero_signed: NonZeroSigned {
        a: NonZeroI8 = any::<NonZeroI8>(), b: NonZeroI16 = any::<NonZeroI16>(), c: NonZeroI32 = any::<NonZeroI32>(),
        d: NonZeroI64 = any::<NonZeroI64>(), e: NonZeroI128 = any::<NonZeroI128>(),
        f: NonZeroIsize = any::<NonZeroIsize>(),
    }
    compounds: Compounds {
        a: [u8; 32] = any::<[u8; 32]>(), b: [[u16; 3]; 2] = any::<[[u16; 3]; 2]>(),
        c: Option<u64> = any::<Option<u64>>(), d: Option<Option<[u8; 3]>> = any::<Option<Option<[u8; 3]>>>(),
        e: Result<u16, char> = any::<Result<u16, char>>(), f: (u8,) = any::<(u8,)>(),
        g: (u8, u16, (bool, char)) = any::<(u8, u16, (bool, char))>(), h: [Option<u8>; 4] = any::<[Option<u8>; 4]>(),
    }
    long_tuples: Tuples {
        a: (u8, u8, u8, u8) = any::<(u8, u8, u8, u8)>(),
        b: (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8) = any::<(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8)>(),
        c: (i8, u8, i16, u16, i32, u32, i64, u64, bool, bool, bool, char)
            = any::<((i8, u8, i16, u16, i32, u32), (i64, u64, bool, bool, bool, char))>()
                .prop_map(|((a, b, c, d, e, f), (g, h, i, j, k, l))| (a, b, c, d, e, f, g, h, i, j, k, l)),
    }
    times: Times {
        a: Duration = any::<Duration>(), b: SystemTime = since_1970(), c: Option<Duration> = any::<Option<Duration>>(),
    }
    addresses: Addresses {
        a: Ipv4Addr = any::<Ipv4Addr>(), b: Ipv6Addr = any::<Ipv6Addr>(), c: IpAddr = any::<IpAddr>(),
        d: SocketAddrV4 = any::<SocketAddrV4>(), e: SocketAddrV6 = socket_v6(),
        f: SocketAddr = prop_oneof![any::<SocketAddrV4>().prop_map(Into::into), socket_v6().prop_map(Into::into)],
    }
    bounded_text: Text {
        #[message(max_len = 40)] a: String = text(40),
        #[message(max_len = 20)] b: Option<String> = prop::option::of(text(20)),
        c: heapless::String<30> = text(30).prop_map(|text| text.as_str().try_into().expect("it is short enough")),
        d: arrayvec::ArrayString<16> = text(16).prop_map(|text| text.as_str().try_into().expect("it is short enough")),
    }
    bounded_lists: Lists {
        #[message(max_len = 20)] a: Vec<u8> = vec(any::<u8>(), 0..=20),
        #[message(max_len = 4)] b: Vec<(u8, Option<u32>)> = vec(any::<(u8, Option<u32>)>(), 0..=4),
        #[message(max_len = 3)] c: Option<Vec<[u16; 2]>> = any::<Option<[[u16; 2]; 3]>>().prop_map(|list| list.map(Vec::from)),
        #[message(max_len = 4)] d: VecDeque<u16> = vec_deque(any::<u16>(), 0..=4),
        e: heapless::Vec<u32, 4> = vec(any::<u32>(), 0..=4).prop_map(|list| list.into_iter().collect()),
        f: arrayvec::ArrayVec<Nested, 3> = vec(nested(), 0..=3).prop_map(|list| list.into_iter().collect()),
    }
    bounded_sets_and_maps: Maps {
        #[message(max_len = 4)] a: BTreeMap<u16, bool> = btree_map(any::<u16>(), any::<bool>(), 0..=4),
        #[message(max_len = 4)] b: BTreeSet<char> = btree_set(any::<char>(), 0..=4),
        #[message(max_len = 1)] c: HashMap<u8, Nested> = hash_map(any::<u8>(), nested(), 0..=1),
        #[message(max_len = 1)] d: HashSet<[u8; 4]> = hash_set(any::<[u8; 4]>(), 0..=1),
        #[message(max_len = 2)] e: Option<BTreeMap<u8, ()>> = prop::option::of(btree_map(any::<u8>(), Just(()), 0..=2)),
    }
    foreign_types: Foreign {
        #[message(max_size = 32)] a: std::ops::Range<u64> = any::<std::ops::Range<u64>>(),
        #[message(max_size = 40)] b: Vec<String> = vec(text(4), 0..=2),
        #[message(max_size = 16)] c: std::num::Saturating<u32> = any::<u32>().prop_map(std::num::Saturating),
    }
    nested_payloads: Payloads {
        a: Nested = nested(), b: [Nested; 2] = [nested(), nested()], c: Option<Nested> = prop::option::of(nested()),
        d: Pair<u16> = any::<(u16, u16)>().prop_map(|(first, second)| Pair { first, second, list: [second; 2] }),
        e: Unit = Just(Unit), f: Newtype = any::<u64>().prop_map(Newtype), g: Mode = mode(),
    }
}

#[derive(Payload, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
struct Nested {
    number: u16,
    #[payload(max_len = 4)]
    text: String,
}

#[derive(Payload, Serialize, Deserialize, Clone, Debug)]
struct Pair<T> {
    first: T,
    second: T,
    list: [T; 2],
}

#[derive(Payload, Serialize, Deserialize, Clone, Debug)]
struct Unit;

#[derive(Payload, Serialize, Deserialize, Clone, Debug)]
#[serde(rename = "other", rename_all = "camelCase")]
struct Newtype(u64);

#[derive(Payload, Serialize, Deserialize, Clone, Debug)]
#[repr(u8)]
enum Mode {
    Poll = 0,
    Interrupt {
        #[payload(max_size = 16)]
        range: std::ops::Range<u32>,
    } = FIRST_QUEUE,
    Both(u8, Option<Newtype>) = FIRST_QUEUE + 1,
}

const FIRST_QUEUE: u8 = 1;

#[derive(Message, Serialize, Deserialize, Clone, Debug)]
#[message(name = "event")]
enum Event {
    Quiet,
    Up(u16, #[message(max_len = 8)] String),
    Down {
        reason: Mode,
        #[message(max_len = 8)]
        queues: Vec<u16>,
    },
}

proptest! {
    #[test]
    fn enums(event in event()) {
        check(&event);
    }

    #[test]
    fn arrays_of_any_length(bytes in vec(any::<u8>(), 200), words in vec(any::<u16>(), 28)) {
        #[derive(Message)]
        #[message(name = "long")]
        struct Long {
            bytes: [u8; 200],
            words: [u16; 28],
        }

        let long = Long {
            bytes: bytes.as_slice().try_into().expect("the strategy makes as many"),
            words: words.as_slice().try_into().expect("the strategy makes as many"),
        };
        let standard: Vec<u8> = bytes.iter().copied().chain(words.iter().flat_map(|word| word.to_le_bytes())).collect();
        let encoded = encode(&long).expect("it has no bounds");
        prop_assert_eq!(encoded.param(), standard);
        let back: Long = decode(encoded.param(), []).expect("it was encoded here");
        prop_assert_eq!((back.bytes, back.words), (long.bytes, long.words));
    }

    #[test]
    fn borrowed_text_and_bytes(text in text(40), bytes in vec(any::<u8>(), 0..=40)) {
        #[derive(Message, Serialize, Debug, PartialEq)]
        #[message(name = "borrowed")]
        struct Borrowed<'a> {
            #[message(max_len = 40)]
            text: &'a str,
            #[message(max_len = 40)]
            bytes: &'a [u8],
            #[message(max_len = 40)]
            maybe: Option<&'a str>,
        }

        let borrowed = Borrowed { text: &text, bytes: &bytes, maybe: Some(&text) };
        let encoded = encode(&borrowed).expect("the strategies keep the bounds");
        prop_assert_eq!(encoded.param(), bincode::serde::encode_to_vec(&borrowed, CONFIG).expect("it fits"));
        let back: Borrowed<'_> = decode(encoded.param(), []).expect("it was encoded here");
        prop_assert_eq!(&back, &borrowed);
    }
}

/// Small numbers more often than others, because those are lengths and variants.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => 0_u8..4, 1 => any::<u8>()]
}

/// Text of at most `max_len` bytes.
fn text(max_len: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..=max_len).prop_map(move |chars| {
        let mut text = String::new();
        for char in chars {
            if text.len() + char.len_utf8() <= max_len {
                text.push(char);
            }
        }
        text
    })
}

fn since_1970() -> impl Strategy<Value = SystemTime> {
    (0..i64::MAX as u64, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos))
}

/// The flow and the scope of an address do not travel, neither in serde's encoding nor in ours.
fn socket_v6() -> impl Strategy<Value = SocketAddrV6> {
    any::<(Ipv6Addr, u16)>().prop_map(|(ip, port)| SocketAddrV6::new(ip, port, 0, 0))
}

fn nested() -> impl Strategy<Value = Nested> {
    (any::<u16>(), text(4)).prop_map(|(number, text)| Nested { number, text })
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Poll),
        any::<std::ops::Range<u32>>().prop_map(|range| Mode::Interrupt { range }),
        any::<(u8, Option<u64>)>().prop_map(|(number, maybe)| Mode::Both(number, maybe.map(Newtype))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Quiet),
        (any::<u16>(), text(8)).prop_map(|(port, name)| Event::Up(port, name)),
        (mode(), vec(any::<u16>(), 0..=8)).prop_map(|(reason, queues)| Event::Down { reason, queues }),
    ]
}
