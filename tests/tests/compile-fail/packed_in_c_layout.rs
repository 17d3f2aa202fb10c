use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "p", layout = "C")]
#[repr(C, packed)]
pub struct Packed {
    pub a: u8,
    pub b: u32,
}

#[derive(Payload)]
#[payload(layout = "C")]
#[repr(packed(2))]
pub struct PackedPayload {
    pub a: u8,
    pub b: u32,
}

fn main() {}
