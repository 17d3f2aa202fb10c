use std::os::fd::BorrowedFd;

use mp_typed::{Message, Peer, Primary};

#[derive(Message)]
#[message(name = "lend")]
pub struct Lend<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

pub fn mixed_up() {
    let _ = Primary::builder("p").on(|_: Lend<'static>, _: &Peer| {});
}

fn main() {}
