use mp_typed::{Message, Request};

#[derive(Message)]
#[message(name = "event")]
pub struct Event;

pub fn request(_: &impl Request) {}

pub fn mixed_up() {
    request(&Event);
}

fn main() {}
