//! Encoding by the schema is encoding by the type, both ways, whatever the type.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    num::{NonZeroI64, NonZeroU16},
    os::fd::{AsRawFd, OwnedFd},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arrayvec::{ArrayString, ArrayVec};
use mp_typed::{Body as Typed, DecodeOwned, Layouts, Message, Payload, Request, Response, decode, encode};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Clone, Message)]
#[message(name = "leaves")]
struct Leaves {
    unsigned: (u8, u16, u32, u64, u128, usize),
    signed: (i8, i16, i32, i64, i128, isize),
    floats: (f32, f64),
    others: (bool, char, NonZeroU16, NonZeroI64),
    times: (Duration, SystemTime),
    addresses: (Ipv4Addr, Ipv6Addr, IpAddr),
    sockets: (SocketAddrV4, SocketAddrV6, SocketAddr),
}

#[derive(Debug, Clone, Payload)]
struct Inner {
    x: u16,
    y: [i16; 2],
}

#[derive(Debug, Clone, Payload)]
struct Wrapped(u32);

#[derive(Debug, Clone, Payload)]
struct Nothing;

#[derive(Debug, Clone, Payload)]
enum Sort {
    Quiet,
    Up(u16),
    Down { why: u8, at: Option<Inner> },
    Pair(u8, bool),
}

#[derive(Debug, Message)]
#[message(name = "nested")]
struct Nested {
    inner: Inner,
    #[message(max_len = 3)]
    list: Vec<Inner>,
    sorts: [Sort; 2],
    optional: Option<Option<u8>>,
    tuple: (u8, (i32,), ()),
    result: Result<Wrapped, Sort>,
    nothing: Nothing,
    perhaps_nothing: Option<Nothing>,
}

#[derive(Debug, Message)]
#[message(name = "growing")]
struct Growing {
    #[message(max_len = 12)]
    text: String,
    #[message(max_len = 6)]
    perhaps: Option<String>,
    array_text: ArrayString<8>,
    heapless_text: heapless::String<8>,
    #[message(max_len = 6)]
    bytes: Vec<u8>,
    label: [u8; 8],
    vector: ArrayVec<Inner, 2>,
    heapless_vector: heapless::Vec<u16, 3>,
    #[message(max_len = 2)]
    map: BTreeMap<u8, u16>,
    #[message(max_len = 2)]
    texts: BTreeMap<ArrayString<4>, bool>,
    #[message(max_len = 2)]
    set: BTreeSet<u16>,
}

#[derive(Debug, Clone, Message)]
#[message(name = "event")]
enum Event {
    Quiet,
    Up(u16),
    Down { why: ArrayString<9>, inner: Inner },
    Pair(u8, Sort),
}

#[derive(Debug, Clone, Payload)]
#[payload(layout = "C")]
struct CInner {
    kind: u8,
    count: u32,
}

#[derive(Debug, Clone, Payload)]
#[payload(layout = "C")]
#[repr(align(16))]
struct Aligned {
    flag: bool,
    rates: [f32; 3],
}

#[derive(Debug, Message)]
#[message(name = "c", layout = "C")]
struct InC {
    kind: u8,
    #[fd]
    memory: OwnedFd,
    inner: [CInner; 2],
    name: [u8; 6],
    aligned: Aligned,
    rate: f64,
    #[fd]
    log: Option<OwnedFd>,
    grid: [[u16; 3]; 2],
    r#int: i64,
}

#[derive(Debug, Message)]
#[message(name = "mixed")]
struct WithCInside {
    before: u8,
    inner: CInner,
    perhaps: Option<CInner>,
    after: u8,
}

#[derive(Debug, Message)]
#[message(name = "files")]
struct Files {
    count: u8,
    #[fd]
    one: OwnedFd,
    #[fd]
    perhaps: Option<OwnedFd>,
    #[fd]
    two: [OwnedFd; 2],
    #[fd]
    #[message(max_len = 3)]
    some: Vec<OwnedFd>,
    after: u16,
}

