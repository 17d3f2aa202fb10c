use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[fd]
    pub queues: Vec<OwnedFd>,
}

fn main() {}
