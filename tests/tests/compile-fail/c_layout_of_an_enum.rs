use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub enum InC {
    A(u32),
    B,
}

#[derive(Payload)]
#[payload(layout = "C")]
pub enum Nested {
    A,
    B,
}

fn main() {}
