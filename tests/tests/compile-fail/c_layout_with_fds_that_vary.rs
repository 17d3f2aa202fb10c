use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC {
    pub kind: u32,
    #[fd]
    pub first: Option<OwnedFd>,
    #[fd]
    pub second: OwnedFd,
}

fn main() {}
