use mp_typed::{DecodeOwned, Message};

#[derive(Message)]
#[message(name = "text")]
pub struct Text<'a> {
    #[message(max_len = 8)]
    pub text: &'a str,
}

pub fn receive<M: Message + DecodeOwned>() {}

pub fn mixed_up() {
    receive::<Text<'static>>();
}

fn main() {}
