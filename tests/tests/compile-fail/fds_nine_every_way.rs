use std::os::fd::{BorrowedFd, OwnedFd};

use mp_typed::Message;

#[derive(Message)]
#[message(name = "array")]
pub struct Array(#[fd] pub [OwnedFd; 9]);

#[derive(Message)]
#[message(name = "fields")]
pub struct Fields(#[fd] pub [OwnedFd; 8], #[fd] pub OwnedFd);

#[derive(Message)]
#[message(name = "maybe")]
pub struct Maybe(#[fd] pub [OwnedFd; 8], #[fd] pub Option<OwnedFd>);

#[derive(Message)]
#[message(name = "maybearray")]
pub struct MaybeArray(#[fd] pub Option<[OwnedFd; 9]>);

#[derive(Message)]
#[message(name = "arraymaybe")]
pub struct ArrayMaybe(#[fd] pub [Option<OwnedFd>; 9]);

#[derive(Message)]
#[message(name = "nested")]
pub struct Nested(#[fd] pub [[OwnedFd; 3]; 3]);

#[derive(Message)]
#[message(name = "list")]
pub struct List(#[fd] #[message(max_len = 9)] pub Vec<OwnedFd>);

#[derive(Message)]
#[message(name = "heapless")]
pub struct Heapless(#[fd] pub heapless::Vec<OwnedFd, 9>);

#[derive(Message)]
#[message(name = "arrays")]
pub struct Arrays(#[fd] pub arrayvec::ArrayVec<OwnedFd, 9>);

#[derive(Message)]
#[message(name = "lent")]
pub struct Lent<'a>(#[fd] pub [BorrowedFd<'a>; 9]);

#[derive(Message)]
#[message(name = "event")]
pub enum Event {
    Few(#[fd] OwnedFd),
    Many { #[fd] first: [OwnedFd; 4], #[fd] second: [OwnedFd; 5] },
}

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC(#[fd] pub [OwnedFd; 9]);

fn main() {}
