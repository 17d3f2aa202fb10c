use mp_typed::Message;
use std::os::fd::OwnedFd;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    pub port: u16,
    #[fd]
    pub region: OwnedFd,
    #[fd]
    pub queues: [OwnedFd; 8],
}

fn main() {}
