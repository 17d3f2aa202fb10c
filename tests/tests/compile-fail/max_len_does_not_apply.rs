use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "share")]
pub struct Share {
    #[message(max_len = 2)]
    pub number: u32,
    #[message(max_len = 2)]
    pub array: [u8; 4],
    #[message(max_len = 2)]
    pub text: heapless::String<8>,
    #[message(max_len = 2)]
    pub names: Vec<String>,
    #[fd]
    #[message(max_len = 2)]
    pub memory: OwnedFd,
}

fn main() {}
