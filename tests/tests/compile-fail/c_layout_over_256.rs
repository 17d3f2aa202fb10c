use mp_typed::{Message, Payload};

#[derive(Payload)]
#[payload(layout = "C")]
pub struct Queue {
    pub id: u8,
    pub head: u64,
}

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct InC {
    pub kind: u8,
    pub queue: Queue,
    pub name: [u8; 225],
    pub count: u32,
    pub last: u16,
}

fn main() {}
