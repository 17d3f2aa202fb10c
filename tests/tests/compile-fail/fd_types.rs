use std::os::fd::{OwnedFd, RawFd, BorrowedFd};

use mp_typed::Message;

type Lent = BorrowedFd<'static>;

#[derive(Message)]
#[message(name = "attach")]
pub struct Attach {
    #[fd]
    pub a: i32,
    #[fd]
    pub b: RawFd,
    #[fd]
    pub c: String,
    #[fd]
    pub d: Vec<OwnedFd>,
    #[fd]
    pub e: [u32; 2],
    #[fd]
    pub f: Lent,
    #[fd]
    #[message(max_len = 2)]
    pub g: OwnedFd,
    #[message(max_len = 2)]
    pub h: u32,
}

fn main() {}