#[derive(Debug, Request)]
#[message(name = "open", response = Result<Opened, Failed>)]
struct Open {
    port: u16,
}

#[derive(Debug, Response)]
struct Opened {
    slots: u32,
    #[fd]
    memory: OwnedFd,
}

#[derive(Debug, Response)]
enum Failed {
    NoSuchPort { ports: u16 },
    Busy,
}

fn description(layouts: &Layouts) -> Description {
    Description::try_from(Told(&layouts.to_json())).expect("it is understood")
}

fn definition(layouts: &Layouts) -> Definition {
    let mut actions = description(layouts).actions;
    actions.remove(0).definition.expect("it has a type")
}

fn body<M: Message>() -> Body {
    definition(&Layouts::new().message::<M>()).body
}

fn place(field: &str, at: usize) -> Value {
    json!(format!("{field} {at}"))
}

/// The JSON without what it shows of descriptors, and the fields that they belong to, in order.
fn without_fds(mut value: Value, fds: usize) -> (Value, Vec<String>) {
    let mut fields = vec![String::new(); fds];
    fn take(value: &mut Value, fields: &mut [String]) -> bool {
        match value {
            Value::String(text) => match text.split_once(' ').map(|(field, at)| (field, at.parse::<usize>()))
            {
                Some((field, Ok(at))) if at < fields.len() => {
                    fields[at] = field.to_owned();
                    true
                }
                _ => false,
            },
            Value::Array(all) => {
                let before = all.len();
                all.iter_mut().for_each(|one| _ = take(one, fields));
                before > 0 && all.iter().all(|one| one.as_str().is_some_and(|text| text.contains(' ')))
            }
            Value::Object(object) => {
                object.retain(|_, value| !take(value, fields));
                false
            }
            _ => false,
        }
    }
    take(&mut value, &mut fields);
    (value, fields)
}

/// What the type encodes, the schema reads; and what it read, it writes as the type did.
fn agree<M: Message + Typed>(value: &M) -> Result<Value, TestCaseError> {
    let encoded = encode(value).expect("it keeps its promises");
    let body = body::<M>();
    prop_assert!(body.ty.min() <= encoded.param().len() && encoded.param().len() <= body.max);
    prop_assert_eq!(body.max, M::MAX_SIZE);
    let count = encoded.fds().len();
    let read = read(&body, encoded.param(), count, &mut place)
        .map_err(|fault| TestCaseError::fail(format!("{fault}: {value:?}", value = encoded.param())))?;
    let (shown, fields) = without_fds(read.clone(), count);
    let written =
        write(&body, &shown, &fields).map_err(|fault| TestCaseError::fail(format!("{fault}: {shown}")))?;
    prop_assert_eq!(&written.bytes, encoded.param(), "{}", shown);
    prop_assert_eq!(written.fds, (0..count).collect::<Vec<_>>());
    Ok(read)
}

/// Bytes that are no value of the type are none by the schema either, and the other way round.
fn agree_on<M: Message + DecodeOwned>(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (typed, read) = (decode::<M>(bytes, []), read(&body::<M>(), bytes, 0, &mut place));
    prop_assert_eq!(typed.is_ok(), read.is_ok(), "{:?} and {:?}: {:?}", typed.err(), read, bytes);
    Ok(())
}

/// The bytes with one of them changed, or cut off behind it, or with one more.
fn spoilt(bytes: &[u8], (at, to, cut): (usize, u8, bool)) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at % (bytes.len() + 1);
    match bytes.get_mut(at) {
        Some(byte) => *byte = to,
        None => bytes.push(to),
    }
    if cut {
        bytes.truncate(at);
    }
    bytes
}

fn spoiling() -> impl Strategy<Value = (usize, u8, bool)> {
    (any::<usize>(), prop_oneof![0..3_u8, any::<u8>()], any::<bool>())
}

prop_compose! {
    fn duration()(seconds in any::<u64>(), nanos in 0..1_000_000_000_u32) -> Duration { Duration::new(seconds, nanos) }
}

