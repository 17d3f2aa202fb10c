use std::os::fd::OwnedFd;

use mp_typed::{Message, Payload, Response};

#[derive(Message)]
#[message(name = "few", max_fds = 8)]
pub struct Few(#[fd] pub OwnedFd);

#[derive(Message)]
#[message(name = "many", max_fds = MANY)]
pub struct Many(#[fd] pub OwnedFd);

pub const MANY: usize = 254;

#[derive(Response)]
#[message(max_fds = 16)]
pub struct Seventeen {
    #[fd]
    pub first: OwnedFd,
    #[fd]
    #[message(max_len = 16)]
    pub others: Vec<OwnedFd>,
}

#[derive(Payload)]
#[payload(max_fds = 16)]
pub struct Bytes(pub u8);

fn main() {}
