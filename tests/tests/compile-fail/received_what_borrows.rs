use std::os::fd::BorrowedFd;

use mp_typed::{DecodeOwned, Message};

#[derive(Message)]
#[message(name = "lend")]
pub struct Lend<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

pub fn receive<M: Message + DecodeOwned>() {}

pub fn mixed_up() {
    receive::<Lend<'static>>();
    let _ = mp_typed::decode::<Lend<'_>>(&[], []);
}

fn main() {}
