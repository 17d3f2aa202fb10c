use mp_typed::{Message, Payload};

#[derive(Payload)]
pub enum Speed {
    Slow = 10,
    Fast = 100,
}

#[derive(Message)]
#[message(name = "mode")]
#[repr(u8)]
pub enum Mode {
    Off = 0,
    On(u8) = ON,
}

pub const ON: u8 = 2;

fn main() {}
