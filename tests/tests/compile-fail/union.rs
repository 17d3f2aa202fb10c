use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "u")]
pub union Either {
    pub a: u32,
    pub b: f32,
}

#[derive(Payload)]
pub union Other {
    pub a: u32,
    pub b: f32,
}

fn main() {}
