use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use mp_typed::{Message, Payload, Request, Response};

#[derive(Payload)]
pub struct Inner(pub [u8; 256]);

#[derive(Payload)]
pub struct Twice<T>(pub T, pub T);

#[derive(Payload)]
#[payload(layout = "C")]
pub struct InnerC(pub u64, pub u8, pub [u64; 30]);

#[derive(Message)]
#[message(name = "array")]
pub struct Array(pub [u8; 257]);

#[derive(Message)]
#[message(name = "fields")]
pub struct Fields(pub [u8; 249], pub u64);

#[derive(Message)]
#[message(name = "tuple")]
pub struct Tuple(pub (u8, [u16; 128]));

#[derive(Message)]
#[message(name = "opt")]
pub struct Opt(pub Option<[u8; 256]>);

#[derive(Message)]
#[message(name = "res")]
pub struct Res(pub Result<[u8; 253], ()>);

#[derive(Message)]
#[message(name = "nested")]
pub struct Nested(pub Inner, pub u8);

#[derive(Message)]
#[message(name = "generic")]
pub struct Generic(pub Twice<[u8; 128]>, pub u8);

#[derive(Message)]
#[message(name = "text")]
pub struct Text(#[message(max_len = 249)] pub String);

#[derive(Message)]
#[message(name = "list")]
pub struct List(#[message(max_len = 62)] pub Vec<u32>, pub u8);

#[derive(Message)]
#[message(name = "maybetext")]
pub struct MaybeText(#[message(max_len = 248)] pub Option<String>);

#[derive(Message)]
#[message(name = "map")]
pub struct Map(#[message(max_len = 31)] pub BTreeMap<u32, u32>, pub u8);

#[derive(Message)]
#[message(name = "foreign")]
pub struct Foreign(#[message(max_size = 257)] pub PathBuf);

#[derive(Message)]
#[message(name = "heapless")]
pub struct Heapless(pub heapless::String<249>);

#[derive(Message)]
#[message(name = "arrays")]
pub struct Arrays(pub arrayvec::ArrayVec<u8, 249>);

#[derive(Message)]
#[message(name = "maybefd")]
pub struct MaybeFd(pub [u8; 256], #[fd] pub Option<OwnedFd>);

#[derive(Message)]
#[message(name = "fds")]
pub struct Fds(pub [u8; 249], #[fd] #[message(max_len = 1)] pub Vec<OwnedFd>);

#[derive(Message)]
#[message(name = "nestedc")]
pub struct NestedC(pub InnerC, pub u8);

#[derive(Message)]
#[message(name = "event")]
pub enum Event {
    Small(u8),
    Large([u8; 253]),
}

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC(pub [u8; 249], pub u64);

#[derive(Response)]
pub struct Answer(pub [u8; 257]);

#[derive(Request)]
#[message(name = "question", response = ())]
pub struct Question(pub [u8; 257]);

fn main() {}
