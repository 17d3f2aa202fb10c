use mp_typed::{Message, Response};

#[derive(Message)]
#[message(name = "ping", response = Pong)]
pub struct Ping;

#[derive(Response)]
pub struct Pong;

fn main() {}