prop_compose! {
    fn leaves()(
        unsigned in any::<(u8, u16, u32, u64, u128, usize)>(),
        signed in any::<(i8, i16, i32, i64, i128, isize)>(),
        floats in any::<(f32, f64)>(),
        others in any::<(bool, char, NonZeroU16, NonZeroI64)>(),
        since in (0..i64::MAX as u64, 0..1_000_000_000_u32),
        time in duration(),
        addresses in any::<(Ipv4Addr, Ipv6Addr, IpAddr)>(),
        (v4, v6, port, other) in any::<(Ipv4Addr, Ipv6Addr, u16, IpAddr)>(),
    ) -> Leaves {
        let times = (time, UNIX_EPOCH + Duration::new(since.0, since.1));
        let sockets = (
            SocketAddrV4::new(v4, port), SocketAddrV6::new(v6, port, 0, 0), SocketAddr::new(other, port),
        );
        Leaves { unsigned, signed, floats, others, times, addresses, sockets }
    }
}

prop_compose! {
    fn inner()(x in any::<u16>(), y in any::<[i16; 2]>()) -> Inner { Inner { x, y } }
}

fn sort() -> impl Strategy<Value = Sort> {
    prop_oneof![
        Just(Sort::Quiet),
        any::<u16>().prop_map(Sort::Up),
        (any::<u8>(), option::of(inner())).prop_map(|(why, at)| Sort::Down { why, at }),
        any::<(u8, bool)>().prop_map(|(one, other)| Sort::Pair(one, other)),
    ]
}

prop_compose! {
    fn nested()(
        inner in inner(),
        list in vec(inner(), 0..=3),
        one in sort(),
        other in sort(),
        optional in option::of(option::of(any::<u8>())),
        (byte, number) in any::<(u8, i32)>(),
        result in prop_oneof![any::<u32>().prop_map(|n| Ok(Wrapped(n))), sort().prop_map(Err)],
        perhaps_nothing in option::of(Just(Nothing)),
    ) -> Nested {
        let (sorts, tuple) = ([one, other], (byte, (number,), ()));
        Nested { inner, list, sorts, optional, tuple, result, nothing: Nothing, perhaps_nothing }
    }
}

fn short(most: usize) -> impl Strategy<Value = String> {
    ".{0,9}".prop_map(move |mut text: String| {
        while text.len() > most {
            text.pop();
        }
        text
    })
}

prop_compose! {
    fn growing()(
        text in short(12),
        perhaps in option::of(short(6)),
        array_text in short(8),
        heapless_text in short(8),
        bytes in vec(any::<u8>(), 0..=6),
        label in prop_oneof![any::<[u8; 8]>(), Just(*b"eth0\0\0\0\0"), Just([0; 8])],
        vector in vec(inner(), 0..=2),
        heapless_vector in vec(any::<u16>(), 0..=3),
        map in proptest::collection::btree_map(any::<u8>(), any::<u16>(), 0..=2),
        texts in proptest::collection::btree_map(short(4), any::<bool>(), 0..=2),
        set in proptest::collection::btree_set(any::<u16>(), 0..=2),
    ) -> Growing {
        Growing {
            text, perhaps, bytes, label, map, set,
            array_text: ArrayString::from(&array_text).expect("short"),
            heapless_text: heapless::String::try_from(heapless_text.as_str()).expect("short"),
            vector: vector.into_iter().collect(),
            heapless_vector: heapless_vector.into_iter().collect(),
            texts: texts.iter().map(|(key, on)| (ArrayString::from(key).expect("short"), *on)).collect(),
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Quiet),
        any::<u16>().prop_map(Event::Up),
        (short(9), inner())
            .prop_map(|(why, inner)| Event::Down { why: ArrayString::from(&why).expect("short"), inner }),
        (any::<u8>(), sort()).prop_map(|(one, other)| Event::Pair(one, other)),
    ]
}

fn null() -> OwnedFd {
    File::open("/dev/null").expect("it is there").into()
}

