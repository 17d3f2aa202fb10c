use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "log")]
pub struct Log {
    #[message(max_len = 32, max_size = 40)]
    pub line: String,
    #[fd]
    #[message(max_size = 4)]
    pub file: OwnedFd,
}

fn main() {}
