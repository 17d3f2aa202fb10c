use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "lend")]
pub struct Lend<'a> {
    pub memory: BorrowedFd<'a>,
    pub file: Option<File>,
    pub sockets: [UnixDatagram; 2],
    pub more: Vec<OwnedFd>,
}

fn main() {}
