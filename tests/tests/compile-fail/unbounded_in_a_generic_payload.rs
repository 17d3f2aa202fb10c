use mp_typed::{Message, Payload};

#[derive(Payload)]
pub struct Pair<T> {
    pub first: T,
    pub second: T,
}

#[derive(Message)]
#[message(name = "pair")]
pub struct Names {
    pub pair: Pair<String>,
}

fn main() {}
