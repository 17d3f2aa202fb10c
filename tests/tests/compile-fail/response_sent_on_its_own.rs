use mp_typed::{Message, Request, Response};

#[derive(Response)]
pub struct Answer;

pub fn send(_: &impl Message) {}
pub fn request(_: &impl Request) {}

pub fn mixed_up() {
    send(&Answer);
    request(&Answer);
}

fn main() {}
