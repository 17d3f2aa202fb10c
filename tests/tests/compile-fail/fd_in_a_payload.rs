use std::os::fd::OwnedFd;

use mp_typed::Payload;

#[derive(Payload)]
pub struct Region {
    pub size: u64,
    #[fd]
    pub memory: OwnedFd,
}

#[derive(Payload)]
pub struct Unmarked {
    pub memory: OwnedFd,
}

fn main() {}
