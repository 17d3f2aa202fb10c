use std::os::fd::BorrowedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "lend")]
pub struct Lend<'a> {
    #[fd]
    pub memory: BorrowedFd<'a>,
}

pub fn mixed_up() {
    let _ = mp_typed::decode::<Lend<'_>>(&[], []);
}

fn main() {}
