//! What derived types do: the user code of the design, its bytes, its descriptors.

use std::fs::File;
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
