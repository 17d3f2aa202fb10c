use std::os::fd::RawFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    pub raw: RawFd,
    pub maybe: Option<RawFd>,
}

fn main() {}
