use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[message(fd)]
    pub memory: OwnedFd,
}

fn main() {}
