use std::os::fd::{OwnedFd, RawFd};

use mp_typed::Message;

#[derive(Message)]
#[message(name = "", layuot = "C")]
pub struct Everything {
    pub text: String,
    #[message(max_len = "8")]
    pub more: String,
    #[fd(1)]
    pub file: OwnedFd,
    pub raw: RawFd,
    pub own: Own,
}

pub struct Own;

fn main() {}