prop_compose! {
    fn in_c_layout()(
        kind in any::<u8>(),
        inner in any::<[(u8, u32); 2]>(),
        name in any::<[u8; 6]>(),
        (flag, rates, rate) in any::<(bool, [f32; 3], f64)>(),
        has_log in any::<bool>(),
        grid in any::<[[u16; 3]; 2]>(),
        int in any::<i64>(),
    ) -> InC {
        InC {
            kind, name, rate, grid, int,
            memory: null(),
            inner: inner.map(|(kind, count)| CInner { kind, count }),
            aligned: Aligned { flag, rates },
            log: has_log.then(null),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_leaves(value in leaves(), spoiling in spoiling()) {
        agree(&value)?;
        agree_on::<Leaves>(&spoilt(encode(&value).expect("fits").param(), spoiling))?;
    }

    #[test]
    fn of_types_in_types(value in nested(), spoiling in spoiling()) {
        let json = agree(&value)?;
        prop_assert_eq!(noted(&body::<Nested>(), &json), format!("{value:?}"));
        agree_on::<Nested>(&spoilt(encode(&value).expect("fits").param(), spoiling))?;
    }

    #[test]
    fn of_what_grows(value in growing(), spoiling in spoiling()) {
        agree(&value)?;
        agree_on::<Growing>(&spoilt(encode(&value).expect("fits").param(), spoiling))?;
    }

    #[test]
    fn of_enums(value in event(), spoiling in spoiling()) {
        let json = agree(&value)?;
        prop_assert_eq!(noted(&body::<Event>(), &json), format!("{value:?}"));
        agree_on::<Event>(&spoilt(encode(&value).expect("fits").param(), spoiling))?;
    }

    #[test]
    fn of_c_structs_with_descriptors(value in in_c_layout()) {
        agree(&value)?;
    }

    #[test]
    fn of_c_structs_inside_of_others(
        (before, after, kind, count) in any::<(u8, u8, u8, u32)>(),
        is_there in any::<bool>(),
        spoiling in spoiling(),
    ) {
        let inner = CInner { kind, count };
        let value = WithCInside { before, perhaps: is_there.then(|| inner.clone()), inner, after };
        agree(&value)?;
        agree_on::<WithCInside>(&spoilt(encode(&value).expect("fits").param(), spoiling))?;
    }

    #[test]
    fn of_descriptors(perhaps in any::<bool>(), some in 0..4_usize, (count, after) in any::<(u8, u16)>()) {
        let some = (0..some).map(|_| null()).collect();
        let value = Files { count, one: null(), perhaps: perhaps.then(null), two: [null(), null()], some, after };
        agree(&value)?;
    }

    #[test]
    fn whatever_bytes_come_reading_ends(bytes in vec(any::<u8>(), 0..=256), fds in 0..9_usize) {
        for body in [body::<Nested>(), body::<Growing>(), body::<Event>(), body::<InC>(), body::<Files>()] {
            let _ = read(&body, &bytes, fds, &mut place);
        }
    }
}

#[test]
fn values_look_as_serde_has_them() {
    let down =
        Event::Down { why: ArrayString::from("link").expect("short"), inner: Inner { x: 1, y: [2, -3] } };
    let of = |event: &Event| agree(event).expect("it agrees");
    assert_eq!(of(&Event::Quiet), json!("Quiet"));
    assert_eq!(of(&Event::Up(7)), json!({"Up": 7}));
    assert_eq!(of(&down), json!({"Down": {"why": "link", "inner": {"x": 1, "y": [2, -3]}}}));
    assert_eq!(of(&Event::Pair(1, Sort::Quiet)), json!({"Pair": [1, "Quiet"]}));
}

#[test]
fn a_value_is_noted_as_one_would_write_it() {
    let growing = body::<Growing>();
    let json = json!({
        "text": "a\"b", "perhaps": null, "array_text": "", "heapless_text": "x", "bytes": {"hex": "00ff"},
        "label": "eth0", "vector": [{"x": 1, "y": [2, -3]}], "heapless_vector": [], "map": [[1, 2]],
        "texts": {"on": true}, "set": [7],
    });
    let bytes = write(&growing, &json, &[]).expect("all are taken").bytes;
    let value = read(&growing, &bytes, 0, &mut place).expect("it is one");
    assert_eq!(
        noted(&growing, &value),
        "Growing { text: \"a\\\"b\", perhaps: None, array_text: \"\", heapless_text: \"x\", bytes: [0, 255], \
         label: b\"eth0\", vector: [Inner { x: 1, y: [2, -3] }], heapless_vector: [], map: {1: 2}, \
         texts: {\"on\": true}, set: [7] }"
    );
    let leaves = json!({
        "unsigned": [1, 2, 3, 4, "340282366920938463463374607431768211455", 0],
        "signed": [-1, 0, 0, 0, 0, 0], "floats": [0.5, "NaN"], "others": [true, "'", 1, -1],
        "times": ["1m 30s", "2026-01-31T12:00:00Z"], "addresses": ["10.0.0.1", "fe80::1", "::1"],
        "sockets": ["10.0.0.1:80", "[fe80::1]:80", "10.0.0.1:80"],
    });
    let leaf = noted(&body::<Leaves>(), &leaves);
    assert!(leaf.contains("4, 340282366920938463463374607431768211455, 0)"), "{leaf}");
    assert!(leaf.contains("others: (true, '\\'', 1, -1), times: (1m 30s, 2026-01-31T12:00:00Z)"), "{leaf}");
    let response = definition(&Layouts::new().request::<Open>()).response.expect("it is answered");
    let opened = json!({"Ok": {"slots": 8, "memory": {"kind": "file", "size": 3}}});
    assert_eq!(noted(&response, &opened), "Ok { slots: 8, memory: <file of 3 B> }");
    assert_eq!(
        noted(&response, &json!({"Err": {"NoSuchPort": {"ports": 2}}})),
        "Err(NoSuchPort { ports: 2 })"
    );
}

#[test]
fn a_type_that_has_no_end_is_given_up() {
    let told = |field: &str| {
        let text = format!(
            r#"{{"actions":[{{"name":"a","body":{{"struct":"A","max":1,"fds":0,"c":{{"size":0,"align":1}},"fields":[{field}]}}}}]}}"#
        );
        let mut told = Description::try_from(Told(&text)).expect("it is understood");
        told.actions.remove(0).definition.expect("it has a type").body
    };
    let fault = |field: &str| read(&told(field), &[], 0, &mut place).expect_err("no value").to_string();
    let many = r#"{"array":{"array":{"tuple":[]},"len":65536},"len":65536}"#;
    assert!(fault(&format!(r#"{{"name":"x","type":{many}}}"#)).ends_with("has more than 131072 parts"));
    let fds = r#"{"array":{"array":{"option":"fd"},"len":65536},"len":65536}"#;
    assert!(
        fault(&format!(r#"{{"name":"x","fds":1,"type":{fds}}}"#)).ends_with("has more than 131072 parts")
    );
    let far = r#"{"name":"x","type":"u8","offset":18446744073709551615}"#;
    assert!(fault(far).ends_with("takes 1 bytes, and the payload ends after 0 more"));
    // Behind something else its place is more than any number.
    let inner = format!(r#"{{"struct":"B","c":{{"size":1,"align":1}},"fields":[{far}]}}"#);
    let text = format!(r#"{{"actions":[{{"name":"a","body":{{"tuple":["u8",{inner}],"max":2,"fds":0}}}}]}}"#);
    let mut told = Description::try_from(Told(&text)).expect("it is understood");
    let body = told.actions.remove(0).definition.expect("it has a type").body;
    let fault = read(&body, &[1, 2], 0, &mut place).expect_err("no value").to_string();
    assert_eq!(fault, "`[1].x` takes 1 bytes, and the payload ends after 0 more");
}

#[test]
fn an_answer_is_ok_or_err() {
    let response = definition(&Layouts::new().request::<Open>()).response.expect("it is answered");
    let ok: Result<Opened, Failed> = Ok(Opened { slots: 8, memory: null() });
    let encoded = encode(&ok).expect("fits");
    assert_eq!(
        read(&response, encoded.param(), 1, &mut place),
        Ok(json!({"Ok": {"slots": 8, "memory": "memory 0"}}))
    );
    for (err, shown) in [
        (Failed::NoSuchPort { ports: 2 }, json!({"Err": {"NoSuchPort": {"ports": 2}}})),
        (Failed::Busy, json!({"Err": "Busy"})),
    ] {
        let err: Result<Opened, Failed> = Err(err);
        let encoded = encode(&err).expect("fits");
        assert_eq!(read(&response, encoded.param(), 0, &mut place), Ok(shown.clone()));
        assert_eq!(write(&response, &shown, &[]).expect("fits").bytes, encoded.param());
    }
    assert_eq!(
        read(&response, &[0, 0, 0, 0, 8, 0, 0, 0], 0, &mut place).map_err(|fault| fault.to_string()),
        Err("`Ok.memory` is a descriptor, and fewer came than there should be".to_owned())
    );
}

#[test]
fn what_is_written_by_hand_may_be_shorter() {
    let leaves = body::<Leaves>();
    let json = json!({
        "unsigned": [1, 2, 3, "18446744073709551615", "340282366920938463463374607431768211455", 0],
        "signed": [-1, 0, 0, 0, 0, 0],
        "floats": [0.5, "NaN"],
        "others": [true, "é", 1, -1],
        "times": ["1m 30s", "2026-01-31T12:00:00Z"],
        "addresses": ["10.0.0.1", "fe80::1", "::1"],
        "sockets": ["10.0.0.1:80", "[fe80::1]:80", "10.0.0.1:80"],
    });
    let written = write(&leaves, &json, &[]).expect("all are taken");
    let read: Leaves = decode(&written.bytes, []).expect("it is one");
    assert_eq!(read.times, (Duration::from_secs(90), UNIX_EPOCH + Duration::from_secs(1_769_860_800)));
    assert_eq!((read.unsigned.3, read.unsigned.4, read.others.1), (u64::MAX, u128::MAX, 'é'));

    let c = body::<InC>();
    let json = json!({
        "kind": 1, "inner": [{"kind": 1, "count": 2}, {"kind": 3, "count": 4}], "name": "eth0", "rate": 1,
        "aligned": {"flag": true, "rates": [1, 2, 3]}, "grid": [[1, 2, 3], [4, 5, 6]], "int": -1,
    });
    let written = write(&c, &json, &["log".to_owned(), "memory".to_owned()]).expect("all are taken");
    assert_eq!(written.fds, [1, 0], "in the order of the fields");
    let read: InC = decode(&written.bytes, [null(), null()]).expect("it is one");
    assert!(read.name == *b"eth0\0\0" && read.log.is_some() && read.memory.as_raw_fd() >= 0);
    assert_eq!(read.grid, [[1, 2, 3], [4, 5, 6]]);
}

#[test]
fn a_fault_names_the_field_and_what_it_takes() {
    let refused = |body: &Body, json: Value, fds: &[&str]| {
        let fds: Vec<_> = fds.iter().map(ToString::to_string).collect();
        write(body, &json, &fds).expect_err("refused").to_string()
    };
    let event = body::<Event>();
    assert_eq!(
        refused(&event, json!("Loud"), &[]),
        "takes one of \"Quiet\", {\"Up\": ...}, {\"Down\": ...}, {\"Pair\": ...}, not \"Loud\""
    );
    assert_eq!(
        refused(&event, json!({"Up": 65536}), &[]),
        "`Up.0` takes a number from 0 to 65535, not 65536"
    );
    assert_eq!(
        refused(&event, json!({"Down": {"why": "much too long", "inner": {"x": 1, "y": [0, 0]}}}), &[]),
        "`Down.why` has 13 bytes, and at most 9 fit"
    );
    assert_eq!(
        refused(&event, json!({"Down": {"why": "", "inner": {"x": 1, "y": [0, "a"]}}}), &[]),
        "`Down.inner.y[1]` takes a number from -32768 to 32767, not \"a\""
    );
    assert_eq!(
        refused(&event, json!({"Down": {"why": ""}}), &[]),
        "`Down.inner` is missing: it takes an object with x, y"
    );
    assert_eq!(
        refused(&event, json!({"Down": {"why": "", "inner": 7, "mtu": 1}}), &[]),
        "`Down.mtu` is no field: those are why, inner"
    );
    assert_eq!(refused(&event, json!({"Down": 7}), &[]), "`Down` takes an object with why, inner, not 7");

    let files = body::<Files>();
    let json = json!({"count": 1, "after": 2});
    assert_eq!(refused(&files, json.clone(), &[]), "`one` needs a descriptor: give --fd one=PATH");
    assert_eq!(
        refused(&files, json.clone(), &["one", "two"]),
        "`two` needs a descriptor: give --fd two=PATH"
    );
    assert_eq!(
        refused(&files, json.clone(), &["one", "two", "two", "log"]),
        "`log` takes no descriptor here: those that do are one, perhaps, two, some"
    );
    assert_eq!(
        refused(&files, json.clone(), &["one", "one", "two", "two"]),
        "`one` takes fewer descriptors than it is given: leave one --fd one=... out"
    );
    assert_eq!(
        refused(&files, json!({"count": 1, "after": 2, "one": 3}), &["one"]),
        "`one` is a descriptor: leave it out of the JSON, and give --fd one=PATH"
    );
    assert_eq!(refused(&event, json!("Quiet"), &["log"]), "`log` takes no descriptors: leave --fd out");
}

#[test]
fn types_are_spelled_as_one_would_write_them() {
    let spelled = |layouts: Layouts| {
        let action = description(&layouts).actions.remove(0);
        action.definition.clone().expect("it has a type").spelled(&action)
    };
    let text = spelled(Layouts::new().request::<Open>());
    expect_test::expect![[r#"
        // request, fingerprint 1d634d729611da86
        #[message(name = "open", response = Result<Opened, Failed>)]
        // Open: 2 bytes
        struct Open {
            port: u16,  // 2
        }
        // Result<Opened, Failed>: 8 to 10 bytes, 1 descriptor
        Ok {
            slots: u32,             // 4
            #[fd] memory: OwnedFd,
        }
        enum Failed {
            NoSuchPort {
                ports: u16,  // 2
            },
            Busy,
        }
    "#]]
    .assert_eq(&text);
    expect_test::expect![[r#"
        // message, fingerprint fb922e77ce408dca
        #[message(name = "nested")]
        // Nested: 37 to 81 bytes
        struct Nested {
            inner: Inner,                      // 6
            list: Vec<Inner, 3>,               // 26
            sorts: [Sort; 2],                  // 24
            optional: Option<Option<u8>>,      // 3
            tuple: (u8, (i32,), ()),           // 5
            result: Result<Wrapped, Sort>,     // 16
            nothing: Nothing,                  // 0
            perhaps_nothing: Option<Nothing>,  // 1
        }
        struct Inner {
            x: u16,       // 2
            y: [i16; 2],  // 4
        }
        enum Sort {
            Quiet,
            Up(u16),
            Down {
                why: u8,            // 1
                at: Option<Inner>,  // 7
            },
            Pair(u8, bool),
        }
        struct Wrapped(u32);
        struct Nothing;
    "#]]
    .assert_eq(&spelled(Layouts::new().message::<Nested>()));
    expect_test::expect![[r#"
        // message, no fingerprint
        #[message(name = "c")]
        // InC: 80 bytes, at most 2 descriptors, laid out as C does
        struct InC {
            kind: u8,                    // 1, at 0
            #[fd] memory: OwnedFd,
            inner: [CInner; 2],          // 16, at 4
            name: [u8; 6],               // 6, at 20
            aligned: Aligned,            // 16, at 32
            rate: f64,                   // 8, at 48
            #[fd] log: Option<OwnedFd>,
            grid: [[u16; 3]; 2],         // 12, at 56
            int: i64,                    // 8, at 72
        }
        struct CInner {
            kind: u8,    // 1, at 0
            count: u32,  // 4, at 4
        }
        struct Aligned {
            flag: bool,       // 1, at 0
            rates: [f32; 3],  // 12, at 4
        }
    "#]]
    .assert_eq(&spelled(Layouts::new().message::<InC>()));
}

#[test]
fn what_is_told_may_be_of_a_later_release_or_nonsense() {
    let understood = |text: &str| Description::try_from(Told(text)).map(|told| told.actions.len());
    assert_eq!(
        understood(r#"{"mp.describe":1,"actions":[{"name":"a","more":[1]}],"more":{}}"#).ok(),
        Some(1)
    );
    let told = |text: &str| understood(text).expect_err("nonsense").to_string();
    assert!(told("{").contains("cannot be understood"));
    assert!(told("{}").ends_with("\"actions\" is missing, or of another kind"));
    let of = |ty: &str| {
        let field = format!(r#"{{"name":"x","type":{ty},"max":1}}"#);
        told(&format!(
            r#"{{"actions":[{{"name":"a","body":{{"struct":"A","max":1,"fds":0,"fields":[{field}]}}}}]}}"#
        ))
    };
    assert!(of("\"u7\"").ends_with("\"a\": the field \"x\": the type \"u7\" is not known here"));
    assert!(of(r#"{"array":"u8","len":100000000000}"#).ends_with("100000000000 do not fit a message"));
    assert!(of(r#"{"tree":1}"#).ends_with("a type with the keys tree is not known here"));
}

#[test]
fn c_structs_are_what_a_c_compiler_agrees_to() {
    let c = in_c(&definition(&Layouts::new().message::<InC>())).expect("it is in C layout");
    expect_test::expect![[r##"
        #include <stdbool.h>
        #include <stddef.h>
        #include <stdint.h>

        struct CInner {
            uint8_t kind;
            uint32_t count;
        };
        _Static_assert(sizeof(struct CInner) == 8, "size of CInner");
        _Static_assert(offsetof(struct CInner, kind) == 0, "place of CInner.kind");
        _Static_assert(offsetof(struct CInner, count) == 4, "place of CInner.count");

        struct Aligned {
            _Alignas(16) bool flag;
            float rates[3];
        };
        _Static_assert(sizeof(struct Aligned) == 16, "size of Aligned");
        _Static_assert(offsetof(struct Aligned, flag) == 0, "place of Aligned.flag");
        _Static_assert(offsetof(struct Aligned, rates) == 4, "place of Aligned.rates");

        struct InC {
            uint8_t kind;
            struct CInner inner[2];
            uint8_t name[6];
            struct Aligned aligned;
            double rate;
            uint16_t grid[2][3];
            int64_t int_;
            /* beside it, as file descriptors: memory: OwnedFd */
            /* beside it, as file descriptors: log: Option<OwnedFd> */
        };
        _Static_assert(sizeof(struct InC) == 80, "size of InC");
        _Static_assert(offsetof(struct InC, kind) == 0, "place of InC.kind");
        _Static_assert(offsetof(struct InC, inner) == 4, "place of InC.inner");
        _Static_assert(offsetof(struct InC, name) == 20, "place of InC.name");
        _Static_assert(offsetof(struct InC, aligned) == 32, "place of InC.aligned");
        _Static_assert(offsetof(struct InC, rate) == 48, "place of InC.rate");
        _Static_assert(offsetof(struct InC, grid) == 56, "place of InC.grid");
        _Static_assert(offsetof(struct InC, int_) == 72, "place of InC.int_");

    "##]]
    .assert_eq(&c);
    assert_eq!(
        in_c(&definition(&Layouts::new().message::<Event>())).expect_err("it is not").to_string(),
        "is not in C layout, so there is no C struct for it"
    );
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("structs.c");
    std::fs::write(&file, &c).expect("written");
    // A machine without a C compiler cannot tell; those that build DPDK have one.
    match std::process::Command::new("cc")
        .args(["-std=c11", "-Wall", "-Werror", "-fsyntax-only"])
        .arg(&file)
        .output()
    {
        Ok(output) => {
            assert!(output.status.success(), "{c}\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}
