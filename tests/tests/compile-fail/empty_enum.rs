use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "never")]
pub enum Never {}

#[derive(Payload)]
pub enum Nothing {}

fn main() {}
