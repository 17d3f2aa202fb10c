use mp_typed::{Message, Payload};

#[derive(Payload)]
pub struct Nested {
    #[message(max_len = 32)]
    pub label: String,
}

#[derive(Message)]
#[message(name = "outer")]
pub struct Outer {
    #[payload(max_len = 32)]
    pub label: String,
}

fn main() {}
