use std::os::fd::RawFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[fd]
    pub raw: RawFd,
    #[fd]
    pub maybe: Option<i32>,
}

fn main() {}
