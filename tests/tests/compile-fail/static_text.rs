use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "p")]
pub struct Fixed {
    #[message(max_len = 8)]
    pub text: &'static str,
}

#[derive(Payload)]
pub struct Nested {
    #[payload(max_len = 8)]
    pub text: &'static str,
}

fn main() {}
