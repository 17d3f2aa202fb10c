use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "lower", layout = "c")]
pub struct Lower;

#[derive(Message)]
#[message(name = "bare", layout = C)]
pub struct Bare;

#[derive(Payload)]
#[payload(layout = "packed")]
pub struct Packed {
    pub slots: u32,
}

fn main() {}
