use mp_typed::{Message, Request};

#[derive(Request)]
#[message(name = "ping", response = ())]
pub struct Ping;

pub fn send(_: &impl Message) {}

pub fn mixed_up() {
    send(&Ping);
}

fn main() {}
