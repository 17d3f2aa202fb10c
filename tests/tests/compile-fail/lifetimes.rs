use mp_typed::{Message, Payload};

#[derive(Message)]
#[message(name = "two")]
pub struct Two<'a, 'b> {
    #[message(max_len = 8)]
    pub first: &'a str,
    #[message(max_len = 8)]
    pub second: &'b str,
}

#[derive(Payload)]
pub struct Borrowed<'a> {
    #[payload(max_len = 8)]
    pub text: &'a str,
}

fn main() {}
