use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[fd(2)]
    pub memory: OwnedFd,
    #[fd]
    #[fd]
    pub twice: OwnedFd,
}

fn main() {}
