//! What derived types do: the user code of the design, its bytes, its descriptors.

use std::fs::File;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};

use mp_typed::{Body, Message, Payload, Request, Response, decode, encode};
use serde::{Deserialize, Serialize};

#[derive(Message, Debug, PartialEq)]
#[message(name = "link_state")]
struct LinkState {
    port: u16,
    up: bool,
}

#[derive(Request, Debug, PartialEq)]
#[message(name = "ring_open", response = Ring)]
struct OpenRing {
    port: u16,
    #[message(max_len = 32)]
    label: String,
}

#[derive(Response, Debug)]
struct Ring {
    geometry: Geometry,
    #[fd]
    memory: OwnedFd,
}

#[derive(Serialize, Deserialize, Payload, Debug, PartialEq)]
struct Geometry {
    slots: u32,
    head: [u64; 4],
}

#[derive(Request, Debug)]
#[message(name = "ping", response = ())]
struct Ping;

#[derive(Message, Debug)]
#[message(name = "c", layout = "C")]
struct InC {
    kind: u16,
    num: u64,
    on: bool,
    #[fd]
    file: Option<OwnedFd>,
}

fn dev_null() -> OwnedFd {
    File::open("/dev/null").expect("every Unix has it").into()
}

#[test]
fn a_message_is_its_fields_one_after_the_other() {
    let state = LinkState { port: 0x0102, up: true };
    let encoded = encode(&state).unwrap();
    assert_eq!(encoded.param(), [2, 1, 1]);
    assert_eq!(LinkState::MAX_SIZE, 3);
    assert_eq!(LinkState::NAME, "link_state");
    assert_eq!(decode::<LinkState>(encoded.param(), []).unwrap(), state);
}

#[test]
fn a_request_with_bounded_text_comes_back_as_it_was() {
    let request = OpenRing { port: 1, label: "rx".into() };
    let encoded = encode(&request).unwrap();
    assert_eq!(encoded.param(), [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'r', b'x']);
    assert_eq!(decode::<OpenRing>(encoded.param(), []).unwrap(), request);
    assert_eq!(OpenRing::MAX_SIZE, 2 + 8 + 32);
    let long = OpenRing { port: 1, label: "x".repeat(33) };
    assert_eq!(
        encode(&long).unwrap_err().to_string(),
        "`OpenRing.label` cannot be sent: its length is 33, its `max_len` is 32"
    );
}

#[test]
fn a_response_lends_its_descriptor() {
    let ring = Ring { geometry: Geometry { slots: 4, head: [1, 2, 3, 4] }, memory: dev_null() };
    let encoded = encode(&ring).unwrap();
    assert_eq!(encoded.fds().len(), 1);
    assert_eq!(encoded.fds()[0].as_raw_fd(), ring.memory.as_raw_fd());
    let back = decode::<Ring>(encoded.param(), [dev_null()]).unwrap();
    assert_eq!(back.geometry, ring.geometry);
    assert_eq!((Ring::MAX_SIZE, Ring::MAX_FDS), (36, 1));
}

#[test]
fn a_payload_of_nothing_but_a_mark_asks_nothing_of_its_parameter() {
    #[derive(Debug, PartialEq)]
    struct NoPayload;

    #[derive(Payload, Debug, PartialEq)]
    struct Id<T, U> {
        number: U,
        of: PhantomData<(T, fn(T))>,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(name = "id")]
    struct Holder(Id<NoPayload, u16>);

    let holder = Holder(Id { number: 7, of: PhantomData });
    let encoded = encode(&holder).unwrap();
    assert_eq!(encoded.param(), [7, 0]);
    assert_eq!(decode::<Holder>(encoded.param(), []).unwrap(), holder);
}

#[test]
fn the_length_of_an_array_may_speak_of_the_type_it_is_part_of() {
    #[derive(Payload, Debug, PartialEq)]
    struct Ring {
        bytes: [u8; size_of::<Option<Box<Ring>>>()],
    }

    assert_eq!(Ring::MAX_SIZE, size_of::<usize>());
}

#[test]
fn a_c_struct_may_ask_for_its_alignment() {
    #[derive(Payload)]
    #[payload(layout = "C")]
    #[repr(align(8))]
    struct Inner {
        a: u8,
    }

    #[derive(Message)]
    #[message(name = "aligned", layout = "C")]
    #[repr(C, align(16))]
    struct Aligned {
        a: u8,
        inner: Inner,
        b: u8,
    }

    assert_eq!((Inner::MAX_SIZE, Aligned::MAX_SIZE), (8, 32));
    let encoded =
        encode(&Aligned { a: 1, inner: Inner { a: 2 }, b: 3 }).map(|encoded| encoded.param().to_vec());
    let param = encoded.unwrap();
    assert_eq!((param.len(), param[0], param[8], param[16]), (32, 1, 2, 3));
}

#[test]
fn an_empty_request_takes_nothing() {
    assert!(encode(&Ping).unwrap().param().is_empty());
    assert!(decode::<Ping>(&[], []).is_ok());
    assert!(decode::<Ping>(&[0], []).is_err());
}

#[test]
fn a_c_layout_has_the_padding_of_c() {
    let message = InC { kind: 0x1122, num: 3, on: true, file: Some(dev_null()) };
    let encoded = encode(&message).unwrap();
    let mut expected = [0; 24];
    expected[..2].copy_from_slice(&0x1122_u16.to_ne_bytes());
    expected[8..16].copy_from_slice(&3_u64.to_ne_bytes());
    expected[16] = 1;
    assert_eq!(encoded.param(), expected);
    let back = decode::<InC>(&expected, [dev_null()]).unwrap();
    assert_eq!((back.kind, back.num, back.on, back.file.is_some()), (0x1122, 3, true, true));
    assert!(decode::<InC>(&expected, []).unwrap().file.is_none());
    assert!(decode::<InC>(&expected[..23], []).is_err());
}
