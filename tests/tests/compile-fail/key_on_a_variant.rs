use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "event")]
pub enum Event {
    #[message(name = "up")]
    Up,
    #[fd]
    Down(OwnedFd),
}

fn main() {}
